//! From an envelope to a running handler: operation, headers, validation, reading.

use super::Endpoint;
use super::request::Incoming;
use super::streamed::Head;
use crate::attachment::{Attachments, Unassigned, xop};
use crate::http::keyed;
use crate::idempotency::{Fingerprint, KeyedRequest};
use crate::message::Reply;
use crate::problem::{Read, ReadErrorKind};
use crate::service::{Certificate, Context, OperationInfo, Outcome};
use crate::soap::security::{Opened, Protection, Security, WSSE, is_secured};
use crate::soap::{Addressing, Envelope, Fault, HeaderBlock, Headers, Route, Version, WSA};
use crate::xml;
use chrono::Utc;

/// What the head of a request says.
pub(super) struct Begun {
    pub version: Version,
    pub operation: usize,
    pub addressing: Option<Addressing>,
    pub headers: Headers,
    pub head: Head,
}

/// What is found before a handler runs.
pub(super) enum Started {
    Running {
        version: Version,
        operation: usize,
        context: Box<Context>,
        outcome: Outcome,
        keyed: Option<Box<KeyedRequest>>,
        addressing: Option<Addressing>,
        protection: Protection,
    },
    Refused {
        version: Version,
        fault: Box<Fault>,
        addressing: Option<Addressing>,
        operation: Option<usize>,
        protection: Protection,
    },
}

impl Endpoint {
    /// Everything up to the handler's start.
    pub(super) fn start(&self, mut incoming: Incoming, version: Version, context: Context) -> Started {
        let mut protection = self.usual_protection();
        let refused = |version, fault, addressing, protection| Started::Refused {
            version,
            fault,
            addressing,
            operation: None,
            protection,
        };
        let bytes = std::mem::take(&mut incoming.envelope);
        let text = match xml::decode(&bytes, incoming.charset.as_deref()) {
            Ok(text) => text,
            Err(error) => return refused(version, Box::new(Fault::invalid(vec![*error])), None, protection),
        };
        let opened = match self.opened_by_keys(&text, &mut incoming) {
            Ok(opened) => opened,
            Err(fault) => return refused(version, fault, None, protection),
        };
        let text = opened.as_ref().map_or(&*text, |opened| &opened.text);
        let mut envelope = match Envelope::parse(text, &self.options.limits) {
            Ok(envelope) => envelope,
            Err((version, fault)) => return refused(version, Box::new(fault), None, protection),
        };
        let version = envelope.version;
        let addressing = match Addressing::of(&envelope) {
            Ok(addressing) => addressing,
            Err(fault) => return refused(version, fault, None, protection),
        };
        let context = match self.identified(&mut envelope.headers, context, opened.as_ref()) {
            Ok(context) => context,
            Err(fault) => return refused(version, fault, addressing, protection),
        };
        protection = opened.as_ref().map_or(protection, |opened| opened.reply_protection(&self.options.keys));
        let index = self.operation_of(&envelope, incoming.action.as_deref(), addressing.as_ref());
        let operation = index.as_ref().ok().copied();
        match self.dispatch(text, envelope, &incoming, context, addressing.as_ref(), index) {
            Ok((operation, context, outcome, keyed)) => {
                let (context, keyed) = (Box::new(context), keyed.map(Box::new));
                Started::Running { version, operation, context, outcome, keyed, addressing, protection }
            }
            Err(fault) => Started::Refused { version, fault, addressing, operation, protection },
        }
    }

    /// How replies are secured before anything is known of the request.
    pub(super) fn usual_protection(&self) -> Protection {
        let signer = self.options.keys.own.clone().filter(|_| self.options.policy.signature);
        Protection { signer, ..Protection::default() }
    }

    /// A message that may be signed or encrypted, opened; attachments that it refers to are then a part of it.
    fn opened_by_keys(&self, text: &str, incoming: &mut Incoming) -> Result<Option<Opened>, Box<Fault>> {
        if self.options.authentication.0.is_none() || !is_secured(text) {
            return Ok(None);
        }
        let whole = xop::filled_in(text, &incoming.attachments, u64::MAX);
        if whole.len() > self.options.limits.body {
            let message = format!("The secured message is larger than {} bytes", self.options.limits.body);
            return Err(Box::new(Fault::sender("http.too_large", 413, message)));
        }
        let opened = Opened::of(&whole, &self.options.keys, &self.options.limits)?;
        if opened.is_some() {
            // What stands beside the envelope is covered by nothing.
            std::mem::take(&mut incoming.attachments).assigned(text, &[]).map_err(|_| {
                let message = "A secured message can have no attachments beside those that its envelope refers to";
                Box::new(Fault::sender("soap.attachment_unused", 422, message))
            })?;
            incoming.optimized = false;
        }
        Ok(opened)
    }

