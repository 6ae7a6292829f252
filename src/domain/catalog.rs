//! Articles and categories: what a change does to them, and what it may not do.

use super::change::{Time, as_given, change, repeated};
use super::names::{Names, names, texts};
use super::{Defaults, Issue, Named, compared};
use chrono::NaiveDateTime;
use soapstone_contracts::catalog as contract;
use soapstone_contracts::common;
use soapstone_runtime::{DateTime, Decimal, Nillable};

/// What a text of an article is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TextKind {
    Name,
    Short,
    Long,
    MetaTitle,
    MetaKeywords,
    MetaDescription,
}

impl TextKind {
    pub const ALL: [Self; 6] =
        [Self::Name, Self::Short, Self::Long, Self::MetaTitle, Self::MetaKeywords, Self::MetaDescription];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Short => "short",
            Self::Long => "long",
            Self::MetaTitle => "metaTitle",
            Self::MetaKeywords => "metaKeywords",
            Self::MetaDescription => "metaDescription",
        }
    }
}

/// A text in a language; meta data has none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text {
    pub kind: TextKind,
    pub language: String,
    pub text: String,
}

/// A price for one unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    pub amount: Decimal,
    pub currency: String,
    pub gross: bool,
}

/// A price for a time: from inclusive, until exclusive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecialPrice {
    pub price: Price,
    pub from: Option<NaiveDateTime>,
    pub until: Option<NaiveDateTime>,
}

/// A price from a quantity on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TierPrice {
    pub minimum: Decimal,
    pub price: Price,
}

/// A unit in which an article is sold too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packaging {
    pub unit: String,
    /// How many of the article's own unit it holds.
    pub factor: Decimal,
    pub gtin: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stock {
    pub warehouse: String,
    pub quantity: Decimal,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    pub role: String,
    pub location: String,
}

/// What another article is to this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    pub kind: contract::RelationKind,
    /// The other's key; it may come later.
    pub sku: String,
}

/// An article as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Article {
    pub sku: String,
    pub texts: Vec<Text>,
    /// Keys of categories, in order.
    pub categories: Vec<String>,
    pub manufacturer: Option<String>,
    pub manufacturer_number: Option<String>,
    pub gtin: Option<String>,
    pub unit: Option<String>,
    pub tax_class: Option<String>,
    pub weight: Option<Decimal>,
    pub length: Option<Decimal>,
    pub width: Option<Decimal>,
    pub height: Option<Decimal>,
    pub list_price: Option<Price>,
    pub special_price: Option<SpecialPrice>,
    /// In the order of their quantities.
    pub tiers: Vec<TierPrice>,
    pub packaging: Vec<Packaging>,
    pub price_group: Option<String>,
    pub discount_group: Option<String>,
    pub accounting_group: Option<String>,
    pub active: bool,
    pub active_from: Option<NaiveDateTime>,
    pub active_until: Option<NaiveDateTime>,
    pub availability: Option<contract::Availability>,
    pub delivery_time: Option<String>,
    pub stocks: Vec<Stock>,
    pub variant_of: Option<String>,
    pub axes: Vec<String>,
    pub axis_values: Vec<Named>,
    pub attributes: Vec<Named>,
    pub relations: Vec<Relation>,
    pub media: Vec<Media>,
}

/// A category as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Category {
    pub key: String,
    pub parent: Option<String>,
    pub position: i32,
    pub active: bool,
    pub image: Option<String>,
    pub names: Names,
}

fn time(defaults: &Defaults) -> Time {
    Time { code: "article.time_range", zone: defaults.zone }
}

