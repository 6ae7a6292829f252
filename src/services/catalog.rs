//! The portType Catalog.

use super::{page, results, times};
use crate::domain::Defaults;
use crate::domain::compared;
use crate::error::ServiceError;
use crate::store::{Store, articles, categories};
use chrono::Utc;
use soapstone_contracts::catalog::{
    Catalog, DeleteArticles, DeleteArticlesResponse, GetArticle, GetArticleResponse, ListArticles,
    ListArticlesResponse, ListCategories, ListCategoriesResponse, UpsertArticles, UpsertArticlesResponse,
    UpsertCategories, UpsertCategoriesResponse,
};
use soapstone_runtime::service::Context;

/// Articles and categories.
pub struct CatalogService {
    pub store: Store,
    pub defaults: Defaults,
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
        let key = compared(&request.sku);
        let found = self.store.read(move |db| Ok(articles::by_keys(db, &[key])?.into_values().next())).await?;
        let stored = found.ok_or(ServiceError::NotFound { kind: "article", key: request.sku })?;
        Ok(GetArticleResponse { article: stored.record.to_contract(stored.version, stored.changed_at) })
    }

    async fn list_articles(
        &self,
        _context: &Context,
        request: ListArticles,
    ) -> Result<ListArticlesResponse, ServiceError> {
        let filter = articles::Filter {
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
}
