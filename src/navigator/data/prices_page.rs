//! The price simulator: which price holds for whom, and why no other does.

use super::super::query::said;
use super::super::visitor::Visitor;
use super::super::{may_not_see, page};
use super::{money, plain};
use crate::config::Config;
use crate::services::PricingService;
use crate::store::Store;
use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;
use soapstone_contracts::pricing::{
    Candidate, CandidateVerdict, DiscountVerdict, FindPrice, FindPriceResponse, Line, Policy, PricedLine, Pricing,
};
use soapstone_runtime::service::{Channel, Context};
use soapstone_runtime::{DateTime, Decimal, Simple};
use std::str::FromStr;

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    sku: String,
    customer: String,
    quantity: String,
    unit: String,
    currency: String,
    at: String,
    policy: String,
}

#[derive(Template)]
#[template(path = "data/prices.html")]
struct PricesPage {
    visitor: Visitor,
    wanted: Wanted,
    policies: Vec<(&'static str, bool)>,
    /// What cannot be read of what was asked.
    wrong: Option<String>,
    found: Option<Found>,
}

struct Found {
    unit_price: String,
    amount: String,
    discount: String,
    currency: String,
    at: String,
    error: Option<(String, String)>,
    candidates: Vec<Row>,
    discounts: Vec<(String, String, &'static str)>,
}

struct Row {
    kind: &'static str,
    who: String,
    from_quantity: String,
    price: String,
    amount: String,
    period: String,
    why: &'static str,
    holds: bool,
}

/// Why a price holds, or not, in a sentence.
fn why(verdict: CandidateVerdict) -> &'static str {
    match verdict {
        CandidateVerdict::Taken => "This price holds",
        CandidateVerdict::OtherSubject => "It is for somebody else",
        CandidateVerdict::OtherPeriod => "It does not count yet, or no more",
        CandidateVerdict::OtherCurrency => "It is in another currency, and no rate is known",
        CandidateVerdict::OtherUnit => "It is for another unit",
        CandidateVerdict::OtherVariant => "It is for another variant",
        CandidateVerdict::TooFew => "It begins with a greater quantity",
        CandidateVerdict::LessExact => "Another one names the variant or the unit that is asked for",
        CandidateVerdict::Outranked => "Another one goes before it",
    }
}

/// The same of a discount.
fn why_discount(verdict: DiscountVerdict) -> &'static str {
    match verdict {
        DiscountVerdict::Taken => "This discount holds",
        DiscountVerdict::OtherCustomer => "It is for somebody else",
        DiscountVerdict::OtherArticle => "It is for other articles",
        DiscountVerdict::OtherPeriod => "It does not count yet, or no more",
        DiscountVerdict::TooFew => "It begins with a greater quantity",
        DiscountVerdict::Lower => "Another one is higher",
        DiscountVerdict::NotAllowed => "The price allows none",
    }
}

fn row(candidate: &Candidate) -> Row {
    let subject =
        [("customer", &candidate.customer), ("group", &candidate.price_group), ("campaign", &candidate.campaign)];
    let who: Vec<String> =
        subject.into_iter().filter_map(|(what, key)| key.as_ref().map(|key| format!("{what} {key}"))).collect();
    let time = |at: &Option<DateTime>| at.as_ref().map(ToString::to_string).unwrap_or_default();
    let (from, until) = (time(&candidate.from), time(&candidate.until));
    Row {
        kind: candidate.kind.as_str(),
        who: who.join(", "),
        from_quantity: plain(&candidate.minimum_quantity.0),
        price: format!("{} {}", candidate.price.value, candidate.price.currency.clone().unwrap_or_default()),
        amount: money(&candidate.amount.0),
        period: if from.is_empty() && until.is_empty() { String::new() } else { format!("{from} – {until}") },
        why: why(candidate.verdict),
        holds: candidate.verdict == CandidateVerdict::Taken,
    }
}

fn found(response: FindPriceResponse) -> Option<Found> {
    let line: PricedLine = response.line.into_iter().next()?;
    let amount = |price: &Option<soapstone_contracts::common::Price>| {
        price.as_ref().map(|p| money(&p.value.0)).unwrap_or_default()
    };
    Some(Found {
        unit_price: amount(&line.unit_price),
        amount: amount(&line.amount),
        discount: line.discount_percent.as_ref().map(|percent| plain(&percent.0)).unwrap_or_default(),
        currency: response.currency,
        at: response
            .at
            .to_utc(chrono::FixedOffset::east_opt(0)?)
            .map(|at| at.format("%Y-%m-%d %H:%M:%S UTC").to_string())
            .unwrap_or_default(),
        error: line.error.map(|error| (error.code, error.text)),
        candidates: line.candidate.iter().map(row).collect(),
        discounts: line
            .discount
            .iter()
            .map(|d| (d.key.clone(), plain(&d.percent.0), why_discount(d.verdict)))
            .collect(),
    })
}

/// What is asked of the service; None: nothing yet.
fn question(wanted: &Wanted) -> Result<Option<FindPrice>, String> {
    let Some(sku) = said(&wanted.sku) else { return Ok(None) };
    let quantity = said(&wanted.quantity).unwrap_or_else(|| "1".to_owned());
    let quantity = Decimal::from_str(&quantity).map_err(|why| format!("{quantity}: {why}"))?;
    let at = said(&wanted.at).map(|at| {
        // As a browser's own field has it: without seconds.
        let at = if at.len() == 16 { format!("{at}:00") } else { at };
        DateTime::parse(&at).map_err(|why| format!("{at}: {why}"))
    });
    Ok(Some(FindPrice {
        customer: said(&wanted.customer),
        currency: said(&wanted.currency),
        at: at.transpose()?,
        policy: Policy::ALL.iter().find(|policy| policy.as_str() == wanted.policy).copied(),
        explain: Some(true),
        line: vec![Line { sku, quantity, unit: said(&wanted.unit) }],
    }))
}

pub(super) async fn show(
    request: HttpRequest,
    store: Data<Store>,
    config: Data<Config>,
    visitor: Visitor,
    wanted: Query<Wanted>,
) -> HttpResponse {
    if !visitor.may("Pricing", "FindPrice") {
        return may_not_see(visitor, "Pricing.FindPrice");
    }
    let wanted = wanted.into_inner();
    let service = PricingService { store: store.get_ref().clone(), rules: config.rules.clone() };
    let (mut wrong, mut answer) = (None, None);
    match question(&wanted) {
        Ok(None) => {}
        Ok(Some(question)) => match service.find_price(&Context::of(Channel::Rest, &request), question).await {
            Ok(response) => answer = found(response),
            Err(error) => wrong = Some(error.to_string()),
        },
        Err(why) => wrong = Some(why),
    }
    page(&PricesPage {
        policies: Policy::ALL.iter().map(|policy| (policy.as_str(), policy.as_str() == wanted.policy)).collect(),
        visitor,
        wanted,
        wrong,
        found: answer,
    })
}
