//! The flow of documents: what of an order is delivered, invoiced, returned; and the state that follows from it.

use crate::domain::Issue;
use bigdecimal::{BigDecimal, Zero};
use soapstone_contracts::orders::{DocumentKind, State};
use std::collections::BTreeMap;

/// How far a line of an order is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    pub ordered: BigDecimal,
    /// What will not be delivered any more.
    pub cancelled: BigDecimal,
    pub delivered: BigDecimal,
    /// What is invoiced, without what was credited.
    pub invoiced: BigDecimal,
    pub returned: BigDecimal,
}

impl Line {
    fn wanted(&self) -> BigDecimal {
        &self.ordered - &self.cancelled
    }

    /// How many a document of that kind may have at most.
    fn open_for(&self, kind: DocumentKind) -> BigDecimal {
        match kind {
            DocumentKind::OrderConfirmation => self.wanted(),
            DocumentKind::DeliveryNote => self.wanted() - &self.delivered,
            DocumentKind::Invoice => self.wanted() - &self.invoiced,
            DocumentKind::CreditNote => self.invoiced.clone(),
            DocumentKind::Return => &self.delivered - &self.returned,
        }
    }

    /// Counts what a document has.
    pub fn add(&mut self, kind: DocumentKind, quantity: &BigDecimal) {
        match kind {
            DocumentKind::OrderConfirmation => {}
            DocumentKind::DeliveryNote => self.delivered += quantity,
            DocumentKind::Invoice => self.invoiced += quantity,
            DocumentKind::CreditNote => self.invoiced -= quantity,
            DocumentKind::Return => self.returned += quantity,
        }
    }
}

/// How many of a line, by its number.
pub type Part = (i32, BigDecimal);

/// All that an order's state follows from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    pub lines: BTreeMap<i32, Line>,
    pub confirmed: bool,
    pub closed: bool,
    pub prepaid: bool,
    /// What is to be paid, and what is.
    pub total: BigDecimal,
    pub paid: BigDecimal,
}

impl Flow {
    fn any(&self, of: impl Fn(&Line) -> &BigDecimal) -> bool {
        self.lines.values().any(|line| !of(line).is_zero())
    }

    fn all(&self, of: impl Fn(&Line) -> bool) -> bool {
        self.lines.values().all(of)
    }

    /// Whether all of it is paid.
    pub fn is_paid(&self) -> bool {
        self.paid >= self.total
    }

    /// Whether it can be delivered: what is to be paid before waits until it is.
    pub fn is_released(&self) -> bool {
        !self.closed && !self.is_cancelled() && (!self.prepaid || self.is_paid())
    }

    fn is_cancelled(&self) -> bool {
        self.all(|line| line.wanted().is_zero())
    }

    /// The state, from what came of the order.
    pub fn state(&self) -> State {
        let delivered = self.all(|line| line.delivered >= line.wanted());
        let invoiced = self.all(|line| line.invoiced >= line.wanted());
        let is_returned = self.any(|line| &line.returned) && self.all(|line| line.returned >= line.delivered);
        match () {
            () if self.closed => State::Closed,
            () if self.is_cancelled() => State::Cancelled,
            () if delivered && is_returned => State::Returned,
            () if delivered && invoiced && self.is_paid() => State::Paid,
            () if delivered && invoiced => State::Invoiced,
            () if delivered => State::Delivered,
            () if self.any(|line| &line.delivered) => State::PartiallyDelivered,
            () if self.confirmed => State::Confirmed,
            () => State::Open,
        }
    }

    /// Takes a document; without parts, it has all that there is for its kind. Gives its parts.
    ///
    /// # Errors
    /// Why it cannot be, and nothing is taken then.
    pub fn record(&mut self, kind: DocumentKind, parts: &[Part]) -> Result<Vec<Part>, Issue> {
        self.open_for_change()?;
        if kind == DocumentKind::DeliveryNote && !self.is_released() && self.prepaid {
            let text = format!("it is paid before it is delivered, and of {} only {} is paid", self.total, self.paid);
            return Err(Issue::error("order.not_paid", text).suggest("record the payment first (RecordPayments)"));
        }
        let parts = match parts {
            [] => self.rest(kind)?,
            parts => self.checked(kind, parts)?,
        };
        for (number, quantity) in &parts {
            if let Some(line) = self.lines.get_mut(number) {
                line.add(kind, quantity);
            }
        }
        self.confirmed |= kind == DocumentKind::OrderConfirmation;
        Ok(parts)
    }

