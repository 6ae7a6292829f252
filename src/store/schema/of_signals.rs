//! Signals: who is told, and what became of it.

diesel::table! {
    signal_targets (id) {
        id -> BigInt,
        key -> Text,
        url -> Text,
        form -> Text,
        secret -> Nullable<Text>,
        user_name -> Nullable<Text>,
        password -> Nullable<Text>,
        active -> Bool,
        failures -> BigInt,
        resumes_at -> Nullable<Timestamp>,
        version -> BigInt,
        changed_at -> Timestamp,
    }
}

diesel::table! {
    signal_target_events (target_id, event) {
        target_id -> BigInt,
        event -> Text,
    }
}

diesel::table! {
    signal_target_warehouses (target_id, warehouse) {
        target_id -> BigInt,
        warehouse -> Text,
    }
}

diesel::table! {
    signals (id) {
        id -> BigInt,
        event -> Text,
        at -> Timestamp,
        order_number -> Nullable<Text>,
        order_key -> Nullable<Text>,
        reference -> Nullable<Text>,
        customer -> Nullable<Text>,
        state -> Nullable<Text>,
        state_before -> Nullable<Text>,
        payment -> Nullable<Text>,
        payment_state -> Nullable<Text>,
        total -> Nullable<Text>,
        currency -> Nullable<Text>,
    }
}

diesel::table! {
    signal_warehouses (signal_id, warehouse) {
        signal_id -> BigInt,
        warehouse -> Text,
    }
}

diesel::table! {
    signal_deliveries (id) {
        id -> BigInt,
        signal_id -> BigInt,
        target_id -> BigInt,
        state -> Text,
        attempts -> Integer,
        next_at -> Timestamp,
        leased_until -> Nullable<Timestamp>,
        tried_at -> Nullable<Timestamp>,
        status -> Nullable<Integer>,
        error -> Nullable<Text>,
    }
}

diesel::joinable!(signal_deliveries -> signals (signal_id));
diesel::joinable!(signal_deliveries -> signal_targets (target_id));
diesel::allow_tables_to_appear_in_same_query!(signal_deliveries, signals, signal_targets);
