//! Model groups, read by hand: their particles are a mixed list in document order, which yaserde cannot derive.

use super::{Any, Element, Group};
use crate::xml::{At, XSD};
use std::io::Read;
use yaserde::__xml::reader::XmlEvent;
use yaserde::YaDeserialize;
use yaserde::de::Deserializer;

/// `xs:sequence`, `xs:choice` or `xs:all`.
#[derive(Clone, Debug, Default)]
pub(crate) struct ModelGroup {
    pub min_occurs: Option<String>,
    pub max_occurs: Option<String>,
    pub particles: Vec<Particle>,
}

/// One child of a model group.
#[derive(Clone, Debug)]
pub(crate) enum Particle {
    Element(Box<At<Element>>),
    Group(Box<At<Group>>),
    Sequence(At<ModelGroup>),
    Choice(At<ModelGroup>),
    All(At<ModelGroup>),
    Any(At<Any>),
}

impl YaDeserialize for ModelGroup {
    fn deserialize<R: Read>(reader: &mut Deserializer<R>) -> yaserde::Result<Self> {
        let depth = reader.depth();
        let mut group = Self::default();
        if let XmlEvent::StartElement { attributes, .. } = reader.next_event()? {
            for attribute in attributes {
                match attribute.name.local_name.as_str() {
                    "minOccurs" => group.min_occurs = Some(attribute.value),
                    "maxOccurs" => group.max_occurs = Some(attribute.value),
                    _ => {}
                }
            }
        }
        loop {
            let outermost = reader.depth() == depth + 1;
            let kind = match reader.peek()? {
                XmlEvent::StartElement { name, .. } if name.namespace.as_deref() == Some(XSD) => {
                    name.local_name.clone()
                }
                XmlEvent::StartElement { .. } => String::new(),
                // Ours: the parent reads it.
                XmlEvent::EndElement { .. } if outermost => return Ok(group),
                XmlEvent::EndDocument => return Ok(group),
                _ => {
                    reader.next_event()?;
                    continue;
                }
            };
            let particle = match kind.as_str() {
                "element" => Particle::Element(Box::new(At::deserialize(reader)?)),
                "group" => Particle::Group(Box::new(At::deserialize(reader)?)),
                "sequence" => Particle::Sequence(At::deserialize(reader)?),
                "choice" => Particle::Choice(At::deserialize(reader)?),
                "all" => Particle::All(At::deserialize(reader)?),
                "any" => Particle::Any(At::deserialize(reader)?),
                _ => {
                    reader.next_event()?;
                    reader.skip_element(|_| ())?;
                    continue;
                }
            };
            reader.next_event()?;
            group.particles.push(particle);
        }
    }
}
