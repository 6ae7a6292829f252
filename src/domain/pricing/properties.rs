//! What holds for every set of prices and discounts.

use super::{
    Asked, Buyer, Candidate, Discount, DiscountVerdict, Entry, Found, Kind, Of, Period, Policy, PriceError, Subject,
    Verdict, find,
};
use bigdecimal::BigDecimal;
use chrono::{Duration, NaiveDateTime};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

fn day(number: i64) -> NaiveDateTime {
    NaiveDateTime::default() + Duration::days(number)
}

fn name(names: &'static [&'static str]) -> impl Strategy<Value = String> {
    proptest::sample::select(names).prop_map(str::to_owned)
}

fn amounts() -> impl Strategy<Value = BigDecimal> {
    (0i64..2_000_000, 0i64..5).prop_map(|(digits, scale)| BigDecimal::new(digits.into(), scale))
}

fn quantities() -> impl Strategy<Value = BigDecimal> {
    (1i64..100_000, 0i64..4).prop_map(|(digits, scale)| BigDecimal::new(digits.into(), scale))
}

fn periods() -> impl Strategy<Value = Period> {
    (option::of(0i64..6), option::of(3i64..9))
        .prop_map(|(from, until)| Period { from: from.map(day), until: until.map(day) })
}

fn subjects() -> impl Strategy<Value = Subject> {
    prop_oneof![
        name(&["1", "2"]).prop_map(Subject::Customer),
        name(&["gold", "silver"]).prop_map(Subject::Group),
        name(&["spring", "autumn"]).prop_map(Subject::Campaign),
        Just(Subject::Everybody),
    ]
}

fn kinds() -> impl Strategy<Value = (Kind, Subject)> {
    prop_oneof![
        proptest::sample::select(&[Kind::List, Kind::Tier, Kind::Special][..]).prop_map(|k| (k, Subject::Everybody)),
        subjects().prop_map(|subject| (Kind::Entry, subject)),
    ]
}

fn prices() -> impl Strategy<Value = Entry> {
    let exact = (option::weighted(0.2, name(&["box"])), option::weighted(0.2, name(&["red"])));
    let minimum = prop_oneof![Just(BigDecimal::default()), quantities()];
    (kinds(), minimum, amounts(), name(&["CHF", "CHF", "EUR"]), periods(), exact, any::<bool>()).prop_map(
        |((kind, subject), minimum, amount, currency, period, (unit, variant), allow_line_discount)| Entry {
            subject,
            minimum,
            period,
            unit,
            variant,
            allow_line_discount,
            ..Entry::new(kind, amount, &currency)
        },
    )
}

fn of(ones: &'static [&'static str], groups: &'static [&'static str]) -> impl Strategy<Value = Of> {
    prop_oneof![name(ones).prop_map(Of::One), name(groups).prop_map(Of::Group), Just(Of::All)]
}

fn discounts() -> impl Strategy<Value = Discount> {
    let minimum = prop_oneof![Just(BigDecimal::default()), quantities()];
    (of(&["1", "2"], &["b2b"]), of(&["A", "B"], &["tools"]), minimum, 0i64..=1000, periods()).prop_map(
        |(customer, article, minimum, tenths, period)| Discount {
            customer,
            article,
            minimum,
            percent: BigDecimal::new(tenths.into(), 1),
            period,
        },
    )
}

fn buyers() -> impl Strategy<Value = Buyer> {
    let campaigns = vec(name(&["spring", "autumn"]), 0..2);
    (option::of(name(&["1", "2"])), option::of(name(&["gold", "silver"])), option::of(name(&["b2b"])), campaigns)
        .prop_map(|(customer, price_group, discount_group, campaigns)| Buyer {
            customer,
            price_group,
            discount_group,
            campaigns,
        })
}

fn questions() -> impl Strategy<Value = Asked> {
    let exact = (option::of(name(&["box"])), option::of(name(&["red", "blue"])));
    (quantities(), 0i64..9, exact, option::of(name(&["tools"]))).prop_map(|(quantity, at, (unit, variant), group)| {
        Asked {
            article: "A".to_owned(),
            variant,
            discount_group: group,
            quantity,
            unit,
            currency: "CHF".to_owned(),
            at: day(at),
        }
    })
}

fn policies() -> impl Strategy<Value = Policy> {
    proptest::sample::select(&[Policy::Sequence, Policy::Best][..])
}

