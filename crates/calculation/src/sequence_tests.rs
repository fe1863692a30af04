//! Sequences with numbers computed by hand (in 50 digits), and what must not give a number.

use std::collections::BTreeMap;

use super::Seen;
use super::method::{Method, methods};
use super::outcome::Outcome;
use super::sequence::evaluate;
use super::setup::{AssignedRole, Preparation, Role, Setup, StandardFacts};

/// Computed from the weighings and areas of [`assay`] and of the two other sequences, rounded to eight decimals.
const EXPECTED_MEAN: &str = "98.98384770";
const EXPECTED_PREPARATIONS: [&str; 2] = ["98.95222497", "99.01547044"];
const EXPECTED_RSD: &str = "0.1925390717";
const EXPECTED_AGREEMENT: &str = "100.1056402";
const EXPECTED_CHECK: &str = "100.0508222";
const EXPECTED_INTERNAL: &str = "101.12214533";
const EXPECTED_INTERCEPT: &str = "0.71186441";
const EXPECTED_SLOPE: &str = "1003.93097815";
const EXPECTED_LINE: &str = "87.06875159";

fn method(id: &str) -> Method {
    methods(&[]).expect("definitions").into_iter().find(|method| method.id == id).expect(id)
}

fn seen(n: usize, sample: &str, analyte: &str, quantity: &str, raw: &str) -> Seen {
    Seen {
        id: format!("{n}-{analyte}-{quantity}"),
        file: "f".into(),
        file_order: 0,
        sample_text: Some(sample.into()),
        analyte: Some(analyte.into()),
        quantity: quantity.into(),
        raw: raw.into(),
        value: raw.parse().ok(),
        unit: None,
        status: "ok".into(),
        flags: Vec::new(),
        injection: Some(n.to_string()),
        acquired_at: Some(format!("2026-03-11T{:02}:{:02}:00", 8 + n / 6, n % 6 * 10)),
        context: BTreeMap::new(),
        sample_id: sample.starts_with("SX").then(|| "s-1".to_owned()),
    }
}

fn preparation(label: &str, standard: &str, weight: &str) -> Preparation {
    Preparation {
        label: label.into(),
        standard_id: standard.into(),
        weight: weight.into(),
        volume: "50".into(),
        ..Preparation::default()
    }
}

fn lot() -> StandardFacts {
    StandardFacts {
        id: "r-1".into(),
        name: "示范对照品".into(),
        batch: "100001-202601".into(),
        purity: "99.6".into(),
        basis: "as_is".into(),
        water: String::new(),
    }
}

/// A sequence: blank, five suitability injections, two standards twice, two weighings of a sample twice, a check.
fn assay() -> (Setup, Vec<Seen>) {
    let run: [(&str, Role, &str, &str); 15] = [
        ("Blank", Role::Blank, "", ""),
        ("SST", Role::SystemSuitability, "", "2501.0"),
        ("SST", Role::SystemSuitability, "", "2503.0"),
        ("SST", Role::SystemSuitability, "", "2499.0"),
        ("SST", Role::SystemSuitability, "", "2502.0"),
        ("SST", Role::SystemSuitability, "", "2500.0"),
        ("STD-1", Role::Standard, "STD-1", "2500.0"),
        ("STD-1", Role::Standard, "STD-1", "2510.0"),
        ("STD-2", Role::Standard, "STD-2", "2475.0"),
        ("STD-2", Role::Standard, "STD-2", "2470.0"),
        ("SX20260001 a", Role::Sample, "a", "2520.0"),
        ("SX20260001 a", Role::Sample, "a", "2524.0"),
        ("SX20260001 b", Role::Sample, "b", "2485.0"),
        ("SX20260001 b", Role::Sample, "b", "2488.0"),
        ("CHK", Role::CheckStandard, "CHK", "2490.0"),
    ];
    let mut all = Vec::new();
    let mut setup = Setup { analyte: "Main".into(), ..Setup::default() };
    for (n, (name, role, preparation, area)) in run.into_iter().enumerate() {
        let injection = if area.is_empty() {
            let mut none = seen(n, name, "Main", "area", "-");
            none.status = "not_detected".into();
            none
        } else {
            all.push(seen(n, name, "Main", "retention_time", &format!("7.84{}", n % 3)));
            all.push(seen(n, name, "Main", "theoretical_plates", "8214"));
            all.push(seen(n, name, "Main", "asymmetry", "1.08"));
            all.push(seen(n, name, "Main", "resolution", "4.81"));
            seen(n, name, "Main", "area", area)
        };
        let key = format!("{name}|{n}|{}", injection.acquired_at.clone().expect("a time"));
        setup.injections.push(AssignedRole {
            injection: key,
            role,
            preparation: preparation.into(),
            ..AssignedRole::default()
        });
        all.push(injection);
    }
    setup.preparations = vec![
        preparation("STD-1", "r-1", "20.12"),
        preparation("STD-2", "r-1", "19.88"),
        preparation("CHK", "r-1", "20.00"),
        preparation("a", "", "20.40"),
        preparation("b", "", "20.10"),
    ];
    (setup, all)
}

