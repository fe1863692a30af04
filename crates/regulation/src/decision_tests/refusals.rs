//! Remaining samples, refusals, the shape of a determination, and what later becomes of its dates.

use super::*;

#[test]
fn remaining_rare_disease_imports_may_be_sold_in_shanghai() {
    let found = determine("port SH 2026-01-05 chemical rare_disease").remainder;
    assert!(found.may_be_sold);
    assert_eq!(found.conditions, ["retention_reserved", "all_results_conform", "unit_unopened_without_loss"]);
    assert_eq!(found.provisions, ["SH-11c"]);
    for line in [
        "port SH 2025-10-22 chemical rare_disease",
        "port SH 2026-01-05 chemical",
        "port CN 2026-01-05 chemical rare_disease",
        "lot SH 2026-01-05 biologic rare_disease",
        "drug SH 2026-01-05 chemical rare_disease",
        "port SH 2026-01-05 device rare_disease",
    ] {
        let found = determine(line).remainder;
        assert!(!found.may_be_sold && found.conditions.is_empty() && found.provisions.is_empty(), "{line}");
    }
}

#[test]
fn testing_before_submission_needs_a_provision() {
    let table = [
        ("drug CN 2026-01-05 chemical pre", "", ""),
        ("drug CN 2025-07-31 chemical pre supplement", "pre_submission_not_provided", "R27-pre"),
        ("drug CN 2025-08-01 chemical pre supplement", "", ""),
        ("drug CN 2025-08-01 chemical pre site_change", "", ""),
        ("drug CN 2025-08-01 chemical pre major_change", "", ""),
        ("drug SH 2025-10-23 biologic pre major_change", "", ""),
        ("drug SX 2025-06-15 chemical pre site_change low_risk", "pre_submission_not_provided", "R27-pre"),
        ("drug SX 2025-06-16 chemical pre site_change low_risk", "", ""),
        ("drug SX 2025-06-16 chemical pre site_change", "pre_submission_not_provided", "R27-pre SX-11b"),
        ("drug SX 2026-01-05 chemical pre site_change", "", ""),
        ("drug SX 2027-06-16 chemical pre site_change", "", ""),
        ("drug SX 2025-07-01 chemical pre major_change", "pre_submission_not_provided", "R27-pre SX-11b"),
        ("drug SX 2025-08-01 chemical pre major_change", "", ""),
        ("drug SX 2026-01-05 chemical site_change", "", ""),
        ("device SX 2026-01-05 device pre site_change", "", ""),
        ("lot CN 2026-01-05 vaccine pre", "pre_submission_not_provided", ""),
        ("port SH 2026-01-05 chemical pre", "pre_submission_not_provided", ""),
    ];
    for (line, code, provisions) in table {
        let refusals = determine(line).refusals;
        let codes: Vec<&str> = refusals.iter().map(|one| one.code.as_str()).collect();
        let cited: Vec<String> = refusals.iter().map(|one| ids(&one.provisions)).collect();
        assert_eq!((codes.join(" "), cited.join(" ")), (code.to_owned(), provisions.to_owned()), "{line}");
        assert!(refusals.iter().all(|one| one.message.contains(" / ")), "{line}");
    }
}

#[test]
fn a_product_outside_the_business_is_refused() {
    let table = [
        ("lot CN 2026-01-05 chemical", "R33-2"),
        ("lot SH 2026-01-05 device", "R33-2"),
        ("port CN 2026-01-05 device", "IM-2"),
        ("drug CN 2026-01-05 device", "R27-2"),
        ("device CN 2026-01-05 chemical", "DR-2"),
    ];
    for (line, provision) in table {
        let refusals = determine(line).refusals;
        assert_eq!(refusals.len(), 1, "{line}");
        assert_eq!(
            refusals.first().map(|one| (one.code.as_str(), ids(&one.provisions))),
            Some(("product_outside_business", provision.to_owned())),
            "{line}"
        );
    }
}

#[test]
fn the_documented_determination_has_its_shape() {
    let text = r#"{"business": "lot_release", "jurisdiction": "CN-SH", "dates": {"accepted": "2025-11-03"},
                   "product": {"category": "vaccine", "traits": ["seasonal_influenza_vaccine"]}}"#;
    let case = CaseFacts::from_json(text).expect("the documented case");
    let found = regulation().determine(&case).expect("determined");
    let json = serde_json::to_value(&found).expect("JSON");
    assert_eq!(json["batches"], serde_json::json!({"value": null, "provisions": []}));
    assert_eq!(json["quantity_multiple"]["value"], 2);
    assert_eq!(json["lane"], serde_json::json!({"value": "routine", "provisions": []}));
    assert_eq!(
        json["clocks"],
        serde_json::json!([{"name": "testing", "unit": "working_day", "limit": 30, "starts": "2025-11-03",
                            "due": "2025-12-15", "provisional": false, "provisions": ["SH-12"]}])
    );
    assert_eq!(json["remainder"], serde_json::json!({"may_be_sold": false, "conditions": [], "provisions": []}));
    assert_eq!(json["refusals"], serde_json::json!([]));
    let explanation: Vec<&str> =
        json["explanation"].as_array().expect("sentences").iter().filter_map(|s| s.as_str()).collect();
    assert_eq!(explanation.len(), 5);
    assert!(
        explanation.iter().any(|s| s.contains("30个工作日") && s.contains("30 working days") && s.contains("SH-12"))
    );
    assert_eq!(serde_json::from_value::<Determination>(json).expect("reads back"), found);
}

#[test]
fn a_deadline_in_an_unpublished_year_is_provisional_until_the_year_is_loaded() {
    let found = determine("lot CN 2026-11-02 vaccine");
    let before = found.clocks.first().expect("a clock").clone();
    assert!(before.provisional);
    let year = "year = 2027\nnotice = \"x\"\n[[off]]\nname = \"元旦\"\nfrom = 2027-01-01\nto = 2027-01-05\n";
    let published = with(year).expect("a year");
    let fresh = published.recompute_due(&found).expect("recomputed");
    let after = fresh.clocks.first().expect("a clock");
    assert!(!after.provisional && after.due > before.due && after.limit == before.limit);
    assert!(fresh.explanation.iter().any(|sentence| sentence.contains(&after.due.to_string())));
    assert_eq!(published.recompute_due(&fresh), Ok(fresh));
}

#[test]
fn recomputing_changes_nothing_while_the_calendar_is_the_same() {
    for line in [
        "port SH 2026-02-11 chemical rare_disease arrived_at_port=2026-02-13 notice_received=2026-02-13",
        "drug SX 2026-01-05 chemical pre site_change innovative",
    ] {
        let found = determine(line);
        assert_eq!(regulation().recompute_due(&found), Ok(found), "{line}");
    }
}
