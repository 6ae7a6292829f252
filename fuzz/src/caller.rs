//! Any bytes as a table of PepperShop's Caller; the first byte chooses the job.

#![no_main]

mod file;

use libfuzzer_sys::fuzz_target;
use soapstone::exchange::KINDS;
use soapstone::exchange::channels::caller::Job;

fuzz_target!(|bytes: &[u8]| {
    let Some((first, bytes)) = bytes.split_first() else { return };
    let count = Job::all().count();
    let Some(job) = Job::all().nth(usize::from(*first) % count) else { return };
    let kind = KINDS.iter().find(|kind| kind.of == job.kind).unwrap_or_else(|| panic!("{} has no kind", job.name));
    file::read(bytes, kind, "caller", Some(job.profile));
});
