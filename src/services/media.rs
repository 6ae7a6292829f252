//! The portType Media.

use super::{page, results, times};
use crate::domain::Rules;
use crate::error::ServiceError;
use crate::pictures::{Bell, PictureFile};
use crate::records;
use crate::store::batch::Recorded;
use crate::store::pictures::{self, Filled, Filter, Loaded, RenditionRow};
use crate::store::{Db, Store, StoreError, contents, files};
use chrono::Utc;
use soapstone_contracts::media as contract;
use soapstone_contracts::media::{
    ArticleDocument, DeleteArticleDocuments, DeleteArticleDocumentsResponse, DeletePictures, DeletePicturesResponse,
    GetArticleDocument, GetArticleDocumentResponse, GetPicture, GetPictureProgress, GetPictureProgressResponse,
    GetPictureResponse, GetRendition, GetRenditionResponse, ListArticleDocuments, ListArticleDocumentsResponse,
    ListPictures, ListPicturesResponse, Media, Picture, RenditionFormat, UpdateArticleDocument,
    UpdateArticleDocumentResponse, UpdatePicture, UpdatePictureResponse, UpsertArticleDocuments,
    UpsertArticleDocumentsResponse, UpsertPictures, UpsertPicturesResponse,
};
use soapstone_runtime::Base64Binary;
use soapstone_runtime::service::Context;
use std::sync::Arc;

/// Pictures of articles.
#[derive(Clone)]
pub struct MediaService {
    pub store: Store,
    pub rules: Arc<Rules>,
    /// Tells the workshop that a picture waits.
    pub bell: Arc<Bell>,
}

/// What is known of a file before its bytes are read.
pub struct File {
    pub name: String,
    pub media_type: String,
    pub sha256: String,
}

fn missing(name: &str) -> ServiceError {
    ServiceError::NotFound { kind: "picture", key: name.to_owned() }
}

fn shown(loaded: Loaded) -> Picture {
    loaded.record.to_contract(loaded.standing)
}

