//! Tables as the migrations make them; one declaration serves both databases.
//!
//! A test compares it with what the migrations of each database really create.

diesel::table! {
    institute (id) {
        id -> Text,
        code -> Text,
        name_zh -> Text,
        name_en -> Text,
        abbreviation -> Text,
        jurisdiction -> Text,
        address_zh -> Text,
        address_en -> Text,
        sample_prefix -> Text,
        created_at -> Text,
        revision -> BigInt,
        keeps_catalogue -> Bool,
    }
}

diesel::table! {
    applicant (id) {
        id -> Text,
        name -> Text,
        address -> Text,
        contact -> Text,
        created_at -> Text,
        revision -> BigInt,
        institute_id -> Nullable<Text>,
        owner_open -> Bool,
    }
}

diesel::table! {
    account (id) {
        id -> Text,
        username -> Text,
        display_name -> Text,
        password_hash -> Text,
        institute_id -> Nullable<Text>,
        applicant_id -> Nullable<Text>,
        disabled -> Bool,
        failed_logins -> BigInt,
        locked_until -> Nullable<Text>,
        created_at -> Text,
        revision -> BigInt,
        password_origin -> Text,
    }
}

diesel::table! {
    account_role (account_id, role) {
        account_id -> Text,
        role -> Text,
    }
}

diesel::table! {
    session (id) {
        id -> Text,
        account_id -> Text,
        family -> Text,
        refresh_sha256 -> Text,
        created_at -> Text,
        expires_at -> Text,
        used_at -> Nullable<Text>,
        revoked_at -> Nullable<Text>,
        source -> Nullable<Text>,
        agent -> Nullable<Text>,
        opened_at -> Nullable<Text>,
        seen_at -> Nullable<Text>,
        proven_at -> Nullable<Text>,
    }
}

diesel::table! {
    second_factor (account_id) {
        account_id -> Text,
        sealed -> Text,
        last_step -> BigInt,
        offered_at -> Text,
        confirmed_at -> Nullable<Text>,
    }
}

diesel::table! {
    recovery_code (account_id, code_sha256) {
        account_id -> Text,
        code_sha256 -> Text,
        used_at -> Nullable<Text>,
    }
}

diesel::table! {
    signature (id) {
        id -> Text,
        account_id -> Text,
        meaning -> Text,
        subject_kind -> Text,
        subject_id -> Text,
        content_sha256 -> Text,
        signed_at -> Text,
        password_at -> Nullable<Text>,
        data_sha256 -> Nullable<Text>,
    }
}

diesel::table! {
    signatory_field (id) {
        id -> Text,
        account_id -> Text,
        business -> Text,
        category -> Nullable<Text>,
        valid_from -> Text,
        valid_to -> Nullable<Text>,
        document -> Text,
        appointed_by -> Nullable<Text>,
        appointed_at -> Text,
    }
}

diesel::table! {
    signatory_field_end (id) {
        id -> Text,
        field_id -> Text,
        ends_on -> Text,
        reason -> Text,
        ended_by -> Text,
        ended_at -> Text,
    }
}

diesel::table! {
    product (id) {
        id -> Text,
        code -> Text,
        name_zh -> Text,
        name_en -> Text,
        category -> Text,
        device_class -> Nullable<Text>,
        strength -> Text,
        dosage_form -> Text,
        package_spec -> Text,
        storage -> Text,
        manufacturer -> Text,
        holder -> Text,
        approval_number -> Nullable<Text>,
        container_name -> Text,
        container_content -> Text,
        content_unit -> Text,
        created_at -> Text,
        revision -> BigInt,
        institute_id -> Nullable<Text>,
        owner_open -> Bool,
    }
}

diesel::table! {
    product_trait (product_id, trait_name) {
        product_id -> Text,
        trait_name -> Text,
    }
}

diesel::table! {
    specification (id) {
        id -> Text,
        product_id -> Text,
        version -> BigInt,
        title -> Text,
        edition -> Text,
        status -> Text,
        effective_from -> Nullable<Text>,
        created_at -> Text,
        revision -> BigInt,
        drafted_by -> Nullable<Text>,
        released_by -> Nullable<Text>,
    }
}

