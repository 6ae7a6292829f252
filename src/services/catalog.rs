//! The portType Catalog.

use super::masters::{self, Wanted};
use super::{page, results, times};
use crate::domain::Rules;
use crate::domain::attributes::Filter;
use crate::domain::compared;
use crate::domain::masters::Kind;
use crate::error::ServiceError;
use crate::records::take;
use crate::store::{Db, Store, StoreError, articles, attributes, categories, serials};
use chrono::Utc;
use soapstone_contracts::catalog::{
    Article, AttributeDefinition, Catalog, Category, DeleteAccountingGroups, DeleteAccountingGroupsResponse,
    DeleteArticles, DeleteArticlesResponse, DeleteAttributes, DeleteAttributesResponse, DeleteCategories,
    DeleteCategoriesResponse, DeleteManufacturers, DeleteManufacturersResponse, DeleteSerialNumbers,
    DeleteSerialNumbersResponse, DeleteUnits, DeleteUnitsResponse, GetAccountingGroup, GetAccountingGroupResponse,
    GetArticle, GetArticleResponse, GetAttribute, GetAttributeResponse, GetCategory, GetCategoryResponse,
    GetManufacturer, GetManufacturerResponse, GetSerialNumber, GetSerialNumberResponse, GetUnit, GetUnitResponse,
    LinkOptionArticles, LinkOptionArticlesResponse, ListAccountingGroups, ListAccountingGroupsResponse, ListArticles,
    ListArticlesResponse, ListAttributes, ListAttributesResponse, ListCategories, ListCategoriesResponse,
    ListManufacturers, ListManufacturersResponse, ListSerialNumbers, ListSerialNumbersResponse, ListUnits,
    ListUnitsResponse, SerialNumber, UpdateAccountingGroup, UpdateAccountingGroupResponse, UpdateArticle,
    UpdateArticleResponse, UpdateAttribute, UpdateAttributeResponse, UpdateCategory, UpdateCategoryResponse,
    UpdateManufacturer, UpdateManufacturerResponse, UpdateSerialNumber, UpdateSerialNumberResponse, UpdateUnit,
    UpdateUnitResponse, UpsertAccountingGroups, UpsertAccountingGroupsResponse, UpsertArticles, UpsertArticlesResponse,
    UpsertAttributes, UpsertAttributesResponse, UpsertCategories, UpsertCategoriesResponse, UpsertManufacturers,
    UpsertManufacturersResponse, UpsertSerialNumbers, UpsertSerialNumbersResponse, UpsertUnits, UpsertUnitsResponse,
};
use soapstone_runtime::Date;
use soapstone_runtime::service::Context;
use std::sync::Arc;

/// Articles, and all that they name.
pub struct CatalogService {
    pub store: Store,
    pub rules: Arc<Rules>,
}

fn article(db: &mut Db, sku: &str) -> Result<Article, StoreError> {
    let found = articles::by_keys(db, &[compared(sku)])?.into_values().next();
    let stored = found.ok_or_else(|| ServiceError::NotFound { kind: "article", key: sku.to_owned() })?;
    Ok(stored.record.to_contract(stored.version, stored.changed_at))
}

fn category(db: &mut Db, id: &str) -> Result<Category, StoreError> {
    let found = categories::get(db, id)?;
    let stored = found.ok_or_else(|| ServiceError::NotFound { kind: "category", key: id.to_owned() })?;
    Ok(stored.record.to_contract(stored.version, stored.changed_at))
}

fn definition(db: &mut Db, code: &str) -> Result<AttributeDefinition, StoreError> {
    let found = attributes::get(db, code)?;
    let stored = found.ok_or_else(|| ServiceError::NotFound { kind: "attribute", key: code.to_owned() })?;
    Ok(stored.record.to_contract(stored.version, stored.changed_at))
}

fn serial(db: &mut Db, sku: &str, number: &str) -> Result<SerialNumber, StoreError> {
    let found = serials::get(db, sku, number)?;
    let stored = found.ok_or_else(|| ServiceError::NotFound { kind: "serial_number", key: number.to_owned() })?;
    Ok(stored.record.to_contract(stored.version, stored.changed_at))
}

impl Catalog for CatalogService {
    type Error = ServiceError;

    async fn upsert_articles(
        &self,
        _context: &Context,
        request: UpsertArticles,
    ) -> Result<UpsertArticlesResponse, ServiceError> {
        Ok(UpsertArticlesResponse { result: take(&self.store, &self.rules, request.article).await? })
    }

    async fn get_article(&self, _context: &Context, request: GetArticle) -> Result<GetArticleResponse, ServiceError> {
        Ok(GetArticleResponse { article: self.store.read(move |db| article(db, &request.sku)).await? })
    }

