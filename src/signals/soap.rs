//! One-way messages of the contract Listener.

use super::{failed, log_reply, of_status};
use crate::domain::Secret;
use crate::domain::signals::{Sending, Target};
use crate::store::signals::{Heard, Taken};
use soapstone_contracts::listener::LISTENER_INFO;
use soapstone_contracts::signals::Form;
use soapstone_runtime::attachment::Spool;
use soapstone_runtime::client::{CallError, Client};
use soapstone_runtime::soap::{Limits, Version};

/// Bytes of an answer: a listener answers nothing, or a fault.
const MAX_ANSWER: usize = 256 << 10;

/// A way to a target.
pub(super) fn way(target: &Target, sending: &Sending) -> Result<Client, CallError> {
    let version = if target.form == Form::Soap12 { Version::Soap12 } else { Version::Soap11 };
    let mut client = Client::guarded(&target.url, &sending.outbound)?
        .version(version)
        .timeout(sending.timeout)
        .limits(Limits { body: MAX_ANSWER, ..Limits::default() })
        .spool(Spool { total: MAX_ANSWER as u64, in_memory: MAX_ANSWER, ..Spool::default() });
    if let Some(authority) = &sending.authority {
        client = client.authority(authority)?;
    }
    if let Some(user) = &target.user {
        let password = target.password.as_ref().and_then(Secret::plain);
        client = client.basic(user, password.unwrap_or(""))?;
    }
    Ok(client)
}

/// Tells a listener.
pub(super) async fn tell(client: &Client, taken: &Taken) -> Heard {
    let action = LISTENER_INFO.operations.first().map_or("", |operation| operation.soap_action);
    match client.send(action, &taken.what.to_contract(taken.id)).await {
        Ok(()) => Heard::Accepted { status: None },
        Err(CallError::Status { status, text }) => {
            log_reply(taken, &text);
            of_status(status)
        }
        Err(CallError::Fault(fault)) => {
            log_reply(taken, &format!("{} ({})", fault.message, fault.code));
            let is_ours = ["Client", "Sender"].iter().any(|code| fault.code.starts_with(code));
            let why =
                format!("SOAP fault: {}", if is_ours { "the message was rejected" } else { "the receiver failed" });
            let status = None;
            if is_ours { Heard::Refused { status, why } } else { Heard::Failed { status, why, unwell: false } }
        }
        Err(CallError::Transport(why) | CallError::Setup(why)) => failed(&format!("no answer: {why}")),
        Err(CallError::Denied(denied)) => failed(&denied.to_string()),
        Err(CallError::Answer(error)) => {
            log_reply(taken, &error.to_string());
            failed("the answer is not SOAP")
        }
    }
}
