//! The prices of lines, with the reasons; and what a basket comes to.

use super::super::times;
use super::PricingService;
use crate::domain::basket::{Basket, Charge, Circumstances, Line as BasketLine, add_up};
use crate::domain::pricing::{Candidate, Found, Kind, Policy, PriceError, Subject, Verdict, WeighedDiscount};
use crate::domain::tax::TaxError;
use crate::domain::{Issue, compared};
use crate::error::ServiceError;
use crate::store::prices::Page;
use crate::store::prices::offers::{self, KnownBuyer, Offer, buyer};
use crate::store::prices::vouchers::{self, Counted};
use crate::store::{Db, StoreError};
use bigdecimal::BigDecimal;
use chrono::{NaiveDateTime, Utc};
use soapstone_contracts::common;
use soapstone_contracts::pricing as contract;
use soapstone_contracts::pricing::{FindPrice, FindPriceResponse, SimulateBasket, SimulateBasketResponse};
use soapstone_runtime::{DateTime, Decimal};
use std::collections::{BTreeSet, HashMap};

/// Who asks, and how.
struct Question {
    customer: Option<String>,
    currency: Option<String>,
    at: NaiveDateTime,
    policy: Policy,
    lines: Vec<contract::Line>,
}

/// What all lines share, and what each is found from.
struct Known {
    buyer: KnownBuyer,
    currency: String,
    offers: HashMap<String, Offer>,
    voucher: Option<Option<Counted>>,
}

/// A line with its price, and what it was found from.
struct Priced<'a> {
    offer: Option<&'a Offer>,
    unit: Option<String>,
    found: Result<Found, (&'static str, String)>,
}

fn policy(given: contract::Policy) -> Policy {
    match given {
        contract::Policy::Sequence => Policy::Sequence,
        contract::Policy::Best => Policy::Best,
    }
}

impl PricingService {
    fn question(
        &self,
        customer: Option<String>,
        currency: Option<String>,
        at: Option<DateTime>,
        wanted: Option<contract::Policy>,
        lines: Vec<contract::Line>,
    ) -> Result<Question, ServiceError> {
        let at = at.map(|at| times::instant(at, "at", &self.rules.defaults)).transpose()?;
        Ok(Question {
            customer,
            currency,
            at: at.unwrap_or_else(|| Utc::now().naive_utc()),
            policy: wanted.map_or(self.rules.selling.policy, policy),
            lines,
        })
    }

    /// Reads all that the lines need, in one go.
    async fn known(&self, question: &Question, voucher: Option<String>) -> Result<Known, ServiceError> {
        let (customer, currency) = (question.customer.clone(), question.currency.clone());
        let keys: BTreeSet<String> = question.lines.iter().map(|line| compared(&line.sku)).collect();
        let default = self.rules.defaults.currency.clone();
        let known = self.store.read(move |db: &mut Db| {
            let buyer = match customer {
                None => KnownBuyer::default(),
                Some(number) => {
                    let missing = || ServiceError::NotFound { kind: "customer", key: number.clone() };
                    buyer(db, &number)?.ok_or_else(missing)?
                }
            };
            let offers = offers::offers(db, &keys, &buyer)?;
            let voucher = match voucher {
                None => None,
                Some(code) => {
                    let page = Page { keys: vec![code], limit: 1, ..Page::default() };
                    Some(vouchers::list(db, &page)?.0.pop())
                }
            };
            let currency = currency.or_else(|| buyer.currency.clone()).unwrap_or(default);
            Ok::<_, StoreError>(Known { buyer, currency, offers, voucher })
        });
        Ok(known.await?)
    }

