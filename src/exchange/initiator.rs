//! How a run came to be, and at whose wish.

use soapstone_contracts::exchange::Channel;

/// What began a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Initiator {
    /// How it came, as the contract calls it.
    pub channel: &'static str,
    /// Who wished it: a user, a watched folder, a schedule, or the address that asked; None: nobody knows.
    pub client: Option<String>,
}

impl Initiator {
    pub fn new(channel: Channel, client: Option<&str>) -> Self {
        let client = client.filter(|client| !client.is_empty()).map(|client| client.chars().take(255).collect());
        Self { channel: channel.as_str(), client }
    }
}
