//! All that the prices of some articles are found from, for one buyer: as many queries, however many articles.

use super::decimal;
use crate::domain::catalog::TierPrice;
use crate::domain::compared;
use crate::domain::customers::Customer;
use crate::domain::pricing::{
    Asked, Buyer, Discount, Entry, Found, Kind, Of, Period, Policy, PriceError, Rate, Subject, find,
};
use crate::store::articles::tiers_of;
use crate::store::children::by_owner;
use crate::store::customers::resolve;
use crate::store::schema::{articles, customer_campaigns, customers, line_discounts, price_entries};
use crate::store::{Db, LOOKUP, StoreError};
use bigdecimal::BigDecimal;
use chrono::NaiveDateTime;
use diesel::prelude::*;
use std::collections::{BTreeSet, HashMap};

/// Who buys, with what the database knows.
#[derive(Clone, Debug, Default)]
pub struct KnownBuyer {
    /// None: nobody who is known.
    pub id: Option<i64>,
    pub buyer: Buyer,
    pub currency: Option<String>,
}

impl KnownBuyer {
    /// A customer that was loaded already.
    pub fn of(id: i64, customer: &Customer) -> Self {
        let buyer = Buyer {
            customer: Some(customer.number.clone()),
            price_group: customer.price_group.clone(),
            discount_group: customer.discount_group.clone(),
            campaigns: customer.campaigns.clone(),
        };
        Self { id: Some(id), buyer, currency: customer.currency.clone() }
    }
}

/// What the price of an article is found from.
#[derive(Clone, Debug, Default)]
pub struct Offer {
    pub id: i64,
    pub weight: Option<BigDecimal>,
    /// The article; of a variant, that of which it is one.
    pub article: String,
    pub variant: Option<String>,
    pub unit: Option<String>,
    pub discount_group: Option<String>,
    pub tax_class: Option<String>,
    /// Prices, with the keys of those that are price entries.
    pub entries: Vec<(Option<String>, Entry)>,
    pub discounts: Vec<(String, Discount)>,
}

/// How many of which unit are asked for, in which currency, when.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    pub quantity: &'a BigDecimal,
    /// None: of the article's own.
    pub unit: Option<&'a String>,
    pub currency: &'a str,
    pub at: NaiveDateTime,
}

impl Offer {
    /// Finds the price for a buyer.
    ///
    /// # Errors
    /// Why there is none.
    pub fn find(
        &self,
        question: &Question<'_>,
        buyer: &Buyer,
        rates: &[Rate],
        policy: Policy,
    ) -> Result<Found, PriceError> {
        let asked = Asked {
            article: self.article.clone(),
            variant: self.variant.clone(),
            discount_group: self.discount_group.clone(),
            quantity: question.quantity.clone(),
            unit: question.unit.or(self.unit.as_ref()).cloned(),
            currency: question.currency.to_owned(),
            at: question.at,
        };
        let entries: Vec<Entry> = self.entries.iter().map(|(_, entry)| entry.clone()).collect();
        let discounts: Vec<Discount> = self.discounts.iter().map(|(_, discount)| discount.clone()).collect();
        find(&entries, &discounts, rates, &asked, buyer, policy)
    }
}

/// The customer of a number or alias; None: there is none.
///
/// # Errors
/// Those of the database.
pub fn buyer(connection: &mut Db, number: &str) -> Result<Option<KnownBuyer>, StoreError> {
    let Some(found) = resolve(connection, &[compared(number)])?.into_values().next() else { return Ok(None) };
    let (price_group, discount_group, currency): (Option<String>, Option<String>, Option<String>) = customers::table
        .find(found.id)
        .select((customers::price_group, customers::discount_group, customers::currency))
        .first(connection)?;
    let campaigns: Vec<String> = customer_campaigns::table
        .filter(customer_campaigns::customer_id.eq(found.id))
        .select(customer_campaigns::campaign)
        .load(connection)?;
    let buyer = Buyer { customer: Some(found.number), price_group, discount_group, campaigns };
    Ok(Some(KnownBuyer { id: Some(found.id), buyer, currency }))
}

