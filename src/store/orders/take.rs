//! Orders as they come in.

use super::load::Loaded;
use super::{credit, get, rows};
use crate::domain::customers::Customer;
use crate::domain::numbers::Range;
use crate::domain::orders::{Flow, FoundPrice, Line, Order, Standing, Supply, Taking, says_the_same};
use crate::domain::pricing::records::code_key;
use crate::domain::{Issue, Rules, compared};
use crate::store::batch::{Outcome, Recorded};
use crate::store::customers::{by_ids, resolve};
use crate::store::prices::offers::{KnownBuyer, Offer, Question, offers};
use crate::store::schema::{article_texts, orders};
use crate::store::{Db, StoreError, lock, numbers, signals};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::Text;
use soapstone_contracts::common::ChargeKind;
use soapstone_contracts::orders as contract;
use soapstone_runtime::Nillable;
use std::collections::{BTreeSet, HashMap};

/// Takes an order. Gives its number, and what became of it.
///
/// # Errors
/// Those of the database; nothing is written then.
pub fn take(
    connection: &mut Db,
    given: contract::Order,
    with: &Rules,
    now: NaiveDateTime,
) -> Result<(String, Recorded), StoreError> {
    let number = match &given.number {
        Some(number) => number.clone(),
        None => allocate(connection, &with.order_numbers)?,
    };
    let key = compared(&number);
    lock::records(connection, "orders", "number_key", &[(&key, Some(0))])?;
    if let Some(stored) = get(connection, &number)? {
        return Ok((number, again(&given, &stored, with)));
    }
    let mut issues = Vec::new();
    let known = Known::load(connection, &given, with, now, &mut issues)?;
    let taking = Taking {
        number: number.clone(),
        customer: known.customer.as_ref().map(|(_, customer)| customer),
        supplies: &known.supplies,
        selling: &with.selling,
        defaults: &with.defaults,
        now,
    };
    let Some(order) = Order::take(given, &taking, &mut issues) else {
        return Ok((number, Recorded::refused(issues)));
    };
    if let Some(issue) = redeem(connection, &order)? {
        issues.push(issue);
        return Ok((number, Recorded::refused(issues)));
    }
    issues.extend(credit::beyond_limit(connection, known.customer.as_ref(), &order)?);
    let lines = order.positions.iter().map(|p| (p.number, Line { ordered: p.quantity.clone(), ..Line::default() }));
    let flow = Flow { lines: lines.collect(), prepaid: order.prepaid, total: order.total.clone(), ..Flow::default() };
    let standing = Standing {
        version: 1,
        changed_at: now,
        flow,
        export_state: contract::ExportState::New,
        export_number: None,
        export_message: None,
    };
    rows::put_order(connection, &key, &order, known.customer.as_ref().map(|(id, _)| *id), &standing, now)?;
    let id: i64 = orders::table.filter(orders::number_key.eq(&key)).select(orders::id).first(connection)?;
    rows::put_changeable(connection, id, &order)?;
    rows::put_fixed(connection, id, &order, &known.articles)?;
    signals::of_state(connection, &order, None, standing.flow.state(), now)?;
    Ok((number, Recorded { outcome: Outcome::Created, version: Some(1), issues }))
}

/// An order that comes again: the same is not taken again, another one is refused.
fn again(given: &contract::Order, stored: &Loaded, with: &Rules) -> Recorded {
    if says_the_same(given, &stored.order.to_contract(&stored.standing), with.defaults.zone) {
        let version = Some(stored.standing.version);
        return Recorded { outcome: Outcome::Unchanged, version, issues: Vec::new() };
    }
    let text = format!("there is another order {} already", stored.order.number);
    let issue = Issue::error("order.exists", text).of("number", &stored.order.number);
    Recorded::refused(vec![issue.suggest("give the order another number, or change what is there (UpdateOrder)")])
}

fn allocate(connection: &mut Db, range: &Range) -> Result<String, StoreError> {
    let taken = |connection: &mut Db, new: &[String]| {
        let found: Vec<String> =
            orders::table.filter(orders::number_key.eq_any(new)).select(orders::number_key).load(connection)?;
        Ok(found.into_iter().collect())
    };
    let numbers = numbers::take(connection, range, 1, "order.numbers_exhausted", taken)?;
    Ok(numbers.into_iter().next().unwrap_or_default())
}

/// What an order leads to.
struct Known {
    customer: Option<(i64, Customer)>,
    supplies: Vec<Supply>,
    /// By the number as the order has it.
    articles: HashMap<String, i64>,
}