    fn open_for_change(&self) -> Result<(), Issue> {
        if self.closed {
            return Err(Issue::error("order.closed", "the order is closed: nothing changes any more"));
        }
        Ok(())
    }

    /// All that there is for a kind of document.
    fn rest(&self, kind: DocumentKind) -> Result<Vec<Part>, Issue> {
        let open = self.lines.iter().map(|(number, line)| (*number, line.open_for(kind)));
        let parts: Vec<Part> = open.filter(|(_, quantity)| *quantity > BigDecimal::zero()).collect();
        if parts.is_empty() {
            return Err(too_much(kind, "of no line there is anything left".to_owned()));
        }
        Ok(parts)
    }

    fn checked(&self, kind: DocumentKind, parts: &[Part]) -> Result<Vec<Part>, Issue> {
        // A line may stand in a document more than once.
        let mut sums: BTreeMap<i32, BigDecimal> = BTreeMap::new();
        for (number, quantity) in parts {
            *sums.entry(*number).or_default() += quantity;
        }
        for (number, quantity) in &sums {
            let Some(line) = self.lines.get(number) else {
                let text = format!("the order has no line {number}");
                return Err(Issue::error("order.unknown_position", text).of("part/position", &number.to_string()));
            };
            let open = line.open_for(kind);
            if *quantity > open {
                let text = format!("of line {number} there are {open} at the most, not {quantity}");
                return Err(too_much(kind, text).of("part/quantity", &quantity.to_string()));
            }
        }
        Ok(sums.into_iter().collect())
    }

    /// Cancels what is not delivered yet.
    ///
    /// # Errors
    /// If there is nothing to cancel, or it is invoiced already.
    pub fn cancel(&mut self) -> Result<(), Issue> {
        self.open_for_change()?;
        let undelivered = |line: &Line| line.wanted() - &line.delivered;
        if self.all(|line| undelivered(line).is_zero()) {
            let text = "all of it is delivered or cancelled already";
            return Err(Issue::error("order.nothing_to_cancel", text).suggest("record a return instead"));
        }
        if self.lines.values().any(|line| line.invoiced > line.delivered) {
            let text = "more is invoiced than is delivered";
            return Err(Issue::error("order.invoiced", text).suggest("record a credit note first"));
        }
        for line in self.lines.values_mut() {
            line.cancelled = &line.cancelled + undelivered(line);
        }
        Ok(())
    }

    /// Closes the order.
    ///
    /// # Errors
    /// If it is not done yet.
    pub fn close(&mut self) -> Result<(), Issue> {
        match self.state() {
            State::Paid | State::Returned | State::Cancelled | State::Closed => {
                self.closed = true;
                Ok(())
            }
            state => {
                let text = format!("the order is {}, and not done yet", state.as_str());
                Err(Issue::error("order.not_done", text).suggest("deliver, invoice and record the payment first"))
            }
        }
    }
}

