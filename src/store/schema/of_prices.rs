//! Prices, discounts, vouchers.

use super::{articles, customers};

diesel::table! {
    article_tier_prices (article_id, position) {
        article_id -> BigInt,
        position -> Integer,
        minimum -> Text,
        amount -> Text,
        currency -> Text,
        gross -> Bool,
    }
}

diesel::table! {
    article_packaging (article_id, position) {
        article_id -> BigInt,
        position -> Integer,
        unit -> Text,
        factor -> Text,
        gtin -> Nullable<Text>,
    }
}

diesel::table! {
    price_entries (id) {
        id -> BigInt,
        key -> Text,
        article_id -> BigInt,
        customer_id -> Nullable<BigInt>,
        price_group -> Nullable<Text>,
        campaign -> Nullable<Text>,
        minimum -> Text,
        amount -> Text,
        currency -> Text,
        gross -> Bool,
        unit -> Nullable<Text>,
        valid_from -> Nullable<Timestamp>,
        valid_until -> Nullable<Timestamp>,
        allow_line_discount -> Bool,
        version -> BigInt,
        changed_at -> Timestamp,
    }
}

diesel::table! {
    line_discounts (id) {
        id -> BigInt,
        key -> Text,
        customer_id -> Nullable<BigInt>,
        customer_group -> Nullable<Text>,
        article_id -> Nullable<BigInt>,
        article_group -> Nullable<Text>,
        minimum -> Text,
        percent -> Text,
        valid_from -> Nullable<Timestamp>,
        valid_until -> Nullable<Timestamp>,
        version -> BigInt,
        changed_at -> Timestamp,
    }
}

diesel::table! {
    vouchers (id) {
        id -> BigInt,
        code -> Text,
        code_key -> Text,
        amount -> Nullable<Text>,
        currency -> Nullable<Text>,
        percent -> Nullable<Text>,
        minimum -> Nullable<Text>,
        minimum_currency -> Nullable<Text>,
        customer_id -> Nullable<BigInt>,
        valid_from -> Nullable<Timestamp>,
        valid_until -> Nullable<Timestamp>,
        uses -> Nullable<Integer>,
        used -> Integer,
        active -> Bool,
        version -> BigInt,
        changed_at -> Timestamp,
    }
}

diesel::joinable!(price_entries -> articles (article_id));
diesel::joinable!(price_entries -> customers (customer_id));
diesel::joinable!(line_discounts -> articles (article_id));
diesel::joinable!(line_discounts -> customers (customer_id));
diesel::joinable!(vouchers -> customers (customer_id));
diesel::allow_tables_to_appear_in_same_query!(price_entries, articles, customers);
diesel::allow_tables_to_appear_in_same_query!(line_discounts, articles);
diesel::allow_tables_to_appear_in_same_query!(line_discounts, customers);
diesel::allow_tables_to_appear_in_same_query!(vouchers, customers);
