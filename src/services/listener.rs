//! The portType Listener: what targets of signals offer. Here it writes what it hears to the log, to try targets out.

use crate::error::ServiceError;
use soapstone_contracts::listener::{Listener, Notify};
use soapstone_runtime::service::Context;

/// Writes signals to the log.
pub struct ListenerService;

impl Listener for ListenerService {
    type Error = ServiceError;

    async fn notify(&self, _context: &Context, request: Notify) -> Result<(), ServiceError> {
        let (event, order) = (request.event.as_str(), request.order.as_deref().unwrap_or("-"));
        log::info!(signal = request.id; "heard of {event}, order {order}");
        Ok(())
    }
}