diesel::table! {
    test_item (id) {
        id -> Text,
        specification_id -> Text,
        position -> BigInt,
        code -> Text,
        name_zh -> Text,
        name_en -> Text,
        method -> Text,
        kind -> Text,
        unit -> Text,
        limit_text -> Text,
        compare_by -> Text,
        rounding_step -> Nullable<Text>,
        formula -> Nullable<Text>,
        inputs -> Text,
        replicates -> BigInt,
        consumes -> Text,
        in_scope -> Bool,
        annex -> Text,
        plausible -> Nullable<Text>,
        retest_allowed -> Nullable<Bool>,
        consumes_unit -> Nullable<Text>,
        whole_containers -> Nullable<BigInt>,
    }
}

diesel::table! {
    authorisation (id) {
        id -> Text,
        institute_id -> Text,
        product_id -> Nullable<Text>,
        category -> Nullable<Text>,
        item_code -> Nullable<Text>,
        valid_from -> Text,
        valid_to -> Nullable<Text>,
        document -> Text,
        created_at -> Text,
        revision -> BigInt,
    }
}

diesel::table! {
    number_series (series, year) {
        series -> Text,
        year -> BigInt,
        last -> BigInt,
    }
}

diesel::table! {
    application (id) {
        id -> Text,
        number -> Text,
        business -> Text,
        purpose -> Text,
        pre_submission -> Bool,
        standard_verification -> Bool,
        institute_id -> Text,
        applicant_id -> Text,
        product_id -> Text,
        specification_id -> Text,
        state -> Text,
        accepted_on -> Nullable<Text>,
        arrived_at_port_on -> Nullable<Text>,
        notice_received_on -> Nullable<Text>,
        sampled_on -> Nullable<Text>,
        received_on -> Nullable<Text>,
        acceptance_number -> Nullable<Text>,
        particulars -> Text,
        lane -> Nullable<Text>,
        lane_rank -> BigInt,
        determination -> Nullable<Text>,
        state_reason -> Nullable<Text>,
        created_by -> Text,
        created_at -> Text,
        revision -> BigInt,
    }
}

diesel::table! {
    application_clock (application_id, name) {
        application_id -> Text,
        name -> Text,
        unit -> Text,
        limit_days -> BigInt,
        starts -> Text,
        due -> Text,
        provisional -> Bool,
        provisions -> Text,
    }
}

diesel::table! {
    batch (id) {
        id -> Text,
        application_id -> Text,
        position -> BigInt,
        lot_number -> Text,
        produced_on -> Nullable<Text>,
        expires_on -> Nullable<Text>,
        lot_size -> Nullable<Text>,
        revision -> BigInt,
        withdrawn_at -> Nullable<Text>,
        withdrawn_because -> Nullable<Text>,
        despite_duplicate -> Nullable<Text>,
    }
}

diesel::table! {
    sample (id) {
        id -> Text,
        number -> Text,
        application_id -> Text,
        batch_id -> Text,
        state -> Text,
        received_at -> Text,
        received_by -> Text,
        temperature -> Nullable<Text>,
        seals_intact -> Bool,
        packages -> BigInt,
        packages_intact -> Bool,
        label_matches -> Bool,
        condition_note -> Text,
        state_reason -> Nullable<Text>,
        full_test_containers -> BigInt,
        required_containers -> BigInt,
        institute_id -> Text,
        revision -> BigInt,
        content_amount -> Nullable<Text>,
        content_unit -> Nullable<Text>,
    }
}

diesel::table! {
    container (id) {
        id -> Text,
        sample_id -> Text,
        position -> BigInt,
        label_code -> Text,
        portion -> Text,
        revision -> BigInt,
        institute_id -> Text,
    }
}

diesel::table! {
    custody_balance (sample_id, place) {
        sample_id -> Text,
        place -> Text,
        balance -> BigInt,
        billionths -> Nullable<BigInt>,
    }
}

diesel::table! {
    custody_entry (id) {
        id -> Text,
        sample_id -> Text,
        container_id -> Nullable<Text>,
        from_place -> Text,
        to_place -> Text,
        quantity -> BigInt,
        reason -> Text,
        moved_by -> Text,
        moved_at -> Text,
        billionths -> Nullable<BigInt>,
        test_task_id -> Nullable<Text>,
        receipt -> Nullable<Text>,
    }
}

