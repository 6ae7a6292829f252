//! Articles, and all that they name.

use super::{Digests, Record, Taken};
use crate::domain::masters::{Given, Record as Named};
use crate::domain::{Issue, Rules, compared};
use crate::store::batch::Recorded;
use crate::store::{Db, articles, attributes, categories, masters, serials};
use chrono::NaiveDateTime;
use soapstone_contracts::catalog::{
    AccountingGroup, Article, AttributeDefinition, Category, ListMember, Manufacturer, OptionArticle, Relation,
    RelationKind, SerialNumber, Unit,
};
use std::collections::HashMap;

impl Record for Article {
    const DIGESTS: Option<Digests> = Some(articles::digests);

    fn take(db: &mut Db, records: Vec<Self>, rules: &Rules, now: NaiveDateTime) -> Taken {
        Self::take_read(db, records.into_iter().map(|article| (article, None)).collect(), rules, now)
    }

    fn take_read(db: &mut Db, records: Vec<(Self, Option<String>)>, rules: &Rules, now: NaiveDateTime) -> Taken {
        let keys: Vec<String> = records.iter().map(|(article, _)| article.sku.clone()).collect();
        Ok(keys.into_iter().zip(articles::upsert_read(db, records, &rules.defaults, now)?).collect())
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
    /// A link is a change of its article: to the relations that the article has, and the links before it.
    fn take(db: &mut Db, records: Vec<Self>, rules: &Rules, now: NaiveDateTime) -> Taken {
        let keys: Vec<String> = records.iter().map(|link| compared(&link.sku)).collect();
        let stored = articles::by_keys(db, &keys)?.into_iter();
        let mut relations: HashMap<String, Vec<Relation>> =
            stored.map(|(key, article)| (key, article.record.to_contract(0, now).relation)).collect();
        let mut changes = Vec::new();
        let mut is_known = Vec::with_capacity(records.len());
        for (link, key) in records.iter().zip(&keys) {
            let relations = relations.get_mut(key);
            is_known.push(relations.is_some());
            changes.extend(relations.map(|relations| linked(link, relations)));
        }
        let mut changed = articles::upsert(db, changes, &rules.defaults, now)?.into_iter();
        let outcome = |(link, is_known): (Self, bool)| {
            let recorded = if is_known { changed.next() } else { None };
            let recorded = recorded.unwrap_or_else(|| Recorded::refused(vec![no_article(&link.sku)]));
            (link.sku, recorded)
        };
        Ok(records.into_iter().zip(is_known).map(outcome).collect())
    }
}

fn no_article(sku: &str) -> Issue {
    let issue = Issue::error("article.not_found", format!("there is no article {sku}")).of("sku", sku);
    issue.suggest("import the article first")
}

/// What a link makes of the article that has these relations.
fn linked(link: &OptionArticle, relations: &mut Vec<Relation>) -> Article {
    let is_it = |relation: &Relation| {
        relation.kind == RelationKind::Option_ && compared(&relation.value) == compared(&link.option)
    };
    if link.remove.unwrap_or(false) {
        relations.retain(|relation| !is_it(relation));
    } else if !relations.iter().any(is_it) {
        relations.push(Relation { kind: RelationKind::Option_, value: link.option.clone() });
    }
    let clear = relations.is_empty().then(|| vec![ListMember::Relation]);
    Article { sku: link.sku.clone(), relation: relations.clone(), clear, ..Article::default() }
}