    fn dispatch(
        &self,
        text: &str,
        envelope: Envelope<'_>,
        incoming: &Incoming,
        context: Context,
        addressing: Option<&Addressing>,
        index: Result<usize, Box<Fault>>,
    ) -> Result<(usize, Context, Outcome, Option<KeyedRequest>), Box<Fault>> {
        self.understood(&envelope.headers, index.as_ref().ok().copied())?;
        let index = index?;
        let operation = &self.service.info().operations[index];
        self.check_head(operation, incoming.action.as_deref(), addressing)?;
        context.authorize(self.service.info().name, operation.name)?;
        if envelope.body_elements > 1 && !operation.encoded && !operation.input.local.is_empty() {
            let message = "The body has more than one element";
            return Err(Box::new(Fault::sender("soap.two_bodies", 400, message)));
        }
        let attachments = assigned(operation, text, incoming.attachments.clone())?;
        let context = context.beside(envelope.headers.clone(), attachments.clone());
        let envelope = envelope.attached(attachments.clone(), incoming.optimized).typed(self.options.output.typed);
        let payload = || {
            if operation.encoded { envelope.decoded_payload() } else { Ok(envelope.payload()) }
        };
        let call = || payload().and_then(|payload| self.service.clone().call(context.clone(), index, payload));
        // Encoded messages follow section 5 of SOAP 1.1, not their schema.
        let validated = !self.options.skip_validation && !operation.encoded && envelope.body_elements == 1;
        let filled_in = validated.then(|| xop::filled_in(text, &attachments, xop::VALIDATED));
        let outcome = self.begun(filled_in.as_deref().map(|text| (text, 2)), 1, call)?;
        let keyed = self.keyed(index, &context, addressing, |fingerprint| {
            let (text, prefixes) = envelope.content();
            for (prefix, uri) in prefixes {
                fingerprint.add(prefix.as_bytes());
                fingerprint.add(uri.as_bytes());
            }
            fingerprint.add_with_attachments(text, &attachments)
        })?;
        Ok((index, context, outcome, keyed))
    }

    /// What identifies a message whose operation changes something, if it has a `wsa:MessageID`; `add` adds its content.
    ///
    /// # Errors
    /// Returns the fault `server.internal` if an attachment cannot be read.
    pub(super) fn keyed(
        &self,
        index: usize,
        context: &Context,
        addressing: Option<&Addressing>,
        add: impl FnOnce(&mut Fingerprint) -> std::io::Result<()>,
    ) -> Result<Option<KeyedRequest>, Box<Fault>> {
        if !self.is_keyed(index, addressing) {
            return Ok(None);
        }
        let info = self.service.info();
        keyed::message((info.name, &info.operations[index]), context, addressing, add)
    }

    /// Whether a message is executed once: it has an ID, and its operation has a reply and changes something.
    pub(super) fn is_keyed(&self, index: usize, addressing: Option<&Addressing>) -> bool {
        let info = self.service.info();
        let operation = &info.operations[index];
        addressing.is_some_and(|addressing| addressing.message_id.is_some())
            && operation.output.is_some()
            && self.options.idempotent.0.as_ref().is_some_and(|known| known.covers(info.name, operation))
    }

    /// Starts a handler, if libxml2 finds the request valid: the text, and how deep the element to validate stands in it.
    /// Problems are told by lines from `line` on.
    pub(super) fn begun(
        &self,
        validated: Option<(&str, u32)>,
        line: u32,
        call: impl Fn() -> Read<Outcome>,
    ) -> Result<Outcome, Box<Fault>> {
        if let (Some(validator), Some((text, depth))) = (&self.validator, validated)
            && let Err(mut problems) = validator.validate(text, depth)
        {
            problems.iter_mut().for_each(|p| p.line = (p.line + line).saturating_sub(1));
            // Our own reader knows the column, the field and its value of the first one.
            if let Err(error) = call().map(drop) {
                // What cannot be parsed has no second place.
                problems.retain(|p| p.line != error.line && p.kind != ReadErrorKind::Malformed);
                problems.insert(0, *error);
            }
            return Err(Box::new(Fault::invalid(problems)));
        }
        call().map_err(|error| Box::new(Fault::invalid(vec![*error])))
    }

