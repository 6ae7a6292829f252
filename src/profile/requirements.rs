//! The requirements that can be judged from a contract or a recorded message, in our own words.

/// A requirement of the Basic Profile.
#[derive(Debug, PartialEq, Eq)]
pub struct Requirement {
    pub number: &'static str,
    /// Whether it is a MUST; otherwise a SHOULD.
    pub must: bool,
    pub text: &'static str,
}

const fn must(number: &'static str, text: &'static str) -> Requirement {
    Requirement { number, must: true, text }
}

const fn should(number: &'static str, text: &'static str) -> Requirement {
    Requirement { number, must: false, text }
}

/// Those that are checked.
pub const REQUIREMENTS: &[Requirement] = &[
    // Envelopes.
    must("R9980", "an envelope has the structure that SOAP gives it: Envelope, with an optional Header and a Body"),
    must("R9981", "a body has one element, or none"),
    must("R1014", "the element of the body has a namespace"),
    must("R1008", "an envelope has no DOCTYPE"),
    must("R1009", "an envelope has no processing instructions"),
    must("R1033", "an envelope does not declare the prefix xml"),
    must("R1011", "nothing follows the body in an envelope"),
    must("R1005", "SOAP's own elements have no encodingStyle"),
    must("R1006", "the body's element has no encodingStyle"),
    must("R1013", "mustUnderstand is 1 or 0 (in SOAP 1.2, also true or false)"),
    must("R1000", "a fault has no other elements than SOAP gives it"),
    must("R1001", "the elements of a SOAP 1.1 fault have no namespace"),
    should("R1004", "a faultcode is one of SOAP's, or has a namespace of its own"),
    should("R1031", "a faultcode of SOAP is not refined by a dot"),
    must("R2113", "an envelope has no arrayType of SOAP encoding"),
    must("R2712", "the body of a document-literal message is the element that its part names"),
    // Messages of HTTP.
    must("R1132", "a request is a POST"),
    should("R1111", "an answer that is no fault has the status 200"),
    must("R1126", "a fault of SOAP 1.1 has the status 500 (SOAP 1.2: 400 or 500)"),
    must("R2714", "the answer to a one-way message has no envelope"),
    must("R1018", "the media type tells the encoding of the envelope"),
    // Documents.
    must("R2001", "wsdl:import imports WSDL, and nothing else"),
    must("R2002", "schemas are imported by xsd:import"),
    must("R2003", "xsd:import stands in a schema only"),
    must("R2005", "what wsdl:import imports has the namespace that the import names"),
    must("R2007", "wsdl:import has a location that is not empty"),
    must("R2803", "the namespace of wsdl:import is no relative URI"),
    must("R2011", "what xsd:import imports is a schema"),
    must("R2022", "wsdl:import stands before everything but documentation"),
    must("R2023", "wsdl:types stands before everything but documentation and imports"),
    must("R4004", "a contract is XML 1.0"),
    must("R4003", "a contract is in UTF-8 or UTF-16"),
    should("R4005", "a contract does not declare the prefix xml"),
    should("R2026", "no extension is required"),
    // Types.
    must("R2101", "what is referred to is in a namespace of the document itself, or imported"),
    must("R2102", "what a schema refers to is in its own namespace, or imported by it"),
    must("R2105", "a schema in wsdl:types has a target namespace, unless it only imports"),
    must("R2110", "no type is derived from the arrays of SOAP encoding"),
    must("R2111", "no type has wsdl:arrayType"),
    should("R2112", "no element is named ArrayOfSomething"),
    must("R2114", "no two schemas in wsdl:types have one target namespace"),
    // Messages of WSDL.
    must("R2201", "soap:body of a document-literal binding names one part at the most"),
    must("R2210", "where it names none, the message has one part at the most"),
    must("R2203", "the parts of an rpc-literal body have types"),
    must("R2204", "the parts of a document-literal body have elements"),
    must("R2205", "the parts of headers and faults have elements"),
    must("R2206", "the element of a part is a global one, and no type"),
    should("R2209", "every part is bound"),
    must("R2306", "a part has an element or a type, and not both"),
    // PortTypes.
    must("R2303", "an operation begins with its input"),
    must("R2304", "the operations of a portType have different names"),
    // Bindings.
    must("R2401", "a binding is one of SOAP"),
    must("R2701", "soap:binding names its transport"),
    must("R2702", "the transport is HTTP"),
    must("R2705", "a binding is document-literal or rpc-literal as a whole"),
    must("R2706", "every use is literal"),
    must("R2710", "the operations of a binding can be told apart by what is in the body"),
    should("R2711", "no two ports have one address"),
    must("R2716", "nothing in a document-literal binding has a namespace attribute"),
    must("R2717", "soap:body of an rpc-literal binding has an absolute URI as its namespace"),
    must("R2726", "headers and faults of an rpc-literal binding have no namespace attribute"),
    must("R2718", "a binding has the operations of its portType"),
    must("R2720", "headers name their part by the attribute part"),
    must("R2749", "headers have no attribute parts"),
    must("R2721", "soap:fault has a name"),
    must("R2754", "soap:fault has the name of the wsdl:fault that it stands in"),
    must("R2723", "the use of soap:fault, where it is given, is literal"),
];