diesel::table! {
    keeping_request (id) {
        id -> Text,
        institute_id -> Text,
        sample_id -> Text,
        kind -> Text,
        from_place -> Text,
        quantity -> BigInt,
        reason -> Text,
        asked_by -> Text,
        asked_at -> Text,
    }
}

diesel::table! {
    keeping_step (id) {
        id -> Text,
        request_id -> Text,
        position -> BigInt,
        event -> Text,
        state -> Text,
        note -> Text,
        by_account -> Text,
        at -> Text,
        signature_id -> Nullable<Text>,
        custody_entry_id -> Nullable<Text>,
    }
}

diesel::table! {
    handover (id) {
        id -> Text,
        institute_id -> Text,
        sample_id -> Text,
        container_id -> Nullable<Text>,
        position -> BigInt,
        from_account -> Text,
        to_account -> Text,
        scanned -> Text,
        note -> Text,
        recorded_by -> Text,
        at -> Text,
    }
}

diesel::table! {
    lot_key (batch_id) {
        batch_id -> Text,
        lot -> Text,
    }
}

diesel::table! {
    label_print (id) {
        id -> Text,
        institute_id -> Text,
        sample_id -> Text,
        container_id -> Nullable<Text>,
        code -> Text,
        copy_number -> BigInt,
        reason -> Nullable<Text>,
        printed_by -> Text,
        printed_at -> Text,
    }
}

diesel::table! {
    reversal (id) {
        id -> Text,
        institute_id -> Text,
        subject_kind -> Text,
        subject_id -> Text,
        was -> Text,
        becomes -> Text,
        revision -> Nullable<BigInt>,
        custody_entry_id -> Nullable<Text>,
        was_because -> Nullable<Text>,
        reason -> Text,
        by_account -> Text,
        at -> Text,
    }
}

diesel::table! {
    seal_anchor (id) {
        id -> Text,
        seal_seq -> BigInt,
        kind -> Text,
        target -> Text,
        chained -> Text,
        token -> Nullable<Text>,
        anchored_at -> Text,
    }
}

diesel::table! {
    idempotency_key (account_id, request_key) {
        account_id -> Text,
        request_key -> Text,
        request_sha256 -> Text,
        status -> BigInt,
        body -> Text,
        created_at -> Text,
    }
}

diesel::table! {
    instrument_file (id) {
        id -> Text,
        sha256 -> Text,
        name -> Text,
        size -> BigInt,
        institute_id -> Text,
        adapter -> Nullable<Text>,
        adapter_version -> Nullable<Text>,
        complete -> Nullable<Bool>,
        run -> Text,
        problems -> Text,
        state -> Text,
        state_reason -> Nullable<Text>,
        uploaded_by -> Text,
        uploaded_at -> Text,
        decided_by -> Nullable<Text>,
        decided_at -> Nullable<Text>,
        instrument_id -> Nullable<Text>,
        source -> Text,
        path -> Nullable<Text>,
        version -> BigInt,
        supersedes -> Nullable<Text>,
        revision -> BigInt,
    }
}

diesel::table! {
    health_probe (id) {
        id -> BigInt,
        probes -> BigInt,
    }
}

diesel::table! {
    pending_file (sha256) {
        sha256 -> Text,
        bytes -> Binary,
    }
}

diesel::table! {
    demonstration (id) {
        id -> BigInt,
        made_at -> Text,
    }
}

diesel::table! {
    instrument (id) {
        id -> Text,
        institute_id -> Text,
        account_id -> Text,
        code -> Text,
        name -> Text,
        vendor -> Text,
        model -> Text,
        serial -> Text,
        adapter -> Nullable<Text>,
        date_order -> Nullable<Text>,
        zone -> Nullable<Text>,
        matching -> Text,
        folder -> Nullable<Text>,
        folder_pattern -> Text,
        listener_kind -> Nullable<Text>,
        listener_port -> Nullable<BigInt>,
        listener_idle_ms -> BigInt,
        state -> Text,
        state_reason -> Nullable<Text>,
        created_by -> Text,
        created_at -> Text,
        changed_by -> Nullable<Text>,
        changed_at -> Nullable<Text>,
        revision -> BigInt,
        listener_peers -> Text,
    }
}

diesel::table! {
    calibration (id) {
        id -> Text,
        instrument_id -> Text,
        performed_on -> Text,
        due_on -> Nullable<Text>,
        result -> Text,
        certificate_number -> Text,
        performed_by -> Text,
        note -> Text,
        recorded_by -> Text,
        recorded_at -> Text,
    }
}