    /// The context, with who sends the message where its security says it. Of a signed message only those header blocks
    /// stay that are signed.
    ///
    /// # Errors
    /// The fault to answer with.
    pub(super) fn identified(
        &self,
        headers: &mut Headers,
        mut context: Context,
        opened: Option<&Opened>,
    ) -> Result<Context, Box<Fault>> {
        let Some(authentication) = &self.options.authentication.0 else { return Ok(context) };
        let security = Security::of(headers, opened.is_some())?;
        self.options.policy.met(security.as_ref(), opened)?;
        let Some(security) = security else { return Ok(context) };
        if let Some(opened) = opened {
            opened.covered(headers, &security)?;
        }
        let caller = security.caller(opened, &**authentication, (context.is_secure, context.peer), Utc::now())?;
        if let Some(signer) = opened.and_then(|opened| opened.signer.as_ref()) {
            context.certificate = Some(Certificate::of(signer));
        }
        context.caller = caller.or(context.caller);
        Ok(context)
    }

    /// Sees to it that the header of a streamed request has nothing that we do not understand.
    ///
    /// # Errors
    /// The fault to answer with.
    pub(super) fn checked_head(
        &self,
        begun: &Begun,
        action: Option<&str>,
        context: &Context,
    ) -> Result<(), Box<Fault>> {
        self.understood(&begun.headers, Some(begun.operation))?;
        let operation = &self.service.info().operations[begun.operation];
        self.check_head(operation, action, begun.addressing.as_ref())?;
        context.authorize(self.service.info().name, operation.name)
    }

    fn check_head(
        &self,
        operation: &OperationInfo,
        action: Option<&str>,
        addressing: Option<&Addressing>,
    ) -> Result<(), Box<Fault>> {
        self.check_action(operation, action, addressing)?;
        addressing.map_or(Ok(()), |addressing| self.check_routes(operation, addressing))
    }

    /// Sees to it that we understand all header blocks that we must; `index`: the operation, where it is known.
    fn understood(&self, headers: &Headers, index: Option<usize>) -> Result<(), Box<Fault>> {
        let operations = self.service.info().operations;
        let known = |block: &HeaderBlock| {
            let of = |operation: &OperationInfo| {
                operation.headers.iter().any(|h| h.local == block.local && h.namespace == block.namespace)
            };
            let is_ours =
                block.namespace == WSA || (block.namespace == WSSE && self.options.authentication.0.is_some());
            is_ours || index.map_or_else(|| operations.iter().any(of), |index| of(&operations[index]))
        };
        headers.not_understood(known).map_or(Ok(()), |fault| Err(Box::new(fault)))
    }

    fn check_action(
        &self,
        operation: &OperationInfo,
        action: Option<&str>,
        addressing: Option<&Addressing>,
    ) -> Result<(), Box<Fault>> {
        let is_own = |action: &str| [operation.soap_action, operation.input_action, operation.name].contains(&action);
        let action = action.filter(|action| !action.is_empty());
        if let Some(addressing) = addressing {
            if action.is_some_and(|action| action != addressing.action) {
                return Err(addressing.actions_differ(action.unwrap_or_default()));
            }
            if !is_own(&addressing.action) {
                return Err(addressing.action_not_supported(operation.input_action));
            }
        }
        match action.filter(|action| !is_own(action)) {
            None => Ok(()),
            Some(action) => {
                let message = format!(
                    "The SOAPAction \"{action}\" does not belong to the operation {} of the body; it is \"{}\"",
                    operation.name, operation.soap_action
                );
                Err(Box::new(Fault::sender("soap.action_mismatch", 400, message)))
            }
        }
    }

    /// Sees to it that replies can go where they are wanted.
    fn check_routes(&self, operation: &OperationInfo, addressing: &Addressing) -> Result<(), Box<Fault>> {
        if operation.output.is_some() {
            addressing.can_be_answered()?;
        }
        for is_fault in [false, true] {
            if let Route::To(address) = addressing.route(is_fault)
                && !self.options.reply_hosts.allow(address)
            {
                return Err(addressing.only_back(is_fault));
            }
        }
        Ok(())
    }

