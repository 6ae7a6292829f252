//! Requests and answers, kept to look at: of those clients that somebody wants to look at, without secrets, up to a size.

use super::secrets::Secrets;
use crate::config;
use crate::store::messages::{self, Message};
use crate::store::{Store, StoreError};
use chrono::{TimeDelta, Utc};
use encoding_rs::{Encoding, UTF_8};
use soapstone_runtime::attachment::MediaType;
use soapstone_runtime::observe::{Call, Said};
use soapstone_runtime::xml::declared_encoding;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// How many messages may wait to be kept: beyond that they are not kept, as nobody shall wait for it.
const WAITING: usize = 500;

/// After how many messages old ones are looked for.
const PRUNE: usize = 100;

/// Larger JSON is not looked through.
const LARGEST_JSON: usize = 1 << 20;

/// Keeps messages.
pub(super) struct Capture {
    config: config::Capture,
    secrets: Secrets,
    waiting: SyncSender<Message>,
}

impl Capture {
    /// Starts keeping.
    ///
    /// # Errors
    /// If there is no thread to be had.
    pub fn start(config: config::Capture, store: Store) -> std::io::Result<Self> {
        let (sender, waiting) = sync_channel(WAITING);
        if !config.clients.is_empty() {
            let own = config.clone();
            std::thread::Builder::new().name("messages".to_owned()).spawn(move || write(&store, &own, &waiting))?;
        }
        Ok(Self { secrets: Secrets::named(&config.secrets), config, waiting: sender })
    }

    pub fn is_on(&self) -> bool {
        !self.config.clients.is_empty()
    }

    /// Keeps a message, if it is of a client whose messages are kept.
    pub fn keep(&self, call: &Call, said: Said) {
        let peer = call.peer.map(|peer| peer.to_string());
        let of_client =
            |client: &String| client == "*" || Some(client) == call.caller.as_ref() || Some(client) == peer.as_ref();
        if !self.config.clients.iter().any(of_client) {
            return;
        }
        let (request, request_bytes) = self.kept(&said.request, &said.request_type);
        let (response, response_bytes) = self.kept(&said.response, &said.response_type);
        let message = Message {
            at: Utc::now().naive_utc(),
            request_id: call.request_id.clone(),
            channel: call.channel.name().to_owned(),
            service: call.service.to_owned(),
            operation: call.operation.map(str::to_owned),
            caller: call.caller.clone(),
            peer,
            status: call.status.into(),
            outcome: call.outcome.to_string(),
            microseconds: i64::try_from(call.duration.as_micros()).unwrap_or(i64::MAX),
            target: self.secrets.hidden_in_target(&said.target),
            request_type: said.request_type,
            request,
            // Of a streamed request only the beginning is here.
            request_bytes: request_bytes.max(i64::try_from(call.received).unwrap_or(i64::MAX)),
            response_type: said.response_type,
            response,
            response_bytes,
        };
        if self.waiting.try_send(message).is_err() {
            log::warn!(request_id = call.request_id.as_str(); "the message is not kept: too many wait");
        }
    }

    /// What is kept of a message, and how many bytes it had.
    fn kept(&self, bytes: &[u8], media: &str) -> (String, i64) {
        let size = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        // Secrets are looked for in no more than may be kept: what is cut off is not kept at all.
        let is_json = bytes.first().is_some_and(|byte| matches!(byte, b'{' | b'['));
        let most = if is_json { LARGEST_JSON } else { self.config.bytes };
        // Half a JSON text says nothing of what is secret in it.
        let part = if is_json && bytes.len() > most { &[] } else { &bytes[..bytes.len().min(most)] };
        let mut text = self.secrets.hidden(&decoded(part, media));
        let mut end = self.config.bytes.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        // PostgreSQL has no text with it, and XML and JSON neither.
        (text.replace('\0', ""), size)
    }
}

/// A text in whatever encoding it is; what cannot be read is replaced.
fn decoded(bytes: &[u8], media: &str) -> String {
    let label = MediaType::parse(media).parameter("charset").map(str::to_owned).or_else(|| declared_encoding(bytes));
    let encoding = label.and_then(|label| Encoding::for_label(label.as_bytes())).unwrap_or(UTF_8);
    encoding.decode(bytes).0.into_owned()
}

fn write(store: &Store, config: &config::Capture, waiting: &Receiver<Message>) {
    let mut since = PRUNE;
    while let Ok(message) = waiting.recv() {
        since += 1;
        let prunes = since > PRUNE;
        let written = || -> Result<(), StoreError> {
            store.connection()?.write(|db| {
                messages::keep(db, &message)?;
                if prunes {
                    let oldest = Utc::now().naive_utc() - TimeDelta::days(config.days.into());
                    messages::prune(db, oldest, config.messages)?;
                }
                Ok(())
            })
        };
        match written() {
            Ok(()) if prunes => since = 0,
            Ok(()) => {}
            Err(error) => log::error!(request_id = message.request_id.as_str(); "the message is not kept: {error}"),
        }
    }
}
