//! A mapping profile that is proposed for a table, by what its columns are called.

use super::formats::{Form, Shape};
use super::kinds::Kind;
use std::fmt::Write;

/// What ERPs and shops call members, in English and German; the first that a table has counts.
const CALLED: &[(&str, &[&str])] = &[
    (
        "sku",
        &[
            "sku",
            "artikelnr",
            "artikelnummer",
            "artnr",
            "itemnumber",
            "itemno",
            "productcode",
            "productnumber",
            "materialnummer",
        ],
    ),
    ("number", &["number", "kundennr", "kundennummer", "debitorennummer", "customernumber", "nummer"]),
    ("id", &["id", "kategorieid", "categoryid"]),
    ("key", &["key", "schluessel", "code"]),
    ("name", &["name", "bezeichnung", "artikelbezeichnung", "titel", "title", "productname"]),
    ("shortText", &["kurztext", "kurzbeschreibung", "shortdescription", "shorttext"]),
    ("longText", &["langtext", "beschreibung", "description", "longdescription", "longtext"]),
    ("listPrice", &["preis", "listenpreis", "verkaufspreis", "vk", "price", "listprice", "retailprice"]),
    ("specialPrice", &["aktionspreis", "sonderpreis", "specialprice", "saleprice"]),
    ("gtin", &["gtin", "ean", "eancode", "barcode"]),
    ("manufacturer", &["hersteller", "marke", "brand", "manufacturer", "vendor"]),
    ("manufacturerNumber", &["herstellernr", "herstellernummer", "mpn", "manufacturernumber"]),
    ("unit", &["einheit", "mengeneinheit", "unit"]),
    ("weight", &["gewicht", "weight"]),
    ("stock", &["bestand", "lager", "lagerbestand", "stock", "qty", "quantity", "menge"]),
    ("taxClass", &["steuerklasse", "taxclass", "taxclassname"]),
    ("active", &["aktiv", "active", "online", "enabled"]),
    ("activeFrom", &["aktivvon", "gueltigab", "activefrom"]),
    ("activeUntil", &["aktivbis", "gueltigbis", "activeuntil"]),
    ("deliveryTime", &["lieferzeit", "lieferfrist", "deliverytime"]),
    ("variantOf", &["hauptartikel", "parent", "parentsku", "variantof"]),
    ("metaTitle", &["metatitle", "seotitel"]),
    ("metaKeywords", &["metakeywords", "suchbegriffe"]),
    ("metaDescription", &["metadescription"]),
    ("email", &["email", "mail", "emailadresse"]),
    ("company", &["firma", "company"]),
    ("parent", &["parent", "elternkategorie", "parentid"]),
    ("quantity", &["bestand", "menge", "quantity", "qty"]),
    ("price", &["preis", "price"]),
    ("percent", &["prozent", "rabatt", "percent", "discount"]),
    ("minimumQuantity", &["abmenge", "staffelmenge", "mindestmenge", "minimumquantity"]),
    ("customer", &["kunde", "kundennr", "kundennummer", "customer", "debitor"]),
];

/// Columns with the period of a special price.
const PERIOD: [(&str, &[&str]); 2] = [
    ("from", &["aktionvon", "specialpricefromdate", "specialfrom"]),
    ("until", &["aktionbis", "specialpricetodate", "specialuntil"]),
];

/// Columns of category paths, and of pictures.
const PATHS: &[&str] = &["kategorie", "kategorien", "warengruppe", "category", "categories"];
const PICTURES: &[&str] = &["bild", "bild1", "bilder", "image", "baseimage", "picture", "additionalimages"];

/// A name without its case, umlauts, dashes and blanks.
fn plain(name: &str) -> String {
    let spelled = name.to_lowercase().replace('ä', "ae").replace('ö', "oe").replace('ü', "ue");
    spelled.chars().filter(char::is_ascii_alphanumeric).collect()
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// The columns of a table, of which some are spoken for.
struct Columns<'a> {
    names: &'a [String],
    taken: Vec<bool>,
}

