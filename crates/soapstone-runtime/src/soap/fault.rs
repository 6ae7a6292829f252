//! Faults: one error, rendered for SOAP 1.1, SOAP 1.2 and REST (RFC 9457).

use super::{Headers, Version};
use crate::json::JsonSink;
use crate::message::Message;
use crate::problem::{ReadError, ReadErrorKind};
use crate::xml::{escape_attribute, escape_text};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::io;

/// The namespace of what the runtime itself says in faults.
pub const NAMESPACE: &str = "urn:soapstone:runtime/v1";

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FaultCode {
    /// The request is wrong: `Client` in SOAP 1.1, `Sender` in 1.2.
    Sender,
    /// We failed: `Server` or `Receiver`.
    Receiver,
    VersionMismatch,
    MustUnderstand,
}

/// A code that another specification has for a fault of the header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandardCode {
    pub namespace: &'static str,
    pub prefix: &'static str,
    /// The subcodes of SOAP 1.2, outermost first; SOAP 1.1 has the last as its code.
    pub codes: &'static [&'static str],
    /// XML for the detail.
    pub detail: String,
}

impl StandardCode {
    fn push_name(&self, code: &str, out: &mut String) {
        out.push_str(&format!(" xmlns:{0}=\"{1}\">{0}:{code}", self.prefix, self.namespace));
    }
}

/// The content of a fault's detail in both formats.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    /// Namespace and name of its element; empty where it is not known.
    element: (Cow<'static, str>, Cow<'static, str>),
    xml: String,
    json: String,
}

/// An error on its way to a caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    pub code: FaultCode,
    /// Stable and documented, such as `article.not_found`.
    pub subcode: Cow<'static, str>,
    pub message: String,
    /// The HTTP status over REST.
    pub status: u16,
    pub detail: Option<Box<Detail>>,
    /// What is wrong with the request, place by place.
    pub problems: Vec<ReadError>,
    /// Header blocks that were not understood: prefix declarations and name.
    pub not_understood: Vec<(String, String)>,
    /// Where another specification says what the fault is called.
    #[serde(skip)]
    pub standard: Option<Box<StandardCode>>,
}

impl Fault {
    /// The request is wrong.
    pub fn sender(subcode: impl Into<Cow<'static, str>>, status: u16, message: impl Into<String>) -> Self {
        Self {
            code: FaultCode::Sender,
            subcode: subcode.into(),
            message: message.into(),
            status,
            detail: None,
            problems: Vec::new(),
            not_understood: Vec::new(),
            standard: None,
        }
    }

    /// We failed; the message tells nothing of the inside.
    pub fn receiver(subcode: impl Into<Cow<'static, str>>, status: u16, message: impl Into<String>) -> Self {
        Self { code: FaultCode::Receiver, ..Self::sender(subcode, status, message) }
    }

    /// Adds the typed detail that the contract declares.
    #[must_use]
    pub fn detail<T: Message>(mut self, detail: &T) -> Self {
        let mut json = JsonSink::default();
        detail.write(&mut json);
        self.detail = Some(Box::new(Detail {
            element: (T::ELEMENT.namespace.into(), T::ELEMENT.local.into()),
            xml: crate::xml::to_string(detail),
            json: json.finish(),
        }));
        self
    }

    /// Adds a detail that another server gave: its XML, and its JSON where the contract declares it.
    #[must_use]
    pub fn raw_detail(mut self, xml: String, json: Option<String>) -> Self {
        let json = json.unwrap_or_else(|| serde_json::Value::String(xml.clone()).to_string());
        self.detail = Some(Box::new(Detail { element: Default::default(), xml, json }));
        self
    }

    /// A request that does not fit the contract.
    pub fn invalid(problems: Vec<ReadError>) -> Self {
        let first = problems.first();
        let (status, subcode) = match first.map(|p| p.kind) {
            Some(ReadErrorKind::Limit) => (413, ReadErrorKind::Limit.code()),
            Some(kind @ (ReadErrorKind::Malformed | ReadErrorKind::Forbidden)) => (400, kind.code()),
            _ => (422, "message.invalid"),
        };
        let message = match (first, problems.len()) {
            (None, _) => "The request is not valid.".to_owned(),
            (Some(problem), 1) => format!("The request is not valid: {problem}"),
            (Some(problem), count) => format!("The request is not valid in {count} places, first: {problem}"),
        };
        Self { problems, ..Self::sender(subcode, status, message) }
    }

    /// Namespace and name of the detail's element, where the contract declares it.
    pub fn detail_element(&self) -> Option<(&str, &str)> {
        let (namespace, local) = &self.detail.as_ref()?.element;
        (!local.is_empty()).then_some((namespace, local))
    }

