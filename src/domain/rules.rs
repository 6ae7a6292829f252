//! How this shop takes records.

use super::Defaults;
use super::basket::Selling;
use super::customers::Numbering;
use super::numbers::Range;
use super::pictures::Taking;

/// What is set up of how records are taken.
#[derive(Clone, Debug)]
pub struct Rules {
    pub defaults: Defaults,
    /// Who numbers customers, and how.
    pub numbering: Numbering,
    pub selling: Selling,
    pub order_numbers: Range,
    pub pictures: Taking,
}
