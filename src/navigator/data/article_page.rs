//! All that is known of an article.

use super::super::query::address;
use super::super::visitor::Visitor;
use super::super::{may_not_see, page, unavailable};
use super::articles_page::{Row, rows};
use super::{filled, no_such, plain, price, text, time};
use crate::domain::catalog::{Article, TextKind};
use crate::domain::compared;
use crate::reporting::size;
use crate::store::batch::Stored;
use crate::store::inventory::{Stock, stocks_of};
use crate::store::{Db, Store, StoreError, articles, files, pictures};
use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use askama::Template;
use serde::Deserialize;
use soapstone_contracts::media::PictureState;
use std::collections::HashMap;

/// Variants that are shown.
const VARIANTS: i64 = 200;

#[derive(Deserialize)]
pub(super) struct Wanted {
    sku: String,
}

#[derive(Template)]
#[template(path = "data/article.html")]
struct ArticlePage {
    visitor: Visitor,
    sku: String,
    name: String,
    short: String,
    long: String,
    active: bool,
    names: Vec<(String, String)>,
    shown: Vec<Picture>,
    prices: Vec<(String, String)>,
    warehouses: Vec<(String, String)>,
    total: String,
    reserved: String,
    available: String,
    facts: Vec<(&'static str, String)>,
    attributes: Vec<(String, String)>,
    categories: Vec<String>,
    parent: Option<String>,
    axes: String,
    variants: Vec<Row>,
    more_variants: bool,
    relations: Vec<(String, String)>,
    documents: Vec<(String, String)>,
    simulator: String,
}

struct Picture {
    file: String,
    text: String,
    /// Whether its sizes are made.
    is_ready: bool,
    state: &'static str,
}

struct Known {
    article: Stored<Article>,
    pictures: Vec<pictures::Loaded>,
    stock: Option<Stock>,
    variants: (Vec<Stored<Article>>, bool),
    thumbnails: HashMap<String, String>,
    documents: Vec<files::Loaded>,
}

fn look(db: &mut Db, sku: &str) -> Result<Option<Known>, StoreError> {
    let Some(article) = articles::by_keys(db, &[compared(sku)])?.into_values().next() else { return Ok(None) };
    let variants = articles::variants_of(db, sku, VARIANTS)?;
    let filter = files::Filter { sku: Some(sku.to_owned()), limit: VARIANTS, ..files::Filter::default() };
    Ok(Some(Known {
        pictures: pictures::of_article(db, sku)?,
        stock: stocks_of(db, &[sku.to_owned()])?.pop(),
        thumbnails: pictures::first_of(db, variants.0.iter().map(|stored| &stored.record))?,
        documents: files::list(db, &filter)?.0,
        variants,
        article,
    }))
}

fn prices(article: &Article, visitor: &Visitor) -> Vec<(String, String)> {
    let mut all = Vec::new();
    if let Some(list) = &article.list_price {
        all.push((visitor.t("List price").to_owned(), price(list, visitor)));
    }
    if let Some(special) = &article.special_price {
        let mut told = price(&special.price, visitor);
        if let Some(from) = special.from {
            told.push_str(&format!(" · {} {}", visitor.t("from"), time(from)));
        }
        if let Some(until) = special.until {
            told.push_str(&format!(" · {} {}", visitor.t("until"), time(until)));
        }
        all.push((visitor.t("Special price").to_owned(), told));
    }
    for tier in &article.tiers {
        all.push((visitor.tell("From {} pieces", plain(&tier.minimum.0)), price(&tier.price, visitor)));
    }
    all
}

fn facts(article: &Article, stored: &Stored<Article>) -> Vec<(&'static str, String)> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let number = |value: &Option<soapstone_runtime::Decimal>| value.as_ref().map(|v| plain(&v.0)).unwrap_or_default();
    let packed: Vec<String> =
        article.packaging.iter().map(|unit| format!("{} = {}", unit.unit, plain(&unit.factor.0))).collect();
    filled(vec![
        ("Manufacturer", text(&article.manufacturer)),
        ("Manufacturer's number", text(&article.manufacturer_number)),
        ("GTIN", text(&article.gtin)),
        ("Unit", text(&article.unit)),
        ("Packaging", packed.join(", ")),
        ("Tax class", text(&article.tax_class)),
        ("Weight", number(&article.weight)),
        ("Length", number(&article.length)),
        ("Width", number(&article.width)),
        ("Height", number(&article.height)),
        ("Price group", text(&article.price_group)),
        ("Discount group", text(&article.discount_group)),
        ("Accounting group", text(&article.accounting_group)),
        ("Delivery time", text(&article.delivery_time)),
        ("Availability", article.availability.map(|rule| rule.as_str().to_owned()).unwrap_or_default()),
        ("Active from", article.active_from.map(time).unwrap_or_default()),
        ("Active until", article.active_until.map(time).unwrap_or_default()),
        ("Changed", time(stored.changed_at)),
        ("Version", stored.version.to_string()),
    ])
}

pub(super) async fn show(store: Data<Store>, visitor: Visitor, wanted: Query<Wanted>) -> HttpResponse {
    if !visitor.may("Catalog", "GetArticle") {
        return may_not_see(visitor, "Catalog.GetArticle");
    }
    let sku = wanted.into_inner().sku;
    let key = sku.clone();
    let known = match store.read(move |db| look(db, &key)).await {
        Ok(Some(known)) => known,
        Ok(None) => return no_such(visitor, "There is no such article", &sku),
        Err(error) => return unavailable(visitor, &error),
    };
    let article = &known.article.record;
    let texts = |kind| text(&article.texts, kind, &visitor);
    let stock = known.stock.as_ref();
    // Where it stands on an axis may be an attribute too.
    let more = article.attributes.iter().filter(|attribute| !article.axis_values.contains(attribute));
    let values = article.axis_values.iter().chain(more);
    let shown = known.pictures.iter().map(|picture| {
        let state = picture.standing.state.unwrap_or(PictureState::Waiting);
        Picture {
            file: picture.record.file_name.clone(),
            text: super::name(&picture.record.texts, &visitor),
            is_ready: state == PictureState::Ready,
            state: state.as_str(),
        }
    });
    let document = |file: &files::Loaded| {
        (file.record.name.clone(), format!("{}, {}", file.record.media_type, size(file.standing.bytes)))
    };
    page(&ArticlePage {
        name: texts(TextKind::Name),
        short: texts(TextKind::Short),
        long: texts(TextKind::Long),
        active: article.active,
        names: article
            .texts
            .iter()
            .filter(|text| text.kind == TextKind::Name)
            .map(|text| (text.language.clone(), text.text.clone()))
            .collect(),
        shown: shown.collect(),
        prices: prices(article, &visitor),
        warehouses: stock
            .map(|s| s.warehouses.iter().map(|(w, q)| (w.clone(), plain(q))).collect())
            .unwrap_or_default(),
        total: stock.map(|stock| plain(&stock.total)).unwrap_or_default(),
        reserved: stock.map(|stock| plain(&stock.reserved)).unwrap_or_default(),
        available: stock.map(|stock| plain(&stock.available())).unwrap_or_default(),
        facts: facts(article, &known.article),
        attributes: values.map(|named| (named.name.clone(), named.value.clone())).collect(),
        categories: article.categories.clone(),
        parent: article.variant_of.clone(),
        axes: article.axes.join(", "),
        variants: rows(&known.variants.0, &known.thumbnails, &visitor),
        more_variants: known.variants.1,
        relations: article.relations.iter().map(|r| (r.kind.as_str().to_owned(), r.sku.clone())).collect(),
        documents: known.documents.iter().map(document).collect(),
        simulator: address(
            "/navigator/prices",
            &[("sku", &article.sku), ("currency", article.list_price.as_ref().map_or("", |price| &price.currency))],
        ),
        sku: article.sku.clone(),
        visitor,
    })
}
