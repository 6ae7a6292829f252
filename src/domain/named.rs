//! A name with a value.

use soapstone_contracts::common;

/// A name with a value: an attribute, or a place on an axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub name: String,
    pub value: String,
}

impl Named {
    pub fn of_attribute(given: common::Attribute) -> Self {
        Self { name: given.code, value: given.value }
    }

    pub fn to_attribute(&self) -> common::Attribute {
        common::Attribute { code: self.name.clone(), value: self.value.clone() }
    }
}