/// Whether the price holds for this buyer and question, whatever the others are; by the words of the rules.
fn comes_into_question(entry: &Entry, asked: &Asked, buyer: &Buyer) -> bool {
    let subject = match &entry.subject {
        Subject::Customer(number) => Some(number) == buyer.customer.as_ref(),
        Subject::Group(group) => Some(group) == buyer.price_group.as_ref(),
        Subject::Campaign(campaign) => buyer.campaigns.iter().any(|own| own == campaign),
        Subject::Everybody => true,
    };
    let started = entry.period.from.is_none_or(|from| asked.at >= from);
    let ended = entry.period.until.is_some_and(|until| asked.at >= until);
    let unit = entry.unit.is_none() || entry.unit == asked.unit;
    let variant = entry.variant.is_none() || entry.variant == asked.variant;
    subject
        && started
        && !ended
        && entry.currency == asked.currency
        && unit
        && variant
        && entry.minimum <= asked.quantity
}

/// Whether one goes before the other by the policy `sequence`; by the words of the rules.
fn outranks(one: &Entry, amount: &BigDecimal, other: &Entry, other_amount: &BigDecimal) -> bool {
    let place = |entry: &Entry| match entry.subject {
        Subject::Customer(_) => 0,
        Subject::Group(_) => 1,
        Subject::Campaign(_) => 2,
        Subject::Everybody => 3,
    };
    let weight = |entry: &Entry| (entry.minimum.clone(), entry.period.from);
    match (one.kind == Kind::Special, other.kind == Kind::Special) {
        _ if place(one) != place(other) => place(one) < place(other),
        (false, false) if weight(one) == weight(other) => amount <= other_amount,
        (false, false) => weight(one) > weight(other),
        (true, true) | (false, true) => amount <= other_amount,
        // It need only be lower than the one of the others that would have been taken.
        (true, false) => true,
    }
}