#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = articles)]
struct Article {
    id: i64,
    sku: String,
    sku_key: String,
    unit: Option<String>,
    weight: Option<String>,
    tax_class: Option<String>,
    discount_group: Option<String>,
    list_price: Option<String>,
    list_currency: Option<String>,
    list_gross: Option<bool>,
    special_price: Option<String>,
    special_currency: Option<String>,
    special_gross: Option<bool>,
    special_from: Option<NaiveDateTime>,
    special_until: Option<NaiveDateTime>,
    variant_of: Option<String>,
}

fn articles_of(connection: &mut Db, keys: &BTreeSet<String>) -> Result<HashMap<String, Article>, StoreError> {
    let keys: Vec<&String> = keys.iter().collect();
    let mut found = HashMap::with_capacity(keys.len());
    for keys in keys.chunks(LOOKUP) {
        let rows: Vec<Article> = articles::table
            .filter(articles::sku_key.eq_any(keys.iter().copied()))
            .select(Article::as_select())
            .load(connection)?;
        found.extend(rows.into_iter().map(|article| (article.sku_key.clone(), article)));
    }
    Ok(found)
}

impl Article {
    fn price(
        &self,
        kind: Kind,
        price: (Option<&String>, Option<&String>, Option<bool>),
        period: Period,
    ) -> Option<Entry> {
        let (Some(amount), Some(currency), Some(gross)) = price else { return None };
        let entry = Entry::new(kind, decimal(amount).0, currency);
        Some(Entry { gross, period, unit: self.unit.clone(), ..entry })
    }

    /// The article's own prices.
    fn prices(&self, tiers: &[TierPrice]) -> Vec<Entry> {
        let list = (self.list_price.as_ref(), self.list_currency.as_ref(), self.list_gross);
        let special = (self.special_price.as_ref(), self.special_currency.as_ref(), self.special_gross);
        let in_time = Period { from: self.special_from, until: self.special_until };
        let tier = |tier: &TierPrice| Entry {
            gross: tier.price.gross,
            minimum: tier.minimum.0.clone(),
            unit: self.unit.clone(),
            ..Entry::new(Kind::Tier, tier.price.amount.0.clone(), &tier.price.currency)
        };
        let single = [self.price(Kind::List, list, Period::default()), self.price(Kind::Special, special, in_time)];
        single.into_iter().flatten().chain(tiers.iter().map(tier)).collect()
    }
}

