//! The prices of an article: one from the first piece on is its list price, others are tier prices; one with a period is a price
//! entry for all.

use super::super::Along;
use super::super::tree::Node;
use super::article::{Reading, decimal, number};
use crate::domain::Issue;
use crate::domain::basket::Selling;
use bigdecimal::{BigDecimal, RoundingMode};
use chrono::{NaiveDate, NaiveTime, Utc};
use serde_json::{Map, Value, json};
use soapstone_contracts::common::Price;
use soapstone_contracts::pricing::PriceEntry;
use soapstone_runtime::{DateTime, Decimal, Nillable, Simple};

/// Decimals of a unit price.
const DECIMALS: i64 = 4;

/// Which type of prices counts, if a catalogue has several: the first of these that it has.
const TYPES: [&str; 5] = ["net_list", "gros_list", "nrp", "net_customer", "net_customer_exp"];

/// A price of the catalogue.
struct Found<'a> {
    of: &'a str,
    amount: BigDecimal,
    currency: Option<&'a str>,
    from: BigDecimal,
    period: (Option<String>, Option<String>),
}

/// What the prices of an article come to.
#[derive(Default)]
pub(super) struct Prices {
    list: Option<Value>,
    tiers: Vec<Value>,
    /// Prices of types that do not count.
    others: Vec<Value>,
    entries: Vec<PriceEntry>,
}

/// The class of a rate such as 0.19, in the shop's country today.
pub(super) fn tax_class(selling: &Selling, rate: &str) -> Option<String> {
    let rate = number(rate)?;
    selling.tax.class_of(&selling.country, &(rate * BigDecimal::from(100)), Utc::now().date_naive())
}

fn is_gross(of: &str) -> bool {
    matches!(of, "nrp" | "gros_list")
}

impl Prices {
    pub fn read(reading: &Reading, node: &Node, sku: &str) -> Result<Self, Vec<Issue>> {
        let found = found(node)?;
        let counts = TYPES.iter().find(|of| found.iter().any(|price| price.of == **of)).copied();
        let counts = counts.or_else(|| found.first().map(|price| price.of));
        let mut prices = Self::default();
        for price in &found {
            let currency = price.currency.or(reading.catalogue.currency.as_deref());
            if Some(price.of) != counts {
                let told = format!("{} {}", price.amount.normalized().to_plain_string(), currency.unwrap_or(""));
                prices.others.push(json!({"code": format!("price.{}", price.of), "value": told.trim()}));
                continue;
            }
            if price.period != (None, None) {
                prices.entries.push(entry(reading, price, sku, currency)?);
                continue;
            }
            let amount = rounded(&price.amount).to_plain_string();
            let mut value = json!({"value": amount, "gross": is_gross(price.of)});
            if let Some(currency) = currency {
                value["currency"] = json!(currency);
            }
            if price.from <= 1 {
                prices.list.get_or_insert(value);
            } else {
                value["minimumQuantity"] = json!(price.from.normalized().to_plain_string());
                prices.tiers.push(value);
            }
        }
        Ok(prices)
    }

    /// Puts them where they belong.
    pub fn put(self, members: &mut Map<String, Value>, attributes: &mut Vec<Value>, along: &mut Along) {
        if let Some(list) = self.list {
            members.insert("listPrice".to_owned(), list);
        }
        if !self.tiers.is_empty() {
            members.insert("tierPrice".to_owned(), Value::Array(self.tiers));
        }
        attributes.extend(self.others);
        along.prices.extend(self.entries);
    }
}

fn rounded(amount: &BigDecimal) -> BigDecimal {
    amount.with_scale_round(DECIMALS, RoundingMode::HalfUp).normalized()
}

