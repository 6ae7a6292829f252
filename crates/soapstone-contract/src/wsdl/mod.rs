//! A WSDL 1.1 document as it is written, read by yaserde.

use crate::xml::{At, FreeText};
use crate::xsd::Schema;
use yaserde::YaDeserialize;

macro_rules! wsdl {
    ($(#[$meta:meta])* $name:ident { $($body:tt)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, YaDeserialize)]
        #[yaserde(prefix = "wsdl", default_namespace = "wsdl", namespaces = {
            "wsdl" = "http://schemas.xmlsoap.org/wsdl/",
            "xs" = "http://www.w3.org/2001/XMLSchema",
            "soap" = "http://schemas.xmlsoap.org/wsdl/soap/",
            "soap12" = "http://schemas.xmlsoap.org/wsdl/soap12/",
            "http" = "http://schemas.xmlsoap.org/wsdl/http/",
            "mime" = "http://schemas.xmlsoap.org/wsdl/mime/"
        })]
        pub(crate) struct $name { $($body)* }
    };
}

wsdl! {
    /// `wsdl:definitions`.
    Definitions {
        #[yaserde(attribute = true, rename = "targetNamespace")]
        pub target_namespace: Option<String>,
        #[yaserde(rename = "documentation", prefix = "wsdl")]
        pub documentation: Option<FreeText>,
        #[yaserde(rename = "import", prefix = "wsdl")]
        pub imports: Vec<At<Import>>,
        #[yaserde(rename = "types", prefix = "wsdl")]
        pub types: Vec<Types>,
        #[yaserde(rename = "message", prefix = "wsdl")]
        pub messages: Vec<At<Message>>,
        #[yaserde(rename = "portType", prefix = "wsdl")]
        pub port_types: Vec<At<PortType>>,
        #[yaserde(rename = "binding", prefix = "wsdl")]
        pub bindings: Vec<At<Binding>>,
        #[yaserde(rename = "service", prefix = "wsdl")]
        pub services: Vec<At<Service>>,
    }
}

wsdl! {
    /// `wsdl:import`.
    Import {
        #[yaserde(attribute = true, rename = "location")]
        pub location: Option<String>,
    }
}

wsdl! {
    /// `wsdl:types`.
    Types {
        #[yaserde(rename = "schema", prefix = "xs")]
        pub schemas: Vec<At<Schema>>,
    }
}

wsdl! {
    /// `wsdl:message`.
    Message {
        #[yaserde(attribute = true, rename = "name")]
        pub name: Option<String>,
        #[yaserde(rename = "part", prefix = "wsdl")]
        pub parts: Vec<At<Part>>,
    }
}

wsdl! {
    /// `wsdl:part`.
    Part {
        #[yaserde(attribute = true, rename = "name")]
        pub name: Option<String>,
        #[yaserde(attribute = true, rename = "element")]
        pub element: Option<String>,
        #[yaserde(attribute = true, rename = "type")]
        pub type_name: Option<String>,
    }
}

wsdl! {
    /// `wsdl:portType`.
    PortType {
        #[yaserde(attribute = true, rename = "name")]
        pub name: Option<String>,
        #[yaserde(rename = "documentation", prefix = "wsdl")]
        pub documentation: Option<FreeText>,
        #[yaserde(rename = "operation", prefix = "wsdl")]
        pub operations: Vec<At<Operation>>,
    }
}

wsdl! {
    /// `wsdl:operation` of a portType.
    Operation {
        #[yaserde(attribute = true, rename = "name")]
        pub name: Option<String>,
        #[yaserde(rename = "documentation", prefix = "wsdl")]
        pub documentation: Option<FreeText>,
        #[yaserde(rename = "input", prefix = "wsdl")]
        pub input: Option<At<MessageReference>>,
        #[yaserde(rename = "output", prefix = "wsdl")]
        pub output: Option<At<MessageReference>>,
        #[yaserde(rename = "fault", prefix = "wsdl")]
        pub faults: Vec<At<MessageReference>>,
    }
}

wsdl! {
    /// `wsdl:input`, `wsdl:output` or `wsdl:fault` of an operation.
    MessageReference {
        #[yaserde(attribute = true, rename = "name")]
        pub name: Option<String>,
        #[yaserde(attribute = true, rename = "message")]
        pub message: Option<String>,
        /// `wsam:Action`, or one of its forerunners.
        #[yaserde(attribute = true, rename = "Action")]
        pub action: Option<String>,
    }
}

wsdl! {
    /// `wsdl:binding`.
    Binding {
        #[yaserde(attribute = true, rename = "name")]
        pub name: Option<String>,
        #[yaserde(attribute = true, rename = "type")]
        pub type_name: Option<String>,
        #[yaserde(rename = "binding", prefix = "soap")]
        pub soap11: Option<At<Protocol>>,
        #[yaserde(rename = "binding", prefix = "soap12")]
        pub soap12: Option<At<Protocol>>,
        #[yaserde(rename = "binding", prefix = "http")]
        pub http: Option<At<Protocol>>,
        #[yaserde(rename = "operation", prefix = "wsdl")]
        pub operations: Vec<At<BoundOperation>>,
    }
}

wsdl! {
    /// `soap:binding`, `soap12:binding` or `http:binding`.
    Protocol {
        #[yaserde(attribute = true, rename = "style")]
        pub style: Option<String>,
        #[yaserde(attribute = true, rename = "verb")]
        pub verb: Option<String>,
    }
}