diesel::table! {
    instrument_way (instrument_id, kind) {
        instrument_id -> Text,
        kind -> Text,
        reached_at -> Nullable<Text>,
        failing_since -> Nullable<Text>,
        error -> Nullable<Text>,
    }
}

diesel::table! {
    instrument_folder_entry (instrument_id, path) {
        instrument_id -> Text,
        path -> Text,
        size -> BigInt,
        modified -> BigInt,
        sha256 -> Nullable<Text>,
        state -> Text,
        instrument_file_id -> Nullable<Text>,
        tries -> BigInt,
        seen_at -> Text,
    }
}

diesel::table! {
    companion_file (instrument_file_id, name) {
        instrument_file_id -> Text,
        name -> Text,
        sha256 -> Text,
        size -> BigInt,
    }
}

diesel::table! {
    dead_letter (id) {
        id -> Text,
        institute_id -> Text,
        instrument_id -> Nullable<Text>,
        source -> Text,
        name -> Text,
        path -> Nullable<Text>,
        code -> Text,
        reason -> Text,
        sha256 -> Nullable<Text>,
        size -> Nullable<BigInt>,
        tries -> BigInt,
        first_at -> Text,
        last_at -> Text,
        state -> Text,
        state_reason -> Nullable<Text>,
        decided_by -> Nullable<Text>,
        decided_at -> Nullable<Text>,
        instrument_file_id -> Nullable<Text>,
        revision -> BigInt,
    }
}

diesel::table! {
    run_list (id) {
        id -> Text,
        institute_id -> Text,
        instrument_id -> Nullable<Text>,
        instrument_file_id -> Nullable<Text>,
        file_pattern -> Nullable<Text>,
        created_by -> Text,
        created_at -> Text,
        withdrawn_at -> Nullable<Text>,
        revision -> BigInt,
    }
}

diesel::table! {
    run_list_row (run_list_id, position) {
        run_list_id -> Text,
        position -> BigInt,
        place -> Text,
        sample_id -> Text,
    }
}

diesel::table! {
    observation (id) {
        id -> Text,
        instrument_file_id -> Text,
        position -> BigInt,
        sample_text -> Nullable<Text>,
        analyte -> Nullable<Text>,
        quantity -> Text,
        raw -> Text,
        value -> Nullable<Text>,
        unit -> Nullable<Text>,
        status -> Text,
        flags -> Text,
        locator -> Text,
        injection -> Nullable<Text>,
        acquired_at -> Nullable<Text>,
        bound -> Nullable<Text>,
        context -> Text,
        sample_id -> Nullable<Text>,
        readings -> Text,
        chosen -> Nullable<Text>,
        chosen_by -> Nullable<Text>,
    }
}

diesel::table! {
    test_task (id) {
        id -> Text,
        sample_id -> Text,
        test_item_id -> Text,
        attempt -> BigInt,
        state -> Text,
        lane_rank -> BigInt,
        due -> Nullable<Text>,
        available_at -> Text,
        started_at -> Nullable<Text>,
        analyst_id -> Nullable<Text>,
        institute_id -> Text,
        revision -> BigInt,
        assigned_to -> Nullable<Text>,
        repeats_result_id -> Nullable<Text>,
    }
}

diesel::table! {
    reading (id) {
        id -> Text,
        test_task_id -> Text,
        name -> Text,
        position -> BigInt,
        version -> BigInt,
        raw -> Text,
        value -> Nullable<Text>,
        unit -> Text,
        observation_id -> Nullable<Text>,
        reason -> Nullable<Text>,
        entered_by -> Text,
        entered_at -> Text,
        evaluation_result_id -> Nullable<Text>,
        conversion -> Nullable<Text>,
        despite_range -> Nullable<Text>,
    }
}

diesel::table! {
    result (id) {
        id -> Text,
        test_task_id -> Text,
        version -> BigInt,
        calculated -> Text,
        reported -> Text,
        unit -> Text,
        limit_text -> Text,
        compare_by -> Text,
        verdict -> Text,
        steps -> Text,
        reagents -> Text,
        note -> Text,
        analyst_id -> Text,
        entered_at -> Text,
        reviewer_id -> Nullable<Text>,
        reviewed_at -> Nullable<Text>,
        review_outcome -> Nullable<Text>,
        review_note -> Nullable<Text>,
        revision -> BigInt,
        outside -> Text,
        despite_range -> Nullable<Text>,
    }
}