fn count(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

impl MediaService {
    /// Takes one picture, in a transaction of its own; `filled` is what the same upload took before.
    ///
    /// # Errors
    /// Those of the database, or of the file that the picture lies in.
    fn take(&self, db: &mut Db, picture: Picture, filled: &mut Filled) -> Result<Recorded, StoreError> {
        db.write(|db| records::taken_picture(db, picture, filled, &self.rules, Utc::now().naive_utc()))
    }

    /// Takes a picture that came as a file. Gives its name, and what became of it.
    ///
    /// # Errors
    /// Those of the database.
    pub fn take_file(
        &self,
        db: &mut Db,
        (name, content): PictureFile,
        filled: &mut Filled,
    ) -> Result<(String, Recorded), StoreError> {
        let recorded = match content {
            Err(issue) => Recorded::refused(vec![issue]),
            Ok(bytes) => {
                let content = Some(Base64Binary(bytes.into()));
                self.take(db, Picture { file_name: name.clone(), content, ..Picture::default() }, filled)?
            }
        };
        Ok((name, recorded))
    }

    /// Takes one document, in a transaction of its own.
    fn take_document(&self, db: &mut Db, document: ArticleDocument) -> Result<(String, Recorded), StoreError> {
        let taken = db.write(|db| records::Record::take(db, vec![document], &self.rules, Utc::now().naive_utc()))?;
        let nothing = || ServiceError::internal("a document was taken, and nothing became of it");
        Ok(taken.into_iter().next().ok_or_else(nothing)?)
    }

    /// A document of articles as a file.
    ///
    /// # Errors
    /// If there is none of that name.
    pub async fn document(&self, name: String) -> Result<File, ServiceError> {
        let found = self.store.read(move |db| document(db, &name)).await?.record;
        Ok(File { name: found.name, media_type: found.media_type, sha256: found.sha256 })
    }

    /// A picture as a file: in a size and format, or as it was taken.
    ///
    /// # Errors
    /// If there is no such picture, or it is not ready.
    pub async fn file(&self, name: String, size: Option<i32>, format: RenditionFormat) -> Result<File, ServiceError> {
        let shown = name.clone();
        let row = self.store.read(move |db| rendition(db, &name, size, format)).await?;
        Ok(File { name: shown, media_type: row.media_type, sha256: row.sha256 })
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// If it is gone since, and those of the database.
    pub async fn content(&self, sha256: &str) -> Result<Vec<u8>, ServiceError> {
        let key = sha256.to_owned();
        Ok(self.store.read(move |db| content(db, &key)).await?)
    }
}

/// The row of a picture in a size and format, or as it was taken.
fn rendition(db: &mut Db, name: &str, size: Option<i32>, format: RenditionFormat) -> Result<RenditionRow, StoreError> {
    let original = pictures::original(db, name)?.ok_or_else(|| missing(name))?;
    Ok(match size {
        None => original,
        Some(size) => pictures::rendition(db, name, size, format)?.ok_or_else(|| not_ready(name))?,
    })
}

fn content(db: &mut Db, sha256: &str) -> Result<Vec<u8>, StoreError> {
    let gone = || ServiceError::NotFound { kind: "content", key: sha256.to_owned() };
    Ok(contents::get(db, sha256)?.ok_or_else(gone)?)
}

fn document(db: &mut Db, name: &str) -> Result<files::Loaded, StoreError> {
    let missing = || ServiceError::NotFound { kind: "article_document", key: name.to_owned() };
    Ok(files::get(db, name)?.ok_or_else(missing)?)
}

fn not_ready(name: &str) -> ServiceError {
    let message = format!("The sizes of {name} are not made yet; GetPicture tells how far it is");
    ServiceError::Conflict { code: "picture.not_ready", message }
}

impl Media for MediaService {
    type Error = ServiceError;

    async fn upsert_pictures(
        &self,
        _context: &Context,
        request: UpsertPictures,
    ) -> Result<UpsertPicturesResponse, ServiceError> {
        let keys = request.picture.iter().map(|picture| picture.file_name.clone()).collect();
        let service = self.clone();
        // Each on its own: none waits until all of them are read.
        let taken = self.store.read(move |db| {
            let mut filled = Filled::default();
            request.picture.into_iter().map(|picture| service.take(db, picture, &mut filled)).collect()
        });
        let taken: Vec<Recorded> = taken.await?;
        self.bell.ring();
        Ok(UpsertPicturesResponse { result: results::of_changes(keys, taken) })
    }

    async fn get_picture(&self, _context: &Context, request: GetPicture) -> Result<GetPictureResponse, ServiceError> {
        let name = request.file_name;
        let found = self.store.read(move |db| Ok(pictures::get(db, &name)?.ok_or_else(|| missing(&name))?));
        Ok(GetPictureResponse { picture: shown(found.await?) })
    }

    async fn list_pictures(
        &self,
        _context: &Context,
        request: ListPictures,
    ) -> Result<ListPicturesResponse, ServiceError> {
        if let Some(sku) = request.sku {
            let found = self.store.read(move |db| pictures::of_article(db, &sku)).await?;
            return Ok(ListPicturesResponse { picture: found.into_iter().map(shown).collect(), next_cursor: None });
        }
        let filter = Filter {
            state: request.state,
            orphan: request.orphan,
            text: request.text.filter(|t| !t.is_empty()),
            changed_since: times::since(request.changed_since, &self.rules.defaults)?,
            after: request.cursor.filter(|c| !c.is_empty()),
            limit: page::size(request.limit),
        };
        let (found, next_cursor) = self.store.read(move |db| pictures::list(db, &filter)).await?;
        Ok(ListPicturesResponse { picture: found.into_iter().map(shown).collect(), next_cursor })
    }

    async fn update_picture(
        &self,
        _context: &Context,
        request: UpdatePicture,
    ) -> Result<UpdatePictureResponse, ServiceError> {
        let service = self.clone();
        let changed = self.store.read(move |db| {
            let name = request.picture.file_name.clone();
            pictures::get(db, &name)?.ok_or_else(|| missing(&name))?;
            results::only([service.take(db, request.picture, &mut Filled::default())?])?;
            Ok(pictures::get(db, &name)?.ok_or_else(|| missing(&name))?)
        });
        let changed = changed.await?;
        self.bell.ring();
        Ok(UpdatePictureResponse { picture: shown(changed) })
    }

    async fn delete_pictures(
        &self,
        _context: &Context,
        request: DeletePictures,
    ) -> Result<DeletePicturesResponse, ServiceError> {
        let names = request.file_name.clone();
        let deleted = self.store.write(move |db| pictures::delete(db, &names)).await?;
        Ok(DeletePicturesResponse { result: results::of_deletions(request.file_name, deleted) })
    }

    async fn get_rendition(
        &self,
        _context: &Context,
        request: GetRendition,
    ) -> Result<GetRenditionResponse, ServiceError> {
        let format = request.format.unwrap_or(RenditionFormat::Jpeg);
        let found = self.store.read(move |db| {
            let row = rendition(db, &request.file_name, request.size, format)?;
            let bytes = content(db, &row.sha256)?;
            Ok((row, bytes))
        });
        let (row, bytes) = found.await?;
        let RenditionRow { media_type, width, height, .. } = row;
        Ok(GetRenditionResponse { media_type, width, height, content: Base64Binary::from(bytes) })
    }

    async fn get_picture_progress(
        &self,
        _context: &Context,
        _request: GetPictureProgress,
    ) -> Result<GetPictureProgressResponse, ServiceError> {
        let now = Utc::now().naive_utc();
        let progress = self.store.read(move |db| pictures::progress(db, now)).await?;
        let remaining = |rate: i64| progress.waiting.saturating_mul(60).checked_div(rate);
        Ok(contract::GetPictureProgressResponse {
            waiting: count(progress.waiting),
            ready: count(progress.ready),
            failed: count(progress.failed),
            orphans: count(progress.orphans),
            ready_in_last_minute: count(progress.in_last_minute),
            remaining_seconds: remaining(progress.in_last_minute).map(count),
        })
    }

    async fn upsert_article_documents(
        &self,
        _context: &Context,
        request: UpsertArticleDocuments,
    ) -> Result<UpsertArticleDocumentsResponse, ServiceError> {
        let service = self.clone();
        // Each on its own: contents are large.
        let taken = self.store.read(move |db| {
            request.article_document.into_iter().map(|document| service.take_document(db, document)).collect()
        });
        let taken: Vec<(String, Recorded)> = taken.await?;
        let (names, taken) = taken.into_iter().unzip();
        Ok(UpsertArticleDocumentsResponse { result: results::of_changes(names, taken) })
    }

    async fn get_article_document(
        &self,
        _context: &Context,
        request: GetArticleDocument,
    ) -> Result<GetArticleDocumentResponse, ServiceError> {
        let found = self.store.read(move |db| {
            let found = document(db, &request.file_name)?;
            let bytes = content(db, &found.record.sha256)?;
            Ok((found.record.to_contract(found.standing), bytes))
        });
        let (document, bytes) = found.await?;
        let article_document = ArticleDocument { content: Some(Base64Binary::from(bytes)), ..document };
        Ok(GetArticleDocumentResponse { article_document })
    }

    async fn list_article_documents(
        &self,
        _context: &Context,
        request: ListArticleDocuments,
    ) -> Result<ListArticleDocumentsResponse, ServiceError> {
        let filter = files::Filter {
            sku: request.sku,
            text: request.text.filter(|t| !t.is_empty()),
            changed_since: times::since(request.changed_since, &self.rules.defaults)?,
            after: request.cursor.filter(|c| !c.is_empty()),
            limit: page::size(request.limit),
        };
        let (found, next_cursor) = self.store.read(move |db| files::list(db, &filter)).await?;
        let article_document = found.into_iter().map(|file| file.record.to_contract(file.standing)).collect();
        Ok(ListArticleDocumentsResponse { article_document, next_cursor })
    }

    async fn update_article_document(
        &self,
        _context: &Context,
        request: UpdateArticleDocument,
    ) -> Result<UpdateArticleDocumentResponse, ServiceError> {
        let service = self.clone();
        let changed = self.store.read(move |db| {
            let name = request.article_document.file_name.clone();
            document(db, &name)?;
            results::only([service.take_document(db, request.article_document)?.1])?;
            document(db, &name)
        });
        let changed = changed.await?;
        Ok(UpdateArticleDocumentResponse { article_document: changed.record.to_contract(changed.standing) })
    }

    async fn delete_article_documents(
        &self,
        _context: &Context,
        request: DeleteArticleDocuments,
    ) -> Result<DeleteArticleDocumentsResponse, ServiceError> {
        let names = request.file_name.clone();
        let deleted = self.store.write(move |db| files::delete(db, &names)).await?;
        Ok(DeleteArticleDocumentsResponse { result: results::of_deletions(request.file_name, deleted) })
    }
}