impl Known {
    fn load(
        connection: &mut Db,
        given: &contract::Order,
        with: &Rules,
        now: NaiveDateTime,
        issues: &mut Vec<Issue>,
    ) -> Result<Self, StoreError> {
        let mut customer: Option<(i64, Customer)> = None;
        if let Some(Nillable::Value(number)) = &given.customer {
            match resolve(connection, &[compared(number)])?.into_values().next() {
                None => {
                    let issue = Issue::error("order.unknown_customer", format!("there is no customer {number}"));
                    let hint = "send the customer first (UpsertCustomers), or leave it out for a guest";
                    issues.push(issue.of("customer", number).suggest(hint));
                }
                Some(found) => {
                    customer = by_ids(connection, &[found.id])?.into_values().next().map(|c| (found.id, c.record));
                }
            }
        }
        let keys: BTreeSet<String> = given.position.iter().filter_map(|p| p.sku.as_deref()).map(compared).collect();
        let known_buyer = customer.as_ref().map(|(id, customer)| KnownBuyer::of(*id, customer)).unwrap_or_default();
        let offers = offers(connection, &keys, &known_buyer)?;
        let language = match &given.language {
            Some(Nillable::Value(language)) => Some(language.as_str()),
            _ => customer.as_ref().and_then(|(_, c)| c.language.as_deref()),
        };
        let names = names(connection, &offers, language, with)?;
        let currency = Order::currency_of(given, customer.as_ref().map(|(_, c)| c), &with.defaults);
        let at = given.ordered_at.and_then(|at| at.to_utc(with.defaults.zone)).map_or(now, |at| at.naive_utc());
        let mut supplies = Vec::with_capacity(given.position.len());
        let mut articles = HashMap::new();
        for (place, position) in (1..).zip(&given.position) {
            let Some(sku) = &position.sku else {
                supplies.push(Supply::default());
                continue;
            };
            let Some(offer) = offers.get(&compared(sku)) else {
                supplies.push(Supply {
                    price: Some(Err((
                        "order.unknown_article",
                        format!("there is no article {sku} to find a price of"),
                    ))),
                    ..Supply::default()
                });
                if position.unit_price.is_some() {
                    let text = format!("there is no article {sku}; the line is taken as it is");
                    let issue = Issue::warning("order.unknown_article", text);
                    issues.push(issue.of(&format!("position[{place}]/sku"), sku));
                }
                continue;
            };
            articles.insert(sku.clone(), offer.id);
            supplies.push(Supply {
                name: names.get(&offer.id).cloned(),
                unit: offer.unit.clone(),
                weight: offer.weight.clone(),
                tax_class: offer.tax_class.clone(),
                price: position.unit_price.is_none().then(|| price(offer, position, &known_buyer, with, &currency, at)),
            });
        }
        Ok(Self { customer, supplies, articles })
    }
}

/// The price of a line that brings none.
fn price(
    offer: &Offer,
    position: &contract::Position,
    known: &KnownBuyer,
    with: &Rules,
    currency: &str,
    at: NaiveDateTime,
) -> Result<FoundPrice, (&'static str, String)> {
    let (quantity, unit) = (&position.quantity.0, position.unit.as_ref());
    let selling = &with.selling;
    let found = offer.find(&Question { quantity, unit, currency, at }, &known.buyer, &selling.rates, selling.policy);
    let found = found.map_err(|error| (error.code(), error.to_string()))?;
    Ok(FoundPrice { unit_price: found.unit_price, discount: found.discount, gross: found.gross })
}

/// What articles are called: in the language of the order, or else in the shop's, or else in any.
fn names(
    connection: &mut Db,
    offers: &HashMap<String, Offer>,
    language: Option<&str>,
    with: &Rules,
) -> Result<HashMap<i64, String>, StoreError> {
    let ids: Vec<i64> = offers.values().map(|offer| offer.id).collect();
    let found: Vec<(i64, String, String)> = article_texts::table
        .filter(article_texts::article_id.eq_any(ids))
        .filter(article_texts::kind.eq("name"))
        .order((article_texts::article_id, article_texts::language))
        .select((article_texts::article_id, article_texts::language, article_texts::text))
        .load(connection)?;
    let wanted = language.unwrap_or(&with.defaults.language);
    let rank = |language: &str| match language {
        own if own == wanted => 0,
        default if default == with.defaults.language => 1,
        _ => 2,
    };
    let mut names: HashMap<i64, (i32, String)> = HashMap::new();
    for (id, language, text) in found {
        let rank = rank(&language);
        if names.get(&id).is_none_or(|(best, _)| rank < *best) {
            names.insert(id, (rank, text));
        }
    }
    Ok(names.into_iter().map(|(id, (_, name))| (id, name)).collect())
}

/// Counts the use of the vouchers of an order; those that are not ours are not counted.
fn redeem(connection: &mut Db, order: &Order) -> Result<Option<Issue>, StoreError> {
    let codes = order.charges.iter().filter(|c| c.kind == ChargeKind::Voucher).filter_map(|c| c.text.as_ref());
    for code in codes {
        let key = code_key(code);
        let counted = diesel::sql_query(
            "UPDATE vouchers SET used = used + 1 WHERE code_key = $1 AND (uses IS NULL OR used < uses)",
        );
        if counted.bind::<Text, _>(&key).execute(connection)? == 0 {
            use crate::store::schema::vouchers;
            let is_ours: i64 = vouchers::table.filter(vouchers::code_key.eq(&key)).count().get_result(connection)?;
            if is_ours > 0 {
                let text = format!("the voucher {code} was used already");
                return Ok(Some(Issue::error("voucher.used_up", text).of("charge/text", code)));
            }
        }
    }
    Ok(None)
}
