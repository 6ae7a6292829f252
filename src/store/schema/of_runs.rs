//! Runs, their progress and messages.

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
        mode -> Text,
        delete_at_most -> Integer,
        approved -> Bool,
        retry_of -> Nullable<BigInt>,
        direction -> Text,
        priority -> Integer,
        all_or_nothing -> Bool,
        pause_requested -> Bool,
        filter_text -> Nullable<Text>,
        claim -> Nullable<Text>,
        client -> Nullable<Text>,
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
        missing_count -> Nullable<BigInt>,
        rejected_bytes -> BigInt,
        filter_millis -> BigInt,
        stalled_attempts -> Integer,
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
    run_message_counts (run_id, severity, code) {
        run_id -> BigInt,
        severity -> Text,
        code -> Text,
        count -> BigInt,
    }
}

diesel::table! {
    run_records (run_id, key) {
        run_id -> BigInt,
        key -> Text,
    }
}

diesel::table! {
    run_samples (run_id, at) {
        run_id -> BigInt,
        at -> Timestamp,
        records -> BigInt,
    }
}

diesel::table! {
    run_exports (run_id) {
        run_id -> BigInt,
        since -> Nullable<Timestamp>,
        consumer -> Nullable<Text>,
        packed -> Bool,
        lease_seconds -> Nullable<Integer>,
        warehouse -> Nullable<Text>,
        export_id -> Nullable<BigInt>,
        after_change -> Nullable<BigInt>,
        until_change -> Nullable<BigInt>,
    }
}

diesel::table! {
    export_marks (kind, consumer) {
        kind -> Text,
        consumer -> Text,
        changed_before -> Timestamp,
        change_number -> BigInt,
    }
}

diesel::table! {
    run_changes (run_id, number) {
        run_id -> BigInt,
        number -> BigInt,
        record -> BigInt,
        record_key -> Text,
        outcome -> Text,
    }
}

diesel::table! {
    run_change_fields (run_id, number, place) {
        run_id -> BigInt,
        number -> BigInt,
        place -> Integer,
        field -> Text,
        before -> Nullable<Text>,
        after -> Nullable<Text>,
    }
}

diesel::table! {
    schedule_times (name, due_at) {
        name -> Text,
        due_at -> Timestamp,
        run_id -> Nullable<BigInt>,
        delivered -> Bool,
    }
}

diesel::table! {
    spooled (sha256) {
        sha256 -> Text,
        size -> BigInt,
        whole -> Bool,
        created_at -> Timestamp,
    }
}

diesel::table! {
    spooled_pieces (sha256, number) {
        sha256 -> Text,
        number -> BigInt,
        content -> Binary,
    }
}

diesel::table! {
    run_rejected (run_id, number) {
        run_id -> BigInt,
        number -> BigInt,
        content -> Binary,
    }
}

diesel::table! {
    run_notices (run_id, rule, event) {
        run_id -> BigInt,
        rule -> Text,
        event -> Text,
        done -> Bool,
        attempts -> Integer,
        due_at -> Timestamp,
        error -> Nullable<Text>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(runs, run_notices);
diesel::joinable!(run_exports -> runs (run_id));
diesel::joinable!(run_progress -> runs (run_id));
diesel::allow_tables_to_appear_in_same_query!(runs, run_progress, run_exports);