diesel::table! {
    investigation_step (id) {
        id -> Text,
        result_id -> Text,
        position -> BigInt,
        event -> Text,
        state -> Text,
        reason -> Text,
        answers -> Text,
        cause -> Nullable<Text>,
        evidence -> Nullable<Text>,
        repetitions -> Nullable<BigInt>,
        second_analyst -> Nullable<Text>,
        by_account -> Text,
        at -> Text,
    }
}

diesel::table! {
    out_of_limit_decision (id) {
        id -> Text,
        result_id -> Text,
        decision -> Text,
        reason -> Text,
        decided_by -> Text,
        decided_at -> Text,
    }
}

diesel::table! {
    result_correction (id) {
        id -> Text,
        result_id -> Text,
        kind -> Text,
        reason -> Text,
        evidence -> Text,
        ordered_by -> Text,
        ordered_at -> Text,
    }
}

diesel::table! {
    record_correction (id) {
        id -> Text,
        institute_id -> Text,
        subject -> Text,
        subject_id -> Text,
        application_id -> Nullable<Text>,
        field -> Text,
        old_value -> Text,
        new_value -> Text,
        reason -> Text,
        evidence -> Text,
        proposed_by -> Text,
        proposed_at -> Text,
    }
}

diesel::table! {
    record_correction_decision (correction_id) {
        correction_id -> Text,
        outcome -> Text,
        note -> Text,
        decided_by -> Text,
        decided_at -> Text,
        signature_id -> Nullable<Text>,
    }
}

diesel::table! {
    corrected_certificate (certificate_id, correction_id) {
        certificate_id -> Text,
        correction_id -> Text,
    }
}

diesel::table! {
    certificate_correction (certificate_id, result_correction_id) {
        certificate_id -> Text,
        result_correction_id -> Text,
    }
}

diesel::table! {
    import_check (id) {
        id -> Text,
        instrument_file_id -> Text,
        test_task_id -> Nullable<Text>,
        outcome -> Text,
        reason -> Nullable<Text>,
        checked_by -> Text,
        checked_at -> Text,
    }
}

diesel::table! {
    certificate (id) {
        id -> Text,
        kind -> Text,
        number -> Nullable<Text>,
        application_id -> Text,
        sample_id -> Text,
        state -> Text,
        conforms -> Bool,
        data -> Text,
        verification_code -> Text,
        amends_id -> Nullable<Text>,
        amendment_reason -> Nullable<Text>,
        drafted_by -> Text,
        drafted_at -> Text,
        reviewed_by -> Nullable<Text>,
        reviewed_at -> Nullable<Text>,
        signed_by -> Nullable<Text>,
        signed_at -> Nullable<Text>,
        signature_id -> Nullable<Text>,
        pdf_sha256 -> Nullable<Text>,
        state_reason -> Nullable<Text>,
        institute_id -> Text,
        revision -> BigInt,
    }
}

diesel::table! {
    audit_entry (seq) {
        seq -> BigInt,
        at -> Text,
        actor_id -> Nullable<Text>,
        actor -> Text,
        action -> Text,
        subject_kind -> Text,
        subject_id -> Text,
        changes -> Text,
        reason -> Nullable<Text>,
        request_id -> Nullable<Text>,
        event_version -> BigInt,
        institute_id -> Nullable<Text>,
        rows_sha256 -> Nullable<Text>,
    }
}

diesel::table! {
    audit_rows (seq) {
        seq -> BigInt,
        hashes -> Text,
    }
}

diesel::table! {
    audit_end (id) {
        id -> BigInt,
        last -> BigInt,
        gapless_from -> BigInt,
        baseline -> BigInt,
    }
}

diesel::table! {
    audit_seal (seq) {
        seq -> BigInt,
        first_entry -> BigInt,
        last_entry -> BigInt,
        entry_count -> BigInt,
        leaves -> Text,
        root -> Text,
        previous -> Text,
        chained -> Text,
        key_id -> Text,
        signature -> Text,
        sealed_at -> Text,
    }
}

