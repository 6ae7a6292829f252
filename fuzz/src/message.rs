//! Any bytes as a message, by the generated readers: what is read is written, and read again the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use soapstone_contracts::catalog::UpsertArticles;
use soapstone_runtime::soap::{Envelope, Limits};
use soapstone_runtime::{json, xml};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = xml::decode(bytes, None) else { return };
    if let Ok(envelope) = Envelope::parse(&text, &Limits::default()) {
        let _ = envelope.payload().read::<UpsertArticles>();
        let _ = envelope.decoded_payload().and_then(|payload| payload.read::<UpsertArticles>());
    }
    if let Ok(request) = xml::from_str::<UpsertArticles>(&text) {
        let written = xml::to_string(&request);
        assert_eq!(xml::from_str::<UpsertArticles>(&written).as_ref(), Ok(&request), "{written}");
        let written = json::to_string(&request);
        assert_eq!(json::from_slice::<UpsertArticles>(written.as_bytes()).as_ref(), Ok(&request), "{written}");
    }
    if let Ok(request) = json::from_slice::<UpsertArticles>(bytes) {
        let written = xml::to_string(&request);
        assert_eq!(xml::from_str::<UpsertArticles>(&written).as_ref(), Ok(&request), "{written}");
    }
});
