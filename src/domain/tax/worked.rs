//! Tax by example.

use super::{Charge, Exemption, Good, Rates, TaxError, TaxRate, Totals, rounded, totals};
use bigdecimal::BigDecimal;
use chrono::NaiveDate;

fn decimal(text: &str) -> BigDecimal {
    text.parse().expect("a number")
}

fn rate(percent: &str) -> TaxRate {
    TaxRate::of(decimal(percent))
}

fn goods(lines: &[(&str, &str)]) -> Vec<Good> {
    lines.iter().map(|(amount, percent)| Good { amount: decimal(amount), rate: rate(percent) }).collect()
}

fn charges(amounts: &[&str]) -> Vec<Charge> {
    amounts.iter().map(|amount| Charge { amount: decimal(amount), rate: None }).collect()
}

/// Each group as `percent: net + tax = gross`.
fn groups(totals: &Totals) -> Vec<String> {
    totals.groups.iter().map(|g| format!("{}: {:.2} + {:.2} = {:.2}", g.rate.percent, g.net, g.tax, g.gross)).collect()
}

fn shares(totals: &Totals, charge: usize) -> Vec<String> {
    totals.shares[charge].iter().map(|s| format!("{}: {:.2}", s.rate.percent, s.amount)).collect()
}

#[test]
fn shipping_is_split_over_the_rates_of_the_goods() {
    let goods = goods(&[("100.00", "8.1"), ("50.00", "2.6")]);
    let totals = totals(&goods, &charges(&["9.00"]), true, None).unwrap();
    assert_eq!(shares(&totals, 0), ["8.1: 6.00", "2.6: 3.00"]);
    assert_eq!(groups(&totals), ["8.1: 98.06 + 7.94 = 106.00", "2.6: 51.66 + 1.34 = 53.00"]);
    assert_eq!(totals.payable, decimal("159.00"));
    assert_eq!(totals.rounding, decimal("0"));
}

#[test]
fn tax_is_computed_on_the_sum_of_a_rate_and_not_by_line() {
    // 19 % of 0.03 is 0.01 a line; of the sum, 0.30, it is 0.06.
    let totals = totals(&goods(&[("0.03", "19"); 10]), &[], false, None).unwrap();
    assert_eq!(groups(&totals), ["19: 0.30 + 0.06 = 0.36"]);
}

#[test]
fn the_odd_cent_goes_where_most_was_cut_off() {
    // 2.501…, 5.003… and 2.495…: the third loses most.
    let goods = goods(&[("100.10", "20"), ("200.20", "10"), ("99.85", "13")]);
    let totals = totals(&goods, &charges(&["10.00"]), true, None).unwrap();
    assert_eq!(shares(&totals, 0), ["20: 2.50", "13: 2.50", "10: 5.00"]);
}

#[test]
fn equals_have_the_odd_cent_at_the_highest_rate() {
    let totals = totals(&goods(&[("1.00", "7"), ("1.00", "19")]), &charges(&["0.01", "-0.01"]), true, None).unwrap();
    assert_eq!(shares(&totals, 0), ["19: 0.01", "7: 0.00"]);
    assert_eq!(shares(&totals, 1), ["19: -0.01", "7: 0.00"]);
}

#[test]
fn a_charge_with_a_rate_of_its_own_is_not_split() {
    let fee = Charge { amount: decimal("4.00"), rate: Some(rate("8.1")) };
    let totals = totals(&goods(&[("50.00", "2.6")]), &[fee], true, None).unwrap();
    assert_eq!(groups(&totals), ["8.1: 3.70 + 0.30 = 4.00", "2.6: 48.73 + 1.27 = 50.00"]);
}

#[test]
fn goods_for_nothing_leave_the_charge_to_the_highest_rate() {
    let totals = totals(&goods(&[("0.00", "2.6"), ("0.00", "8.1")]), &charges(&["9.00"]), true, None).unwrap();
    assert_eq!(shares(&totals, 0), ["8.1: 9.00", "2.6: 0.00"]);
}

#[test]
fn a_return_is_split_as_the_goods_were() {
    let goods = goods(&[("-100.00", "8.1"), ("-50.00", "2.6")]);
    let totals = totals(&goods, &charges(&["-9.00"]), true, None).unwrap();
    assert_eq!(shares(&totals, 0), ["8.1: -6.00", "2.6: -3.00"]);
    assert_eq!(groups(&totals), ["8.1: -98.06 + -7.94 = -106.00", "2.6: -51.66 + -1.34 = -53.00"]);
}

#[test]
fn a_charge_alone_has_no_rate() {
    let error = totals(&[], &charges(&["9.00"]), true, None).unwrap_err();
    assert_eq!((error.clone(), error.code()), (TaxError::NothingToSplitOver, "tax.no_rate"));
}