    /// The fault for what cannot be written to disk: 507 if that is full.
    pub fn not_stored(what: &str, error: &io::Error) -> Self {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        log::error!("{what} cannot be stored: {error}");
        match error.kind() {
            StorageFull | QuotaExceeded | FileTooLarge => {
                Self::receiver("server.disk_full", 507, "The server's disk is full; try again later")
            }
            _ => Self::receiver("server.internal", 500, format!("{what} cannot be stored")),
        }
    }

    /// The HTTP status that a SOAP reply carries it with. Proxies and retrying clients know by 503 and 507 that the same request may
    /// succeed later.
    pub fn soap_status(&self, version: Version) -> u16 {
        match (version, self.code) {
            (_, FaultCode::Receiver) if matches!(self.status, 503 | 507) => self.status,
            (Version::Soap12, FaultCode::Sender) => 400,
            _ => 500,
        }
    }

    /// The whole envelope, with header blocks beside the fault; it names the request, so that its line in the log is
    /// found.
    pub fn envelope(&self, version: Version, headers: &Headers, request_id: &str) -> String {
        let mut out = String::with_capacity(1024);
        let not_understood = version == Version::Soap12 && !self.not_understood.is_empty();
        version.open(&mut out);
        let upgrade = version == Version::Soap12 && self.code == FaultCode::VersionMismatch;
        if !not_understood && !upgrade {
            // In SOAP 1.1 the detail of a fault of the header stands in the header (WS-Addressing, SOAP binding, 6.2).
            let detail = self.standard.as_ref().filter(|s| version == Version::Soap11 && !s.detail.is_empty());
            let detail = detail.map(|s| {
                format!("<{0}:FaultDetail xmlns:{0}=\"{1}\">{2}</{0}:FaultDetail>", s.prefix, s.namespace, s.detail)
            });
            // Where the detail is not ours, the header says it.
            let id = (!self.has_own_detail() && !request_id.is_empty())
                .then(|| format!("<s:request xmlns:s=\"{NAMESPACE}\" id=\"{request_id}\"/>"));
            version.push_headers(&mut out, headers.xml().chain(detail.as_deref()).chain(id.as_deref()));
        } else {
            out.push_str("<soap:Header>");
            headers.xml().for_each(|block| out.push_str(block));
            for (namespace, local) in &self.not_understood {
                out.push_str("<soap:NotUnderstood xmlns:h=\"");
                escape_attribute(namespace, &mut out);
                out.push_str("\" qname=\"h:");
                escape_attribute(local, &mut out);
                out.push_str("\"/>");
            }
            if self.code == FaultCode::VersionMismatch {
                out.push_str("<soap:Upgrade>");
                for supported in [Version::Soap12, Version::Soap11] {
                    out.push_str("<soap:SupportedEnvelope xmlns:e=\"");
                    out.push_str(supported.namespace());
                    out.push_str("\" qname=\"e:Envelope\"/>");
                }
                out.push_str("</soap:Upgrade>");
            }
            out.push_str("</soap:Header>");
        }
        out.push_str("<soap:Body><soap:Fault>");
        match version {
            Version::Soap11 => self.write_11(&mut out, request_id),
            Version::Soap12 => self.write_12(&mut out, request_id),
        }
        out.push_str("</soap:Fault></soap:Body></soap:Envelope>");
        out
    }

    fn has_own_detail(&self) -> bool {
        self.detail.is_none() && self.standard.is_none() && matches!(self.code, FaultCode::Sender | FaultCode::Receiver)
    }

    fn write_11(&self, out: &mut String, request_id: &str) {
        out.push_str("<faultcode");
        match self.standard.as_ref().and_then(|standard| Some((standard, standard.codes.last()?))) {
            Some((standard, code)) => standard.push_name(code, out),
            None => {
                out.push_str(">soap:");
                out.push_str(match self.code {
                    FaultCode::Sender => "Client",
                    FaultCode::Receiver => "Server",
                    FaultCode::VersionMismatch => "VersionMismatch",
                    FaultCode::MustUnderstand => "MustUnderstand",
                });
            }
        }
        out.push_str("</faultcode><faultstring xml:lang=\"en\">");
        escape_text(&self.message, out);
        out.push_str("</faultstring>");
        // Only a fault of the body's processing has a detail (SOAP 1.1, section 4.4).
        if matches!(self.code, FaultCode::Sender | FaultCode::Receiver) && self.standard.is_none() {
            out.push_str("<detail>");
            self.write_detail(out, request_id);
            out.push_str("</detail>");
        }
    }