    async fn list_articles(
        &self,
        _context: &Context,
        request: ListArticles,
    ) -> Result<ListArticlesResponse, ServiceError> {
        let read = |text: &String| Filter::read(text);
        let filter = articles::Filter {
            begins: None,
            within: None,
            skus: request.sku,
            // The contract has a pattern for them.
            attributes: request.attribute.iter().filter_map(read).collect(),
            category: request.category,
            changed_since: times::since(request.changed_since, &self.rules.defaults)?,
            changes: None,
            text: request.text.filter(|t| !t.is_empty()),
            after: request.cursor.filter(|c| !c.is_empty()),
            limit: page::size(request.limit),
        };
        let (found, next_cursor) = self.store.read(move |db| articles::list(db, &filter)).await?;
        let article = found.iter().map(|s| s.record.to_contract(s.version, s.changed_at)).collect();
        Ok(ListArticlesResponse { article, next_cursor })
    }

    async fn delete_articles(
        &self,
        _context: &Context,
        request: DeleteArticles,
    ) -> Result<DeleteArticlesResponse, ServiceError> {
        let skus = request.sku.clone();
        let deleted = self.store.write(move |db| articles::delete(db, &skus)).await?;
        Ok(DeleteArticlesResponse { result: results::of_deletions(request.sku, deleted) })
    }

    async fn upsert_categories(
        &self,
        _context: &Context,
        request: UpsertCategories,
    ) -> Result<UpsertCategoriesResponse, ServiceError> {
        Ok(UpsertCategoriesResponse { result: take(&self.store, &self.rules, request.category).await? })
    }

    async fn list_categories(
        &self,
        _context: &Context,
        request: ListCategories,
    ) -> Result<ListCategoriesResponse, ServiceError> {
        let filter = categories::Filter {
            ids: request.id,
            below: request.parent,
            changed_since: times::since(request.changed_since, &self.rules.defaults)?,
            changes: None,
            text: request.text.filter(|t| !t.is_empty()),
            after: request.cursor.filter(|c| !c.is_empty()),
            limit: usize::try_from(page::size(request.limit)).unwrap_or(1),
        };
        let (found, next_cursor) = self.store.read(move |db| categories::list(db, &filter)).await?;
        let category = found.iter().map(|s| s.record.to_contract(s.version, s.changed_at)).collect();
        Ok(ListCategoriesResponse { category, next_cursor })
    }

    async fn update_article(
        &self,
        _context: &Context,
        request: UpdateArticle,
    ) -> Result<UpdateArticleResponse, ServiceError> {
        let defaults = self.rules.defaults.clone();
        let changed = self.store.write(move |db| {
            let now = Utc::now().naive_utc();
            let sku = request.article.sku.clone();
            article(db, &sku)?;
            results::only(articles::upsert(db, vec![request.article], &defaults, now)?)?;
            article(db, &sku)
        });
        Ok(UpdateArticleResponse { article: changed.await? })
    }

    async fn get_category(
        &self,
        _context: &Context,
        request: GetCategory,
    ) -> Result<GetCategoryResponse, ServiceError> {
        Ok(GetCategoryResponse { category: self.store.read(move |db| category(db, &request.id)).await? })
    }

    async fn update_category(
        &self,
        _context: &Context,
        request: UpdateCategory,
    ) -> Result<UpdateCategoryResponse, ServiceError> {
        let defaults = self.rules.defaults.clone();
        let changed = self.store.write(move |db| {
            let now = Utc::now().naive_utc();
            let id = request.category.id.clone();
            category(db, &id)?;
            results::only(categories::upsert(db, vec![request.category], &defaults, now)?)?;
            category(db, &id)
        });
        Ok(UpdateCategoryResponse { category: changed.await? })
    }

    async fn delete_categories(
        &self,
        _context: &Context,
        request: DeleteCategories,
    ) -> Result<DeleteCategoriesResponse, ServiceError> {
        let ids = request.id.clone();
        let deleted = self.store.write(move |db| categories::delete(db, &ids)).await?;
        Ok(DeleteCategoriesResponse { result: results::of_deletions(request.id, deleted) })
    }

    async fn upsert_attributes(
        &self,
        _context: &Context,
        request: UpsertAttributes,
    ) -> Result<UpsertAttributesResponse, ServiceError> {
        Ok(UpsertAttributesResponse { result: take(&self.store, &self.rules, request.definition).await? })
    }

    async fn list_attributes(
        &self,
        _context: &Context,
        request: ListAttributes,
    ) -> Result<ListAttributesResponse, ServiceError> {
        let filter = attributes::Filter {
            codes: request.code,
            filterable: request.filterable,
            changed_since: times::since(request.changed_since, &self.rules.defaults)?,
            changes: None,
            text: request.text.filter(|t| !t.is_empty()),
            after: request.cursor.filter(|c| !c.is_empty()),
            limit: page::size(request.limit),
        };
        let (found, next_cursor) = self.store.read(move |db| attributes::list(db, &filter)).await?;
        let definition = found.iter().map(|d| d.record.to_contract(d.version, d.changed_at)).collect();
        Ok(ListAttributesResponse { definition, next_cursor })
    }

