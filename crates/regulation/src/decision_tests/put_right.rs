//! The decisions of the register, one row each: the case, the clock asked for, its limit, its last day, and the
//! provisions; then what a case may not say against itself.

use super::*;

/// `case`, `clock`, `limit due [provisions]`; without a clock, an empty text.
const CLOCKS: &[(&str, &str, &str)] = &[
    // The notice of 2025-04-02 speaks of influenza vaccines; the policy and Shanghai of seasonal ones.
    ("lot CN 2025-04-01 vaccine influenza_vaccine", "testing", "60 2025-06-30 [R33-vaccine]"),
    ("lot CN 2025-04-02 vaccine influenza_vaccine", "testing", "45 2025-06-10 [FLU-2025]"),
    ("lot CN 2025-04-02 vaccine seasonal_influenza_vaccine", "testing", "45 2025-06-10 [N-12b FLU-2025]"),
    ("lot SH 2025-11-03 vaccine influenza_vaccine", "testing", "45 2026-01-06 [FLU-2025]"),
    ("lot SH 2025-11-03 vaccine seasonal_influenza_vaccine", "testing", "30 2025-12-15 [SH-12]"),
    ("lot SX 2026-07-01 biologic influenza_vaccine", "testing", "45 2026-09-02 [FLU-2025]"),
    // Sampling in Shanghai: by the day of arrival, whenever the case was accepted.
    ("port SH 2025-10-23 chemical arrived_at_port=2025-09-30", "port_sampling", ""),
    ("port SH 2025-10-22 chemical arrived_at_port=2025-10-24", "port_sampling", "3 2025-10-29 [SH-11a]"),
    ("port SH 2026-02-11 chemical arrived_at_port=2026-02-13", "port_sampling", "3 2026-02-25 [SH-11a]"),
    ("port CN 2026-02-11 chemical arrived_at_port=2026-02-13", "port_sampling", ""),
    // The decision on acceptance counts from receipt and ends with acceptance.
    ("lot CN 2026-07-06 vaccine received=2026-07-01", "acceptance_decision", "5 2026-07-08 [R33-acceptance]"),
    ("lot CN 2026-07-06 vaccine received=2026-07-06", "acceptance_decision", "5 2026-07-13 [R33-acceptance]"),
    ("lot CN 2026-07-06 vaccine received=2026-07-07", "acceptance_decision", ""),
    // Re-tests: at the port, biologics by the sentence of their own; not of registration testing.
    ("port CN 2026-07-06 chemical result_received=2026-07-06", "re_examination_request", "7 2026-07-13 [DL-102 IM-29]"),
    ("port CN 2026-07-06 tcm result_received=2026-07-06", "re_examination_request", "7 2026-07-13 [DL-102 IM-29]"),
    (
        "port CN 2026-07-06 vaccine result_received=2026-07-06",
        "re_examination_request",
        "7 2026-07-13 [DL-102 IM-29-biologics]",
    ),
    ("drug CN 2026-07-06 chemical result_received=2026-07-06", "re_examination_request", ""),
    ("device CN 2026-07-06 device II result_received=2026-07-06", "re_examination_request", ""),
    (
        "port CN 2026-07-06 chemical re_examination_accepted=2026-07-10",
        "port_retest_conclusion",
        "10 2026-07-20 [IM-29-conclusion]",
    ),
    (
        "port JL 2026-07-06 biologic re_examination_accepted=2026-07-10",
        "port_retest_conclusion",
        "10 2026-07-20 [IM-29-conclusion]",
    ),
    ("lot CN 2026-07-06 vaccine re_examination_accepted=2026-07-10", "port_retest_conclusion", ""),
    ("port CN 2026-07-06 chemical sampling_refused=2026-07-07", "sampling_refusal_report", "2 2026-07-09 [IM-25]"),
    ("lot CN 2026-07-06 vaccine sampling_refused=2026-07-07", "sampling_refusal_report", ""),
    // Forty working days before the review ends, counted back over Spring Festival.
    ("drug CN 2026-01-05 chemical review_ends=2026-04-03", "review_margin", "40 2026-02-02 [R27-margin]"),
    ("drug CN 2025-11-03 biologic standard review_ends=2026-07-01", "review_margin", "40 2026-05-06 [R27-margin]"),
    ("device CN 2026-01-05 device III review_ends=2026-04-03", "review_margin", ""),
    // The texts of Order 27.
    ("drug CN 2026-07-01 chemical", "testing", "60 2026-09-22 [R27-sample]"),
    ("drug CN 2026-01-05 chemical standard", "testing", "90 2026-05-20 [R27-sample-standard]"),
];