/// What the prices of articles are found from, by their numbers in compared form; those that are not there are left out.
///
/// # Errors
/// Those of the database.
pub fn offers(
    connection: &mut Db,
    keys: &BTreeSet<String>,
    known: &KnownBuyer,
) -> Result<HashMap<String, Offer>, StoreError> {
    let asked = articles_of(connection, keys)?;
    let parents = asked.values().filter_map(|article| article.variant_of.clone()).collect();
    let parents = articles_of(connection, &parents)?;
    let ids: Vec<i64> =
        asked.values().chain(parents.values()).map(|article| article.id).collect::<BTreeSet<_>>().into_iter().collect();
    let (mut tiers, mut entries) = (HashMap::new(), HashMap::new());
    for ids in ids.chunks(LOOKUP) {
        tiers.extend(by_owner(tiers_of(connection, ids)?));
        entries.extend(by_owner(entries_of(connection, ids, known)?));
    }
    let groups: BTreeSet<String> =
        asked.values().chain(parents.values()).filter_map(|article| article.discount_group.clone()).collect();
    let discounts = Discounts::load(connection, &ids, &groups.into_iter().collect::<Vec<_>>(), known)?;
    let none = Vec::new();
    let offers = asked.into_iter().map(|(key, article)| {
        let parent = article.variant_of.as_ref().and_then(|parent| parents.get(parent));
        let own = article.prices(tiers.get(&article.id).unwrap_or(&none));
        // A variant without prices of its own has those of its article.
        let prices = match parent {
            Some(parent) if own.is_empty() => parent.prices(tiers.get(&parent.id).unwrap_or(&none)),
            _ => own,
        };
        let mut all: Vec<(Option<String>, Entry)> = prices.into_iter().map(|entry| (None, entry)).collect();
        for (key, entry) in entries.get(&article.id).into_iter().flatten() {
            let variant = parent.map(|_| article.sku.clone());
            all.push((Some(key.clone()), Entry { variant, ..entry.clone() }));
        }
        let of_parent = parent.and_then(|parent| entries.get(&parent.id)).into_iter().flatten();
        all.extend(of_parent.map(|(key, entry)| (Some(key.clone()), entry.clone())));
        let discount_group = article.discount_group.clone().or_else(|| parent?.discount_group.clone());
        let name = parent.map_or_else(|| article.sku.clone(), |parent| parent.sku.clone());
        let ids = [Some(article.id), parent.map(|parent| parent.id)];
        let offer = Offer {
            id: article.id,
            weight: article.weight.as_deref().map(|weight| decimal(weight).0),
            discounts: discounts.on(ids.into_iter().flatten(), discount_group.as_ref(), &name),
            variant: parent.map(|_| article.sku.clone()),
            unit: article.unit.clone().or_else(|| parent?.unit.clone()),
            tax_class: article.tax_class.clone().or_else(|| parent?.tax_class.clone()),
            discount_group,
            article: name,
            entries: all,
        };
        (key, offer)
    });
    Ok(offers.collect())
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = price_entries)]
struct EntryRow {
    article_id: i64,
    key: String,
    customer_id: Option<i64>,
    price_group: Option<String>,
    campaign: Option<String>,
    minimum: String,
    amount: String,
    currency: String,
    gross: bool,
    unit: Option<String>,
    valid_from: Option<NaiveDateTime>,
    valid_until: Option<NaiveDateTime>,
    allow_line_discount: bool,
}

/// An article's id, and a price entry with its key.
type OfArticle = (i64, (String, Entry));

/// The price entries of articles that the buyer could have: a query for each kind of subject, each by an index of its own.
fn entries_of(connection: &mut Db, ids: &[i64], known: &KnownBuyer) -> Result<Vec<OfArticle>, StoreError> {
    use price_entries::{campaign, customer_id, price_group};
    let of_articles = || price_entries::table.filter(price_entries::article_id.eq_any(ids));
    let select = EntryRow::as_select;
    let nobody = customer_id.is_null().and(price_group.is_null()).and(campaign.is_null());
    let mut rows: Vec<EntryRow> = of_articles().filter(nobody).select(select()).load(connection)?;
    if let Some(id) = known.id {
        rows.extend(of_articles().filter(customer_id.eq(id)).select(select()).load::<EntryRow>(connection)?);
    }
    if let Some(group) = &known.buyer.price_group {
        rows.extend(of_articles().filter(price_group.eq(group)).select(select()).load::<EntryRow>(connection)?);
    }
    if !known.buyer.campaigns.is_empty() {
        let own = campaign.eq_any(&known.buyer.campaigns);
        rows.extend(of_articles().filter(own).select(select()).load::<EntryRow>(connection)?);
    }
    let entries = rows.into_iter().map(|row| {
        let subject = match (row.customer_id, row.price_group, row.campaign) {
            (Some(_), _, _) => Subject::Customer(known.buyer.customer.clone().unwrap_or_default()),
            (_, Some(group), _) => Subject::Group(group),
            (_, _, Some(own)) => Subject::Campaign(own),
            (None, None, None) => Subject::Everybody,
        };
        let entry = Entry {
            kind: Kind::Entry,
            subject,
            minimum: decimal(&row.minimum).0,
            amount: decimal(&row.amount).0,
            currency: row.currency,
            gross: row.gross,
            unit: row.unit,
            variant: None,
            period: Period { from: row.valid_from, until: row.valid_until },
            allow_line_discount: row.allow_line_discount,
        };
        (row.article_id, (row.key, entry))
    });
    Ok(entries.collect())
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = line_discounts)]
struct DiscountRow {
    key: String,
    customer_id: Option<i64>,
    customer_group: Option<String>,
    article_id: Option<i64>,
    article_group: Option<String>,
    minimum: String,
    percent: String,
    valid_from: Option<NaiveDateTime>,
    valid_until: Option<NaiveDateTime>,
}

