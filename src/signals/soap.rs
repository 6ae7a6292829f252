//! One-way messages of the contract Listener.

use super::{failed, of_status};
use crate::domain::signals::{Sending, Target};
use crate::store::signals::{Heard, Taken};
use soapstone_contracts::listener::LISTENER_INFO;
use soapstone_contracts::signals::Form;
use soapstone_runtime::client::{CallError, Client};
use soapstone_runtime::soap::Version;

/// A way to a target.
pub(super) fn way(target: &Target, sending: &Sending) -> Result<Client, CallError> {
    let version = if target.form == Form::Soap12 { Version::Soap12 } else { Version::Soap11 };
    let mut client = Client::new(&target.url)?.version(version).timeout(sending.timeout);
    if let Some(authority) = &sending.authority {
        client = client.authority(authority)?;
    }
    if let Some(user) = &target.user {
        client = client.basic(user, target.password.as_deref().unwrap_or(""))?;
    }
    Ok(client)
}

/// Tells a listener.
pub(super) async fn tell(client: &Client, taken: &Taken) -> Heard {
    let action = LISTENER_INFO.operations.first().map_or("", |operation| operation.soap_action);
    match client.send(action, &taken.what.to_contract(taken.id)).await {
        Ok(()) => Heard::Accepted { status: None },
        Err(CallError::Status { status, text }) => of_status(status, &text),
        Err(CallError::Fault(fault)) => {
            let why = format!("fault: {} ({})", fault.message, fault.code);
            let is_ours = ["Client", "Sender"].iter().any(|code| fault.code.starts_with(code));
            let status = None;
            if is_ours { Heard::Refused { status, why } } else { Heard::Failed { status, why, unwell: false } }
        }
        Err(error) => failed(&error),
    }
}