wsdl! {
    /// `wsdl:operation` of a binding.
    BoundOperation {
        #[yaserde(attribute = true, rename = "name")]
        pub name: Option<String>,
        #[yaserde(rename = "operation", prefix = "soap")]
        pub soap11: Option<At<ProtocolOperation>>,
        #[yaserde(rename = "operation", prefix = "soap12")]
        pub soap12: Option<At<ProtocolOperation>>,
        #[yaserde(rename = "operation", prefix = "http")]
        pub http: Option<At<ProtocolOperation>>,
        #[yaserde(rename = "input", prefix = "wsdl")]
        pub input: Option<At<BoundMessage>>,
        #[yaserde(rename = "output", prefix = "wsdl")]
        pub output: Option<At<BoundMessage>>,
    }
}

wsdl! {
    /// `soap:operation`, `soap12:operation` or `http:operation`.
    ProtocolOperation {
        #[yaserde(attribute = true, rename = "soapAction")]
        pub soap_action: Option<String>,
        #[yaserde(attribute = true, rename = "style")]
        pub style: Option<String>,
        #[yaserde(attribute = true, rename = "location")]
        pub location: Option<String>,
    }
}

wsdl! {
    /// `wsdl:input`, `wsdl:output` or `wsdl:fault` of a binding.
    BoundMessage {
        #[yaserde(attribute = true, rename = "name")]
        pub name: Option<String>,
        #[yaserde(rename = "header", prefix = "soap")]
        pub soap11_headers: Vec<At<Header>>,
        #[yaserde(rename = "header", prefix = "soap12")]
        pub soap12_headers: Vec<At<Header>>,
        #[yaserde(rename = "body", prefix = "soap")]
        pub soap11_body: Option<At<Body>>,
        #[yaserde(rename = "body", prefix = "soap12")]
        pub soap12_body: Option<At<Body>>,
        #[yaserde(rename = "urlEncoded", prefix = "http")]
        pub url_encoded: Option<At<FreeText>>,
        #[yaserde(rename = "content", prefix = "mime")]
        pub mime_content: Vec<At<MimeContent>>,
        #[yaserde(rename = "multipartRelated", prefix = "mime")]
        pub multipart_related: Option<At<MultipartRelated>>,
    }
}

wsdl! {
    /// `soap:body`, `soap:header` and their SOAP 1.2 twins.
    Body {
        #[yaserde(attribute = true, rename = "use")]
        pub usage: Option<String>,
        #[yaserde(attribute = true, rename = "namespace")]
        pub namespace: Option<String>,
        #[yaserde(attribute = true, rename = "parts")]
        pub parts: Option<String>,
    }
}

wsdl! {
    /// `soap:header` and its SOAP 1.2 twin.
    Header {
        #[yaserde(attribute = true, rename = "message")]
        pub message: Option<String>,
        #[yaserde(attribute = true, rename = "part")]
        pub part: Option<String>,
        #[yaserde(attribute = true, rename = "namespace")]
        pub namespace: Option<String>,
        #[yaserde(rename = "headerfault", prefix = "soap")]
        pub soap11_faults: Vec<At<HeaderFault>>,
        #[yaserde(rename = "headerfault", prefix = "soap12")]
        pub soap12_faults: Vec<At<HeaderFault>>,
    }
}

wsdl! {
    /// `soap:headerfault`.
    HeaderFault {
        #[yaserde(attribute = true, rename = "message")]
        pub message: Option<String>,
        #[yaserde(attribute = true, rename = "part")]
        pub part: Option<String>,
    }
}

wsdl! {
    /// `mime:content`.
    MimeContent {
        #[yaserde(attribute = true, rename = "part")]
        pub part: Option<String>,
        #[yaserde(attribute = true, rename = "type")]
        pub media_type: Option<String>,
    }
}

wsdl! {
    /// `mime:multipartRelated`.
    MultipartRelated {
        #[yaserde(rename = "part", prefix = "mime")]
        pub parts: Vec<At<MimePart>>,
    }
}

wsdl! {
    /// `mime:part`.
    MimePart {
        #[yaserde(rename = "body", prefix = "soap")]
        pub soap11_body: Option<At<Body>>,
        #[yaserde(rename = "body", prefix = "soap12")]
        pub soap12_body: Option<At<Body>>,
        #[yaserde(rename = "header", prefix = "soap")]
        pub soap11_headers: Vec<At<Header>>,
        #[yaserde(rename = "header", prefix = "soap12")]
        pub soap12_headers: Vec<At<Header>>,
        #[yaserde(rename = "content", prefix = "mime")]
        pub content: Vec<At<MimeContent>>,
    }
}

wsdl! {
    /// `wsdl:service`.
    Service {
        #[yaserde(attribute = true, rename = "name")]
        pub name: Option<String>,
        #[yaserde(rename = "documentation", prefix = "wsdl")]
        pub documentation: Option<FreeText>,
        #[yaserde(rename = "port", prefix = "wsdl")]
        pub ports: Vec<At<Port>>,
    }
}

wsdl! {
    /// `wsdl:port`.
    Port {
        #[yaserde(attribute = true, rename = "name")]
        pub name: Option<String>,
        #[yaserde(attribute = true, rename = "binding")]
        pub binding: Option<String>,
        #[yaserde(rename = "address", prefix = "soap")]
        pub soap11: Option<At<Address>>,
        #[yaserde(rename = "address", prefix = "soap12")]
        pub soap12: Option<At<Address>>,
        #[yaserde(rename = "address", prefix = "http")]
        pub http: Option<At<Address>>,
    }
}

wsdl! {
    /// `soap:address` and its like.
    Address {
        #[yaserde(attribute = true, rename = "location")]
        pub location: Option<String>,
    }
}
