//! Mapping profiles: a TOML file says how the columns of a foreign table become records.

use crate::domain::Issue;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// Profiles that come along.
const SHIPPED: &[(&str, &str)] = &[("luma-shop", include_str!("../../profiles/luma-shop.toml"))];

/// How a table is mapped.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Profile {
    /// For people.
    #[serde(default)]
    pub description: String,
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

/// Where a member comes from.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, from = "FieldForm")]
pub struct FieldRule {
    pub column: Option<String>,
    pub constant: Option<String>,
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
        let profile: Self = toml::from_str(text).map_err(|e| ProfileError(e.to_string().trim().to_owned()))?;
        if let Some(separator) = &profile.csv.separator
            && (separator.len() != 1 || !separator.is_ascii())
        {
            return Err(ProfileError(format!("csv.separator is \"{separator}\", but must be one character")));
        }
        for (name, rule) in &profile.fields {
            if rule.column.is_none() == rule.constant.is_none() {
                return Err(ProfileError(format!("fields.{name} needs either a column or a constant")));
            }
        }
        Ok(profile)
    }
}

/// The profiles that are known: those in a folder, then those that come along.
#[derive(Clone, Debug, Default)]
pub struct Profiles {
    folder: Option<PathBuf>,
}

impl Profiles {
    pub fn in_folder(folder: &Path) -> Self {
        Self { folder: Some(folder.to_owned()) }
    }

    /// The text of a profile by its name.
    pub fn text(&self, name: &str) -> Option<String> {
        let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
        if !plain || name.starts_with('.') {
            return None;
        }
        let own = self.folder.as_ref().and_then(|f| std::fs::read_to_string(f.join(format!("{name}.toml"))).ok());
        own.or_else(|| SHIPPED.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned()))
    }

    /// All names.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = SHIPPED.iter().map(|(name, _)| (*name).to_owned()).collect();
        if let Some(entries) = self.folder.as_ref().and_then(|folder| std::fs::read_dir(folder).ok()) {
            names.extend(entries.flatten().filter_map(|entry| {
                let path = entry.path();
                let toml = path.extension().is_some_and(|e| e == "toml");
                toml.then(|| path.file_stem().map(|s| s.to_string_lossy().into_owned()))?
            }));
        }
        names.sort();
        names.dedup();
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_profiles_are_valid() {
        for (name, text) in SHIPPED {
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