    fn write_12(&self, out: &mut String, request_id: &str) {
        out.push_str("<soap:Code><soap:Value>soap:");
        out.push_str(match self.code {
            FaultCode::Sender => "Sender",
            FaultCode::Receiver => "Receiver",
            FaultCode::VersionMismatch => "VersionMismatch",
            FaultCode::MustUnderstand => "MustUnderstand",
        });
        out.push_str("</soap:Value>");
        match &self.standard {
            Some(standard) => {
                for code in standard.codes {
                    out.push_str("<soap:Subcode><soap:Value");
                    standard.push_name(code, out);
                    out.push_str("</soap:Value>");
                }
                standard.codes.iter().for_each(|_| out.push_str("</soap:Subcode>"));
            }
            None => {
                out.push_str("<soap:Subcode><soap:Value xmlns:s=\"");
                out.push_str(NAMESPACE);
                out.push_str("\">s:");
                escape_text(&self.subcode, out);
                out.push_str("</soap:Value></soap:Subcode>");
            }
        }
        out.push_str("</soap:Code><soap:Reason><soap:Text xml:lang=\"en\">");
        escape_text(&self.message, out);
        out.push_str("</soap:Text></soap:Reason>");
        if self.not_understood.is_empty() {
            out.push_str("<soap:Detail>");
            self.write_detail(out, request_id);
            out.push_str("</soap:Detail>");
        }
    }

    fn write_detail(&self, out: &mut String, request_id: &str) {
        if let Some(standard) = &self.standard {
            return out.push_str(&standard.detail);
        }
        if let Some(detail) = &self.detail {
            return out.push_str(&detail.xml);
        }
        out.push_str("<s:problem xmlns:s=\"");
        out.push_str(NAMESPACE);
        out.push_str("\" code=\"");
        escape_attribute(&self.subcode, out);
        if !request_id.is_empty() {
            out.push_str("\" request=\"");
            out.push_str(request_id);
        }
        out.push_str("\">");
        for problem in &self.problems {
            out.push_str("<s:at");
            let mut attribute = |name: &str, value: &str| {
                if !value.is_empty() {
                    out.push_str(&format!(" {name}=\""));
                    escape_attribute(value, out);
                    out.push('"');
                }
            };
            attribute("code", problem.kind.code());
            if problem.line > 0 {
                attribute("line", &problem.line.to_string());
            }
            if problem.column > 0 {
                attribute("column", &problem.column.to_string());
            }
            attribute("path", &problem.path);
            attribute("field", problem.field.as_deref().unwrap_or(""));
            attribute("value", problem.value.as_deref().unwrap_or(""));
            attribute("expected", &problem.expected.join(" "));
            out.push('>');
            escape_text(&problem.message, out);
            out.push_str("</s:at>");
        }
        out.push_str("</s:problem>");
    }

    /// The problem details of RFC 9457.
    pub fn problem_json(&self, request_id: &str) -> serde_json::Value {
        use serde_json::{Value, json};
        let mut problem = json!({
            "type": format!("urn:soapstone:problem:{}", self.subcode),
            "title": title(self.status),
            "status": self.status,
            "detail": self.message,
            "code": self.subcode,
            "instance": format!("urn:soapstone:request:{request_id}"),
        });
        if let Some(detail) = &self.detail
            && let Ok(value) = serde_json::from_str::<Value>(&detail.json)
        {
            problem["fault"] = value;
        }
        if !self.problems.is_empty() {
            let errors = self.problems.iter().map(|p| {
                let mut error = json!({"code": p.kind.code(), "detail": p.message, "pointer": p.path});
                if let Some(value) = &p.value {
                    error["value"] = json!(value);
                }
                if !p.expected.is_empty() {
                    error["expected"] = json!(p.expected);
                }
                if p.line > 0 {
                    error["line"] = json!(p.line);
                    error["column"] = json!(p.column);
                }
                error
            });
            problem["errors"] = errors.collect();
        }
        problem
    }
}

fn title(status: u16) -> &'static str {
    match status {
        400 => "Bad request",
        401 => "Not authenticated",
        403 => "Not allowed",
        404 => "Not found",
        405 => "Method not allowed",
        409 => "Conflict",
        412 => "Changed meanwhile",
        413 => "Too large",
        415 => "Unsupported media type",
        421 => "Misdirected request",
        422 => "Not valid",
        429 => "Too many requests",
        503 => "Not available",
        507 => "Insufficient storage",
        _ => "Internal error",
    }
}
