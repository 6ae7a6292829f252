//! Stocks: what came and went, and where.

use super::articles;

diesel::table! {
    stock_bookings (id) {
        id -> BigInt,
        key -> Nullable<Text>,
        article_id -> BigInt,
        warehouse -> Text,
        absolute -> Bool,
        given -> Text,
        quantity_before -> Text,
        quantity_after -> Text,
        reason -> Nullable<Text>,
        booked_at -> Timestamp,
    }
}

diesel::table! {
    warehouses (id) {
        id -> BigInt,
        key -> Text,
        version -> BigInt,
        changed_at -> Timestamp,
    }
}

diesel::table! {
    warehouse_names (warehouse_id, language) {
        warehouse_id -> BigInt,
        language -> Text,
        name -> Text,
    }
}

diesel::table! {
    warehouse_addresses (warehouse_id) {
        warehouse_id -> BigInt,
        kind -> Text,
        key -> Text,
        company -> Nullable<Text>,
        salutation -> Nullable<Text>,
        first_name -> Nullable<Text>,
        last_name -> Nullable<Text>,
        addition -> Nullable<Text>,
        street -> Nullable<Text>,
        post_box -> Nullable<Text>,
        postal_code -> Nullable<Text>,
        city -> Nullable<Text>,
        region -> Nullable<Text>,
        country -> Nullable<Text>,
        phone -> Nullable<Text>,
        email -> Nullable<Text>,
    }
}

diesel::joinable!(stock_bookings -> articles (article_id));
diesel::allow_tables_to_appear_in_same_query!(stock_bookings, articles);
diesel::allow_tables_to_appear_in_same_query!(warehouses, warehouse_names);
