//! Users and tokens, the audit log, kept messages.

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
        disabled_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    authentication_required (id) {
        id -> Integer,
        since -> Timestamp,
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

diesel::table! {
    sessions (hash) {
        hash -> Text,
        user_id -> BigInt,
        begun_at -> Timestamp,
        seen_at -> Timestamp,
        peer -> Nullable<Text>,
    }
}

diesel::joinable!(tokens -> users (user_id));
diesel::joinable!(sessions -> users (user_id));
diesel::allow_tables_to_appear_in_same_query!(tokens, users, sessions);

diesel::table! {
    idempotency_keys (key) {
        key -> Text,
        fingerprint -> Text,
        answered_at -> Timestamp,
        answer -> Binary,
    }
}