impl Article {
    /// Applies a change to an article, or makes a new one; `issues` gets everything that the rules have against it.
    pub fn apply(
        existing: Option<Self>,
        given: contract::Article,
        defaults: &Defaults,
        issues: &mut Vec<Issue>,
    ) -> Option<Self> {
        let mut article = existing.unwrap_or_else(|| Self { active: true, ..Self::default() });
        article.sku = given.sku;
        for member in given.clear.iter().flatten() {
            article.clear(*member);
        }
        article.apply_texts(TextKind::Name, "name", given.name, defaults, issues);
        article.apply_texts(TextKind::Short, "shortText", given.short_text, defaults, issues);
        article.apply_texts(TextKind::Long, "longText", given.long_text, defaults, issues);
        article.apply_meta(TextKind::MetaTitle, given.meta_title);
        article.apply_meta(TextKind::MetaKeywords, given.meta_keywords);
        article.apply_meta(TextKind::MetaDescription, given.meta_description);
        article.texts.sort();
        if !given.category.is_empty() {
            let mut categories: Vec<String> = Vec::with_capacity(given.category.len());
            for key in given.category {
                let key = compared(&key);
                if !categories.contains(&key) {
                    categories.push(key);
                }
            }
            article.categories = categories;
        }
        for (slot, value) in [
            (&mut article.manufacturer, given.manufacturer),
            (&mut article.manufacturer_number, given.manufacturer_number),
            (&mut article.gtin, given.gtin),
            (&mut article.unit, given.unit),
            (&mut article.tax_class, given.tax_class),
            (&mut article.price_group, given.price_group),
            (&mut article.discount_group, given.discount_group),
            (&mut article.accounting_group, given.accounting_group),
            (&mut article.delivery_time, given.delivery_time),
        ] {
            change(slot, value, as_given, issues);
        }
        for (slot, value) in [
            (&mut article.weight, given.weight),
            (&mut article.length, given.length),
            (&mut article.width, given.width),
            (&mut article.height, given.height),
        ] {
            change(slot, value, as_given, issues);
        }
        change(&mut article.availability, given.availability, as_given, issues);
        change(&mut article.variant_of, given.variant_of, |parent| Ok(compared(&parent)), issues);
        change(&mut article.list_price, given.list_price, |price| Ok(Price::of(price, defaults)), issues);
        let special = |price| SpecialPrice::of(price, defaults);
        change(&mut article.special_price, given.special_price, special, issues);
        let time = time(defaults);
        change(&mut article.active_from, given.active_from, |t| time.instant(t, "activeFrom"), issues);
        change(&mut article.active_until, given.active_until, |t| time.instant(t, "activeUntil"), issues);
        article.active = given.active.unwrap_or(article.active);
        if !given.relation.is_empty() {
            let relation = |r: contract::Relation| Relation { kind: r.kind, sku: compared(&r.value) };
            article.relations = given.relation.into_iter().map(relation).collect();
        }
        if !given.tier_price.is_empty() {
            article.tiers = given.tier_price.into_iter().map(|tier| TierPrice::of(tier, defaults)).collect();
            article.tiers.sort_by(|a, b| a.minimum.cmp(&b.minimum));
            let twice = article
                .tiers
                .windows(2)
                .find(|t| t[0].minimum == t[1].minimum && t[0].price.currency == t[1].price.currency);
            if let Some(tier) = twice.map(|tiers| &tiers[0]) {
                let text = format!("two prices from {} on in {}", tier.minimum, tier.price.currency);
                issues.push(Issue::error("article.duplicate_tier", text).of("tierPrice", &tier.minimum.to_string()));
            }
        }
        if !given.packaging_unit.is_empty() {
            let of = |p: contract::PackagingUnit| Packaging { unit: p.unit, factor: p.factor, gtin: p.gtin };
            article.packaging = given.packaging_unit.into_iter().map(of).collect();
            if let Some(unit) = repeated(article.packaging.iter().map(|p| p.unit.as_str())) {
                let text = format!("two packaging units are called {unit}");
                issues.push(Issue::error("article.duplicate_unit", text).of("packagingUnit", unit));
            }
        }
        article.apply_lists(
            given.stock,
            given.variant_axis,
            given.axis_value,
            given.attribute,
            given.media,
            defaults,
            issues,
        );
        article.check(issues);
        issues.is_empty().then_some(article)
    }

    fn clear(&mut self, member: contract::ListMember) {
        use contract::ListMember;
        match member {
            ListMember::Name => self.texts.retain(|t| t.kind != TextKind::Name),
            ListMember::ShortText => self.texts.retain(|t| t.kind != TextKind::Short),
            ListMember::LongText => self.texts.retain(|t| t.kind != TextKind::Long),
            ListMember::Category => self.categories.clear(),
            ListMember::Stock => self.stocks.clear(),
            ListMember::VariantAxis => self.axes.clear(),
            ListMember::AxisValue => self.axis_values.clear(),
            ListMember::Attribute => self.attributes.clear(),
            ListMember::Relation => self.relations.clear(),
            ListMember::TierPrice => self.tiers.clear(),
            ListMember::PackagingUnit => self.packaging.clear(),
            ListMember::Media => self.media.clear(),
        }
    }

