//! Any bytes as a message with attachments: in one piece and in many it is the same, and as a request it is answered.

#![no_main]

use libfuzzer_sys::fuzz_target;
use soapstone_contracts::exchange::StartImport;
use soapstone_runtime::attachment::{MediaType, Received, Receiver, Spool};
use soapstone_runtime::soap::{Addressing, Envelope, Limits};
use soapstone_runtime::xml;

fn receive(media: &MediaType, body: &[u8], piece: usize) -> Option<Received> {
    let spool = Spool { total: 1 << 20, in_memory: 1 << 20, ..Spool::default() };
    let mut receiver = Receiver::new(media, spool).ok()?;
    body.chunks(piece.max(1)).try_for_each(|piece| receiver.push(piece)).ok()?;
    receiver.finish().ok()
}

fuzz_target!(|bytes: &[u8]| {
    // The first line is the content type.
    let end = bytes.iter().position(|b| *b == b'\n').unwrap_or(bytes.len());
    let Ok(media) = std::str::from_utf8(&bytes[..end]) else { return };
    let media = MediaType::parse(media);
    let body = &bytes[bytes.len().min(end + 1)..];
    let (whole, pieces) = (receive(&media, body, body.len()), receive(&media, body, 3));
    assert_eq!(whole.is_some(), pieces.is_some());
    let (Some(whole), Some(pieces)) = (whole, pieces) else { return };
    assert_eq!(whole.envelope, pieces.envelope);
    assert!(whole.attachments.iter().eq(pieces.attachments.iter()));
    let Ok(text) = xml::decode(&whole.envelope, whole.media.parameter("charset")) else { return };
    let Ok(envelope) = Envelope::parse(&text, &Limits::default()) else { return };
    let _ = Addressing::of(&envelope);
    let _ = envelope.attached(whole.attachments, true).payload().read::<StartImport>();
});