    async fn get_attribute(
        &self,
        _context: &Context,
        request: GetAttribute,
    ) -> Result<GetAttributeResponse, ServiceError> {
        Ok(GetAttributeResponse { definition: self.store.read(move |db| definition(db, &request.code)).await? })
    }

    async fn update_attribute(
        &self,
        _context: &Context,
        request: UpdateAttribute,
    ) -> Result<UpdateAttributeResponse, ServiceError> {
        let defaults = self.rules.defaults.clone();
        let changed = self.store.write(move |db| {
            let now = Utc::now().naive_utc();
            let code = request.definition.code.clone();
            definition(db, &code)?;
            results::only(attributes::upsert(db, vec![request.definition], &defaults, now)?)?;
            definition(db, &code)
        });
        Ok(UpdateAttributeResponse { definition: changed.await? })
    }

    async fn delete_attributes(
        &self,
        _context: &Context,
        request: DeleteAttributes,
    ) -> Result<DeleteAttributesResponse, ServiceError> {
        let codes = request.code.clone();
        let deleted = self.store.write(move |db| attributes::delete(db, &codes)).await?;
        Ok(DeleteAttributesResponse { result: results::of_deletions(request.code, deleted) })
    }

    async fn upsert_manufacturers(
        &self,
        _context: &Context,
        request: UpsertManufacturers,
    ) -> Result<UpsertManufacturersResponse, ServiceError> {
        Ok(UpsertManufacturersResponse { result: take(&self.store, &self.rules, request.manufacturer).await? })
    }

    async fn get_manufacturer(
        &self,
        _context: &Context,
        request: GetManufacturer,
    ) -> Result<GetManufacturerResponse, ServiceError> {
        Ok(GetManufacturerResponse { manufacturer: masters::get(&self.store, request.key).await? })
    }

    async fn list_manufacturers(
        &self,
        _context: &Context,
        request: ListManufacturers,
    ) -> Result<ListManufacturersResponse, ServiceError> {
        let ListManufacturers { changed_since, text, cursor, limit, key } = request;
        let wanted = Wanted { keys: key, changed_since, text, cursor, limit };
        let (manufacturer, next_cursor) = masters::list(&self.store, &self.rules.defaults, wanted).await?;
        Ok(ListManufacturersResponse { manufacturer, next_cursor })
    }

    async fn update_manufacturer(
        &self,
        _context: &Context,
        request: UpdateManufacturer,
    ) -> Result<UpdateManufacturerResponse, ServiceError> {
        let manufacturer = masters::update(&self.store, &self.rules.defaults, request.manufacturer).await?;
        Ok(UpdateManufacturerResponse { manufacturer })
    }

    async fn delete_manufacturers(
        &self,
        _context: &Context,
        request: DeleteManufacturers,
    ) -> Result<DeleteManufacturersResponse, ServiceError> {
        let result = masters::delete(&self.store, Kind::Manufacturer, request.key).await?;
        Ok(DeleteManufacturersResponse { result })
    }

    async fn upsert_units(
        &self,
        _context: &Context,
        request: UpsertUnits,
    ) -> Result<UpsertUnitsResponse, ServiceError> {
        Ok(UpsertUnitsResponse { result: take(&self.store, &self.rules, request.unit).await? })
    }

    async fn get_unit(&self, _context: &Context, request: GetUnit) -> Result<GetUnitResponse, ServiceError> {
        Ok(GetUnitResponse { unit: masters::get(&self.store, request.key).await? })
    }

    async fn list_units(&self, _context: &Context, request: ListUnits) -> Result<ListUnitsResponse, ServiceError> {
        let ListUnits { changed_since, text, cursor, limit, key } = request;
        let wanted = Wanted { keys: key, changed_since, text, cursor, limit };
        let (unit, next_cursor) = masters::list(&self.store, &self.rules.defaults, wanted).await?;
        Ok(ListUnitsResponse { unit, next_cursor })
    }

    async fn update_unit(&self, _context: &Context, request: UpdateUnit) -> Result<UpdateUnitResponse, ServiceError> {
        let unit = masters::update(&self.store, &self.rules.defaults, request.unit).await?;
        Ok(UpdateUnitResponse { unit })
    }

    async fn delete_units(
        &self,
        _context: &Context,
        request: DeleteUnits,
    ) -> Result<DeleteUnitsResponse, ServiceError> {
        let result = masters::delete(&self.store, Kind::Unit, request.key).await?;
        Ok(DeleteUnitsResponse { result })
    }

