//! Any bytes as JSON of a request: what is read is written, and read again the same. The first byte chooses the request.

#![no_main]

use libfuzzer_sys::fuzz_target;
use soapstone_contracts::customers::UpsertCustomers;
use soapstone_contracts::exchange::StartExport;
use soapstone_contracts::orders::CreateOrders;
use soapstone_contracts::pricing::FindPrice;
use soapstone_contracts::signals::UpsertTargets;
use soapstone_runtime::{Message, json};
use std::fmt::Debug;

fn read<T: Message + PartialEq + Debug>(bytes: &[u8]) {
    if let Ok(request) = json::from_slice::<T>(bytes) {
        let written = json::to_string(&request);
        assert_eq!(json::from_slice::<T>(written.as_bytes()).as_ref(), Ok(&request), "{written}");
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((first, bytes)) = bytes.split_first() else { return };
    match first % 5 {
        0 => read::<UpsertCustomers>(bytes),
        1 => read::<CreateOrders>(bytes),
        2 => read::<FindPrice>(bytes),
        3 => read::<UpsertTargets>(bytes),
        _ => read::<StartExport>(bytes),
    }
});