fn found(change: impl FnOnce(&mut Method, &mut Setup, &mut Vec<Seen>, &mut StandardFacts)) -> Outcome {
    let (mut method, (mut setup, mut seen), mut lot) = (method("lc-external-standard"), assay(), lot());
    change(&mut method, &mut setup, &mut seen, &mut lot);
    evaluate(&method, &setup, &[lot], &seen)
}

#[track_caller]
fn refused(change: impl FnOnce(&mut Method, &mut Setup, &mut Vec<Seen>, &mut StandardFacts), code: &str) {
    let outcome = found(change);
    assert!(!outcome.valid && outcome.results.is_empty(), "{code}: {:?}", outcome.results);
    let codes: Vec<&str> = outcome.reasons.iter().map(|note| note.code.as_str()).collect();
    assert!(codes.contains(&code), "{code} is not in {codes:?}");
    assert!(
        outcome.reasons.iter().all(|note| note.text.contains(" / ") || note.code == "formula"),
        "{:?}",
        outcome.reasons
    );
}

fn area(seen: &mut [Seen], n: usize, raw: &str) {
    for one in seen.iter_mut().filter(|one| one.id == format!("{n}-Main-area")) {
        (one.raw, one.value) = (raw.into(), raw.parse().ok());
    }
}

#[test]
fn content_by_external_standard_is_what_was_computed_by_hand() {
    let outcome = found(|_, _, _, _| {});
    assert!(outcome.valid, "{:?}", outcome.reasons);
    let [one] = outcome.results.as_slice() else { panic!("{:?}", outcome.results) };
    let rounded = |text: &str| text.parse::<rust_decimal::Decimal>().expect("a decimal").round_dp(8).to_string();
    assert_eq!(rounded(one.value.as_deref().expect("a value")), EXPECTED_MEAN);
    let each: Vec<String> = one.replicates.iter().map(|part| rounded(&part.raw)).collect();
    assert_eq!(each, EXPECTED_PREPARATIONS);
    assert_eq!((one.sample_id.as_deref(), one.unit.as_str(), one.quantity.as_str()), (Some("s-1"), "%", "content"));
    let criterion = |code: &str| outcome.criteria.iter().find(|one| one.code == code).expect(code).clone();
    assert_eq!(criterion("factor_rsd").found, EXPECTED_RSD);
    assert_eq!(criterion("standards_agreement").found, EXPECTED_AGREEMENT);
    assert_eq!(criterion("bracket_recovery").found, EXPECTED_CHECK);
    assert_eq!((criterion("area_rsd").n, criterion("plates").met), (5, Some(true)));
    assert_eq!(outcome.brackets.len(), 4);
    assert!(outcome.brackets.iter().all(|line| line.met));
    // The steps show every number of the calculation.
    let steps = outcome.steps.join("\n");
    for part in ["20.12 × 0.996", "0.4007904", "RSD(n−1)", "c × volume × dilution ÷ weight × 100", "100001-202601"]
    {
        assert!(steps.contains(part), "{part} is not in\n{steps}");
    }
}

#[test]
fn water_of_the_standard_counts_where_its_purity_is_of_the_dried() {
    let outcome = found(|_, _, _, lot| (lot.basis, lot.water) = ("dried".into(), "2.5".into()));
    assert!(outcome.steps.iter().any(|step| step.contains("97.11 %")), "{:?}", outcome.steps);
    refused(|_, _, _, lot| lot.basis = "anhydrous".into(), "water_missing");
    let dried = found(|_, setup, _, lot| {
        lot.basis = "dried".into();
        setup.preparations.iter_mut().for_each(|one| one.dried = true);
    });
    assert_eq!(dried.results, found(|_, _, _, _| {}).results);
}

