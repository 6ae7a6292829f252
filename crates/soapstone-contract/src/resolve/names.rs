//! QName values: a prefix means what the namespaces in scope at its element say.

use crate::model::{Builtin, Place, QName, TypeRef};
use crate::problem::Problems;
use crate::xml::{At, XSD};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a QName value in one document can refer to.
pub(crate) struct Scope<'a> {
    pub namespaces: &'a BTreeMap<String, String>,
    /// What an unprefixed name means where no default namespace is declared (chameleon includes).
    pub fallback: Arc<str>,
}

impl<'a> Scope<'a> {
    pub fn of<T>(at: &'a At<T>, fallback: &Arc<str>) -> Self {
        Self { namespaces: &at.namespaces, fallback: fallback.clone() }
    }

    /// The name that `value` means; an unknown prefix is a problem.
    pub fn qname(&self, value: &str, place: &Place, problems: &mut Problems) -> Option<QName> {
        let value = value.trim();
        match value.split_once(':') {
            Some(("xml", local)) => Some(QName::new("http://www.w3.org/XML/1998/namespace", local)),
            Some((prefix, local)) => match self.namespaces.get(prefix) {
                Some(namespace) => Some(QName::new(namespace.as_str(), local)),
                None => {
                    problems.push(
                        place
                            .invalid(
                                "xml.unknown_prefix",
                                format!("the prefix \"{prefix}\" of \"{value}\" is not declared"),
                            )
                            .remedy(format!("add xmlns:{prefix}=\"…\" to this element or one around it")),
                    );
                    None
                }
            },
            None => {
                let default = self.namespaces.get("").filter(|ns| !ns.is_empty());
                let namespace = default.map_or_else(|| self.fallback.clone(), |ns| Arc::from(ns.as_str()));
                Some(QName::new(namespace, value))
            }
        }
    }

    /// The type that `value` names.
    pub fn type_ref(&self, value: &str, place: &Place, problems: &mut Problems) -> Option<TypeRef> {
        let name = self.qname(value, place, problems)?;
        if &*name.namespace != XSD {
            return Some(TypeRef::Named(name));
        }
        match Builtin::by_name(&name.local) {
            Some(builtin) => Some(TypeRef::Builtin(builtin)),
            None => {
                problems.push(
                    place
                        .invalid("xsd.unknown_builtin", format!("XML Schema has no type \"{}\"", name.local))
                        .remedy("see XML Schema part 2, section 3, for the types there are"),
                );
                None
            }
        }
    }
}
