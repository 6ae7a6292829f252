//! Soapstone's own services, generated from `wsdl/` and `xsd/`: a module for each namespace.

include!(concat!(env!("OUT_DIR"), "/contracts.rs"));