impl Columns<'_> {
    /// The first column that is called one of these and is not spoken for yet, as TOML.
    fn take(&mut self, called: &[&str]) -> Option<String> {
        let free = |place: &usize, wanted: &str| !self.taken[*place] && plain(&self.names[*place]) == wanted;
        let place = called.iter().find_map(|wanted| (0..self.names.len()).find(|place| free(place, wanted)))?;
        self.taken[place] = true;
        Some(quoted(&self.names[place]))
    }

    /// Those that nobody wanted.
    fn left(&self) -> Vec<String> {
        let left = self.names.iter().zip(&self.taken).filter(|(name, taken)| !**taken && !name.is_empty());
        left.map(|(name, _)| quoted(name)).collect()
    }
}

/// The rule for a member, of the column that it is in.
fn rule(member: &str, column: &str, columns: &mut Columns<'_>) -> String {
    match member {
        "name" | "shortText" | "longText" => format!("{{ column = {column}, language = \"de\" }}"),
        "specialPrice" => {
            let period =
                PERIOD.iter().filter_map(|(part, called)| Some(format!(", {part} = {}", columns.take(called)?)));
            format!("{{ column = {column}{} }}", period.collect::<String>())
        }
        _ => column.to_owned(),
    }
}

/// The proposal for a table of that form, as TOML with what is to be looked at.
pub fn propose(kind: &Kind, form: &Form, file: &str) -> String {
    let shape = Shape::of(kind);
    let mut columns = Columns { names: &form.names, taken: vec![false; form.names.len()] };
    let mut out = format!(
        "# Proposed for {} from {file}. Look at each line, then: soapstone profile test NAME.toml {file}\n\
         description = {}\n\n[csv]\nseparator = {}\nencoding = {}\n",
        kind.of,
        quoted(file),
        quoted(&form.separator.to_string()),
        quoted(form.encoding)
    );
    if form.mark != '.' {
        let _ = writeln!(out, "decimal = {}", quoted(&form.mark.to_string()));
    }
    out.push_str("\n[fields]\n");
    for (member, called) in CALLED.iter().filter(|(member, _)| shape.has(member)) {
        if let Some(column) = columns.take(called) {
            let _ = writeln!(out, "{member} = {}", rule(member, &column, &mut columns));
        }
    }
    if shape.has("category")
        && let Some(column) = columns.take(PATHS)
    {
        out.push_str("\n# Paths such as Tools/Saws; without levels, the cell has ids.\n");
        let _ = writeln!(out, "[categories]\ncolumn = {column}\nlevels = \"/\"");
    }
    while shape.has("media")
        && let Some(column) = columns.take(PICTURES)
    {
        let _ = writeln!(out, "\n[[media]]\ncolumn = {column}");
    }
    let left = columns.left();
    if !left.is_empty() {
        let members = shape.names().join(", ");
        let _ = writeln!(out, "\n# Nothing is proposed for these columns; there are the members {members}");
        left.iter().for_each(|name| out.push_str(&format!("#   {name}\n")));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::Profile;

    #[test]
    fn a_table_of_an_erp_gets_a_profile_that_is_valid() {
        let names = [
            "Artikel-Nr",
            "Name",
            "Preis",
            "Aktionspreis",
            "Aktion von",
            "Aktion bis",
            "Aktiv von",
            "Gewicht",
            "Bild",
            "Kategorie",
            "Was \"sonst\"",
        ];
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let form = Form { names, separator: ';', encoding: "windows-1252", mark: ',' };
        let proposed = propose(Kind::find("articles").unwrap(), &form, "artikel.csv");
        let profile = Profile::parse(&proposed).unwrap_or_else(|e| panic!("{e}\n{proposed}"));
        assert_eq!(profile.fields["sku"].column.as_deref(), Some("Artikel-Nr"));
        assert_eq!(profile.fields["specialPrice"].from.as_deref(), Some("Aktion von"));
        assert_eq!(profile.fields["activeFrom"].column.as_deref(), Some("Aktiv von"));
        assert_eq!((profile.csv.decimal, profile.media.len()), (Some(','), 1));
        assert_eq!(profile.categories.map(|rule| rule.column).as_deref(), Some("Kategorie"));
        assert!(proposed.contains("sonst"), "{proposed}");
    }
}
