//! Customer numbers: who allocates them, and from which range.

use crate::domain::Issue;
use crate::domain::numbers::Range;
use std::str::FromStr;

/// Who allocates numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allocator {
    /// The shop, for good.
    Shop,
    /// The ERP: what the shop gives is provisional, until the ERP assigns another.
    Erp,
    /// Both, each from a range of its own.
    Split,
}

impl FromStr for Allocator {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "shop" => Ok(Self::Shop),
            "erp" => Ok(Self::Erp),
            "split" => Ok(Self::Split),
            other => Err(format!("\"{other}\" allocates no numbers; shop, erp and split do")),
        }
    }
}

/// How customers get their numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbering {
    pub allocator: Allocator,
    /// Where the shop takes numbers from: for good, or provisional ones.
    pub own: Range,
    /// Where numbers that are given from outside must be from; None: anywhere but in the shop's own range.
    pub given: Option<Range>,
}

impl Numbering {
    /// Puts the ranges together.
    ///
    /// # Errors
    /// If they do not go together.
    pub fn new(allocator: Allocator, own: Range, given: Option<Range>) -> Result<Self, String> {
        if allocator == Allocator::Split && given.is_none() {
            return Err("two who allocate numbers need two ranges: set customer-number-erp-range".to_owned());
        }
        if let Some(given) = given.as_ref().filter(|given| given.overlaps(&own)) {
            return Err(format!("the ranges {own} and {given} overlap"));
        }
        Ok(Self { allocator, own, given })
    }

    /// What there is against a new number from outside; `next` is where the shop's own range goes on.
    pub fn against(&self, number: &str, next: i64) -> Option<Issue> {
        let outside = |text: String| Issue::error("customer.number_outside_range", text).of("number", number);
        if let Some(place) = self.own.place(number) {
            let text = format!("the shop allocates from {}, and has not given {number} yet", self.own);
            return (place >= next).then(|| outside(text).suggest("leave the number out, or use AllocateNumbers"));
        }
        let given = self.given.as_ref().filter(|given| given.place(number).is_none())?;
        Some(outside(format!("{number} is not from {given}")).suggest("correct the number, or the range of the ERP"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> Range {
        text.parse().unwrap()
    }

    #[test]
    fn ranges_of_two_must_not_overlap() {
        let own = range("1000..1999");
        let with = |given: Option<&str>| Numbering::new(Allocator::Split, own.clone(), given.map(range));
        assert!(with(None).unwrap_err().contains("customer-number-erp-range"));
        assert!(with(Some("1999..2999")).unwrap_err().contains("overlap"));
        assert!(with(Some("D1999..D2999")).is_ok());
    }

    #[test]
    fn numbers_from_outside_are_looked_at() {
        let numbering = Numbering::new(Allocator::Split, range("1000..1999"), Some(range("2000..2999"))).unwrap();
        let code = |number: &str| numbering.against(number, 1500).map(|issue| issue.code);
        assert_eq!(code("2500"), None);
        assert_eq!(code("1499"), None, "it was allocated, so that it may come back");
        assert_eq!(code("1500"), Some("customer.number_outside_range"));
        assert_eq!(code("4711000"), Some("customer.number_outside_range"));
        let open = Numbering::new(Allocator::Shop, range("S-1..S-9"), None).unwrap();
        assert_eq!(open.against("anything", 1), None);
    }
}
