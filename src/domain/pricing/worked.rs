//! Price finding by example: `worked.toml`.

use super::{Asked, Buyer, Discount, Entry, Kind, Of, Period, Policy, PriceError, Rate, Subject, find};
use bigdecimal::BigDecimal;
use chrono::NaiveDateTime;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Examples {
    example: Vec<Example>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    is: String,
    prices: Vec<Price>,
    #[serde(default)]
    discounts: Vec<Reduction>,
    #[serde(default)]
    rates: Vec<Change>,
    asks: Vec<Ask>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Price {
    kind: Option<String>,
    customer: Option<String>,
    group: Option<String>,
    campaign: Option<String>,
    minimum: Option<String>,
    amount: String,
    currency: Option<String>,
    unit: Option<String>,
    variant: Option<String>,
    from: Option<String>,
    until: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reduction {
    of_customer: Option<String>,
    of_group: Option<String>,
    on_article: Option<String>,
    on_group: Option<String>,
    minimum: Option<String>,
    percent: String,
    until: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    from: String,
    to: String,
    factor: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ask {
    customer: Option<String>,
    group: Option<String>,
    campaign: Option<String>,
    discount_group: Option<String>,
    article_group: Option<String>,
    at: Option<String>,
    unit: Option<String>,
    variant: Option<String>,
    quantity: String,
    sequence: String,
    best: String,
    line: Option<String>,
    verdicts: Option<Vec<String>>,
}

fn decimal(text: &str) -> BigDecimal {
    text.parse().expect("a number")
}

fn time(text: &str) -> NaiveDateTime {
    text.parse().expect("a time")
}

fn number(text: Option<&String>) -> BigDecimal {
    text.map_or_else(BigDecimal::default, |text| decimal(text))
}

impl Price {
    fn entry(&self) -> Entry {
        let kind = match self.kind.as_deref() {
            Some("list") => Kind::List,
            Some("tier") => Kind::Tier,
            Some("special") => Kind::Special,
            None => Kind::Entry,
            Some(other) => panic!("no such kind: {other}"),
        };
        let subject = match (&self.customer, &self.group, &self.campaign) {
            (Some(customer), None, None) => Subject::Customer(customer.clone()),
            (None, Some(group), None) => Subject::Group(group.clone()),
            (None, None, Some(campaign)) => Subject::Campaign(campaign.clone()),
            (None, None, None) => Subject::Everybody,
            _ => panic!("one subject only"),
        };
        Entry {
            subject,
            minimum: number(self.minimum.as_ref()),
            unit: self.unit.clone(),
            variant: self.variant.clone(),
            period: Period { from: self.from.as_deref().map(time), until: self.until.as_deref().map(time) },
            ..Entry::new(kind, decimal(&self.amount), self.currency.as_deref().unwrap_or("CHF"))
        }
    }
}

fn of(one: Option<&String>, group: Option<&String>) -> Of {
    match (one, group) {
        (Some(one), _) => Of::One(one.clone()),
        (None, Some(group)) => Of::Group(group.clone()),
        (None, None) => Of::All,
    }
}

impl Reduction {
    fn discount(&self) -> Discount {
        Discount {
            customer: of(self.of_customer.as_ref(), self.of_group.as_ref()),
            article: of(self.on_article.as_ref(), self.on_group.as_ref()),
            minimum: number(self.minimum.as_ref()),
            percent: decimal(&self.percent),
            period: Period { from: None, until: self.until.as_deref().map(time) },
        }
    }
}

impl Ask {
    fn asked(&self) -> Asked {
        Asked {
            article: "A-1".to_owned(),
            variant: self.variant.clone(),
            discount_group: self.article_group.clone(),
            quantity: decimal(&self.quantity),
            unit: self.unit.clone(),
            currency: "CHF".to_owned(),
            at: time(self.at.as_deref().unwrap_or("2026-11-24T12:00:00")),
        }
    }

    fn buyer(&self) -> Buyer {
        Buyer {
            customer: self.customer.clone(),
            price_group: self.group.clone(),
            discount_group: self.discount_group.clone(),
            campaigns: self.campaign.iter().cloned().collect(),
        }
    }
}

#[test]
fn examples_hold() {
    let examples: Examples = toml::from_str(include_str!("worked.toml")).expect("examples can be read");
    assert!(examples.example.len() >= 10);
    for example in &examples.example {
        let prices: Vec<Entry> = example.prices.iter().map(Price::entry).collect();
        let discounts: Vec<Discount> = example.discounts.iter().map(Reduction::discount).collect();
        let rate = |c: &Change| Rate { from: c.from.clone(), to: c.to.clone(), factor: decimal(&c.factor) };
        let rates: Vec<Rate> = example.rates.iter().map(rate).collect();
        for ask in &example.asks {
            for (policy, wanted) in [(Policy::Sequence, &ask.sequence), (Policy::Best, &ask.best)] {
                let which = format!("{}: {} by {policy:?}", example.is, ask.quantity);
                let found = find(&prices, &discounts, &rates, &ask.asked(), &ask.buyer(), policy);
                if wanted.starts_with("price.") {
                    assert_eq!(found.as_ref().err().map(PriceError::code), Some(wanted.as_str()), "{which}");
                    continue;
                }
                let found = found.unwrap_or_else(|e| panic!("{which}: {e}"));
                assert_eq!(found.unit_price, decimal(wanted), "{which}");
                if let Some(line) = &ask.line {
                    assert_eq!(found.line.to_string(), *line, "{which}");
                }
                if let (Some(wanted), Policy::Sequence) = (&ask.verdicts, policy) {
                    let verdicts: Vec<&str> = found.candidates.iter().map(|c| c.verdict.as_str()).collect();
                    assert_eq!(verdicts, *wanted, "{which}");
                }
            }
        }
    }
}
