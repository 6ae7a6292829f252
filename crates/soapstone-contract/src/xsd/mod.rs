//! An XSD 1.0 document as it is written, read by yaserde.

mod particle;

use crate::xml::{At, FreeText};
pub(crate) use particle::{ModelGroup, Particle};
use yaserde::YaDeserialize;

macro_rules! xsd {
    ($(#[$meta:meta])* $name:ident { $($body:tt)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, YaDeserialize)]
        #[yaserde(prefix = "xs", default_namespace = "xs", namespaces = {
            "xs" = "http://www.w3.org/2001/XMLSchema",
            "wsdl" = "http://schemas.xmlsoap.org/wsdl/"
        })]
        pub(crate) struct $name { $($body)* }
    };
}

xsd! {
    /// `xs:schema`.
    Schema {
        #[yaserde(attribute = true, rename = "targetNamespace")]
        pub target_namespace: Option<String>,
        #[yaserde(attribute = true, rename = "elementFormDefault")]
        pub element_form_default: Option<String>,
        #[yaserde(attribute = true, rename = "attributeFormDefault")]
        pub attribute_form_default: Option<String>,
        #[yaserde(rename = "import", prefix = "xs")]
        pub imports: Vec<At<External>>,
        #[yaserde(rename = "include", prefix = "xs")]
        pub includes: Vec<At<External>>,
        #[yaserde(rename = "redefine", prefix = "xs")]
        pub redefines: Vec<At<Redefine>>,
        #[yaserde(rename = "simpleType", prefix = "xs")]
        pub simple_types: Vec<At<SimpleType>>,
        #[yaserde(rename = "complexType", prefix = "xs")]
        pub complex_types: Vec<At<ComplexType>>,
        #[yaserde(rename = "element", prefix = "xs")]
        pub elements: Vec<At<Element>>,
        #[yaserde(rename = "attribute", prefix = "xs")]
        pub attributes: Vec<At<Attribute>>,
        #[yaserde(rename = "group", prefix = "xs")]
        pub groups: Vec<At<Group>>,
        #[yaserde(rename = "attributeGroup", prefix = "xs")]
        pub attribute_groups: Vec<At<AttributeGroup>>,
    }
}

xsd! {
    /// `xs:import` or `xs:include`.
    External {
        #[yaserde(attribute = true, rename = "namespace")]
        pub namespace: Option<String>,
        #[yaserde(attribute = true, rename = "schemaLocation")]
        pub schema_location: Option<String>,
    }
}

xsd! {
    /// `xs:redefine`.
    Redefine {
        #[yaserde(attribute = true, rename = "schemaLocation")]
        pub schema_location: Option<String>,
        #[yaserde(rename = "simpleType", prefix = "xs")]
        pub simple_types: Vec<At<SimpleType>>,
        #[yaserde(rename = "complexType", prefix = "xs")]
        pub complex_types: Vec<At<ComplexType>>,
        #[yaserde(rename = "group", prefix = "xs")]
        pub groups: Vec<At<Group>>,
        #[yaserde(rename = "attributeGroup", prefix = "xs")]
        pub attribute_groups: Vec<At<AttributeGroup>>,
    }
}

xsd! {
    /// `xs:annotation`.
    Annotation {
        #[yaserde(rename = "documentation", prefix = "xs")]
        pub documentation: Vec<FreeText>,
    }
}

xsd! {
    /// `xs:simpleType`.
    SimpleType {
        #[yaserde(attribute = true, rename = "name")]
        pub name: Option<String>,
        #[yaserde(rename = "annotation", prefix = "xs")]
        pub annotations: Vec<Annotation>,
        #[yaserde(rename = "restriction", prefix = "xs")]
        pub restriction: Option<Box_<Restriction>>,
        #[yaserde(rename = "list", prefix = "xs")]
        pub list: Option<Box_<List>>,
        #[yaserde(rename = "union", prefix = "xs")]
        pub union: Option<At<Union>>,
    }
}

/// A boxed, located node: types nest without end.
pub(crate) type Box_<T> = At<Boxed<T>>;

/// `Box` with what yaserde asks of a field.
#[derive(Clone, Debug, Default)]
pub(crate) struct Boxed<T>(pub Box<T>);

impl<T: YaDeserialize> YaDeserialize for Boxed<T> {
    fn deserialize<R: std::io::Read>(reader: &mut yaserde::de::Deserializer<R>) -> yaserde::Result<Self> {
        Ok(Self(Box::new(T::deserialize(reader)?)))
    }
}

impl<T> std::ops::Deref for Boxed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

xsd! {
    /// `xs:list`.
    List {
        #[yaserde(attribute = true, rename = "itemType")]
        pub item_type: Option<String>,
        #[yaserde(rename = "simpleType", prefix = "xs")]
        pub simple_type: Option<Box_<SimpleType>>,
    }
}