diesel::table! {
    protocol_review (id) {
        id -> Text,
        institute_id -> Text,
        sample_id -> Text,
        protocol_number -> Text,
        outcome -> Text,
        note -> Text,
        reviewed_by -> Text,
        reviewed_at -> Text,
        signature_id -> Text,
    }
}

diesel::table! {
    reference_standard (id) {
        id -> Text,
        institute_id -> Text,
        name -> Text,
        batch -> Text,
        source -> Text,
        purity -> Text,
        basis -> Text,
        water -> Nullable<Text>,
        expires_on -> Text,
        storage -> Text,
        note -> Text,
        created_by -> Text,
        created_at -> Text,
        withdrawn_by -> Nullable<Text>,
        withdrawn_at -> Nullable<Text>,
        withdrawn_reason -> Nullable<Text>,
        revision -> BigInt,
    }
}

diesel::table! {
    evaluation (id) {
        id -> Text,
        root_id -> Text,
        version -> BigInt,
        institute_id -> Text,
        kind -> Text,
        title -> Text,
        method_id -> Text,
        method_version -> Text,
        method -> Text,
        calculation_version -> Text,
        setup -> Text,
        standards -> Text,
        outcome -> Text,
        verdict -> Text,
        reason -> Nullable<Text>,
        created_by -> Text,
        created_at -> Text,
    }
}

diesel::table! {
    evaluation_file (evaluation_id, instrument_file_id) {
        evaluation_id -> Text,
        instrument_file_id -> Text,
        position -> BigInt,
    }
}

diesel::table! {
    evaluation_standard (evaluation_id, reference_standard_id) {
        evaluation_id -> Text,
        reference_standard_id -> Text,
    }
}

diesel::table! {
    evaluation_result (id) {
        id -> Text,
        evaluation_id -> Text,
        position -> BigInt,
        sample_id -> Nullable<Text>,
        label -> Text,
        analyte -> Text,
        quantity -> Text,
        part -> Text,
        raw -> Text,
        value -> Nullable<Text>,
        unit -> Text,
        steps -> Text,
    }
}

diesel::table! {
    owner_proposal (id) {
        id -> Text,
        institute_id -> Text,
        product_id -> Nullable<Text>,
        applicant_id -> Nullable<Text>,
        to_institute_id -> Nullable<Text>,
        reason -> Text,
        proposed_by -> Text,
        proposed_at -> Text,
        confirmed_by -> Nullable<Text>,
        confirmed_at -> Nullable<Text>,
    }
}

