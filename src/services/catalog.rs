//! The portType Catalog.

use super::{page, results, times};
use crate::domain::Defaults;
use crate::domain::attributes::Filter;
use crate::domain::compared;
use crate::error::ServiceError;
use crate::store::{Db, Store, StoreError, articles, attributes, categories};
use chrono::Utc;
use soapstone_contracts::catalog::{
    Article, Catalog, Category, DeleteArticles, DeleteArticlesResponse, DeleteAttributes, DeleteAttributesResponse,
    DeleteCategories, DeleteCategoriesResponse, GetArticle, GetArticleResponse, GetCategory, GetCategoryResponse,
    ListArticles, ListArticlesResponse, ListAttributes, ListAttributesResponse, ListCategories, ListCategoriesResponse,
    UpdateArticle, UpdateArticleResponse, UpdateCategory, UpdateCategoryResponse, UpsertArticles,
    UpsertArticlesResponse, UpsertAttributes, UpsertAttributesResponse, UpsertCategories, UpsertCategoriesResponse,
};
use soapstone_runtime::service::Context;

/// Articles and categories.
pub struct CatalogService {
    pub store: Store,
    pub defaults: Defaults,
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

impl Catalog for CatalogService {
    type Error = ServiceError;

    async fn upsert_articles(
        &self,
        _context: &Context,
        request: UpsertArticles,
    ) -> Result<UpsertArticlesResponse, ServiceError> {
        let keys: Vec<String> = request.article.iter().map(|a| a.sku.clone()).collect();
        let defaults = self.defaults.clone();
        let now = Utc::now().naive_utc();
        let changes = self.store.write(move |db| articles::upsert(db, request.article, &defaults, now, None)).await?;
        Ok(UpsertArticlesResponse { result: results::of_changes(keys, changes) })
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
            skus: request.sku,
            // The contract has a pattern for them.
            attributes: request.attribute.iter().filter_map(read).collect(),
            category: request.category,
            changed_since: times::since(request.changed_since, &self.defaults)?,
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
        let keys: Vec<String> = request.category.iter().map(|c| c.id.clone()).collect();
        let defaults = self.defaults.clone();
        let now = Utc::now().naive_utc();
        let changes =
            self.store.write(move |db| categories::upsert(db, request.category, &defaults, now, false)).await?;
        Ok(UpsertCategoriesResponse { result: results::of_changes(keys, changes) })
    }

    async fn list_categories(
        &self,
        _context: &Context,
        request: ListCategories,
    ) -> Result<ListCategoriesResponse, ServiceError> {
        let limit = usize::try_from(page::size(request.limit)).unwrap_or(1);
        let (found, next_cursor) = self
            .store
            .read(move |db| categories::list(db, request.parent.as_deref(), request.cursor.as_deref(), limit))
            .await?;
        let category = found.iter().map(|s| s.record.to_contract(s.version, s.changed_at)).collect();
        Ok(ListCategoriesResponse { category, next_cursor })
    }

    async fn update_article(
        &self,
        _context: &Context,
        request: UpdateArticle,
    ) -> Result<UpdateArticleResponse, ServiceError> {
        let (defaults, now) = (self.defaults.clone(), Utc::now().naive_utc());
        let changed = self.store.write(move |db| {
            let sku = request.article.sku.clone();
            article(db, &sku)?;
            results::only(articles::upsert(db, vec![request.article], &defaults, now, None)?)?;
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
        let (defaults, now) = (self.defaults.clone(), Utc::now().naive_utc());
        let changed = self.store.write(move |db| {
            let id = request.category.id.clone();
            category(db, &id)?;
            results::only(categories::upsert(db, vec![request.category], &defaults, now, false)?)?;
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
        let codes = request.definition.iter().map(|d| d.code.clone()).collect();
        let (defaults, now) = (self.defaults.clone(), Utc::now().naive_utc());
        let changes = self.store.write(move |db| attributes::upsert(db, request.definition, &defaults, now)).await?;
        Ok(UpsertAttributesResponse { result: results::of_changes(codes, changes) })
    }

    async fn list_attributes(
        &self,
        _context: &Context,
        request: ListAttributes,
    ) -> Result<ListAttributesResponse, ServiceError> {
        let (after, limit) = (request.cursor.filter(|c| !c.is_empty()), page::size(request.limit));
        let found =
            self.store.read(move |db| attributes::list(db, &request.code, request.filterable, after.as_deref(), limit));
        let (found, next_cursor) = found.await?;
        let definition = found.iter().map(|d| d.record.to_contract(d.version, d.changed_at)).collect();
        Ok(ListAttributesResponse { definition, next_cursor })
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
}
