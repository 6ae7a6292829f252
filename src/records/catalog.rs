//! Articles, and all that they name.

use super::{Record, Taken};
use crate::domain::masters::{Given, Record as Named};
use crate::domain::{Issue, Rules, compared};
use crate::store::batch::Recorded;
use crate::store::{Db, StoreError, articles, attributes, categories, masters, serials};
use chrono::NaiveDateTime;
use soapstone_contracts::catalog::{
    AccountingGroup, Article, AttributeDefinition, Category, ListMember, Manufacturer, OptionArticle, Relation,
    RelationKind, SerialNumber, Unit,
};
use std::collections::HashMap;

impl Record for Article {
    fn take(db: &mut Db, records: Vec<Self>, rules: &Rules, now: NaiveDateTime) -> Taken {
        let keys: Vec<String> = records.iter().map(|article| article.sku.clone()).collect();
        Ok(keys.into_iter().zip(articles::upsert(db, records, &rules.defaults, now)?).collect())
    }
}

impl Record for Category {
    fn take(db: &mut Db, records: Vec<Self>, rules: &Rules, now: NaiveDateTime) -> Taken {
        let keys: Vec<String> = records.iter().map(|category| category.id.clone()).collect();
        Ok(keys.into_iter().zip(categories::upsert(db, records, &rules.defaults, now)?).collect())
    }
}

impl Record for AttributeDefinition {
    fn take(db: &mut Db, records: Vec<Self>, rules: &Rules, now: NaiveDateTime) -> Taken {
        let keys: Vec<String> = records.iter().map(|definition| definition.code.clone()).collect();
        Ok(keys.into_iter().zip(attributes::upsert(db, records, &rules.defaults, now)?).collect())
    }
}

impl Record for SerialNumber {
    fn take(db: &mut Db, records: Vec<Self>, rules: &Rules, now: NaiveDateTime) -> Taken {
        let keys: Vec<String> = records.iter().map(|serial| serial.number.clone()).collect();
        Ok(keys.into_iter().zip(serials::upsert(db, records, &rules.defaults, now)?).collect())
    }
}

fn masters<R: Named>(db: &mut Db, records: Vec<R>, rules: &Rules, now: NaiveDateTime) -> Taken {
    let given: Vec<Given> = records.into_iter().map(Named::into_given).collect();
    let keys: Vec<String> = given.iter().map(|record| record.key.clone()).collect();
    Ok(keys.into_iter().zip(masters::upsert(db, R::KIND, given, &rules.defaults, now)?).collect())
}

impl Record for Manufacturer {
    fn take(db: &mut Db, records: Vec<Self>, rules: &Rules, now: NaiveDateTime) -> Taken {
        masters(db, records, rules, now)
    }
}

impl Record for Unit {
    fn take(db: &mut Db, records: Vec<Self>, rules: &Rules, now: NaiveDateTime) -> Taken {
        masters(db, records, rules, now)
    }
}

impl Record for AccountingGroup {
    fn take(db: &mut Db, records: Vec<Self>, rules: &Rules, now: NaiveDateTime) -> Taken {
        masters(db, records, rules, now)
    }
}

impl Record for OptionArticle {
    /// A link is a change of its article: all links of one article are one change.
    fn take(db: &mut Db, records: Vec<Self>, rules: &Rules, now: NaiveDateTime) -> Taken {
        let keys: Vec<String> = records.iter().map(|link| compared(&link.sku)).collect();
        let stored = articles::by_keys(db, &keys)?;
        let mut relations: HashMap<String, Vec<Relation>> =
            stored.into_iter().map(|(key, article)| (key, article.record.to_contract(0, now).relation)).collect();
        let unchanged = |changes: &mut Vec<(String, Recorded)>, link: &Self, recorded: Recorded| {
            changes.push((link.sku.clone(), recorded));
        };
        let mut results = Vec::with_capacity(records.len());
        let mut changes = Vec::new();
        let mut places = Vec::new();
        for (link, key) in records.iter().zip(&keys) {
            let Some(relations) = relations.get_mut(key) else {
                let issue = Issue::error("article.not_found", format!("there is no article {}", link.sku));
                let issue = issue.of("sku", &link.sku).suggest("import the article first");
                unchanged(&mut results, link, Recorded::refused(vec![issue]));
                continue;
            };
            let is_it = |relation: &Relation| {
                relation.kind == RelationKind::Option_ && compared(&relation.value) == compared(&link.option)
            };
            let is_there = relations.iter().any(is_it);
            match link.remove.unwrap_or(false) {
                true => relations.retain(|relation| !is_it(relation)),
                false if !is_there => {
                    relations.push(Relation { kind: RelationKind::Option_, value: link.option.clone() })
                }
                false => {}
            }
            places.push(results.len());
            unchanged(&mut results, link, Recorded::refused(Vec::new()));
            let clear = relations.is_empty().then(|| vec![ListMember::Relation]);
            changes.push(Article { sku: link.sku.clone(), relation: relations.clone(), clear, ..Article::default() });
        }
        let recorded: Result<Vec<Recorded>, StoreError> = articles::upsert(db, changes, &rules.defaults, now);
        for (place, recorded) in places.into_iter().zip(recorded?) {
            results[place].1 = recorded;
        }
        Ok(results)
    }
}