/// All prices of an article, for one unit of order each.
fn found(node: &Node) -> Result<Vec<Found<'_>>, Vec<Issue>> {
    let quantity = node.text_at("ARTICLE_ORDER_DETAILS|PRODUCT_ORDER_DETAILS/PRICE_QUANTITY");
    let quantity = quantity.map(|text| decimal("PRICE_QUANTITY", text)).transpose()?;
    let quantity = quantity.filter(|quantity| *quantity > BigDecimal::default()).unwrap_or_else(|| BigDecimal::from(1));
    let mut all = Vec::new();
    for details in node.all("ARTICLE_PRICE_DETAILS|PRODUCT_PRICE_DETAILS") {
        let period = (period(details, "valid_start_date")?, period(details, "valid_end_date")?);
        for price in details.all("ARTICLE_PRICE|PRODUCT_PRICE") {
            let Some(amount) = price.text_at("PRICE_AMOUNT") else { continue };
            let factor = price.text_at("PRICE_FACTOR").map(|text| decimal("PRICE_FACTOR", text)).transpose()?;
            let amount = decimal("PRICE_AMOUNT", amount)? * factor.unwrap_or_else(|| BigDecimal::from(1)) / &quantity;
            let from = price.text_at("LOWER_BOUND").map(|text| decimal("LOWER_BOUND", text)).transpose()?;
            all.push(Found {
                of: price.attribute("price_type").unwrap_or("net_list"),
                amount,
                currency: price.text_at("PRICE_CURRENCY"),
                from: from.unwrap_or_else(|| BigDecimal::from(1)),
                period: period.clone(),
            });
        }
    }
    Ok(all)
}

/// One end of the period of prices, as xs:dateTime: 1.2 and 2005 have DATETIME with a type, later 2005 elements of their own.
fn period(details: &Node, which: &str) -> Result<Option<String>, Vec<Issue>> {
    let of_type = |node: &&Node| node.attribute("type") == Some(which);
    let Some(node) = details.all("DATETIME").into_iter().find(of_type) else {
        let Some(text) = details.text_at(&which.to_ascii_uppercase()) else { return Ok(None) };
        return Ok(Some(if text.contains('T') { text.to_owned() } else { format!("{text}T00:00:00") }));
    };
    let Some(date) = node.text_at("DATE") else { return Ok(None) };
    let time = node.text_at("TIME").unwrap_or("00:00:00");
    let zone = node.text_at("TIMEZONE").unwrap_or("");
    if date.parse::<NaiveDate>().is_err() || time.parse::<NaiveTime>().is_err() {
        let told = format!("{date} {time}");
        let issue = Issue::error("bmecat.date", format!("\"{told}\" is no time")).of("DATETIME", &told);
        return Err(vec![issue.suggest("write the date as 2026-11-30, and the time as 08:00:00")]);
    }
    Ok(Some(format!("{date}T{time}{zone}")))
}

fn entry(reading: &Reading, price: &Found<'_>, sku: &str, currency: Option<&str>) -> Result<PriceEntry, Vec<Issue>> {
    let time = |text: &Option<String>| {
        let Some(text) = text else { return Ok(None) };
        let wrong = || {
            let issue = Issue::error("bmecat.date", format!("\"{text}\" is no time")).of("DATETIME", text);
            vec![issue.suggest("write the date as 2026-11-30, and the time as 08:00:00Z")]
        };
        DateTime::parse(text).map(|time| Some(Nillable::Value(time))).map_err(|_| wrong())
    };
    let (from, until) = (time(&price.period.0)?, time(&price.period.1)?);
    let currency = currency.map_or_else(|| reading.defaults.currency.clone(), str::to_owned);
    let (begin, least) = (price.period.0.as_deref().unwrap_or(""), price.from.normalized().to_plain_string());
    let key = format!("bmecat {sku} {currency} {least} {begin}");
    Ok(PriceEntry {
        key: key.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(255).collect(),
        sku: Some(sku.to_owned()),
        minimum_quantity: Some(Decimal(price.from.clone())),
        price: Some(Price {
            currency: Some(currency),
            gross: Some(is_gross(price.of)),
            value: Decimal(rounded(&price.amount)),
        }),
        from,
        until,
        ..PriceEntry::default()
    })
}