/// Says what is wrong with the reason that is given for a price.
fn justify(number: usize, found: &Found, asked: &Asked, buyer: &Buyer, policy: Policy) -> Result<(), TestCaseError> {
    let Candidate { entry, amount, verdict } = &found.candidates[number];
    let (taken_at, taken) = found
        .candidates
        .iter()
        .enumerate()
        .find(|(_, c)| c.verdict == Verdict::Taken)
        .ok_or_else(|| TestCaseError::fail("nothing is taken"))?;
    let in_question = comes_into_question(entry, asked, buyer);
    let exact_beside = |is_exact: fn(&Entry) -> bool| {
        let mut others = found.candidates.iter().map(|c| &c.entry);
        !is_exact(entry) && others.any(|other| is_exact(other) && comes_into_question(other, asked, buyer))
    };
    match verdict {
        Verdict::Taken => {
            prop_assert!(in_question && *amount == found.unit_price);
        }
        Verdict::OtherSubject => prop_assert!(entry.subject != Subject::Everybody && !in_question),
        Verdict::OtherPeriod => prop_assert!(entry.period != Period::default() && !in_question),
        Verdict::OtherCurrency => prop_assert!(entry.currency != asked.currency),
        Verdict::OtherUnit => prop_assert!(entry.unit.is_some() && entry.unit != asked.unit),
        Verdict::OtherVariant => prop_assert!(entry.variant.is_some() && entry.variant != asked.variant),
        Verdict::TooFew => prop_assert!(entry.minimum > asked.quantity),
        Verdict::LessExact => {
            prop_assert!(in_question);
            // The article's own prices have its own unit, but nobody named it for them.
            let names_unit = |e: &Entry| e.unit.is_some() && e.kind == Kind::Entry;
            prop_assert!(exact_beside(|e| e.variant.is_some()) || exact_beside(names_unit));
        }
        Verdict::Outranked(by) => {
            prop_assert!(in_question && *by == taken_at);
            let outranks = match policy {
                Policy::Best => taken.amount <= *amount,
                Policy::Sequence => outranks(&taken.entry, &taken.amount, entry, amount),
            };
            prop_assert!(outranks, "{:?} does not go before {:?}", taken, entry);
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn the_explanation_justifies_the_price(
        prices in vec(prices(), 0..12), discounts in vec(discounts(), 0..6), asked in questions(), buyer in buyers(),
        policy in policies(),
    ) {
        match find(&prices, &discounts, &[], &asked, &buyer, policy) {
            Ok(found) => {
                prop_assert_eq!(found.candidates.len(), prices.len());
                prop_assert_eq!(found.candidates.iter().filter(|c| c.verdict == Verdict::Taken).count(), 1);
                for number in 0..prices.len() {
                    justify(number, &found, &asked, &buyer, policy)?;
                }
            }
            Err(PriceError::None { candidates }) => {
                prop_assert!(!prices.iter().any(|price| comes_into_question(price, &asked, &buyer)));
                prop_assert_eq!(candidates.len(), prices.len());
            }
            Err(PriceError::CurrencyMismatch { known, .. }) => {
                prop_assert_eq!(known, ["EUR"]);
                prop_assert!(!prices.iter().any(|price| comes_into_question(price, &asked, &buyer)));
            }
            Err(PriceError::Quantity) => prop_assert!(false, "the quantity is greater than 0"),
        }
    }

    #[test]
    fn nothing_is_negative_and_the_line_is_what_it_says(
        prices in vec(prices(), 1..12), discounts in vec(discounts(), 0..6), asked in questions(), buyer in buyers(),
        policy in policies(),
    ) {
        let Ok(found) = find(&prices, &discounts, &[], &asked, &buyer, policy) else { return Ok(()) };
        prop_assert!(found.unit_price >= BigDecimal::default());
        prop_assert!(found.line >= BigDecimal::default());
        prop_assert!(found.unit_price.fractional_digit_count() <= 4 && found.line.fractional_digit_count() <= 2);
        let exact: BigDecimal = &found.unit_price * &asked.quantity * (BigDecimal::from(100) - &found.discount) / 100;
        prop_assert!((exact - &found.line).abs() <= BigDecimal::new(5.into(), 3));
    }

    #[test]
    fn the_highest_discount_counts_where_the_price_allows_it(
        prices in vec(prices(), 1..12), discounts in vec(discounts(), 0..6), asked in questions(), buyer in buyers(),
        policy in policies(),
    ) {
        let Ok(found) = find(&prices, &discounts, &[], &asked, &buyer, policy) else { return Ok(()) };
        let is_allowed = found.candidates.iter().any(|c| c.verdict == Verdict::Taken && c.entry.allow_line_discount);
        let of = |verdict| found.discounts.iter().filter(move |d| d.verdict == verdict);
        prop_assert!(of(DiscountVerdict::Taken).count() <= usize::from(is_allowed));
        for taken in of(DiscountVerdict::Taken) {
            prop_assert_eq!(&taken.discount.percent, &found.discount);
            prop_assert!(of(DiscountVerdict::Lower).all(|lower| lower.discount.percent <= found.discount));
        }
        if is_allowed {
            prop_assert_eq!(of(DiscountVerdict::NotAllowed).count(), 0);
            let is_any = of(DiscountVerdict::Taken).count() == 1;
            prop_assert!(is_any || of(DiscountVerdict::Lower).count() == 0);
        } else {
            prop_assert_eq!(&found.discount, &BigDecimal::default());
        }
    }

    #[test]
    fn the_best_is_never_dearer_than_the_sequence(
        prices in vec(prices(), 1..12), asked in questions(), buyer in buyers(),
    ) {
        let sequence = find(&prices, &[], &[], &asked, &buyer, Policy::Sequence);
        let best = find(&prices, &[], &[], &asked, &buyer, Policy::Best);
        match (sequence, best) {
            (Ok(sequence), Ok(best)) => prop_assert!(best.unit_price <= sequence.unit_price),
            (sequence, best) => prop_assert_eq!(sequence.err(), best.err()),
        }
    }

    #[test]
    fn the_order_of_the_prices_does_not_matter(
        (prices, shuffled) in vec(prices(), 1..12).prop_flat_map(|p| (Just(p.clone()), Just(p).prop_shuffle())),
        asked in questions(), buyer in buyers(), policy in policies(),
    ) {
        let price = |prices: &[Entry]| find(prices, &[], &[], &asked, &buyer, policy).map(|found| found.unit_price).ok();
        prop_assert_eq!(price(&prices), price(&shuffled));
    }

    /// By the best price, more costs no more each; as long as no price is exact about the unit or the variant.
    #[test]
    fn who_buys_more_pays_no_more_for_each(
        mut prices in vec(prices(), 1..12), asked in questions(), more in quantities(), buyer in buyers(),
    ) {
        for price in &mut prices {
            (price.unit, price.variant) = (None, None);
        }
        let Ok(few) = find(&prices, &[], &[], &asked, &buyer, Policy::Best) else { return Ok(()) };
        let asked = Asked { quantity: &asked.quantity + more, ..asked };
        let many = find(&prices, &[], &[], &asked, &buyer, Policy::Best);
        prop_assert!(many.is_ok_and(|many| many.unit_price <= few.unit_price));
    }

    /// By the best price, another price for everybody makes nothing dearer.
    #[test]
    fn another_price_makes_nothing_dearer(
        prices in vec(prices(), 1..12), amount in amounts(), asked in questions(), buyer in buyers(),
    ) {
        let Ok(before) = find(&prices, &[], &[], &asked, &buyer, Policy::Best) else { return Ok(()) };
        let mut prices = prices;
        prices.push(Entry::new(Kind::Entry, amount, "CHF"));
        let after = find(&prices, &[], &[], &asked, &buyer, Policy::Best);
        prop_assert!(after.is_ok_and(|after| after.unit_price <= before.unit_price));
    }
}