    fn price<'a>(&self, line: &contract::Line, question: &Question, known: &'a Known) -> Priced<'a> {
        let Some(offer) = known.offers.get(&compared(&line.sku)) else {
            let text = format!("There is no article \"{}\"", line.sku);
            return Priced { offer: None, unit: line.unit.clone(), found: Err(("article.not_found", text)) };
        };
        let unit = line.unit.clone().or_else(|| offer.unit.clone());
        let quantity = &line.quantity.0;
        let asked = offers::Question { quantity, unit: unit.as_ref(), currency: &known.currency, at: question.at };
        let found = offer.find(&asked, &known.buyer.buyer, &self.rules.selling.rates, question.policy);
        let told = |error: PriceError| (error.code(), error.to_string());
        Priced { offer: Some(offer), unit, found: found.map_err(told) }
    }

    pub(super) async fn find(&self, request: FindPrice) -> Result<FindPriceResponse, ServiceError> {
        let explain = request.explain.unwrap_or(false);
        let question = self.question(request.customer, request.currency, request.at, request.policy, request.line)?;
        let known = self.known(&question, None).await?;
        let priced = question.lines.iter().map(|line| {
            let priced = self.price(line, &question, &known);
            to_contract(line, &priced, &known.currency, explain)
        });
        let line = priced.collect();
        Ok(FindPriceResponse { line, at: DateTime::from_utc(question.at), currency: known.currency })
    }

    pub(super) async fn simulate(&self, request: SimulateBasket) -> Result<SimulateBasketResponse, ServiceError> {
        let question = self.question(request.customer, request.currency, request.at, request.policy, request.line)?;
        let known = self.known(&question, request.voucher.clone()).await?;
        let (mut lines, mut basket_lines) = (Vec::new(), Vec::new());
        for (number, line) in question.lines.iter().enumerate() {
            let priced = self.price(line, &question, &known);
            match &priced.found {
                Ok(found) => basket_lines.push(BasketLine {
                    amount: found.line.clone(),
                    gross: found.gross,
                    tax_class: priced.offer.and_then(|offer| offer.tax_class.clone()),
                }),
                Err((code, text)) => {
                    let field = format!("line[{}]/sku", number + 1);
                    return Err(ServiceError::invalid(code, text.clone()).of(&field, &line.sku));
                }
            }
            lines.push(to_contract(line, &priced, &known.currency, false));
        }
        let charges = request.charge.into_iter().map(|charge| Charge {
            kind: charge.kind,
            amount: charge.amount.0,
            tax_class: charge.tax_class,
            text: charge.text,
        });
        let voucher = known.voucher.as_ref().and_then(Option::as_ref).map(|(stored, used)| (&stored.record, *used));
        let circumstances = Circumstances {
            country: request.country.as_deref().unwrap_or(&self.rules.selling.country),
            currency: &known.currency,
            customer: known.buyer.buyer.customer.as_deref(),
            at: question.at,
            gross: self.rules.defaults.gross,
            cash: request.cash.unwrap_or(false),
        };
        let basket = add_up(&basket_lines, charges.collect(), voucher, &self.rules.selling, &circumstances)
            .map_err(|error: TaxError| ServiceError::invalid(error.code(), error.to_string()))?;
        let unknown = || {
            let code = request.voucher.as_deref().unwrap_or("");
            Issue::error("voucher.not_found", format!("there is no voucher {code}")).of("voucher", code)
        };
        let voucher_error = match known.voucher {
            Some(None) => Some(unknown()),
            _ => basket.voucher.clone(),
        };
        Ok(response(lines, &basket, voucher_error, known.currency, self.rules.defaults.gross))
    }
}

fn response(
    mut lines: Vec<contract::PricedLine>,
    basket: &Basket,
    voucher_error: Option<Issue>,
    currency: String,
    gross: bool,
) -> SimulateBasketResponse {
    for (line, amount) in lines.iter_mut().zip(&basket.lines) {
        line.amount = Some(price(amount, &currency, gross));
    }
    let totals = &basket.totals;
    let charge = basket.charges.iter().enumerate().map(|(number, charge)| {
        let shares = totals.shares.get(number).into_iter().flatten();
        contract::Charge {
            kind: charge.kind,
            amount: decimal(&charge.amount),
            tax_class: charge.tax_class.clone(),
            text: charge.text.clone(),
            share: shares
                .map(|s| common::TaxShare { percent: decimal(&s.rate.percent), amount: decimal(&s.amount) })
                .collect(),
        }
    });
    let tax = totals.groups.iter().map(|group| contract::TaxLine {
        percent: decimal(&group.rate.percent),
        net: decimal(&group.net),
        tax: decimal(&group.tax),
        gross: decimal(&group.gross),
    });
    SimulateBasketResponse {
        line: lines,
        charge: charge.collect(),
        voucher_error: voucher_error.map(|i| contract::LineError { code: i.code.to_owned(), text: i.text }),
        tax: tax.collect(),
        goods: decimal(&basket.goods),
        net: decimal(&totals.net),
        tax_total: decimal(&totals.tax),
        total: decimal(&totals.payable),
        currency,
        gross,
    }
}

fn decimal(value: &BigDecimal) -> Decimal {
    Decimal(value.clone())
}