fn too_much(kind: DocumentKind, text: String) -> Issue {
    let code = match kind {
        DocumentKind::OrderConfirmation => "order.over_confirmation",
        DocumentKind::DeliveryNote => "order.over_delivery",
        DocumentKind::Invoice => "order.over_invoice",
        DocumentKind::CreditNote => "order.over_credit",
        DocumentKind::Return => "order.over_return",
    };
    Issue::error(code, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn flow(quantities: &[i64]) -> Flow {
        let lines = (1..)
            .zip(quantities)
            .map(|(number, quantity)| (number, Line { ordered: BigDecimal::from(*quantity), ..Line::default() }));
        Flow { lines: lines.collect(), total: BigDecimal::from(100), ..Flow::default() }
    }

    fn part(number: i32, quantity: i64) -> Part {
        (number, BigDecimal::from(quantity))
    }

    #[test]
    fn the_way_of_an_order() {
        use DocumentKind::{DeliveryNote, Invoice, OrderConfirmation};
        let mut flow = flow(&[10, 2]);
        assert_eq!(flow.state(), State::Open);
        flow.record(OrderConfirmation, &[]).unwrap();
        assert_eq!(flow.state(), State::Confirmed);
        flow.record(DeliveryNote, &[part(1, 4)]).unwrap();
        assert_eq!(flow.state(), State::PartiallyDelivered);
        flow.record(Invoice, &[part(1, 4)]).unwrap();
        assert_eq!(flow.state(), State::PartiallyDelivered);
        assert_eq!(flow.record(DeliveryNote, &[]).unwrap(), [part(1, 6), part(2, 2)]);
        assert_eq!(flow.state(), State::Delivered);
        flow.record(Invoice, &[]).unwrap();
        assert_eq!(flow.state(), State::Invoiced);
        assert_eq!(flow.close().unwrap_err().code, "order.not_done");
        flow.paid = BigDecimal::from(100);
        assert_eq!(flow.state(), State::Paid);
        flow.close().unwrap();
        assert_eq!(flow.state(), State::Closed);
        assert_eq!(flow.record(DocumentKind::Return, &[]).unwrap_err().code, "order.closed");
    }

    #[test]
    fn more_than_there_is_is_refused() {
        use DocumentKind::{CreditNote, DeliveryNote, Invoice, Return};
        let mut flow = flow(&[5]);
        let code = |result: Result<Vec<Part>, Issue>| result.unwrap_err().code;
        assert_eq!(code(flow.record(DeliveryNote, &[part(1, 3), part(1, 3)])), "order.over_delivery");
        assert_eq!(code(flow.record(Return, &[part(1, 1)])), "order.over_return");
        assert_eq!(code(flow.record(CreditNote, &[])), "order.over_credit");
        assert_eq!(code(flow.record(Invoice, &[part(2, 1)])), "order.unknown_position");
        flow.record(Invoice, &[part(1, 5)]).unwrap();
        assert_eq!(code(flow.record(Invoice, &[part(1, 1)])), "order.over_invoice");
        flow.record(CreditNote, &[part(1, 2)]).unwrap();
        flow.record(Invoice, &[part(1, 2)]).unwrap();
    }

    #[test]
    fn what_is_prepaid_waits() {
        let mut flow = Flow { prepaid: true, ..flow(&[1]) };
        assert_eq!(flow.record(DocumentKind::DeliveryNote, &[]).unwrap_err().code, "order.not_paid");
        flow.record(DocumentKind::OrderConfirmation, &[]).unwrap();
        flow.paid = flow.total.clone();
        assert!(flow.is_released());
        flow.record(DocumentKind::DeliveryNote, &[]).unwrap();
    }

    #[test]
    fn cancelling_ends_what_is_open() {
        let mut whole = flow(&[5]);
        whole.cancel().unwrap();
        assert_eq!(whole.state(), State::Cancelled);
        assert_eq!(whole.cancel().unwrap_err().code, "order.nothing_to_cancel");
        let mut part_of_it = flow(&[5]);
        part_of_it.record(DocumentKind::DeliveryNote, &[part(1, 2)]).unwrap();
        part_of_it.cancel().unwrap();
        assert_eq!(part_of_it.state(), State::Delivered);
        assert_eq!(
            part_of_it.record(DocumentKind::DeliveryNote, &[part(1, 1)]).unwrap_err().code,
            "order.over_delivery"
        );
        let mut invoiced = flow(&[5]);
        invoiced.record(DocumentKind::Invoice, &[]).unwrap();
        assert_eq!(invoiced.cancel().unwrap_err().code, "order.invoiced");
    }

    #[test]
    fn what_comes_back_whole_is_returned() {
        let mut flow = flow(&[2, 1]);
        flow.record(DocumentKind::DeliveryNote, &[]).unwrap();
        flow.record(DocumentKind::Return, &[part(1, 2)]).unwrap();
        assert_eq!(flow.state(), State::Delivered);
        flow.record(DocumentKind::Return, &[]).unwrap();
        assert_eq!(flow.state(), State::Returned);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        /// Whatever is recorded: nothing is delivered that was not ordered, nothing comes back that was not delivered.
        #[test]
        fn no_line_has_more_than_it_can(steps in prop::collection::vec((0..6usize, 1..4i32, 1..8i64), 0..30)) {
            let mut flow = flow(&[5, 3, 7]);
            for (kind, number, quantity) in steps {
                match DocumentKind::ALL.get(kind) {
                    Some(kind) => drop(flow.record(*kind, &[part(number, quantity)])),
                    None => drop(flow.cancel()),
                }
                for line in flow.lines.values() {
                    prop_assert!(line.cancelled <= line.ordered);
                    prop_assert!(line.delivered <= line.wanted());
                    prop_assert!(line.returned <= line.delivered);
                    prop_assert!(line.invoiced <= line.ordered && line.invoiced >= BigDecimal::zero());
                }
            }
        }
    }
}