diesel::joinable!(keeping_request -> sample (sample_id));
diesel::joinable!(keeping_step -> keeping_request (request_id));
diesel::joinable!(handover -> sample (sample_id));
diesel::joinable!(lot_key -> batch (batch_id));
diesel::joinable!(owner_proposal -> product (product_id));
diesel::joinable!(owner_proposal -> applicant (applicant_id));
diesel::joinable!(audit_rows -> audit_entry (seq));
diesel::joinable!(account -> institute (institute_id));
diesel::joinable!(account -> applicant (applicant_id));
diesel::joinable!(account_role -> account (account_id));
diesel::joinable!(session -> account (account_id));
diesel::joinable!(second_factor -> account (account_id));
diesel::joinable!(recovery_code -> account (account_id));
diesel::joinable!(signature -> account (account_id));
diesel::joinable!(signatory_field -> account (account_id));
diesel::joinable!(signatory_field_end -> signatory_field (field_id));
diesel::joinable!(product_trait -> product (product_id));
diesel::joinable!(specification -> product (product_id));
diesel::joinable!(test_item -> specification (specification_id));
diesel::joinable!(authorisation -> institute (institute_id));
diesel::joinable!(authorisation -> product (product_id));
diesel::joinable!(application -> institute (institute_id));
diesel::joinable!(application -> applicant (applicant_id));
diesel::joinable!(application -> product (product_id));
diesel::joinable!(application -> specification (specification_id));
diesel::joinable!(application -> account (created_by));
diesel::joinable!(application_clock -> application (application_id));
diesel::joinable!(batch -> application (application_id));
diesel::joinable!(sample -> application (application_id));
diesel::joinable!(sample -> batch (batch_id));
diesel::joinable!(sample -> account (received_by));
diesel::joinable!(container -> sample (sample_id));
diesel::joinable!(custody_balance -> sample (sample_id));
diesel::joinable!(custody_entry -> sample (sample_id));
diesel::joinable!(custody_entry -> container (container_id));
diesel::joinable!(custody_entry -> account (moved_by));
diesel::joinable!(idempotency_key -> account (account_id));
diesel::joinable!(instrument_file -> institute (institute_id));
diesel::joinable!(instrument -> institute (institute_id));
diesel::joinable!(instrument -> account (account_id));
diesel::joinable!(calibration -> instrument (instrument_id));
diesel::joinable!(instrument_file -> instrument (instrument_id));
diesel::joinable!(companion_file -> instrument_file (instrument_file_id));
diesel::joinable!(run_list_row -> run_list (run_list_id));
diesel::joinable!(run_list_row -> sample (sample_id));
diesel::joinable!(observation -> instrument_file (instrument_file_id));
diesel::joinable!(observation -> sample (sample_id));
diesel::joinable!(test_task -> sample (sample_id));
diesel::joinable!(test_task -> test_item (test_item_id));
diesel::joinable!(test_task -> account (analyst_id));
diesel::joinable!(reading -> test_task (test_task_id));
diesel::joinable!(reading -> observation (observation_id));
diesel::joinable!(reading -> account (entered_by));
diesel::joinable!(result -> test_task (test_task_id));
diesel::joinable!(investigation_step -> result (result_id));
diesel::joinable!(out_of_limit_decision -> result (result_id));
diesel::joinable!(out_of_limit_decision -> account (decided_by));
diesel::joinable!(result_correction -> result (result_id));
diesel::joinable!(result_correction -> account (ordered_by));
diesel::joinable!(record_correction_decision -> record_correction (correction_id));
diesel::joinable!(corrected_certificate -> certificate (certificate_id));
diesel::joinable!(corrected_certificate -> record_correction (correction_id));
diesel::joinable!(certificate_correction -> certificate (certificate_id));
diesel::joinable!(certificate_correction -> result_correction (result_correction_id));
diesel::joinable!(import_check -> instrument_file (instrument_file_id));
diesel::joinable!(import_check -> test_task (test_task_id));
diesel::joinable!(import_check -> account (checked_by));
diesel::joinable!(protocol_review -> sample (sample_id));
diesel::joinable!(protocol_review -> account (reviewed_by));
diesel::joinable!(label_print -> sample (sample_id));
diesel::joinable!(label_print -> account (printed_by));
diesel::joinable!(reversal -> account (by_account));
diesel::joinable!(seal_anchor -> audit_seal (seal_seq));
diesel::joinable!(certificate -> application (application_id));
diesel::joinable!(certificate -> sample (sample_id));
diesel::joinable!(certificate -> signature (signature_id));
diesel::joinable!(reading -> evaluation_result (evaluation_result_id));
diesel::joinable!(evaluation -> account (created_by));
diesel::joinable!(evaluation_file -> evaluation (evaluation_id));
diesel::joinable!(evaluation_file -> instrument_file (instrument_file_id));
diesel::joinable!(evaluation_result -> evaluation (evaluation_id));
diesel::joinable!(evaluation_result -> sample (sample_id));

diesel::allow_tables_to_appear_in_same_query!(
    keeping_request,
    keeping_step,
    handover,
    lot_key,
    owner_proposal,
    institute,
    applicant,
    account,
    account_role,
    session,
    second_factor,
    recovery_code,
    signature,
    signatory_field,
    signatory_field_end,
    product,
    product_trait,
    specification,
    test_item,
    authorisation,
    number_series,
    application,
    application_clock,
    batch,
    sample,
    container,
    custody_balance,
    custody_entry,
    label_print,
    reversal,
    seal_anchor,
    idempotency_key,
    instrument_file,
    instrument,
    calibration,
    instrument_way,
    instrument_folder_entry,
    companion_file,
    dead_letter,
    run_list,
    run_list_row,
    observation,
    test_task,
    reading,
    result,
    investigation_step,
    out_of_limit_decision,
    result_correction,
    certificate_correction,
    record_correction,
    record_correction_decision,
    corrected_certificate,
    import_check,
    certificate,
    protocol_review,
    audit_entry,
    audit_rows,
    audit_seal,
    reference_standard,
    evaluation,
    evaluation_file,
    evaluation_standard,
    evaluation_result,
);
