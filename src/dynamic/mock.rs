//! `soapstone contract mock`: answers with samples, or with canned answers chosen by operation and XPath.

use super::service::{Handler, Loaded, Operation, Request};
use futures_util::future::BoxFuture;
use libxml::parser::Parser;
use libxml::xpath::Context as XPath;
use soapstone_runtime::attachment::Attachments;
use soapstone_runtime::service::Channel;
use soapstone_runtime::soap::{Envelope, Fault, Headers, Limits, ReceivedFault};
use soapstone_runtime::xml::Scope;
use std::collections::BTreeMap;
use std::path::Path;

/// The content of attachments in answers.
const SAMPLE_ATTACHMENT: &[u8] = b"An attachment.\n";

/// Answers of its own making, or those of a folder.
#[derive(Default)]
pub struct Mock {
    /// By operation, in the order of their names; those with a condition first.
    answers: BTreeMap<String, Vec<Canned>>,
}

/// An answer that somebody wrote.
struct Canned {
    file: String,
    /// An XPath over the request's body; none: always.
    when: Option<String>,
    answer: Result<String, Fault>,
    headers: Headers,
}

impl Mock {
    /// Reads canned answers: `OPERATION.xml`, and `OPERATION-ANYTHING.xml` beginning with `<!-- when: XPATH -->`. Each
    /// is a body's content, or a whole envelope, which may have a fault.
    ///
    /// # Errors
    /// Which file is wrong, and why.
    pub fn from_folder(folder: &Path, contract: &Loaded) -> Result<Self, String> {
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .map_err(|e| format!("{}: {e}", folder.display()))?
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|e| e == "xml"))
            .collect();
        files.sort();
        let mut mock = Self::default();
        for path in files {
            let stem = path.file_stem().and_then(|s| s.to_str()).unwrap_or_default();
            let operation = contract.operations().filter(|o| {
                stem == o.name || stem.strip_prefix(o.name.as_str()).is_some_and(|rest| rest.starts_with('-'))
            });
            let Some(operation) = operation.max_by_key(|o| o.name.len()) else {
                let known: Vec<_> = contract.operations().map(|o| o.name.as_str()).collect();
                return Err(format!(
                    "{}: the name begins with no operation of the contract; it has {}",
                    path.display(),
                    known.join(", ")
                ));
            };
            let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
            let canned = Canned::read(&path.display().to_string(), &text, operation)?;
            mock.answers.entry(operation.name.clone()).or_default().push(canned);
        }
        for answers in mock.answers.values_mut() {
            answers.sort_by_key(|answer| answer.when.is_none());
        }
        Ok(mock)
    }

    /// Where the answer is from, itself, and its header blocks.
    fn choose(&self, request: &Request) -> (String, Result<String, Fault>, Headers) {
        let answers = self.answers.get(&request.operation.name);
        let fits = |canned: &&Canned| match &canned.when {
            None => true,
            Some(when) => holds(when, &request.body, request.operation).unwrap_or(false),
        };
        match answers.into_iter().flatten().find(fits) {
            Some(canned) => (canned.file.clone(), canned.answer.clone(), canned.headers.clone()),
            None => {
                let operation = request.operation;
                ("a sample".to_owned(), Ok(operation.sample.clone()), operation.header_samples())
            }
        }
    }
}

impl Canned {
    fn read(file: &str, text: &str, operation: &Operation) -> Result<Self, String> {
        let text = text.trim_start_matches('\u{feff}').trim();
        let comment =
            text.strip_prefix("<?xml").map_or(Some(text), |rest| rest.split_once("?>").map(|(_, rest)| rest.trim()));
        let text = comment.unwrap_or(text);
        let (when, text) = match text.strip_prefix("<!--").and_then(|rest| rest.split_once("-->")) {
            Some((comment, rest)) => match comment.trim().strip_prefix("when:") {
                Some(when) => (Some(when.trim().to_owned()), rest.trim()),
                None => (None, text),
            },
            None => (None, text),
        };
        if let Some(when) = &when {
            holds(when, "<none/>", operation).map_err(|why| format!("{file}: the XPath {when}: {why}"))?;
        }
        let mut headers = operation.header_samples();
        let answer = if text.contains("Envelope") {
            let envelope = Envelope::parse(text, &Limits::default())
                .map_err(|(_, fault)| format!("{file}: not an envelope: {}", fault.message))?;
            let (body, scope) = envelope.body();
            headers.clone_from(&envelope.headers);
            if envelope.is_fault() {
                Err(fault(&ReceivedFault::parse(body, scope), operation))
            } else {
                Ok(operation.answer_of(body, scope.clone(), Attachments::default()))
            }
        } else {
            Ok(operation.answer_of(text, Scope::default(), Attachments::default()))
        };
        let answer = match answer {
            Err(fault) => Err(fault),
            Ok(Ok(body)) => Ok(body),
            Ok(Err(error)) => return Err(format!("{file}: it is no answer of {}: {error}", operation.name)),
        };
        for block in &headers.0 {
            operation
                .reply_block(block, Channel::Soap)
                .map_err(|error| format!("{file}: a header is none of {}: {error}", operation.name))?;
        }
        Ok(Self { file: file.to_owned(), when, answer, headers })
    }
}

/// A fault of another server, or a canned one, as ours.
pub(super) fn fault(received: &ReceivedFault, operation: &Operation) -> Fault {
    let message = if received.message.is_empty() { received.code.clone() } else { received.message.clone() };
    let fault = if received.is_ours() {
        Fault::sender("upstream.fault", 422, message)
    } else {
        Fault::receiver("upstream.fault", 502, message)
    };
    match received.detail.first() {
        None => fault,
        Some(detail) => {
            let json = operation.fault_json(detail);
            fault.raw_detail(received.detail.concat(), json)
        }
    }
}

/// Whether an XPath holds of a request's body; the contract's prefixes can be used in it.
fn holds(xpath: &str, body: &str, operation: &Operation) -> Result<bool, &'static str> {
    let document = Parser::default().parse_string(body).map_err(|_| "the request cannot be parsed")?;
    let context = XPath::new(&document).map_err(|()| "libxml2 gives no context")?;
    for (prefix, namespace) in operation.prefixes.iter() {
        context.register_namespace(prefix, namespace).map_err(|()| "a prefix cannot be registered")?;
    }
    let found = context.evaluate(&format!("boolean({xpath})")).map_err(|()| "it is not valid")?;
    Ok(found.to_string() == "true")
}

impl Handler for Mock {
    fn answer(&self, request: Request) -> BoxFuture<'static, Result<String, Fault>> {
        let (from, answer, headers) = self.choose(&request);
        for block in &headers.0 {
            // They were read when the answer was.
            if let Ok(Some(block)) = request.operation.reply_block(block, request.context.channel) {
                request.context.reply_block(block);
            }
        }
        if answer.is_ok() {
            for (part, media_type) in &request.operation.reply_attachments {
                request.context.attach(part, media_type, SAMPLE_ATTACHMENT);
            }
        }
        let outcome = if answer.is_ok() { "answered" } else { "refused" };
        log::info!(
            request_id = request.context.request_id.as_str(), channel = request.context.channel.name();
            "{} {outcome} with {from}", request.operation.name
        );
        log::debug!(request_id = request.context.request_id.as_str(); "{}", request.body);
        Box::pin(async move { answer })
    }
}
