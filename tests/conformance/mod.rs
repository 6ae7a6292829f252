//! Contracts and documents that others wrote: what Soapstone makes of them. `docs/conformance.md` has the result.

mod canonical;
mod xsts;
