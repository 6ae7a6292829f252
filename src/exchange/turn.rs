//! Whose turn it is: runs of the highest priority first, then the oldest; but none before those that bring what its records lead to.

use super::kinds::Kind;
use crate::reporting::{Direction, RunState, kind_of};
use crate::store::runs::Run;
use soapstone_contracts::exchange::RunKind;

/// What records of a kind lead to.
fn needs(kind: RunKind) -> &'static [RunKind] {
    use RunKind::{
        AccountingGroups, ArticleDocuments, Articles, Attributes, Categories, Credits, CustomerGroups, CustomerMerges,
        Customers, DeliveryAddresses, DeliveryStatus, Documents, LineDiscounts, Manufacturers, OptionArticles, Orders,
        Payments, Pictures, PriceEntries, SerialNumbers, Stock, Units, Vouchers, Warehouses,
    };
    match kind {
        Categories | Attributes | Manufacturers | Units | AccountingGroups | CustomerGroups | Warehouses => &[],
        Articles => &[Categories, Attributes, Manufacturers, Units, AccountingGroups, Warehouses],
        OptionArticles | SerialNumbers | Pictures | ArticleDocuments => &[Articles],
        Customers => &[CustomerGroups],
        CustomerMerges => &[Customers, DeliveryAddresses, Credits],
        DeliveryAddresses | Credits | Vouchers => &[Customers, CustomerMerges],
        PriceEntries | LineDiscounts => &[Articles, Customers, CustomerMerges],
        Stock => &[Articles, Warehouses],
        Orders => &[Articles, Customers, CustomerMerges, PriceEntries, LineDiscounts, Vouchers, Stock],
        DeliveryStatus | Documents | Payments => &[Orders],
    }
}

/// Whether a run that waits has to wait on: for one that was accepted before it.
pub(super) fn must_wait(run: &Run, open: &[Run]) -> bool {
    let kind = kind_of(&run.kind);
    let needed = match run.direction() {
        Direction::Import => needs(kind),
        // What was sent before it is asked for is in it.
        Direction::Export => &[kind],
    };
    open.iter().any(|other| {
        other.id < run.id
            && other.direction() == Direction::Import
            && Kind::find(&other.kind).is_some_and(|other| needed.contains(&other.of))
    })
}

/// Whether it waits to be taken for the first time, or again.
pub(super) fn is_queued(run: &Run) -> bool {
    run.state() == RunState::Queued
}
