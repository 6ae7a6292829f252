//! What generated code says of elements, attributes and groups of them.

use super::Facets;

/// A namespace of a contract with the prefix that it is written with.
#[derive(Debug, PartialEq, Eq)]
pub struct Namespace {
    pub prefix: &'static str,
    pub uri: &'static str,
}

/// `minOccurs` and `maxOccurs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occurs {
    pub min: u32,
    /// `u32::MAX` is `unbounded`.
    pub max: u32,
}

impl Occurs {
    pub const ONCE: Self = Self { min: 1, max: 1 };
}

/// A named type, as `xsi:type` (JSON: `@type`) tells of it.
#[derive(Debug, PartialEq, Eq)]
pub struct TypeName {
    pub namespace: &'static str,
    pub local: &'static str,
    /// The name with its prefix, as it is written.
    pub tag: &'static str,
}

/// What a wildcard lets stand (XSD part 1, section 3.10.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wildcard {
    /// `##any`
    Any,
    /// `##other`: any namespace but this one, and not none.
    Other(&'static str),
    /// One of these; the empty one is none.
    Of(&'static [&'static str]),
}

impl Wildcard {
    pub fn allows(self, namespace: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Other(own) => !namespace.is_empty() && namespace != own,
            Self::Of(list) => list.contains(&namespace),
        }
    }
}

/// An element, attribute or wildcard of a generated type.
#[derive(Debug)]
pub struct Field {
    /// The namespace URI; empty for an unqualified name.
    pub namespace: &'static str,
    /// The local name in XML.
    pub local: &'static str,
    /// The name with its prefix, as it is written.
    pub tag: &'static str,
    /// The member name in JSON.
    pub json: &'static str,
    pub occurs: Occurs,
    pub facets: &'static Facets,
    /// What stands for an empty element.
    pub default: Option<&'static str>,
    /// The only value there may be.
    pub fixed: Option<&'static str>,
    /// What stands here, if it is a wildcard.
    pub wildcard: Wildcard,
    /// The type that SOAP encoding writes on the element.
    pub type_name: Option<&'static TypeName>,
}

impl Field {
    /// An element or attribute that occurs once, with its JSON member named as in XML.
    pub const fn new(namespace: &'static str, local: &'static str, tag: &'static str) -> Self {
        Self {
            namespace,
            local,
            tag,
            json: local,
            occurs: Occurs::ONCE,
            facets: &Facets::NONE,
            default: None,
            fixed: None,
            wildcard: Wildcard::Any,
            type_name: None,
        }
    }

    /// An element or attribute without a namespace.
    pub const fn unqualified(local: &'static str) -> Self {
        Self::new("", local, local)
    }

    /// Elements that the contract leaves open.
    pub const fn any(wildcard: Wildcard) -> Self {
        let mut field = Self::new("", "any", "any");
        field.wildcard = wildcard;
        field
    }

    #[must_use]
    pub const fn occurs(mut self, min: u32, max: u32) -> Self {
        self.occurs = Occurs { min, max };
        self
    }

    #[must_use]
    pub const fn json(mut self, json: &'static str) -> Self {
        self.json = json;
        self
    }

    #[must_use]
    pub const fn facets(mut self, facets: &'static Facets) -> Self {
        self.facets = facets;
        self
    }

    #[must_use]
    pub const fn default_value(mut self, value: &'static str) -> Self {
        self.default = Some(value);
        self
    }

    #[must_use]
    pub const fn fixed(mut self, value: &'static str) -> Self {
        self.fixed = Some(value);
        self
    }

    #[must_use]
    pub const fn typed(mut self, type_name: &'static TypeName) -> Self {
        self.type_name = Some(type_name);
        self
    }
}

/// What a sequence, choice or mixed content can begin with, and to which of its branches that leads.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    pub branch: usize,
    pub what: Beginning,
}

/// What stands at the beginning of a branch.
#[derive(Clone, Copy, Debug)]
pub enum Beginning {
    Element(&'static Field),
    Any(&'static Field),
    /// Text between elements.
    Text,
    /// A member that tells the branch in JSON, where order does not count; in XML others come before it.
    Member(&'static str),
}

impl Start {
    pub const fn element(branch: usize, field: &'static Field) -> Self {
        Self { branch, what: Beginning::Element(field) }
    }

    pub const fn any(branch: usize, field: &'static Field) -> Self {
        Self { branch, what: Beginning::Any(field) }
    }

    pub const fn text(branch: usize) -> Self {
        Self { branch, what: Beginning::Text }
    }

    pub const fn member(branch: usize, json: &'static str) -> Self {
        Self { branch, what: Beginning::Member(json) }
    }

    /// The member by which JSON tells it.
    pub fn json(&self) -> &'static str {
        match self.what {
            Beginning::Element(field) | Beginning::Any(field) => field.json,
            Beginning::Text => TEXT_MEMBER,
            Beginning::Member(json) => json,
        }
    }

    /// What a person calls it.
    pub fn name(&self) -> &'static str {
        match self.what {
            Beginning::Element(field) => field.local,
            Beginning::Any(_) => "any element",
            Beginning::Text => "text",
            Beginning::Member(json) => json,
        }
    }
}

/// The member that is a piece of text in mixed content.
pub const TEXT_MEMBER: &str = "#text";

/// A sequence or choice that repeats, or mixed content: in JSON an array of objects.
#[derive(Debug)]
pub struct Group {
    /// The member that has the array.
    pub json: &'static str,
    pub occurs: Occurs,
    /// Whether text counts.
    pub mixed: bool,
}
