//! What counts where a message leaves it open.

use chrono::FixedOffset;

/// What counts where a message leaves it open.
#[derive(Clone, Debug)]
pub struct Defaults {
    pub language: String,
    pub currency: String,
    pub gross: bool,
    pub warehouse: String,
    /// The zone of times that name none.
    pub zone: FixedOffset,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            language: "en".to_owned(),
            currency: "CHF".to_owned(),
            gross: true,
            warehouse: "main".to_owned(),
            zone: FixedOffset::east_opt(0).unwrap_or_else(|| unreachable!("zero is a zone")),
        }
    }
}