fn price(amount: &BigDecimal, currency: &str, gross: bool) -> common::Price {
    common::Price { currency: Some(currency.to_owned()), gross: Some(gross), value: decimal(amount) }
}

fn to_contract(line: &contract::Line, priced: &Priced<'_>, currency: &str, explain: bool) -> contract::PricedLine {
    let mut told = contract::PricedLine {
        sku: line.sku.clone(),
        quantity: line.quantity.clone(),
        unit: priced.unit.clone(),
        unit_price: None,
        discount_percent: None,
        amount: None,
        error: None,
        candidate: Vec::new(),
        discount: Vec::new(),
    };
    match &priced.found {
        Err((code, text)) => told.error = Some(contract::LineError { code: (*code).to_owned(), text: text.clone() }),
        Ok(found) => {
            told.unit_price = Some(price(&found.unit_price, currency, found.gross));
            told.discount_percent = Some(decimal(&found.discount));
            told.amount = Some(price(&found.line, currency, found.gross));
            if let Some(offer) = priced.offer.filter(|_| explain) {
                let candidates = offer.entries.iter().zip(&found.candidates);
                told.candidate = candidates.map(|((key, _), candidate)| explained(key.clone(), candidate)).collect();
                let discounts = offer.discounts.iter().zip(&found.discounts);
                told.discount = discounts.map(|((key, _), discount)| weighed(key.clone(), discount)).collect();
            }
        }
    }
    told
}

fn explained(key: Option<String>, candidate: &Candidate) -> contract::Candidate {
    let entry = &candidate.entry;
    let (mut customer, mut price_group, mut campaign) = (None, None, None);
    match &entry.subject {
        Subject::Customer(number) => customer = Some(number.clone()),
        Subject::Group(group) => price_group = Some(group.clone()),
        Subject::Campaign(own) => campaign = Some(own.clone()),
        Subject::Everybody => {}
    }
    contract::Candidate {
        key,
        kind: match entry.kind {
            Kind::List => contract::PriceKind::List,
            Kind::Tier => contract::PriceKind::Tier,
            Kind::Special => contract::PriceKind::Special,
            Kind::Entry => contract::PriceKind::Entry,
        },
        customer,
        price_group,
        campaign,
        minimum_quantity: decimal(&entry.minimum),
        price: price(&entry.amount, &entry.currency, entry.gross),
        amount: decimal(&candidate.amount),
        unit: entry.unit.clone(),
        variant: entry.variant.clone(),
        from: entry.period.from.map(DateTime::from_utc),
        until: entry.period.until.map(DateTime::from_utc),
        verdict: verdict(&candidate.verdict),
    }
}

fn verdict(verdict: &Verdict) -> contract::CandidateVerdict {
    match verdict {
        Verdict::Taken => contract::CandidateVerdict::Taken,
        Verdict::OtherSubject => contract::CandidateVerdict::OtherSubject,
        Verdict::OtherPeriod => contract::CandidateVerdict::OtherPeriod,
        Verdict::OtherCurrency => contract::CandidateVerdict::OtherCurrency,
        Verdict::OtherUnit => contract::CandidateVerdict::OtherUnit,
        Verdict::OtherVariant => contract::CandidateVerdict::OtherVariant,
        Verdict::TooFew => contract::CandidateVerdict::TooFew,
        Verdict::LessExact => contract::CandidateVerdict::LessExact,
        Verdict::Outranked(_) => contract::CandidateVerdict::Outranked,
    }
}

fn weighed(key: String, weighed: &WeighedDiscount) -> contract::WeighedDiscount {
    use crate::domain::pricing::DiscountVerdict;
    contract::WeighedDiscount {
        key,
        percent: decimal(&weighed.discount.percent),
        minimum_quantity: decimal(&weighed.discount.minimum),
        verdict: match weighed.verdict {
            DiscountVerdict::Taken => contract::DiscountVerdict::Taken,
            DiscountVerdict::OtherCustomer => contract::DiscountVerdict::OtherCustomer,
            DiscountVerdict::OtherArticle => contract::DiscountVerdict::OtherArticle,
            DiscountVerdict::OtherPeriod => contract::DiscountVerdict::OtherPeriod,
            DiscountVerdict::TooFew => contract::DiscountVerdict::TooFew,
            DiscountVerdict::Lower => contract::DiscountVerdict::Lower,
            DiscountVerdict::NotAllowed => contract::DiscountVerdict::NotAllowed,
        },
    }
}
