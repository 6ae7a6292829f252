//! Mapping profiles: a TOML file says how the columns of a foreign table become records.

use crate::domain::Issue;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;

/// How a table is mapped.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Profile {
    /// For people.
    #[serde(default)]
    pub description: String,
    /// Columns that the file lacks are passed over.
    #[serde(default)]
    pub optional_columns: bool,
    /// Columns that the profile does not name are read by the contract's names, where they are such.
    #[serde(default)]
    pub native_columns: bool,
    /// Foreign XML; columns are paths into its records then.
    pub xml: Option<XmlForm>,
    #[serde(default)]
    pub csv: CsvForm,
    /// The contract's members by the columns that fill them.
    #[serde(default)]
    pub fields: BTreeMap<String, FieldRule>,
    /// A column of category paths, made into a tree.
    pub categories: Option<CategoryRule>,
    #[serde(default)]
    pub attributes: Vec<AttributeRule>,
    #[serde(default)]
    pub stock: Vec<StockRule>,
    #[serde(default)]
    pub media: Vec<MediaRule>,
    pub variants: Option<VariantRule>,
}

/// The form of the table.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CsvForm {
    /// One character; recognised where it is left out.
    pub separator: Option<String>,
    /// Recognised where it is left out.
    pub encoding: Option<String>,
    /// The decimal mark; a point where it is left out.
    pub decimal: Option<char>,
}

/// The form of foreign XML.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct XmlForm {
    /// Which elements are records: `Product`, `Catalog/Product`, or from the root `/Shop/Catalog/Product`.
    pub record: String,
    /// The decimal mark; a point where it is left out.
    pub decimal: Option<char>,
}

/// Where a member comes from.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, from = "FieldForm")]
pub struct FieldRule {
    pub column: Option<String>,
    pub constant: Option<String>,
    /// Made of several columns: `{Article}/{Customer}`; a brace itself is written twice.
    pub template: Option<String>,
    /// Between several values of a member that may have several.
    pub split: Option<String>,
    /// Other words for what the cell says; a cell that is not among them is an error.
    pub lookup: Option<BTreeMap<String, String>>,
    /// Of texts.
    pub language: Option<String>,
    /// Of prices.
    pub currency: Option<String>,
    pub currency_column: Option<String>,
    pub gross: Option<bool>,
    pub gross_column: Option<String>,
    /// Of the special price: columns with its period.
    pub from: Option<String>,
    pub until: Option<String>,
    pub when: Option<Condition>,
}

/// A rule is written as a column's name, or in full.
#[derive(Deserialize)]
#[serde(untagged)]
enum FieldForm {
    Column(String),
    Full(FullRule),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct FullRule {
    column: Option<String>,
    constant: Option<String>,
    template: Option<String>,
    split: Option<String>,
    lookup: Option<BTreeMap<String, String>>,
    language: Option<String>,
    currency: Option<String>,
    currency_column: Option<String>,
    gross: Option<bool>,
    gross_column: Option<String>,
    from: Option<String>,
    until: Option<String>,
    when: Option<Condition>,
}

impl From<FieldForm> for FieldRule {
    fn from(form: FieldForm) -> Self {
        match form {
            FieldForm::Column(column) => Self { column: Some(column), ..Self::default() },
            FieldForm::Full(full) => Self {
                column: full.column,
                constant: full.constant,
                template: full.template,
                split: full.split,
                lookup: full.lookup,
                language: full.language,
                currency: full.currency,
                currency_column: full.currency_column,
                gross: full.gross,
                gross_column: full.gross_column,
                from: full.from,
                until: full.until,
                when: full.when,
            },
        }
    }
}

/// A rule counts only where a column has one of these values.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    pub column: String,
    pub is: Vec<String>,
}

/// `Men/Tops/Jackets,Sale`: paths between commas, levels between slashes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoryRule {
    pub column: String,
    /// Between paths; left out, there is one path.
    pub between: Option<String>,
    /// Between levels; left out, the cell has ids, not paths.
    pub levels: Option<String>,
    /// Levels that are left out, such as a root that all have.
    #[serde(default)]
    pub skip: Vec<String>,
    /// Of the categories' names.
    pub language: Option<String>,
}

/// A column that is an attribute, or a list of `code=value`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttributeRule {
    pub column: String,
    /// The attribute that the whole cell is.
    pub code: Option<String>,
    /// Between pairs.
    pub between: Option<String>,
    /// Between code and value.
    pub pair: Option<String>,
    #[serde(default)]
    pub skip: Vec<String>,
    pub when: Option<Condition>,
}

/// A column with a quantity.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StockRule {
    pub column: String,
    pub warehouse: Option<String>,
    pub when: Option<Condition>,
}

/// A column with names of pictures or documents.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MediaRule {
    pub column: String,
    /// Between names; left out, there is one.
    pub between: Option<String>,
    pub role: Option<String>,
}

