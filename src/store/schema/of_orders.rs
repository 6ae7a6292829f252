//! Orders, their documents, payments and shipments.

use super::customers;

diesel::table! {
    contents (sha256) {
        sha256 -> Text,
        size -> BigInt,
        bytes -> Binary,
    }
}

diesel::table! {
    order_exports (id) {
        id -> BigInt,
        handed_out_at -> Timestamp,
        leased_until -> Timestamp,
        warehouse -> Nullable<Text>,
        attempts -> Integer,
        confirmed_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    orders (id) {
        id -> BigInt,
        number -> Text,
        number_key -> Text,
        reference -> Nullable<Text>,
        ordered_at -> Timestamp,
        customer_id -> Nullable<BigInt>,
        email -> Nullable<Text>,
        language -> Nullable<Text>,
        currency -> Text,
        exchange_rate -> Nullable<Text>,
        gross -> Bool,
        exemption -> Nullable<Text>,
        goods -> Text,
        net -> Text,
        tax -> Text,
        total -> Text,
        payment_method -> Nullable<Text>,
        prepaid -> Bool,
        shipping_method -> Nullable<Text>,
        comment -> Nullable<Text>,
        weight -> Nullable<Text>,
        closed -> Bool,
        state -> Text,
        export_state -> Text,
        export_id -> Nullable<BigInt>,
        export_message -> Nullable<Text>,
        version -> BigInt,
        changed_at -> Timestamp,
    }
}

diesel::table! {
    order_addresses (order_id, kind) {
        order_id -> BigInt,
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

diesel::table! {
    order_positions (order_id, number) {
        order_id -> BigInt,
        number -> Integer,
        article_id -> Nullable<BigInt>,
        sku -> Nullable<Text>,
        text -> Nullable<Text>,
        quantity -> Text,
        unit -> Nullable<Text>,
        unit_price -> Text,
        discount -> Text,
        amount -> Text,
        tax_percent -> Text,
        warehouse -> Nullable<Text>,
        cancelled -> Text,
    }
}

diesel::table! {
    order_serials (order_id, position, place) {
        order_id -> BigInt,
        position -> Integer,
        place -> Integer,
        serial -> Text,
    }
}

diesel::table! {
    order_charges (order_id, place) {
        order_id -> BigInt,
        place -> Integer,
        kind -> Text,
        amount -> Text,
        tax_percent -> Nullable<Text>,
        text -> Nullable<Text>,
    }
}

diesel::table! {
    order_charge_shares (order_id, charge, place) {
        order_id -> BigInt,
        charge -> Integer,
        place -> Integer,
        percent -> Text,
        amount -> Text,
    }
}

diesel::table! {
    order_taxes (order_id, place) {
        order_id -> BigInt,
        place -> Integer,
        percent -> Text,
        net -> Text,
        tax -> Text,
        gross -> Text,
    }
}

diesel::table! {
    order_attributes (order_id, position) {
        order_id -> BigInt,
        position -> Integer,
        code -> Text,
        value -> Text,
    }
}

diesel::table! {
    documents (id) {
        id -> BigInt,
        number -> Text,
        number_key -> Text,
        kind -> Text,
        order_id -> BigInt,
        date -> Date,
        amount -> Nullable<Text>,
        text -> Nullable<Text>,
        pdf -> Nullable<Text>,
        recorded_at -> Timestamp,
    }
}

diesel::table! {
    document_parts (document_id, position) {
        document_id -> BigInt,
        position -> Integer,
        quantity -> Text,
    }
}

diesel::table! {
    payments (id) {
        id -> BigInt,
        key -> Text,
        order_id -> BigInt,
        method -> Nullable<Text>,
        state -> Text,
        amount -> Text,
        refunded -> Text,
        transaction_name -> Nullable<Text>,
        at -> Timestamp,
    }
}

diesel::table! {
    shipments (id) {
        id -> BigInt,
        key -> Text,
        order_id -> BigInt,
        carrier -> Nullable<Text>,
        tracking_number -> Nullable<Text>,
        tracking_url -> Nullable<Text>,
        shipped_at -> Timestamp,
    }
}

diesel::table! {
    shipment_parts (shipment_id, position) {
        shipment_id -> BigInt,
        position -> Integer,
        quantity -> Text,
    }
}

diesel::joinable!(orders -> customers (customer_id));
diesel::joinable!(orders -> order_exports (export_id));
diesel::joinable!(order_positions -> orders (order_id));
diesel::joinable!(order_addresses -> orders (order_id));
diesel::joinable!(documents -> orders (order_id));
diesel::joinable!(documents -> contents (pdf));
diesel::joinable!(document_parts -> documents (document_id));
diesel::joinable!(payments -> orders (order_id));
diesel::joinable!(shipments -> orders (order_id));
diesel::allow_tables_to_appear_in_same_query!(
    orders,
    customers,
    order_exports,
    order_positions,
    order_addresses,
    contents,
    documents,
    document_parts,
    payments,
    shipments,
);
