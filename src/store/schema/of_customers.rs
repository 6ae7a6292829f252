//! Customers, their numbers and their credit.

diesel::table! {
    customers (id) {
        id -> BigInt,
        number -> Text,
        number_key -> Text,
        merged_into -> Nullable<BigInt>,
        email -> Nullable<Text>,
        email_key -> Nullable<Text>,
        company -> Nullable<Text>,
        first_name -> Nullable<Text>,
        last_name -> Nullable<Text>,
        language -> Nullable<Text>,
        currency -> Nullable<Text>,
        tax_id -> Nullable<Text>,
        price_group -> Nullable<Text>,
        discount_group -> Nullable<Text>,
        payment_terms -> Nullable<Text>,
        credit_limit -> Nullable<Text>,
        credit_limit_currency -> Nullable<Text>,
        blocked -> Bool,
        version -> BigInt,
        changed_at -> Timestamp,
    }
}

diesel::table! {
    customer_aliases (number_key) {
        number_key -> Text,
        number -> Text,
        customer_id -> BigInt,
    }
}

diesel::table! {
    number_ranges (name) {
        name -> Text,
        next -> BigInt,
    }
}

diesel::table! {
    customer_addresses (id) {
        id -> BigInt,
        customer_id -> BigInt,
        kind -> Text,
        key -> Text,
        position -> Integer,
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

diesel::table! {
    customer_campaigns (customer_id, campaign) {
        customer_id -> BigInt,
        campaign -> Text,
    }
}

diesel::table! {
    customer_payment_methods (customer_id, position) {
        customer_id -> BigInt,
        position -> Integer,
        method -> Text,
    }
}

diesel::table! {
    customer_consents (customer_id, purpose) {
        customer_id -> BigInt,
        purpose -> Text,
        given -> Bool,
        at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    customer_attributes (customer_id, position) {
        customer_id -> BigInt,
        position -> Integer,
        code -> Text,
        value -> Text,
    }
}

diesel::table! {
    credit_bookings (id) {
        id -> BigInt,
        key -> Text,
        customer_id -> BigInt,
        amount -> Text,
        currency -> Text,
        reason -> Nullable<Text>,
        booked_at -> Timestamp,
    }
}

diesel::table! {
    customer_merges (id) {
        id -> BigInt,
        customer_id -> BigInt,
        into_id -> BigInt,
        merged_at -> Timestamp,
        undone_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    customer_merge_moves (merge_id, record, record_id) {
        merge_id -> BigInt,
        record -> Text,
        record_id -> BigInt,
        kind_before -> Nullable<Text>,
        key_before -> Nullable<Text>,
    }
}

diesel::table! {
    customer_groups (id) {
        id -> BigInt,
        kind -> Text,
        key -> Text,
        version -> BigInt,
        changed_at -> Timestamp,
    }
}

diesel::table! {
    customer_group_names (group_id, language) {
        group_id -> BigInt,
        language -> Text,
        name -> Text,
    }
}

diesel::joinable!(customer_aliases -> customers (customer_id));
diesel::joinable!(credit_bookings -> customers (customer_id));
diesel::allow_tables_to_appear_in_same_query!(customers, customer_aliases, credit_bookings);
diesel::allow_tables_to_appear_in_same_query!(customer_groups, customer_group_names);
