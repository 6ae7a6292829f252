//! Any text as a SOAP envelope with its headers: it is read or rejected, whatever its body, and as rpc/encoded too.

#![no_main]

use libfuzzer_sys::fuzz_target;
use soapstone_contracts::orders::CreateOrders;
use soapstone_contracts::signals::UpsertTargets;
use soapstone_runtime::soap::{Addressing, Envelope, Limits};
use soapstone_runtime::xml;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = xml::decode(bytes, None) else { return };
    let limits = Limits { depth: 30, children: 1000, ..Limits::default() };
    let Ok(envelope) = Envelope::parse(&text, &limits) else { return };
    if let Ok(Some(addressing)) = Addressing::of(&envelope) {
        for is_fault in [false, true] {
            let _ = addressing.route(is_fault);
        }
    }
    let _ = envelope.payload().read::<CreateOrders>();
    let _ = envelope.payload().read::<UpsertTargets>();
    let _ = envelope.decoded_payload().and_then(|payload| payload.read::<CreateOrders>());
});
