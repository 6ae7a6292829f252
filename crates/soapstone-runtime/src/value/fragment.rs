//! XML that the contract leaves open (`xs:any`), kept as it came.

/// A well-formed element with all its namespace declarations in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct XmlFragment(pub String);
