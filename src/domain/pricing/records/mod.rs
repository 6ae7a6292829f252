//! What is kept of prices: entries, line discounts, vouchers; and what a change does to them.

mod discount;
mod entry;
mod voucher;

pub use discount::LineDiscount;
pub use entry::PriceEntry;
pub use voucher::{Redemption, Voucher, code_key};

use super::Period;
use crate::domain::change::{Time, change};
use crate::domain::{Defaults, Issue};
use soapstone_runtime::{DateTime, Nillable};

/// What names in a change lead to: the key of an article or customer as it is kept.
pub trait Known {
    /// The article's number as it is kept.
    fn article(&self, sku: &str) -> Option<String>;
    /// The customer's number now, also by an alias.
    fn customer(&self, number: &str) -> Option<String>;
}

fn article(known: &impl Known, sku: &str) -> Result<String, Issue> {
    known.article(sku).ok_or_else(|| {
        let issue = Issue::error("price.unknown_article", format!("there is no article {sku}")).of("sku", sku);
        issue.suggest("import the articles first, or correct the number")
    })
}

fn customer(known: &impl Known, number: &str) -> Result<String, Issue> {
    known.customer(number).ok_or_else(|| {
        let text = format!("there is no customer {number}");
        let issue = Issue::error("price.unknown_customer", text).of("customer", number);
        issue.suggest("import the customers first, or correct the number")
    })
}

/// Changes a period, and looks whether it has any time in it.
fn change_period(
    period: &mut Period,
    from: Option<Nillable<DateTime>>,
    until: Option<Nillable<DateTime>>,
    defaults: &Defaults,
    issues: &mut Vec<Issue>,
) {
    let time = Time { code: "price.time_range", zone: defaults.zone };
    change(&mut period.from, from, |at| time.instant(at, "from"), issues);
    change(&mut period.until, until, |at| time.instant(at, "until"), issues);
    if let (Some(from), Some(until)) = (period.from, period.until)
        && from >= until
    {
        let issue = Issue::error("price.empty_period", "until is not after from").of("until", &until.to_string());
        issues.push(issue.suggest("correct one of the two times"));
    }
}

fn missing(field: &str) -> Issue {
    Issue { field: Some(field.to_owned()), ..Issue::error("price.incomplete", format!("a new one must have {field}")) }
}

fn more_than_one(fields: &str) -> Issue {
    let issue = Issue::error("price.more_than_one", format!("of {fields}, one at the most can be given"));
    issue.suggest("leave the others out, or make them nil")
}