#[test]
fn every_clock_has_its_limit_its_day_and_its_provisions() {
    let told: Vec<String> = CLOCKS
        .iter()
        .filter_map(|(line, name, expected)| {
            let found = clock(line, name).map_or_else(String::new, |clock| {
                format!("{} {} [{}]", clock.limit, clock.due, ids(&clock.provisions))
            });
            (found != *expected).then(|| format!("{line}, {name}: {found} and not {expected}"))
        })
        .collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
}

#[test]
fn medicinal_materials_have_no_clocks_of_drug_import() {
    let dates = "arrived_at_port=2026-02-13 notice_received=2026-02-13 sampled=2026-02-24 result_received=2026-03-18 \
        sampling_refused=2026-02-24 re_examination_accepted=2026-03-20";
    for place in ["CN", "SH", "JL"] {
        assert_eq!(determine(&format!("port {place} 2026-02-11 medicinal_material {dates}")).clocks, [], "{place}");
        assert_eq!(
            determine(&format!("port {place} 2026-02-11 tcm {dates}")).clocks.len(),
            if place == "SH" { 6 } else { 5 }
        );
    }
    let refused = determine("lot CN 2026-01-05 medicinal_material").refusals;
    assert_eq!(refused.first().map(|one| ids(&one.provisions)), Some("R33-2".to_owned()));
    // A laboratory sets the clocks itself.
    let own = super::laboratory::OWN
        .replace("CN-GD", "CN-JL")
        .replace("[\"drug_registration\"], kind = \"drug\"", "[\"port_entry\"], category = [\"medicinal_material\"]")
        .replace(
            "quantity_multiple = 4",
            "clocks = [{ name = \"port_report\", unit = \"working_day\", limit = 15, starts = \"sampled\" }]",
        );
    let found = with(&own).expect("loads").determine(&case("port JL 2026-02-11 medicinal_material sampled=2026-02-24"));
    assert_eq!(found.expect("determined").clocks.first().map(|clock| clock.limit), Some(15));
}

#[test]
fn lanes_of_the_two_firsts_and_of_what_is_to_be_made_locally() {
    let table = [
        ("device SH 2026-01-05 device II first_in_country", "green_channel", "SH-10-likewise"),
        ("device SH 2026-01-05 device II first_of_kind", "routine", ""),
        ("device SX 2026-01-05 device II first_of_kind", "green_channel", "SX-11c"),
        ("device SX 2026-01-05 device II first_in_country", "green_channel", "SX-11c"),
        ("device GD 2026-01-05 device II first_in_country", "routine", ""),
        ("drug SH 2025-10-22 chemical import_to_local", "routine", ""),
        ("drug SH 2025-10-23 chemical import_to_local", "green_channel", "SH-9-drug"),
        ("drug SH 2025-10-23 chemical key_variety import_to_local", "green_channel", "SH-9-drug SH-2"),
        ("drug SX 2026-01-05 chemical import_to_local", "routine", ""),
        ("lot SH 2026-01-05 vaccine import_to_local", "routine", ""),
    ];
    for (line, lane, provisions) in table {
        let found = determine(line).lane;
        assert_eq!((found.value.as_str(), ids(&found.provisions).as_str()), (lane, provisions), "{line}");
    }
}

