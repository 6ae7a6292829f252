//! Schema components: types, elements, particles, attributes, facets.

use super::{Builtin, Place, QName};
use std::collections::BTreeMap;

/// All global components of a contract's schemas.
#[derive(Clone, Debug, Default)]
pub struct SchemaSet {
    pub types: BTreeMap<QName, Type>,
    pub elements: BTreeMap<QName, Element>,
    pub attributes: BTreeMap<QName, Attribute>,
    /// Members of each substitution group, by its head.
    pub substitutions: BTreeMap<QName, Vec<QName>>,
    /// The target namespaces in the order they were met.
    pub namespaces: Vec<std::sync::Arc<str>>,
}

/// A type definition.
#[derive(Clone, Debug)]
pub enum Type {
    Simple(SimpleType),
    Complex(ComplexType),
}

/// A reference to a type.
#[derive(Clone, Debug)]
pub enum TypeRef {
    Builtin(Builtin),
    Named(QName),
    Anonymous(Box<Type>),
}

/// `xs:simpleType`.
#[derive(Clone, Debug)]
pub struct SimpleType {
    pub place: Place,
    pub documentation: Option<String>,
    pub variety: Variety,
    /// The facets of this step of derivation; those of the base apply as well.
    pub facets: Facets,
}

/// How a simple type is made.
#[derive(Clone, Debug)]
pub enum Variety {
    Restriction(TypeRef),
    List(TypeRef),
    Union(Vec<TypeRef>),
}

/// What `xs:whiteSpace` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhiteSpace {
    Preserve,
    Replace,
    Collapse,
}

/// Constraining facets (XSD 1.0 part 2, section 4.3), values as written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facets {
    /// Value and documentation.
    pub enumeration: Vec<(String, Option<String>)>,
    pub patterns: Vec<String>,
    pub length: Option<u64>,
    pub min_length: Option<u64>,
    pub max_length: Option<u64>,
    pub min_inclusive: Option<String>,
    pub max_inclusive: Option<String>,
    pub min_exclusive: Option<String>,
    pub max_exclusive: Option<String>,
    pub total_digits: Option<u64>,
    pub fraction_digits: Option<u64>,
    pub white_space: Option<WhiteSpace>,
}

/// `xs:complexType`.
#[derive(Clone, Debug)]
pub struct ComplexType {
    pub place: Place,
    pub documentation: Option<String>,
    pub is_abstract: bool,
    pub mixed: bool,
    pub derivation: Option<Derivation>,
    /// The type's own content, without that of the base.
    pub content: Content,
    /// The type's own attributes, groups resolved, without those of the base.
    pub attributes: Vec<AttributeUse>,
    pub any_attribute: Option<Wildcard>,
}

/// What a complex type is derived from.
#[derive(Clone, Debug)]
pub struct Derivation {
    pub kind: DerivationKind,
    pub base: TypeRef,
}

/// `xs:extension` or `xs:restriction`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DerivationKind {
    Extension,
    Restriction,
}

/// What stands between a complex type's tags.
#[derive(Clone, Debug)]
pub enum Content {
    Empty,
    /// Text: the base is in the derivation, the facets are of this step; a restriction may name a simple type of its own.
    Simple(Facets, Option<TypeRef>),
    Elements(Particle),
}

/// A term with how often it occurs.
#[derive(Clone, Debug)]
pub struct Particle {
    pub occurs: Occurs,
    pub term: Term,
}

/// `minOccurs` and `maxOccurs`; no maximum is `unbounded`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occurs {
    pub min: u32,
    pub max: Option<u32>,
}

impl Occurs {
    pub const ONCE: Self = Self { min: 1, max: Some(1) };

    pub fn repeats(self) -> bool {
        self.max.is_none_or(|max| max > 1)
    }
}

/// What can occur.
#[derive(Clone, Debug)]
pub enum Term {
    Element(Element),
    Group(GroupKind, Vec<Particle>),
    Any(Wildcard),
}

/// `xs:sequence`, `xs:choice` or `xs:all`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupKind {
    Sequence,
    Choice,
    All,
}

/// An element declaration, or the use of a global one.
#[derive(Clone, Debug)]
pub struct Element {
    pub place: Place,
    pub documentation: Option<String>,
    /// As it stands in messages: an unqualified local element has no namespace.
    pub name: QName,
    pub type_: TypeRef,
    pub nillable: bool,
    pub is_abstract: bool,
    pub default: Option<String>,
    pub fixed: Option<String>,
    pub substitution_group: Option<QName>,
    /// Whether this is a use (`ref`) of a global element.
    pub reference: bool,
}

/// Whether local names are qualified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Qualified,
    Unqualified,
}

/// A global attribute declaration.
#[derive(Clone, Debug)]
pub struct Attribute {
    pub place: Place,
    pub documentation: Option<String>,
    pub name: QName,
    pub type_: TypeRef,
    pub default: Option<String>,
    pub fixed: Option<String>,
}

/// The use of an attribute in a complex type.
#[derive(Clone, Debug)]
pub struct AttributeUse {
    pub attribute: Attribute,
    pub required: bool,
    /// `use="prohibited"` in a restriction.
    pub prohibited: bool,
    /// `wsdl:arrayType`: the type of an encoded array's items (WSDL 1.1, section 2.2).
    pub array_type: Option<TypeRef>,
}

/// `xs:any` or `xs:anyAttribute`.
#[derive(Clone, Debug)]
pub struct Wildcard {
    pub place: Place,
    /// As written: `##any`, `##other`, or a list.
    pub namespace: String,
    /// The target namespace of its schema, which `##other` and `##targetNamespace` refer to.
    pub target_namespace: std::sync::Arc<str>,
    /// `strict`, `lax` or `skip`.
    pub process_contents: String,
}
