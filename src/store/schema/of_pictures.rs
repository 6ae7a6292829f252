//! Pictures of articles.

use super::contents;

diesel::table! {
    pictures (id) {
        id -> BigInt,
        file_name -> Text,
        file_key -> Text,
        sku_key -> Nullable<Text>,
        position -> Nullable<Integer>,
        content -> Text,
        media_type -> Text,
        width -> Integer,
        height -> Integer,
        state -> Text,
        error -> Nullable<Text>,
        attempts -> Integer,
        leased_until -> Nullable<Timestamp>,
        ready_at -> Nullable<Timestamp>,
        version -> BigInt,
        changed_at -> Timestamp,
    }
}

diesel::table! {
    picture_texts (picture_id, language) {
        picture_id -> BigInt,
        language -> Text,
        text -> Text,
    }
}

diesel::table! {
    picture_renditions (picture_id, size, format) {
        picture_id -> BigInt,
        size -> Integer,
        format -> Text,
        width -> Integer,
        height -> Integer,
        content -> Text,
    }
}

diesel::joinable!(pictures -> contents (content));
diesel::joinable!(picture_renditions -> contents (content));
diesel::allow_tables_to_appear_in_same_query!(pictures, contents);
diesel::allow_tables_to_appear_in_same_query!(picture_renditions, contents);
diesel::allow_tables_to_appear_in_same_query!(picture_renditions, pictures);