    fn apply_texts(
        &mut self,
        kind: TextKind,
        field: &str,
        given: Vec<common::Text>,
        defaults: &Defaults,
        issues: &mut Vec<Issue>,
    ) {
        if given.is_empty() {
            return;
        }
        self.texts.retain(|t| t.kind != kind);
        for text in given {
            let language = text.language.unwrap_or_else(|| defaults.language.clone());
            if self.texts.iter().any(|t| t.kind == kind && t.language == language) {
                issues.push(
                    Issue::error("article.duplicate_language", format!("two {field} in the language {language}"))
                        .of(field, &text.value)
                        .suggest("give one text a language"),
                );
                continue;
            }
            self.texts.push(Text { kind, language, text: text.value });
        }
    }

    fn apply_meta(&mut self, kind: TextKind, given: Option<Nillable<String>>) {
        let Some(given) = given else { return };
        self.texts.retain(|t| t.kind != kind);
        if let Nillable::Value(text) = given {
            self.texts.push(Text { kind, language: String::new(), text });
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the members that repeat, each given or not")]
    fn apply_lists(
        &mut self,
        stocks: Vec<contract::Stock>,
        axes: Vec<String>,
        axis_values: Vec<contract::AxisValue>,
        attributes: Vec<common::Attribute>,
        media: Vec<contract::Media>,
        defaults: &Defaults,
        issues: &mut Vec<Issue>,
    ) {
        if !stocks.is_empty() {
            let warehouse =
                |stock: &contract::Stock| stock.warehouse.clone().unwrap_or_else(|| defaults.warehouse.clone());
            self.stocks = stocks.iter().map(|s| Stock { warehouse: warehouse(s), quantity: s.value.clone() }).collect();
            self.stocks.sort();
            if let Some(warehouse) = repeated(self.stocks.iter().map(|s| s.warehouse.as_str())) {
                let text = format!("two stocks for the warehouse {warehouse}");
                issues.push(Issue::error("article.duplicate_warehouse", text).of("stock", warehouse));
            }
        }
        if !axes.is_empty() {
            self.axes = axes;
            if let Some(axis) = repeated(self.axes.iter().map(String::as_str)) {
                let text = format!("the axis {axis} is given twice");
                issues.push(Issue::error("article.duplicate_axis", text).of("variantAxis", axis));
            }
        }
        if !axis_values.is_empty() {
            self.axis_values = axis_values.into_iter().map(|v| Named { name: v.axis, value: v.value }).collect();
            if let Some(axis) = repeated(self.axis_values.iter().map(|v| v.name.as_str())) {
                let text = format!("two values on the axis {axis}");
                issues.push(Issue::error("article.duplicate_axis", text).of("axisValue", axis));
            }
        }
        if !attributes.is_empty() {
            self.attributes = attributes.into_iter().map(Named::of_attribute).collect();
        }
        if !media.is_empty() {
            let mut placed: Vec<_> = media.into_iter().collect();
            placed.sort_by_key(|m| m.position.unwrap_or(i32::MAX));
            let role = |m: &contract::Media| m.role.clone().unwrap_or_else(|| "image".to_owned());
            self.media = placed.iter().map(|m| Media { role: role(m), location: m.value.clone() }).collect();
        }
    }

    fn check(&self, issues: &mut Vec<Issue>) {
        if let (Some(from), Some(until)) = (self.active_from, self.active_until)
            && from >= until
        {
            issues.push(
                Issue::error("article.empty_period", "activeUntil is not after activeFrom")
                    .of("activeUntil", &until.to_string())
                    .suggest("correct one of the two times"),
            );
        }
        if let Some(special) = &self.special_price
            && let (Some(from), Some(until)) = (special.from, special.until)
            && from >= until
        {
            issues.push(
                Issue::error("article.empty_period", "the special price ends before it begins")
                    .of("specialPrice", &special.price.amount.to_string())
                    .suggest("correct from or until"),
            );
        }
        if self.variant_of.as_deref() == Some(compared(&self.sku).as_str()) {
            issues.push(
                Issue::error("article.own_variant", "an article is no variant of itself").of("variantOf", &self.sku),
            );
        }
    }

    /// The article as the contract has it.
    pub fn to_contract(&self, version: i64, changed_at: NaiveDateTime) -> contract::Article {
        let texts = |kind| {
            let of_kind = self.texts.iter().filter(move |t| t.kind == kind);
            of_kind.map(|t| common::Text { language: Some(t.language.clone()), value: t.text.clone() }).collect()
        };
        let meta = |kind| self.texts.iter().find(|t| t.kind == kind).map(|t| Nillable::Value(t.text.clone()));
        let text = |value: &Option<String>| value.clone().map(Nillable::Value);
        let time = |value: Option<NaiveDateTime>| value.map(|t| Nillable::Value(DateTime::from_utc(t)));
        contract::Article {
            version: Some(version),
            if_version: None,
            changed_at: Some(DateTime::from_utc(changed_at)),
            sku: self.sku.clone(),
            name: texts(TextKind::Name),
            short_text: texts(TextKind::Short),
            long_text: texts(TextKind::Long),
            category: self.categories.clone(),
            manufacturer: text(&self.manufacturer),
            manufacturer_number: text(&self.manufacturer_number),
            gtin: text(&self.gtin),
            unit: text(&self.unit),
            tax_class: text(&self.tax_class),
            weight: self.weight.clone().map(Nillable::Value),
            length: self.length.clone().map(Nillable::Value),
            width: self.width.clone().map(Nillable::Value),
            height: self.height.clone().map(Nillable::Value),
            list_price: self.list_price.as_ref().map(|p| Nillable::Value(p.to_contract())),
            special_price: self.special_price.as_ref().map(|p| Nillable::Value(p.to_contract())),
            tier_price: self.tiers.iter().map(TierPrice::to_contract).collect(),
            packaging_unit: self
                .packaging
                .iter()
                .map(|p| contract::PackagingUnit {
                    unit: p.unit.clone(),
                    factor: p.factor.clone(),
                    gtin: p.gtin.clone(),
                })
                .collect(),
            price_group: text(&self.price_group),
            discount_group: text(&self.discount_group),
            accounting_group: text(&self.accounting_group),
            active: Some(self.active),
            active_from: time(self.active_from),
            active_until: time(self.active_until),
            availability: self.availability.map(Nillable::Value),
            delivery_time: text(&self.delivery_time),
            stock: self
                .stocks
                .iter()
                .map(|s| contract::Stock { warehouse: Some(s.warehouse.clone()), value: s.quantity.clone() })
                .collect(),
            variant_of: text(&self.variant_of),
            variant_axis: self.axes.clone(),
            axis_value: self
                .axis_values
                .iter()
                .map(|v| contract::AxisValue { axis: v.name.clone(), value: v.value.clone() })
                .collect(),
            attribute: self.attributes.iter().map(Named::to_attribute).collect(),
            relation: self
                .relations
                .iter()
                .map(|r| contract::Relation { kind: r.kind, value: r.sku.clone() })
                .collect(),
            media: (0..)
                .zip(&self.media)
                .map(|(position, m)| contract::Media {
                    role: Some(m.role.clone()),
                    position: Some(position),
                    value: m.location.clone(),
                })
                .collect(),
            meta_title: meta(TextKind::MetaTitle),
            meta_keywords: meta(TextKind::MetaKeywords),
            meta_description: meta(TextKind::MetaDescription),
            clear: None,
        }
    }
}

impl Price {
    pub fn of(given: common::Price, defaults: &Defaults) -> Self {
        Self {
            amount: given.value,
            currency: given.currency.unwrap_or_else(|| defaults.currency.clone()),
            gross: given.gross.unwrap_or(defaults.gross),
        }
    }

    pub fn to_contract(&self) -> common::Price {
        common::Price { currency: Some(self.currency.clone()), gross: Some(self.gross), value: self.amount.clone() }
    }
}

impl TierPrice {
    fn of(given: contract::TierPrice, defaults: &Defaults) -> Self {
        let price = common::Price { value: given.value, currency: given.currency, gross: given.gross };
        Self { minimum: given.minimum_quantity, price: Price::of(price, defaults) }
    }

    fn to_contract(&self) -> contract::TierPrice {
        contract::TierPrice {
            minimum_quantity: self.minimum.clone(),
            currency: Some(self.price.currency.clone()),
            gross: Some(self.price.gross),
            value: self.price.amount.clone(),
        }
    }
}

impl SpecialPrice {
    fn of(given: contract::SpecialPrice, defaults: &Defaults) -> Result<Self, Issue> {
        let time = |t: Option<DateTime>, field| t.map(|t| self::time(defaults).instant(t, field)).transpose();
        Ok(Self {
            from: time(given.from, "specialPrice/from")?,
            until: time(given.until, "specialPrice/until")?,
            price: Price::of(
                common::Price { value: given.value, currency: given.currency, gross: given.gross },
                defaults,
            ),
        })
    }

    fn to_contract(&self) -> contract::SpecialPrice {
        contract::SpecialPrice {
            currency: Some(self.price.currency.clone()),
            gross: Some(self.price.gross),
            from: self.from.map(DateTime::from_utc),
            until: self.until.map(DateTime::from_utc),
            value: self.price.amount.clone(),
        }
    }
}

impl Category {
    /// Applies a change to a category, or makes a new one; `issues` gets everything that the rules have against it.
    pub fn apply(
        existing: Option<Self>,
        given: contract::Category,
        defaults: &Defaults,
        issues: &mut Vec<Issue>,
    ) -> Option<Self> {
        let mut category = existing.unwrap_or_else(|| Self { active: true, ..Self::default() });
        category.key = compared(&given.id);
        change(&mut category.parent, given.parent, |parent| Ok(compared(&parent)), issues);
        change(&mut category.image, given.image, as_given, issues);
        category.position = given.position.unwrap_or(category.position);
        category.active = given.active.unwrap_or(category.active);
        if !given.name.is_empty() {
            category.names = names(given.name, "category.duplicate_language", "name", defaults, issues);
        }
        if category.parent.as_ref() == Some(&category.key) {
            let text = "a category does not stand below itself";
            issues.push(Issue::error("category.cycle", text).of("parent", &category.key));
        }
        issues.is_empty().then_some(category)
    }

    /// The category as the contract has it.
    pub fn to_contract(&self, version: i64, changed_at: NaiveDateTime) -> contract::Category {
        contract::Category {
            version: Some(version),
            if_version: None,
            changed_at: Some(DateTime::from_utc(changed_at)),
            id: self.key.clone(),
            parent: self.parent.clone().map(Nillable::Value),
            position: Some(self.position),
            name: texts(&self.names),
            active: Some(self.active),
            image: self.image.clone().map(Nillable::Value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The article, or what is against it.
    fn apply(existing: Option<Article>, given: contract::Article) -> Result<Article, Vec<Issue>> {
        let mut issues = Vec::new();
        Article::apply(existing, given, &Defaults::default(), &mut issues).ok_or(issues)
    }

    fn given(sku: &str) -> contract::Article {
        contract::Article { sku: sku.to_owned(), ..contract::Article::default() }
    }

    #[test]
    fn absent_keeps_and_nil_empties() {
        let first = contract::Article {
            gtin: Some(Nillable::Value("123".to_owned())),
            unit: Some(Nillable::Value("piece".to_owned())),
            ..given("A")
        };
        let article = apply(None, first).unwrap();
        assert!(article.active);
        let second = contract::Article { gtin: Some(Nillable::Nil), ..given("A") };
        let article = apply(Some(article), second).unwrap();
        assert_eq!(article.gtin, None);
        assert_eq!(article.unit.as_deref(), Some("piece"));
    }

    #[test]
    fn clear_empties_a_member_that_repeats() {
        let first = contract::Article { category: vec!["a".to_owned(), "b".to_owned(), "a".to_owned()], ..given("A") };
        let article = apply(None, first).unwrap();
        assert_eq!(article.categories, ["a", "b"]);
        let second = contract::Article { clear: Some(vec![contract::ListMember::Category]), ..given("A") };
        assert!(apply(Some(article), second).unwrap().categories.is_empty());
    }

    #[test]
    fn two_texts_in_one_language_are_refused() {
        let text = |value: &str| common::Text { language: None, value: value.to_owned() };
        let change = contract::Article { name: vec![text("a"), text("b")], ..given("A") };
        let issues = apply(None, change).unwrap_err();
        assert_eq!(issues[0].code, "article.duplicate_language");
    }

    #[test]
    fn what_is_stored_reads_back_the_same() {
        let change = contract::Article {
            list_price: Some(Nillable::Value(common::Price {
                value: "123456789012.345678".parse().unwrap(),
                currency: None,
                gross: None,
            })),
            ..given("A")
        };
        let article = apply(None, change).unwrap();
        let again = article.to_contract(1, NaiveDateTime::default());
        assert_eq!(apply(Some(article.clone()), again).unwrap(), article);
    }
}
