//! The tables, as Diesel knows them. The SQL is in `migrations/`.

diesel::table! {
    categories (id) {
        id -> BigInt,
        key -> Text,
        parent_id -> Nullable<BigInt>,
        position -> Integer,
        active -> Bool,
        image -> Nullable<Text>,
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
    }
}

diesel::table! {
    article_media (article_id, position) {
        article_id -> BigInt,
        position -> Integer,
        role -> Text,
        location -> Text,
    }
}

diesel::table! {
    runs (id) {
        id -> BigInt,
        kind -> Text,
        format -> Text,
        profile -> Nullable<Text>,
        profile_text -> Nullable<Text>,
        channel -> Text,
        state -> Text,
        source_name -> Text,
        source_path -> Text,
        source_sha256 -> Text,
        source_size -> BigInt,
        dry_run -> Bool,
        batch_size -> Integer,
        created_at -> Timestamp,
        started_at -> Nullable<Timestamp>,
        finished_at -> Nullable<Timestamp>,
        attempt -> Integer,
        node -> Nullable<Text>,
        heartbeat_at -> Nullable<Timestamp>,
        cancel_requested -> Bool,
        failure -> Nullable<Text>,
    }
}

diesel::table! {
    run_progress (run_id) {
        run_id -> BigInt,
        bytes_done -> BigInt,
        read_count -> BigInt,
        created_count -> BigInt,
        updated_count -> BigInt,
        unchanged_count -> BigInt,
        skipped_count -> BigInt,
        deleted_count -> BigInt,
        failed_count -> BigInt,
        warning_count -> BigInt,
        message_count -> BigInt,
        read_millis -> BigInt,
        write_millis -> BigInt,
    }
}

diesel::table! {
    run_messages (run_id, number) {
        run_id -> BigInt,
        number -> BigInt,
        severity -> Text,
        code -> Text,
        record_key -> Nullable<Text>,
        record -> Nullable<BigInt>,
        line -> Nullable<BigInt>,
        col -> Nullable<BigInt>,
        field -> Nullable<Text>,
        value -> Nullable<Text>,
        text -> Text,
        suggestion -> Nullable<Text>,
    }
}

diesel::table! {
    run_samples (run_id, at) {
        run_id -> BigInt,
        at -> Timestamp,
        records -> BigInt,
    }
}

diesel::joinable!(run_progress -> runs (run_id));
diesel::joinable!(article_categories -> categories (category_id));
diesel::joinable!(article_categories -> articles (article_id));
diesel::allow_tables_to_appear_in_same_query!(runs, run_progress);
diesel::allow_tables_to_appear_in_same_query!(articles, article_categories, categories, article_texts);

diesel::table! {
    users (id) {
        id -> BigInt,
        name -> Text,
        password -> Nullable<Text>,
        digest_secret -> Nullable<Text>,
        certificate -> Nullable<Text>,
        roles -> Text,
        failures -> Integer,
        locked_until -> Nullable<Timestamp>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    tokens (id) {
        id -> BigInt,
        user_id -> BigInt,
        name -> Text,
        public_id -> Text,
        secret -> Text,
        scopes -> Text,
        created_at -> Timestamp,
        expires_at -> Nullable<Timestamp>,
        revoked_at -> Nullable<Timestamp>,
        used_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    nonces (nonce) {
        nonce -> Text,
        until -> Timestamp,
    }
}

diesel::table! {
    audit_log (id) {
        id -> BigInt,
        at -> Timestamp,
        caller -> Nullable<Text>,
        action -> Text,
        outcome -> Text,
        peer -> Nullable<Text>,
        request_id -> Nullable<Text>,
    }
}

diesel::table! {
    messages (id) {
        id -> BigInt,
        at -> Timestamp,
        request_id -> Text,
        channel -> Text,
        service -> Text,
        operation -> Nullable<Text>,
        caller -> Nullable<Text>,
        peer -> Nullable<Text>,
        status -> Integer,
        outcome -> Text,
        microseconds -> BigInt,
        target -> Text,
        request_type -> Text,
        request -> Text,
        request_bytes -> BigInt,
        response_type -> Text,
        response -> Text,
        response_bytes -> BigInt,
    }
}

diesel::joinable!(tokens -> users (user_id));
diesel::allow_tables_to_appear_in_same_query!(tokens, users);