xsd! {
    /// `xs:union`.
    Union {
        #[yaserde(attribute = true, rename = "memberTypes")]
        pub member_types: Option<String>,
        #[yaserde(rename = "simpleType", prefix = "xs")]
        pub simple_types: Vec<At<SimpleType>>,
    }
}

xsd! {
    /// A facet of a restriction.
    Facet {
        #[yaserde(attribute = true, rename = "value")]
        pub value: Option<String>,
        #[yaserde(rename = "annotation", prefix = "xs")]
        pub annotations: Vec<Annotation>,
    }
}

xsd! {
    /// `xs:restriction` in all its three places.
    Restriction {
        #[yaserde(attribute = true, rename = "base")]
        pub base: Option<String>,
        #[yaserde(rename = "simpleType", prefix = "xs")]
        pub simple_type: Option<Box_<SimpleType>>,
        #[yaserde(rename = "enumeration", prefix = "xs")]
        pub enumerations: Vec<At<Facet>>,
        #[yaserde(rename = "pattern", prefix = "xs")]
        pub patterns: Vec<At<Facet>>,
        #[yaserde(rename = "length", prefix = "xs")]
        pub length: Option<At<Facet>>,
        #[yaserde(rename = "minLength", prefix = "xs")]
        pub min_length: Option<At<Facet>>,
        #[yaserde(rename = "maxLength", prefix = "xs")]
        pub max_length: Option<At<Facet>>,
        #[yaserde(rename = "minInclusive", prefix = "xs")]
        pub min_inclusive: Option<At<Facet>>,
        #[yaserde(rename = "maxInclusive", prefix = "xs")]
        pub max_inclusive: Option<At<Facet>>,
        #[yaserde(rename = "minExclusive", prefix = "xs")]
        pub min_exclusive: Option<At<Facet>>,
        #[yaserde(rename = "maxExclusive", prefix = "xs")]
        pub max_exclusive: Option<At<Facet>>,
        #[yaserde(rename = "totalDigits", prefix = "xs")]
        pub total_digits: Option<At<Facet>>,
        #[yaserde(rename = "fractionDigits", prefix = "xs")]
        pub fraction_digits: Option<At<Facet>>,
        #[yaserde(rename = "whiteSpace", prefix = "xs")]
        pub white_space: Option<At<Facet>>,
        #[yaserde(rename = "group", prefix = "xs")]
        pub group: Option<At<Group>>,
        #[yaserde(rename = "all", prefix = "xs")]
        pub all: Option<At<ModelGroup>>,
        #[yaserde(rename = "choice", prefix = "xs")]
        pub choice: Option<At<ModelGroup>>,
        #[yaserde(rename = "sequence", prefix = "xs")]
        pub sequence: Option<At<ModelGroup>>,
        #[yaserde(rename = "attribute", prefix = "xs")]
        pub attributes: Vec<At<Attribute>>,
        #[yaserde(rename = "attributeGroup", prefix = "xs")]
        pub attribute_groups: Vec<At<AttributeGroup>>,
        #[yaserde(rename = "anyAttribute", prefix = "xs")]
        pub any_attribute: Option<At<Any>>,
    }
}

xsd! {
    /// `xs:complexType`.
    ComplexType {
        #[yaserde(attribute = true, rename = "name")]
        pub name: Option<String>,
        #[yaserde(attribute = true, rename = "mixed")]
        pub mixed: Option<String>,
        #[yaserde(attribute = true, rename = "abstract")]
        pub is_abstract: Option<String>,
        #[yaserde(rename = "annotation", prefix = "xs")]
        pub annotations: Vec<Annotation>,
        #[yaserde(rename = "simpleContent", prefix = "xs")]
        pub simple_content: Option<At<DerivedContent>>,
        #[yaserde(rename = "complexContent", prefix = "xs")]
        pub complex_content: Option<At<DerivedContent>>,
        #[yaserde(rename = "group", prefix = "xs")]
        pub group: Option<At<Group>>,
        #[yaserde(rename = "all", prefix = "xs")]
        pub all: Option<At<ModelGroup>>,
        #[yaserde(rename = "choice", prefix = "xs")]
        pub choice: Option<At<ModelGroup>>,
        #[yaserde(rename = "sequence", prefix = "xs")]
        pub sequence: Option<At<ModelGroup>>,
        #[yaserde(rename = "attribute", prefix = "xs")]
        pub attributes: Vec<At<Attribute>>,
        #[yaserde(rename = "attributeGroup", prefix = "xs")]
        pub attribute_groups: Vec<At<AttributeGroup>>,
        #[yaserde(rename = "anyAttribute", prefix = "xs")]
        pub any_attribute: Option<At<Any>>,
    }
}