#[test]
fn what_is_exempt_says_why() {
    let goods = vec![
        Good { amount: decimal("100.00"), rate: TaxRate::exempt(Exemption::ReverseCharge) },
        Good { amount: decimal("10.00"), rate: rate("0") },
    ];
    let totals = totals(&goods, &[], false, None).unwrap();
    assert_eq!(groups(&totals), ["0: 100.00 + 0.00 = 100.00", "0: 10.00 + 0.00 = 10.00"]);
    assert_eq!(totals.groups[0].rate.exemption.map(Exemption::as_str), Some("reverseCharge"));
    assert_eq!(totals.groups[1].rate.exemption, None);
}

#[test]
fn cash_is_rounded_to_the_coin() {
    let five = decimal("0.05");
    for (amount, paid) in
        [("158.97", "158.95"), ("158.98", "159.00"), ("0.02", "0.00"), ("0.025", "0.05"), ("-158.98", "-159.00")]
    {
        assert_eq!(rounded(&decimal(amount), &five), decimal(paid), "{amount}");
    }
    assert_eq!(rounded(&decimal("158.97"), &decimal("0")), decimal("158.97"));
    let totals = totals(&goods(&[("158.97", "8.1")]), &[], true, Some(&five)).unwrap();
    assert_eq!(
        (totals.gross, totals.rounding, totals.payable),
        (decimal("158.97"), decimal("-0.02"), decimal("158.95"))
    );
}

#[test]
fn shipped_rates_hold_on_their_days() {
    let rates = Rates::shipped().unwrap();
    for (country, class, day, percent) in [
        ("CH", "standard", "2023-12-31", "7.7"),
        ("CH", "standard", "2024-01-01", "8.1"),
        ("CH", "reduced", "2026-11-24", "2.6"),
        ("CH", "special", "2026-11-24", "3.8"),
        ("LI", "standard", "2026-11-24", "8.1"),
        ("DE", "standard", "2020-06-30", "19"),
        ("DE", "standard", "2020-12-31", "16"),
        ("DE", "reduced", "2020-12-31", "5"),
        ("DE", "reduced", "2021-01-01", "7"),
        ("AT", "standard", "2026-11-24", "20"),
        ("AT", "special", "2026-11-24", "13"),
        ("AT", "reduced", "2026-11-24", "10"),
        ("AT", "superReduced", "2026-07-01", "4.9"),
        ("FR", "standard", "2013-12-31", "19.6"),
        ("FR", "standard", "2026-11-24", "20"),
        ("FR", "special", "2026-11-24", "10"),
        ("FR", "reduced", "2026-11-24", "5.5"),
        ("FR", "superReduced", "2026-11-24", "2.1"),
        ("IT", "standard", "2026-11-24", "22"),
        ("IT", "superReduced", "2026-11-24", "4"),
    ] {
        let day: NaiveDate = day.parse().unwrap();
        assert_eq!(rates.on(country, class, day), Ok(rate(percent)), "{country} {class} {day}");
    }
}

#[test]
fn what_is_not_known_is_told_with_what_is() {
    let rates = Rates::shipped().unwrap();
    let day = NaiveDate::from_ymd_opt(2015, 6, 1).unwrap();
    let error = rates.on("XX", "standard", day).unwrap_err();
    assert_eq!(error.to_string(), "No rates of \"XX\" are known, only of AT, CH, DE, FR, IT, LI");
    // The third rate of Austria began in 2016.
    let error = rates.on("AT", "special", day).unwrap_err();
    assert_eq!(error.to_string(), "AT has no class \"special\" then, only reduced, standard");
}

#[test]
fn a_wrong_table_is_refused() {
    let row = |steps: &str| format!("[[rate]]\ncountry = \"CH\"\nclass = \"standard\"\nsteps = [{steps}]\n");
    let step = |percent: &str| format!("{{ from = 2024-01-01, percent = \"{percent}\" }}");
    for (table, told) in [
        (row(""), "no steps"),
        (row(&step("101")), "no number from 0 to 100"),
        (row(&step("eight")), "no number from 0 to 100"),
        (row(&format!("{}, {}", step("8"), step("9"))), "two rates hold from 2024-01-01 on"),
        (row(&step("8")).repeat(2), "it is there twice"),
        (row("{ from = 2024-01-01T12:00:00, percent = \"8\" }"), "is no day"),
        ("[[rate]]\nland = \"CH\"\n".to_owned(), "unknown field `land`"),
    ] {
        let error = Rates::read(&table).unwrap_err();
        assert_eq!(error.code(), "tax.rates");
        assert!(error.to_string().contains(told), "{told}: {error}");
    }
}