    async fn upsert_accounting_groups(
        &self,
        _context: &Context,
        request: UpsertAccountingGroups,
    ) -> Result<UpsertAccountingGroupsResponse, ServiceError> {
        Ok(UpsertAccountingGroupsResponse { result: take(&self.store, &self.rules, request.accounting_group).await? })
    }

    async fn get_accounting_group(
        &self,
        _context: &Context,
        request: GetAccountingGroup,
    ) -> Result<GetAccountingGroupResponse, ServiceError> {
        Ok(GetAccountingGroupResponse { accounting_group: masters::get(&self.store, request.key).await? })
    }

    async fn list_accounting_groups(
        &self,
        _context: &Context,
        request: ListAccountingGroups,
    ) -> Result<ListAccountingGroupsResponse, ServiceError> {
        let ListAccountingGroups { changed_since, text, cursor, limit, key } = request;
        let wanted = Wanted { keys: key, changed_since, text, cursor, limit };
        let (accounting_group, next_cursor) = masters::list(&self.store, &self.rules.defaults, wanted).await?;
        Ok(ListAccountingGroupsResponse { accounting_group, next_cursor })
    }

    async fn update_accounting_group(
        &self,
        _context: &Context,
        request: UpdateAccountingGroup,
    ) -> Result<UpdateAccountingGroupResponse, ServiceError> {
        let accounting_group = masters::update(&self.store, &self.rules.defaults, request.accounting_group).await?;
        Ok(UpdateAccountingGroupResponse { accounting_group })
    }

    async fn delete_accounting_groups(
        &self,
        _context: &Context,
        request: DeleteAccountingGroups,
    ) -> Result<DeleteAccountingGroupsResponse, ServiceError> {
        let result = masters::delete(&self.store, Kind::AccountingGroup, request.key).await?;
        Ok(DeleteAccountingGroupsResponse { result })
    }

    async fn link_option_articles(
        &self,
        _context: &Context,
        request: LinkOptionArticles,
    ) -> Result<LinkOptionArticlesResponse, ServiceError> {
        Ok(LinkOptionArticlesResponse { result: take(&self.store, &self.rules, request.option_article).await? })
    }

    async fn upsert_serial_numbers(
        &self,
        _context: &Context,
        request: UpsertSerialNumbers,
    ) -> Result<UpsertSerialNumbersResponse, ServiceError> {
        Ok(UpsertSerialNumbersResponse { result: take(&self.store, &self.rules, request.serial_number).await? })
    }

    async fn get_serial_number(
        &self,
        _context: &Context,
        request: GetSerialNumber,
    ) -> Result<GetSerialNumberResponse, ServiceError> {
        let found = self.store.read(move |db| serial(db, &request.sku, &request.number));
        Ok(GetSerialNumberResponse { serial_number: found.await? })
    }

    async fn list_serial_numbers(
        &self,
        _context: &Context,
        request: ListSerialNumbers,
    ) -> Result<ListSerialNumbersResponse, ServiceError> {
        let filter = serials::Filter {
            sku: request.sku,
            number: request.number,
            order: request.order,
            warranty_from: request.warranty_from.and_then(Date::to_naive),
            warranty_until: request.warranty_until.and_then(Date::to_naive),
            changed_since: times::since(request.changed_since, &self.rules.defaults)?,
            after: page::number(request.cursor.as_deref())?.unwrap_or(0),
            limit: page::size(request.limit),
        };
        let (found, more) = self.store.read(move |db| serials::list(db, &filter)).await?;
        let next_cursor = found.last().filter(|_| more).map(|stored| stored.id.to_string());
        let serial_number = found.iter().map(|s| s.record.to_contract(s.version, s.changed_at)).collect();
        Ok(ListSerialNumbersResponse { serial_number, next_cursor })
    }

    async fn update_serial_number(
        &self,
        _context: &Context,
        request: UpdateSerialNumber,
    ) -> Result<UpdateSerialNumberResponse, ServiceError> {
        let defaults = self.rules.defaults.clone();
        let changed = self.store.write(move |db| {
            let now = Utc::now().naive_utc();
            let (sku, number) = (request.serial_number.sku.clone(), request.serial_number.number.clone());
            serial(db, &sku, &number)?;
            results::only(serials::upsert(db, vec![request.serial_number], &defaults, now)?)?;
            serial(db, &sku, &number)
        });
        Ok(UpdateSerialNumberResponse { serial_number: changed.await? })
    }

    async fn delete_serial_numbers(
        &self,
        _context: &Context,
        request: DeleteSerialNumbers,
    ) -> Result<DeleteSerialNumbersResponse, ServiceError> {
        let DeleteSerialNumbers { sku, number } = request;
        let given = number.clone();
        let deleted = self.store.write(move |db| serials::delete(db, &sku, &given)).await?;
        Ok(DeleteSerialNumbersResponse { result: results::of_deletions(number, deleted) })
    }
}