#[test]
fn a_criterion_that_is_not_met_leaves_no_content() {
    refused(
        |_, _, seen, _| {
            for one in seen.iter_mut().filter(|one| one.quantity == "theoretical_plates") {
                one.value = "1800".parse().ok();
            }
        },
        "plates",
    );
    refused(
        |_, _, seen, _| {
            seen.iter_mut().filter(|one| one.quantity == "asymmetry").for_each(|one| one.value = "1.7".parse().ok())
        },
        "tailing",
    );
    refused(
        |_, _, seen, _| {
            seen.iter_mut().filter(|one| one.quantity == "resolution").for_each(|one| one.value = "1.2".parse().ok())
        },
        "resolution",
    );
    refused(|_, _, seen, _| seen.retain(|one| one.quantity != "theoretical_plates"), "plates");
    refused(|_, _, seen, _| area(seen, 1, "2700.0"), "area_rsd");
    refused(|_, setup, _, _| setup.injections[5].role = Role::Other, "area_rsd");
    refused(
        |_, _, seen, _| {
            area(seen, 8, "2600.0");
            area(seen, 9, "2600.0");
        },
        "standards_agreement",
    );
    refused(|_, _, seen, _| area(seen, 14, "2600.0"), "bracket_recovery");
    refused(|_, _, seen, _| area(seen, 14, "2600.0"), "not_bracketed");
    refused(|_, setup, _, _| setup.injections[14].role = Role::Other, "not_bracketed");
    refused(
        |_, _, seen, _| {
            area(seen, 12, "2600.0");
            area(seen, 13, "2600.0");
        },
        "duplicates",
    );
    refused(
        |_, _, seen, _| {
            for one in seen.iter_mut().filter(|one| one.id == "0-Main-area") {
                (one.status, one.value) = ("ok".into(), "40".parse().ok());
            }
        },
        "blank",
    );
    refused(|_, setup, _, _| setup.injections[0].role = Role::Other, "no_blank");
}

#[test]
fn what_is_no_number_is_never_used_as_one() {
    for status in ["masked", "over_range", "not_detected", "below", "invalid"] {
        for n in [6, 10, 14] {
            refused(
                |_, _, seen, _| {
                    seen.iter_mut()
                        .filter(|one| one.id == format!("{n}-Main-area"))
                        .for_each(|one| one.status = status.into())
                },
                "unusable",
            );
        }
    }
    refused(
        |_, _, seen, _| {
            seen.iter_mut().filter(|one| one.id == "10-Main-area").for_each(|one| one.flags = vec!["saturated".into()])
        },
        "unusable",
    );
    refused(|_, _, seen, _| seen.retain(|one| one.id != "10-Main-area"), "no_peak");
    refused(|_, setup, _, _| setup.preparations[3].weight = "20,40".into(), "not_a_number");
    refused(|_, setup, _, _| setup.preparations[3].weight = String::new(), "formula");
    refused(|_, setup, _, _| setup.preparations.truncate(3), "no_weighing");
    refused(|_, setup, _, _| setup.preparations[0].standard_id = "r-9".into(), "no_standard");
    refused(|_, setup, _, _| setup.analyte = "Other".into(), "no_peak");
    refused(|_, setup, _, _| setup.injections.truncate(14), "unassigned");
    refused(|_, setup, _, _| setup.injections[3].injection = "x".into(), "unknown_injection");
}

#[test]
fn peaks_by_hand_are_named_and_older_versions_left_out() {
    let outcome = found(|_, _, seen, _| {
        seen.iter_mut().filter(|one| one.id == "10-Main-area").for_each(|one| one.flags = vec!["manual".into()])
    });
    assert!(outcome.valid, "{:?}", outcome.reasons);
    assert!(
        outcome
            .findings
            .iter()
            .any(|note| note.code == "by_hand" && note.observation_id.as_deref() == Some("10-Main-area"))
    );
    // The same injection processed again: the newer result counts, the older is named.
    let again = |superseded: bool| {
        found(|_, _, seen, _| {
            let old: Vec<Seen> = seen.iter().filter(|one| one.id.starts_with("10-")).cloned().collect();
            for mut one in old {
                one.id = format!("new-{}", one.id);
                one.context.insert("result_id".into(), "77".into());
                if one.quantity == "area" {
                    (one.raw, one.value) = ("2530.0".into(), "2530.0".parse().ok());
                }
                if superseded {
                    one.context.insert("superseded".into(), "true".into());
                }
                seen.push(one);
            }
        })
    };
    let line = |outcome: &Outcome| {
        outcome.injections.iter().find(|one| one.key.contains("|10|")).and_then(|one| one.response.clone())
    };
    let newer = again(false);
    assert_eq!(line(&newer).as_deref(), Some("2530.0"));
    assert!(newer.findings.iter().any(|note| note.code == "older_version"));
    assert_eq!(line(&again(true)).as_deref(), Some("2520.0"));
    // Two values that nothing tells apart: neither.
    refused(
        |_, _, seen, _| {
            let mut twice = seen.iter().find(|one| one.id == "10-Main-area").cloned().expect("it");
            twice.id = "twice".into();
            seen.push(twice);
        },
        "no_peak",
    );
}