#[test]
fn what_a_case_says_against_itself_names_its_field() {
    let table = [
        ("drug CN 2026-01-05 chemical II", Some("product.device_class")),
        ("drug CN 2026-01-05 vaccine I", Some("product.device_class")),
        ("lot CN 2026-01-05 blood_screening_reagent III", Some("product.device_class")),
        ("device CN 2026-01-05 device", Some("product.device_class")),
        ("device SX 2026-01-05 ivd", Some("product.device_class")),
        ("device SX 2026-01-05 ivd II", None),
        ("drug CN 2026-01-05 chemical influenza_vaccine", Some("product.traits")),
        ("lot CN 2026-01-05 blood_product seasonal_influenza_vaccine", Some("product.traits")),
        ("device CN 2026-01-05 device II seasonal_influenza_vaccine", Some("product.traits")),
        ("port CN 2026-01-05 medicinal_material influenza_vaccine", Some("product.traits")),
        ("lot CN 2026-01-05 vaccine seasonal_influenza_vaccine", None),
        ("lot CN 2026-01-05 biologic influenza_vaccine", None),
        ("port SH 2026-01-05 chemical arrived_at_port=2026-01-06 sampled=2026-01-05", Some("dates.sampled")),
        ("port SH 2026-01-05 chemical arrived_at_port=2026-01-06 sampled=2026-01-06", None),
        ("port SH 2026-01-05 chemical sampled=2026-01-05", None),
    ];
    for (line, field) in table {
        let found = regulation().contradiction(&case(line));
        assert_eq!(found.as_ref().and_then(|error| error.field()), field, "{line}");
        if let Some(error) = found {
            assert_eq!(error.code(), "contradiction", "{line}");
            assert!(error.to_string().contains(" / "), "in both languages: {error}");
        }
    }
}

#[test]
fn interpretations_say_so_and_can_be_changed() {
    for id in [
        "N-10b",
        "N-10c",
        "N21-12",
        "SH-2",
        "SH-9-drug",
        "SH-9-precheck",
        "SH-10-likewise",
        "SH-11d-innovative",
        "SH-11d-urgent",
        "SX-11d",
        "JL-14",
    ] {
        let one = regulation().register().get(id).expect(id);
        let says = |note: &Option<String>, word: &str| note.as_ref().is_some_and(|note| note.contains(word));
        assert!(one.changeable, "{id}");
        assert!(says(&one.note_zh, "解释") && says(&one.note_en, "nterpretation"), "{id}");
    }
    let limit = regulation().register().get("SX-11b-limit").expect("a provision");
    assert!(!limit.active && limit.changeable);
}

#[test]
fn key_varieties_are_tested_ahead_in_shanghai() {
    let provisions = |line: &str| {
        let found = determine(line);
        (found.refusals.len(), found.lane.value)
    };
    assert_eq!(provisions("drug SH 2025-10-23 chemical pre supplement key_variety"), (0, Lane::GreenChannel));
    let own = "[[provision]]\nid = \"REG-2025-pre\"\nactive = false\n";
    let refusals = |line: &str| with(own).expect("loads").determine(&case(line)).expect(line).refusals.len();
    assert_eq!(refusals("drug SH 2025-10-23 chemical pre supplement key_variety"), 0, "SH-9-precheck alone");
    assert_eq!(refusals("drug SH 2025-10-22 chemical pre supplement key_variety"), 1);
    assert_eq!(refusals("drug SH 2025-10-23 chemical pre supplement"), 1);
}

#[test]
fn what_is_known_from_memory_is_marked_and_no_authority() {
    let register = regulation().register();
    for id in ["BASE-batches", "BASE-quantity", "R33-vaccine", "R27-2", "B6-portions", "N21-8", "N21-12", "N21-15"] {
        assert!(!register.get(id).expect(id).is_authority(), "{id}");
    }
    for id in ["N-11", "FLU-2025", "R33-34", "R27-sample", "CC-203", "SH-12", "REG-2025-quantity"] {
        assert!(register.get(id).expect(id).is_authority(), "{id}");
    }
    let cited = register.get("N21-9").expect("a provision").citation();
    assert!(cited.contains("国办发〔2021〕16号") && cited.contains("未经核对"), "{cited}");
    assert!(register.get("N21-9").is_some_and(|one| one.effective_note.is_some()));
    let said = determine("drug CN 2025-07-31 chemical").explanation.join("\n");
    assert!(said.contains("BASE-batches，一般知识") && said.contains("BASE-batches (general knowledge)"), "{said}");
}

#[test]
fn no_provision_without_a_text_claims_to_have_read_one() {
    for one in regulation().register().provisions() {
        let without = one.text.is_empty() && one.text_note.is_none();
        assert!(!without, "{} says nothing about its text", one.id);
        assert!(!one.text.is_empty() || one.confidence != Confidence::Stated, "{} has no text to be stated", one.id);
    }
}
