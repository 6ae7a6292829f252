//! The actions of WS-Addressing: as the contract says, or as the default pattern has them (WS-Addressing 1.0 - Metadata,
//! section 4.4.4).

use soapstone_contract::model::{Fault, Operation, QName};

/// What each message of an operation says it is.
pub(crate) struct Actions<'a> {
    pub port_type: &'a QName,
    pub operation: &'a Operation,
}

impl Actions<'_> {
    pub fn input(&self) -> String {
        let suffix = if self.operation.output.is_some() { "Request" } else { "" };
        let named = self.operation.input_name.clone();
        let name = named.unwrap_or_else(|| format!("{}{suffix}", self.operation.name));
        self.operation.input_action.clone().unwrap_or_else(|| self.pattern(&[&name]))
    }

    pub fn output(&self) -> String {
        let named = self.operation.output_name.clone();
        let name = named.unwrap_or_else(|| format!("{}Response", self.operation.name));
        self.operation.output_action.clone().unwrap_or_else(|| self.pattern(&[&name]))
    }

    pub fn fault(&self, fault: &Fault) -> String {
        fault.action.clone().unwrap_or_else(|| self.pattern(&[&self.operation.name, "Fault", &fault.name]))
    }

    fn pattern(&self, names: &[&str]) -> String {
        let namespace = &*self.port_type.namespace;
        let delimiter = if namespace.starts_with("urn:") { ":" } else { "/" };
        let mut action = namespace.trim_end_matches(delimiter).to_owned();
        for name in [self.port_type.local.as_str()].iter().chain(names) {
            action.push_str(delimiter);
            action.push_str(name);
        }
        action
    }
}
