//! What articles name, their serial numbers, and documents for their buyers.

use super::{articles, contents};

diesel::table! {
    serial_numbers (id) {
        id -> BigInt,
        article_id -> BigInt,
        number -> Text,
        number_key -> Text,
        warehouse -> Nullable<Text>,
        order_number -> Nullable<Text>,
        order_key -> Nullable<Text>,
        sold_at -> Nullable<Timestamp>,
        warranty_until -> Nullable<Date>,
        note -> Nullable<Text>,
        version -> BigInt,
        changed_at -> Timestamp,
    }
}

diesel::table! {
    article_documents (id) {
        id -> BigInt,
        file_name -> Text,
        file_key -> Text,
        sku_key -> Nullable<Text>,
        media_type -> Text,
        content -> Text,
        version -> BigInt,
        changed_at -> Timestamp,
    }
}

diesel::table! {
    article_document_titles (document_id, language) {
        document_id -> BigInt,
        language -> Text,
        title -> Text,
    }
}

diesel::joinable!(serial_numbers -> articles (article_id));
diesel::joinable!(article_documents -> contents (content));
diesel::allow_tables_to_appear_in_same_query!(serial_numbers, articles);
diesel::allow_tables_to_appear_in_same_query!(article_documents, contents);
