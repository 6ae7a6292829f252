//! SOAP 1.1 encoding (section 5): its simple types, and its arrays.

use soapstone_contract::model::{Builtin, ComplexType, DerivationKind, QName, TypeRef};

/// The namespaces of SOAP encoding.
const NAMESPACES: &[&str] = &["http://schemas.xmlsoap.org/soap/encoding/", "http://www.w3.org/2003/05/soap-encoding"];

/// Whether a component is one of SOAP encoding, for which code has types of its own.
pub(crate) fn is_own(name: &QName) -> bool {
    NAMESPACES.contains(&&*name.namespace)
}

/// The type of XML Schema that a type of SOAP encoding stands for.
pub(crate) fn builtin(name: &QName) -> Option<Builtin> {
    if !NAMESPACES.contains(&&*name.namespace) {
        return None;
    }
    match name.local.as_str() {
        "base64" => Some(Builtin::Base64Binary),
        local => Builtin::by_name(local),
    }
}

/// Whether a name is `soapenc:Array`.
pub(crate) fn is_array(name: &QName) -> bool {
    NAMESPACES.contains(&&*name.namespace) && name.local == "Array"
}

/// Whether a complex type is an array of SOAP encoding.
pub(crate) fn is_array_type(complex: &ComplexType) -> bool {
    complex.derivation.as_ref().is_some_and(|derivation| {
        derivation.kind == DerivationKind::Restriction
            && matches!(&derivation.base, TypeRef::Named(base) if is_array(base))
    })
}
