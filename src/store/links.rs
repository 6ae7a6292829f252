//! The articles and customers that other records lead to.

use super::customers::resolve;
use super::schema::articles;
use super::{Db, LOOKUP, StoreError};
use crate::domain::compared;
use crate::domain::pricing::records::Known;
use diesel::prelude::*;
use std::collections::HashMap;

/// Articles and customers by the names that records give them.
#[derive(Default)]
pub(super) struct Links {
    /// By the number's compared form: id, and the number as it is kept.
    articles: HashMap<String, (i64, String)>,
    customers: HashMap<String, (i64, String)>,
}

impl Links {
    pub fn load<'a>(
        connection: &mut Db,
        skus: impl Iterator<Item = &'a str>,
        numbers: impl Iterator<Item = &'a str>,
    ) -> Result<Self, StoreError> {
        let mut links = Self::default();
        let keys = distinct(skus);
        for keys in keys.chunks(LOOKUP) {
            let found: Vec<(String, i64, String)> = articles::table
                .filter(articles::sku_key.eq_any(keys))
                .select((articles::sku_key, articles::id, articles::sku))
                .load(connection)?;
            links.articles.extend(found.into_iter().map(|(key, id, sku)| (key, (id, sku))));
        }
        for (asked, customer) in resolve(connection, &distinct(numbers))? {
            links.customers.insert(customer.key, (customer.id, customer.number.clone()));
            links.customers.insert(asked, (customer.id, customer.number));
        }
        Ok(links)
    }

    /// Adds an article that a record leads to already.
    pub fn add_article(&mut self, id: i64, sku: &str) {
        self.articles.insert(compared(sku), (id, sku.to_owned()));
    }

    /// Adds a customer that a record leads to already.
    pub fn add_customer(&mut self, id: i64, number: &str) {
        self.customers.insert(compared(number), (id, number.to_owned()));
    }

    pub fn article_id(&self, sku: &str) -> Option<i64> {
        self.articles.get(&compared(sku)).map(|(id, _)| *id)
    }

    pub fn customer_id(&self, number: &str) -> Option<i64> {
        self.customers.get(&compared(number)).map(|(id, _)| *id)
    }
}

fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut keys: Vec<String> = names.map(compared).collect();
    keys.sort();
    keys.dedup();
    keys
}

impl Known for Links {
    fn article(&self, sku: &str) -> Option<String> {
        self.articles.get(&compared(sku)).map(|(_, sku)| sku.clone())
    }

    fn customer(&self, number: &str) -> Option<String> {
        self.customers.get(&compared(number)).map(|(_, number)| number.clone())
    }
}