/// The discounts that the buyer could have, by what they are on.
#[derive(Default)]
struct Discounts {
    on_articles: HashMap<i64, Vec<(String, Discount)>>,
    on_groups: HashMap<String, Vec<(String, Discount)>>,
    on_all: Vec<(String, Discount)>,
}

impl Discounts {
    fn load(connection: &mut Db, ids: &[i64], groups: &[String], known: &KnownBuyer) -> Result<Self, StoreError> {
        use line_discounts::{article_group, article_id, customer_group, customer_id};
        let mut rows: Vec<DiscountRow> = Vec::new();
        // A query for each kind of customer, each by an index of its own.
        let of_all = || line_discounts::table.filter(customer_id.is_null()).filter(customer_group.is_null());
        for ids in ids.chunks(LOOKUP) {
            rows.extend(of_all().filter(article_id.eq_any(ids)).select(DiscountRow::as_select()).load(connection)?);
        }
        let on_others = of_all().filter(article_id.is_null());
        let on_groups = article_group.is_null().or(article_group.eq_any(groups).assume_not_null());
        rows.extend(on_others.filter(on_groups).select(DiscountRow::as_select()).load(connection)?);
        if let Some(id) = known.id {
            let own = line_discounts::table.filter(customer_id.eq(id));
            rows.extend(own.select(DiscountRow::as_select()).load(connection)?);
        }
        if let Some(group) = &known.buyer.discount_group {
            let own = line_discounts::table.filter(customer_group.eq(group));
            rows.extend(own.select(DiscountRow::as_select()).load(connection)?);
        }
        let mut found = Self::default();
        for row in rows {
            found.add(row, known);
        }
        Ok(found)
    }

    fn add(&mut self, row: DiscountRow, known: &KnownBuyer) {
        let customer = match (row.customer_id, row.customer_group, &known.buyer.customer) {
            (Some(_), _, Some(number)) => Of::One(number.clone()),
            (_, Some(group), _) => Of::Group(group),
            _ => Of::All,
        };
        let article = row.article_group.clone().map_or(Of::All, Of::Group);
        let period = Period { from: row.valid_from, until: row.valid_until };
        let (minimum, percent) = (decimal(&row.minimum).0, decimal(&row.percent).0);
        let discount = (row.key, Discount { customer, article, minimum, percent, period });
        match (row.article_id, row.article_group) {
            (Some(id), _) => self.on_articles.entry(id).or_default().push(discount),
            (None, Some(group)) => self.on_groups.entry(group).or_default().push(discount),
            (None, None) => self.on_all.push(discount),
        }
    }

    /// Those on an article: `ids` are its own and, of a variant, that of its article.
    fn on(&self, ids: impl Iterator<Item = i64>, group: Option<&String>, article: &str) -> Vec<(String, Discount)> {
        let own = ids.filter_map(|id| self.on_articles.get(&id)).flatten();
        let own = own.map(|(key, discount)| {
            (key.clone(), Discount { article: Of::One(article.to_owned()), ..discount.clone() })
        });
        let others = group.and_then(|group| self.on_groups.get(group)).into_iter().flatten().chain(&self.on_all);
        own.chain(others.cloned()).collect()
    }
}