#[test]
fn content_by_internal_standard() {
    let mut method = method("lc-internal-standard");
    method.criteria.clear();
    let mut all = Vec::new();
    let mut setup = Setup { analyte: "Main".into(), internal_standard: "IS".into(), ..Setup::default() };
    for (n, (name, role, main, internal)) in [
        ("STD", Role::Standard, "1000", "500"),
        ("STD", Role::Standard, "1000", "500"),
        ("SX20260001", Role::Sample, "1050", "510"),
    ]
    .into_iter()
    .enumerate()
    {
        all.push(seen(n, name, "Main", "area", main));
        all.push(seen(n, name, "IS", "area", internal));
        let key =
            format!("{name}|{n}|{}", all[0].acquired_at.clone().expect("a time").replace("08:00", &format!("08:{n}0")));
        setup.injections.push(AssignedRole {
            injection: key,
            role,
            preparation: name.into(),
            ..AssignedRole::default()
        });
    }
    setup.preparations = vec![preparation("STD", "r-1", "20.12"), preparation("SX20260001", "", "20.40")];
    let without = evaluate(&method, &setup, &[lot()], &all);
    assert!(without.reasons.iter().any(|note| note.code == "no_internal"), "{:?}", without.reasons);
    setup.preparations.iter_mut().for_each(|one| one.internal_amount = "0.2".into());
    let outcome = evaluate(&method, &setup, &[lot()], &all);
    assert!(outcome.valid, "{:?}", outcome.reasons);
    let value: rust_decimal::Decimal = outcome.results[0].raw.parse().expect("a decimal");
    assert_eq!(value.round_dp(8).to_string(), EXPECTED_INTERNAL);
}

#[test]
fn content_by_a_weighted_line() {
    let mut method = method("lc-calibration-line");
    method.limits.blank_percent.clear();
    let (mut all, mut setup) = (Vec::new(), Setup { analyte: "Main".into(), ..Setup::default() });
    for (n, (name, role, area)) in [
        ("L1", Role::Standard, "101.0"),
        ("L2", Role::Standard, "498.0"),
        ("L3", Role::Standard, "1003.0"),
        ("SX20260001", Role::Sample, "700"),
    ]
    .into_iter()
    .enumerate()
    {
        let one = seen(n, name, "Main", "area", area);
        let key = format!("{name}|{n}|{}", one.acquired_at.clone().expect("a time"));
        setup.injections.push(AssignedRole {
            injection: key,
            role,
            preparation: name.into(),
            ..AssignedRole::default()
        });
        all.push(one);
    }
    setup.preparations = vec![
        preparation("L1", "r-1", "5"),
        preparation("L2", "r-1", "25"),
        preparation("L3", "r-1", "50"),
        preparation("SX20260001", "", "40"),
    ];
    let outcome = evaluate(&method, &setup, &[lot()], &all);
    assert!(outcome.valid, "{:?}", outcome.reasons);
    let line = outcome.calibration.clone().expect("a line");
    let rounded = |text: &str| text.parse::<rust_decimal::Decimal>().expect("a decimal").round_dp(8).to_string();
    assert_eq!(rounded(&line.parameters[0].value), EXPECTED_INTERCEPT);
    assert_eq!(rounded(&line.parameters[1].value), EXPECTED_SLOPE);
    // c × 50 ÷ 40 × 100
    assert_eq!(rounded(&outcome.results[0].raw), EXPECTED_LINE);
    assert_eq!(line.points.len(), 3);
    // Beyond the last standard there is no content.
    area(&mut all, 3, "1200");
    let outcome = evaluate(&method, &setup, &[lot()], &all);
    assert!(outcome.reasons.iter().any(|note| note.code == "out_of_range"));
    assert!(outcome.results.is_empty());
}

#[test]
fn areas_are_normalised_over_what_was_found() {
    let method = method("lc-area-normalisation");
    let mut all = vec![
        seen(0, "SX20260001", "Main", "area", "990"),
        seen(0, "SX20260001", "Impurity A", "area", "7.5"),
        seen(0, "SX20260001", "Impurity B", "area", "2.5"),
        seen(0, "SX20260001", "Impurity C", "area", "-"),
    ];
    all[3].status = "not_detected".into();
    let key = format!("SX20260001|0|{}", all[0].acquired_at.clone().expect("a time"));
    let role = AssignedRole { injection: key, role: Role::Sample, ..AssignedRole::default() };
    let setup = Setup { injections: vec![role], ..Setup::default() };
    let outcome = evaluate(&method, &setup, &[], &all);
    assert!(outcome.valid, "{:?}", outcome.reasons);
    let shares: Vec<(&str, &str)> =
        outcome.results.iter().map(|one| (one.analyte.as_str(), one.raw.as_str())).collect();
    assert_eq!(shares, [("Impurity A", "0.75"), ("Impurity B", "0.25"), ("Main", "99.0")]);
    assert!(outcome.findings.iter().any(|note| note.code == "not_detected"));
    all[2].status = "masked".into();
    assert!(!evaluate(&method, &setup, &[], &all).valid);
}