    /// The operation that the body's first element means; where messages have none, the action says it.
    pub(super) fn operation_of(
        &self,
        envelope: &Envelope<'_>,
        action: Option<&str>,
        addressing: Option<&Addressing>,
    ) -> Result<usize, Box<Fault>> {
        let said = addressing.map(|addressing| addressing.action.as_str());
        let action = action.filter(|action| !action.is_empty()).or(said);
        let operations = self.service.info().operations;
        let (namespace, local) = &envelope.body_name;
        let named = operations
            .iter()
            .position(|o| !local.is_empty() && o.input.local == local && o.input.namespace == namespace);
        if let Some(index) = named {
            // Overloaded operations share an element.
            let by_action = operations.iter().position(|o| {
                o.input.local == local && o.input.namespace == namespace && Some(o.soap_action) == action
            });
            return Ok(by_action.unwrap_or(index));
        }
        let bare: Vec<usize> = (0..operations.len()).filter(|i| operations[*i].input.local.is_empty()).collect();
        let called = |i: &&usize| {
            let operation = &operations[**i];
            action.is_some_and(|a| !a.is_empty() && (a == operation.soap_action || a == operation.name))
        };
        let begun = |i: &&usize| match operations[**i].begins {
            [] => local.is_empty(),
            begins => begins.iter().any(|(ns, name)| name == local && ns == namespace),
        };
        let begun: Vec<usize> = bare.iter().filter(begun).copied().collect();
        match (begun.as_slice(), bare.as_slice()) {
            ([only], _) | ([], [only]) => Ok(*only),
            _ => match begun.iter().chain(&bare).find(called) {
                Some(index) => Ok(*index),
                None if local.is_empty() => {
                    let message = "The body is empty: it must have the operation's element";
                    Err(Box::new(Fault::sender("soap.empty_body", 400, message)))
                }
                None => Err(Box::new(self.unknown_operation(namespace, local))),
            },
        }
    }

    fn unknown_operation(&self, namespace: &str, local: &str) -> Fault {
        let info = self.service.info();
        let message = match info.operations.iter().find(|o| o.input.local == local) {
            Some(operation) => format!(
                "The body's element \"{local}\" is in the namespace \"{namespace}\", but belongs in \"{}\"",
                operation.input.namespace
            ),
            None => {
                let names: Vec<_> = info.operations.iter().map(|o| o.name).collect();
                format!("The service {} has no operation \"{local}\"; it has {}", info.name, names.join(", "))
            }
        };
        Fault::sender("soap.unknown_operation", 404, message)
    }

    /// An outcome whose reply is checked against the contract.
    pub(super) fn checked_outcome(self, operation: usize, version: Version, outcome: Outcome) -> Outcome {
        Box::pin(async move { outcome.await.and_then(|reply| self.checked(operation, version, reply)) })
    }

    /// The reply, if it fits the contract; where that is to be seen to.
    fn checked(&self, operation: usize, version: Version, reply: Reply) -> Result<Reply, Fault> {
        let operation = &self.service.info().operations[operation];
        if reply.is_none() || !self.options.validate_responses || operation.encoded {
            return Ok(reply);
        }
        let attachments = Attachments::from(reply.attachments.clone());
        let envelope = version.wrap(&reply.text);
        let problems = match &self.validator {
            Some(validator) => validator.validate(&xop::filled_in(&envelope, &attachments, xop::VALIDATED), 2).err(),
            None => None,
        };
        match problems {
            None => Ok(reply),
            Some(problems) => {
                log::error!("the response of {} is not valid: {}", operation.name, problems[0]);
                let message = format!("The response of {} does not fit the contract: {}", operation.name, problems[0]);
                Err(Fault::receiver("response.invalid", 500, message))
            }
        }
    }
}

/// The attachments, each with the part of the message that it is.
fn assigned(operation: &OperationInfo, envelope: &str, attachments: Attachments) -> Result<Attachments, Box<Fault>> {
    attachments.assigned(envelope, operation.attachments).map_err(|problem| {
        Box::new(match problem {
            Unassigned::Attachment(id) => {
                let message = format!(
                    "The attachment <{id}> is neither referred to by the envelope nor a part of the message of {}",
                    operation.name
                );
                Fault::sender("soap.attachment_unused", 422, message)
            }
            Unassigned::Part(part) => {
                let message = format!("The attachment for the part \"{part}\" of {} is missing", operation.name);
                Fault::sender("soap.attachment_missing", 422, message)
            }
        })
    })
}