xsd! {
    /// `xs:simpleContent` or `xs:complexContent`.
    DerivedContent {
        #[yaserde(attribute = true, rename = "mixed")]
        pub mixed: Option<String>,
        #[yaserde(rename = "extension", prefix = "xs")]
        pub extension: Option<Box_<Restriction>>,
        #[yaserde(rename = "restriction", prefix = "xs")]
        pub restriction: Option<Box_<Restriction>>,
    }
}

xsd! {
    /// `xs:element`, global or local.
    Element {
        #[yaserde(attribute = true, rename = "name")]
        pub name: Option<String>,
        #[yaserde(attribute = true, rename = "ref")]
        pub reference: Option<String>,
        #[yaserde(attribute = true, rename = "type")]
        pub type_name: Option<String>,
        #[yaserde(attribute = true, rename = "minOccurs")]
        pub min_occurs: Option<String>,
        #[yaserde(attribute = true, rename = "maxOccurs")]
        pub max_occurs: Option<String>,
        #[yaserde(attribute = true, rename = "nillable")]
        pub nillable: Option<String>,
        #[yaserde(attribute = true, rename = "abstract")]
        pub is_abstract: Option<String>,
        #[yaserde(attribute = true, rename = "default")]
        pub default: Option<String>,
        #[yaserde(attribute = true, rename = "fixed")]
        pub fixed: Option<String>,
        #[yaserde(attribute = true, rename = "form")]
        pub form: Option<String>,
        #[yaserde(attribute = true, rename = "substitutionGroup")]
        pub substitution_group: Option<String>,
        #[yaserde(rename = "annotation", prefix = "xs")]
        pub annotations: Vec<Annotation>,
        #[yaserde(rename = "simpleType", prefix = "xs")]
        pub simple_type: Option<Box_<SimpleType>>,
        #[yaserde(rename = "complexType", prefix = "xs")]
        pub complex_type: Option<Box_<ComplexType>>,
    }
}

xsd! {
    /// `xs:attribute`, global or local.
    Attribute {
        #[yaserde(attribute = true, rename = "name")]
        pub name: Option<String>,
        #[yaserde(attribute = true, rename = "ref")]
        pub reference: Option<String>,
        #[yaserde(attribute = true, rename = "type")]
        pub type_name: Option<String>,
        #[yaserde(attribute = true, rename = "use")]
        pub usage: Option<String>,
        #[yaserde(attribute = true, rename = "form")]
        pub form: Option<String>,
        #[yaserde(attribute = true, rename = "default")]
        pub default: Option<String>,
        #[yaserde(attribute = true, rename = "fixed")]
        pub fixed: Option<String>,
        #[yaserde(attribute = true, rename = "arrayType", prefix = "wsdl")]
        pub array_type: Option<String>,
        #[yaserde(rename = "annotation", prefix = "xs")]
        pub annotations: Vec<Annotation>,
        #[yaserde(rename = "simpleType", prefix = "xs")]
        pub simple_type: Option<Box_<SimpleType>>,
    }
}

xsd! {
    /// `xs:group`, a definition or a reference.
    Group {
        #[yaserde(attribute = true, rename = "name")]
        pub name: Option<String>,
        #[yaserde(attribute = true, rename = "ref")]
        pub reference: Option<String>,
        #[yaserde(attribute = true, rename = "minOccurs")]
        pub min_occurs: Option<String>,
        #[yaserde(attribute = true, rename = "maxOccurs")]
        pub max_occurs: Option<String>,
        #[yaserde(rename = "all", prefix = "xs")]
        pub all: Option<At<ModelGroup>>,
        #[yaserde(rename = "choice", prefix = "xs")]
        pub choice: Option<At<ModelGroup>>,
        #[yaserde(rename = "sequence", prefix = "xs")]
        pub sequence: Option<At<ModelGroup>>,
    }
}

xsd! {
    /// `xs:attributeGroup`, a definition or a reference.
    AttributeGroup {
        #[yaserde(attribute = true, rename = "name")]
        pub name: Option<String>,
        #[yaserde(attribute = true, rename = "ref")]
        pub reference: Option<String>,
        #[yaserde(rename = "attribute", prefix = "xs")]
        pub attributes: Vec<At<Attribute>>,
        #[yaserde(rename = "attributeGroup", prefix = "xs")]
        pub attribute_groups: Vec<At<AttributeGroup>>,
        #[yaserde(rename = "anyAttribute", prefix = "xs")]
        pub any_attribute: Option<At<Any>>,
    }
}

xsd! {
    /// `xs:any` or `xs:anyAttribute`.
    Any {
        #[yaserde(attribute = true, rename = "namespace")]
        pub namespace: Option<String>,
        #[yaserde(attribute = true, rename = "processContents")]
        pub process_contents: Option<String>,
        #[yaserde(attribute = true, rename = "minOccurs")]
        pub min_occurs: Option<String>,
        #[yaserde(attribute = true, rename = "maxOccurs")]
        pub max_occurs: Option<String>,
    }
}
