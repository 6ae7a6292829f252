//! What holds for the tax of every basket.

use super::{Charge, Good, TaxRate, rounded, totals};
use bigdecimal::BigDecimal;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

fn cents(range: std::ops::Range<i64>) -> impl Strategy<Value = BigDecimal> {
    range.prop_map(|cents| BigDecimal::new(cents.into(), 2))
}

fn cent() -> BigDecimal {
    BigDecimal::new(1.into(), 2)
}

fn rates() -> impl Strategy<Value = TaxRate> {
    proptest::sample::select(&["8.1", "2.6", "3.8", "19", "0"][..])
        .prop_map(|percent| TaxRate::of(percent.parse().expect("a number")))
}

fn goods() -> impl Strategy<Value = Vec<Good>> {
    vec((cents(-20_000..500_000), rates()).prop_map(|(amount, rate)| Good { amount, rate }), 1..12)
}

fn charges() -> impl Strategy<Value = Vec<Charge>> {
    vec(
        (cents(-5_000..10_000), option::weighted(0.3, rates())).prop_map(|(amount, rate)| Charge { amount, rate }),
        0..5,
    )
}

proptest! {
    #[test]
    fn parts_add_up(goods in goods(), charges in charges(), gross in any::<bool>()) {
        let totals = totals(&goods, &charges, gross, None).unwrap();
        for (charge, shares) in charges.iter().zip(&totals.shares) {
            prop_assert_eq!(&shares.iter().map(|share| &share.amount).sum::<BigDecimal>(), &charge.amount);
            // No part goes against the whole.
            prop_assert!(shares.iter().all(|share| &share.amount * &charge.amount >= BigDecimal::default()));
        }
        let given: BigDecimal = goods.iter().map(|g| &g.amount).chain(charges.iter().map(|c| &c.amount)).sum();
        prop_assert_eq!(if gross { &totals.gross } else { &totals.net }, &given);
        prop_assert_eq!(&(&totals.net + &totals.tax), &totals.gross);
        for group in &totals.groups {
            prop_assert_eq!(&(&group.net + &group.tax), &group.gross);
            prop_assert!(group.tax.fractional_digit_count() <= 2);
        }
        prop_assert_eq!(&totals.payable, &totals.gross);
    }

    /// The tax of each rate is its share of the net amount, to the cent.
    #[test]
    fn tax_is_exact_to_the_cent(goods in goods(), charges in charges(), gross in any::<bool>()) {
        for group in totals(&goods, &charges, gross, None).unwrap().groups {
            let off: BigDecimal = &group.net * &group.rate.percent / 100 - &group.tax;
            prop_assert!(off.abs() <= cent(), "{} at {:?}", off, group);
        }
    }

    /// A part differs from its exact share by less than a cent, where all goods are in the plus.
    #[test]
    fn a_part_is_its_share_to_the_cent(goods in goods(), amount in cents(0..10_000)) {
        let goods: Vec<Good> = goods.into_iter().map(|g| Good { amount: g.amount.abs(), ..g }).collect();
        let whole: BigDecimal = goods.iter().map(|g| &g.amount).sum();
        prop_assume!(whole > BigDecimal::default());
        let charge = Charge { amount: amount.clone(), rate: None };
        for share in &totals(&goods, &[charge], true, None).unwrap().shares[0] {
            let of_rate: BigDecimal = goods.iter().filter(|g| g.rate == share.rate).map(|g| &g.amount).sum();
            let off: BigDecimal = &amount * of_rate / &whole - &share.amount;
            prop_assert!(off.abs() < cent(), "{}", off);
        }
    }

    #[test]
    fn cash_is_whole_coins_and_near(goods in goods(), coin in proptest::sample::select(&[5i64, 10, 100][..])) {
        let coin = BigDecimal::new(coin.into(), 2);
        let totals = totals(&goods, &[], true, Some(&coin)).unwrap();
        prop_assert_eq!(&rounded(&totals.payable, &coin), &totals.payable);
        prop_assert_eq!(&(&totals.gross + &totals.rounding), &totals.payable);
        prop_assert!(totals.rounding.abs() * 2 <= coin);
    }
}