/// A column in which a parent lists its variants: `sku=A-1,size=S|sku=A-2,size=M`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VariantRule {
    pub column: String,
    /// Between variants.
    pub between: String,
    /// Between the pairs of one.
    pub parts: String,
    /// Between name and value.
    pub pair: String,
    /// The name of the pair with the variant's key; the others are its axes.
    pub key: String,
}

/// A profile that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileError(pub String);

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the profile is not valid: {}", self.0)
    }
}

impl std::error::Error for ProfileError {}

impl From<ProfileError> for Issue {
    fn from(error: ProfileError) -> Self {
        Self::error("profile.invalid", error.to_string())
            .suggest("correct the profile; the message names line and column")
    }
}

impl Profile {
    /// Reads a profile.
    ///
    /// # Errors
    /// With line and column.
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        let mut profile: Self = toml::from_str(text).map_err(|e| ProfileError(e.to_string().trim().to_owned()))?;
        if let Some(separator) = &profile.csv.separator
            && (separator.len() != 1 || !separator.is_ascii())
        {
            return Err(ProfileError(format!("csv.separator is \"{separator}\", but must be one character")));
        }
        for (name, rule) in &profile.fields {
            let sources = [&rule.column, &rule.constant, &rule.template].into_iter().flatten().count();
            if sources != 1 {
                return Err(ProfileError(format!("fields.{name} needs either a column, a constant or a template")));
            }
            if let Some(Err(why)) = rule.template.as_deref().map(template) {
                return Err(ProfileError(format!("fields.{name}.template: {why}")));
            }
        }
        if let Some(xml) = &profile.xml {
            if xml.record.trim_matches('/').is_empty() {
                return Err(ProfileError(
                    "xml.record says which elements are records, such as Catalog/Product".to_owned(),
                ));
            }
            profile.csv.decimal = profile.csv.decimal.or(xml.decimal);
        }
        Ok(profile)
    }
}

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Text(String),
    Column(String),
}

/// The parts of a template.
///
/// # Errors
/// What is wrong with it.
pub fn template(text: &str) -> Result<Vec<Part>, String> {
    let (mut parts, mut plain) = (Vec::new(), String::new());
    let mut rest = text;
    while let Some(place) = rest.find(['{', '}']) {
        plain.push_str(&rest[..place]);
        let after = &rest[place..];
        if let Some(twice) = after
            .strip_prefix("{{")
            .map(|rest| ('{', rest))
            .or_else(|| after.strip_prefix("}}").map(|rest| ('}', rest)))
        {
            plain.push(twice.0);
            rest = twice.1;
            continue;
        }
        let (column, after) = after
            .strip_prefix('{')
            .and_then(|after| after.split_once('}'))
            .ok_or_else(|| format!("\"{text}\" has a brace without its other one; a brace itself is written twice"))?;
        if !plain.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut plain)));
        }
        parts.push(Part::Column(column.to_owned()));
        rest = after;
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        parts.push(Part::Text(plain));
    }
    Ok(parts)
}

impl Profile {
    /// All columns that it names.
    pub fn columns(&self) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        let mut add = |column: Option<&String>| {
            if let Some(column) = column.filter(|column| !all.contains(column)) {
                all.push(column.clone());
            }
        };
        let when = |condition: &Option<Condition>| condition.as_ref().map(|condition| condition.column.clone());
        for rule in self.fields.values() {
            for column in [&rule.column, &rule.currency_column, &rule.gross_column, &rule.from, &rule.until] {
                add(column.as_ref());
            }
            add(when(&rule.when).as_ref());
            for part in rule.template.as_deref().and_then(|text| template(text).ok()).unwrap_or_default() {
                if let Part::Column(column) = part {
                    add(Some(&column));
                }
            }
        }
        add(self.categories.as_ref().map(|rule| &rule.column));
        for rule in &self.attributes {
            add(Some(&rule.column));
            add(when(&rule.when).as_ref());
        }
        for rule in &self.stock {
            add(Some(&rule.column));
            add(when(&rule.when).as_ref());
        }
        self.media.iter().for_each(|rule| add(Some(&rule.column)));
        add(self.variants.as_ref().map(|rule| &rule.column));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_profiles_are_valid() {
        for (name, text) in crate::exchange::profiles::SHIPPED {
            assert!(Profile::parse(text).is_ok(), "{name}: {:?}", Profile::parse(text));
        }
    }

    #[test]
    fn a_wrong_profile_names_its_line() {
        let error = Profile::parse("[fields]\nsku = \"a\"\nwrong = 1\n").unwrap_err();
        assert!(error.0.contains("line 3"), "{error}");
        assert!(Profile::parse("[fields]\nsku = {}\n").is_err());
        assert!(Profile::parse("[fields.sku]\ncolour = \"a\"\n").is_err());
    }
}
