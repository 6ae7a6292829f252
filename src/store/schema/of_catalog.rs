//! Articles and categories.

diesel::table! {
    categories (id) {
        id -> BigInt,
        key -> Text,
        parent_id -> Nullable<BigInt>,
        position -> Integer,
        active -> Bool,
        image -> Nullable<Text>,
        version -> BigInt,
        changed_at -> Timestamp,
    }
}

diesel::table! {
    category_names (category_id, language) {
        category_id -> BigInt,
        language -> Text,
        name -> Text,
    }
}

diesel::table! {
    articles (id) {
        id -> BigInt,
        sku -> Text,
        sku_key -> Text,
        manufacturer -> Nullable<Text>,
        manufacturer_number -> Nullable<Text>,
        gtin -> Nullable<Text>,
        unit -> Nullable<Text>,
        tax_class -> Nullable<Text>,
        weight -> Nullable<Text>,
        length -> Nullable<Text>,
        width -> Nullable<Text>,
        height -> Nullable<Text>,
        list_price -> Nullable<Text>,
        list_currency -> Nullable<Text>,
        list_gross -> Nullable<Bool>,
        special_price -> Nullable<Text>,
        special_currency -> Nullable<Text>,
        special_gross -> Nullable<Bool>,
        special_from -> Nullable<Timestamp>,
        special_until -> Nullable<Timestamp>,
        price_group -> Nullable<Text>,
        discount_group -> Nullable<Text>,
        accounting_group -> Nullable<Text>,
        active -> Bool,
        active_from -> Nullable<Timestamp>,
        active_until -> Nullable<Timestamp>,
        availability -> Nullable<Text>,
        delivery_time -> Nullable<Text>,
        variant_of -> Nullable<Text>,
        version -> BigInt,
        changed_at -> Timestamp,
        text_digest -> Nullable<Text>,
    }
}

diesel::table! {
    article_texts (article_id, kind, language) {
        article_id -> BigInt,
        kind -> Text,
        language -> Text,
        text -> Text,
    }
}

diesel::table! {
    article_categories (article_id, category_id) {
        article_id -> BigInt,
        category_id -> BigInt,
        position -> Integer,
    }
}

diesel::table! {
    article_stocks (article_id, warehouse) {
        article_id -> BigInt,
        warehouse -> Text,
        quantity -> Text,
    }
}

diesel::table! {
    article_axes (article_id, position) {
        article_id -> BigInt,
        position -> Integer,
        axis -> Text,
    }
}

diesel::table! {
    article_axis_values (article_id, position) {
        article_id -> BigInt,
        position -> Integer,
        axis -> Text,
        value -> Text,
    }
}

diesel::table! {
    article_attributes (article_id, position) {
        article_id -> BigInt,
        position -> Integer,
        code -> Text,
        value -> Text,
        number -> Nullable<Double>,
    }
}

diesel::table! {
    article_media (article_id, position) {
        article_id -> BigInt,
        position -> Integer,
        role -> Text,
        location -> Text,
        file_key -> Text,
    }
}

diesel::joinable!(article_categories -> categories (category_id));
diesel::joinable!(article_media -> articles (article_id));
diesel::joinable!(article_categories -> articles (article_id));
diesel::joinable!(article_attributes -> articles (article_id));
diesel::allow_tables_to_appear_in_same_query!(
    articles,
    article_categories,
    categories,
    article_texts,
    article_attributes
);
diesel::allow_tables_to_appear_in_same_query!(article_media, articles);
diesel::joinable!(article_stocks -> articles (article_id));
diesel::allow_tables_to_appear_in_same_query!(article_stocks, articles);
diesel::table! {
    attribute_definitions (id) {
        id -> BigInt,
        code -> Text,
        kind -> Text,
        unit -> Nullable<Text>,
        filterable -> Bool,
        version -> BigInt,
        changed_at -> Timestamp,
    }
}

diesel::table! {
    attribute_names (definition_id, choice, language) {
        definition_id -> BigInt,
        choice -> Text,
        language -> Text,
        name -> Text,
    }
}

diesel::table! {
    attribute_choices (definition_id, position) {
        definition_id -> BigInt,
        position -> Integer,
        value -> Text,
    }
}

diesel::table! {
    article_relations (article_id, position) {
        article_id -> BigInt,
        position -> Integer,
        kind -> Text,
        sku -> Text,
    }
}
diesel::allow_tables_to_appear_in_same_query!(attribute_definitions, attribute_names);
