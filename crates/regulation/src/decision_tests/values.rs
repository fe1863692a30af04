//! Batches, quantities, lanes and clocks.

use super::*;

#[test]
fn batches_and_quantities_by_date_and_place() {
    let table: &[(&str, Option<u32>, Option<u32>, &str)] = &[
        // Registration: 2 × nationally from 2025-08-01, in Shanxi from 2025-06-16.
        ("drug CN 2025-07-31 chemical", Some(3), Some(3), "BASE-quantity"),
        ("drug CN 2025-08-01 chemical", Some(3), Some(2), "N-10a-registration REG-2025-quantity"),
        ("drug GD 2025-08-01 biologic", Some(3), Some(2), "N-10a-registration REG-2025-quantity"),
        ("drug SH 2025-10-23 tcm", Some(3), Some(2), "N-10a-registration REG-2025-quantity"),
        ("drug SX 2025-06-15 chemical", Some(3), Some(3), "BASE-quantity"),
        ("drug SX 2025-06-16 chemical", Some(3), Some(2), "SX-11a"),
        ("drug SX 2025-08-01 chemical", Some(3), Some(2), "SX-11a N-10a-registration REG-2025-quantity"),
        ("drug SX 2027-06-15 chemical", Some(3), Some(2), "SX-11a N-10a-registration REG-2025-quantity"),
        ("drug SX 2027-06-16 chemical", Some(3), Some(2), "N-10a-registration REG-2025-quantity"),
        // Rare diseases: one batch; drugs only.
        ("drug CN 2025-07-31 chemical rare_disease", Some(3), Some(3), "BASE-quantity"),
        ("drug CN 2025-08-01 chemical rare_disease", Some(1), Some(2), "N-11 N-10a-registration REG-2025-quantity"),
        ("drug SX 2025-06-15 chemical rare_disease", Some(3), Some(3), "BASE-quantity"),
        ("drug SX 2025-06-16 chemical rare_disease", Some(1), Some(2), "SX-12 SX-11a"),
        ("drug SX 2027-06-16 vaccine rare_disease", Some(1), Some(2), "N-11 N-10a-registration REG-2025-quantity"),
        ("device CN 2026-01-05 device rare_disease", None, None, ""),
        ("device SX 2026-01-05 ivd rare_disease II", None, None, ""),
        // Lot release and port entry: 2 × from 2024-12-30, in Shanghai also by its own measure.
        ("lot CN 2024-12-29 vaccine", None, Some(3), "BASE-quantity"),
        ("lot CN 2024-12-30 vaccine", None, Some(2), "N-10a-lot-release"),
        ("lot SH 2025-10-22 blood_product", None, Some(2), "N-10a-lot-release"),
        ("lot SH 2025-10-23 blood_product", None, Some(2), "SH-11b N-10a-lot-release"),
        ("lot SX 2025-06-16 vaccine", None, Some(2), "SX-11a N-10a-lot-release"),
        ("port CN 2024-12-29 chemical", None, Some(3), "BASE-quantity"),
        ("port CN 2024-12-30 chemical rare_disease", None, Some(2), "N-10a-port-entry"),
        ("port SH 2025-10-23 chemical", None, Some(2), "SH-11b N-10a-port-entry"),
        // Shanxi's measure names no imports.
        ("port SX 2025-06-16 chemical", None, Some(2), "N-10a-port-entry"),
        ("port JL 2026-03-02 tcm", None, Some(2), "N-10a-port-entry"),
        ("device CN 2026-01-05 device", None, None, ""),
        ("device SH 2026-01-05 device III innovative", None, None, ""),
    ];
    for (line, batches, multiple, provisions) in table {
        let found = determine(line);
        assert_eq!(found.batches.value, *batches, "{line}");
        assert_eq!(found.quantity_multiple.value, *multiple, "{line}");
        assert_eq!(ids(&found.quantity_multiple.provisions), *provisions, "{line}");
        assert_eq!(found.batches.value.is_some(), !found.batches.provisions.is_empty(), "{line}");
        assert_eq!(found.refusals, [], "{line}");
    }
}

#[test]
fn lanes_by_trait_and_place() {
    let table = [
        ("drug CN 2026-01-05 chemical", "routine", ""),
        ("drug CN 2026-01-05 chemical innovative", "green_channel", "N-10b"),
        ("drug CN 2024-12-29 chemical innovative", "routine", ""),
        ("drug CN 2024-12-30 chemical innovative", "green_channel", "N-10b"),
        ("device CN 2026-01-05 device innovative", "green_channel", "N-10b"),
        ("device CN 2026-01-05 device clinically_urgent", "immediate", "N-10c"),
        ("lot CN 2026-01-05 vaccine clinically_urgent innovative", "immediate", "N-10c"),
        ("port SH 2026-01-05 chemical clinically_urgent", "immediate", "SH-11d-urgent N-10c"),
        ("port SX 2026-01-05 chemical clinically_urgent", "immediate", "SX-11d N-10c"),
        ("drug SX 2027-06-16 chemical clinically_urgent", "immediate", "N-10c"),
        ("drug CN 2026-01-05 chemical emergency", "immediate", "N21-12"),
        ("drug CN 2020-12-31 chemical emergency", "routine", ""),
        ("drug SH 2026-01-05 chemical innovative", "green_channel", "SH-11d-innovative N-10b"),
        ("drug SX 2026-01-05 chemical innovative", "green_channel", "N-10b"),
        // Nationally, these alone grant nothing.
        ("drug CN 2026-01-05 chemical priority_review", "routine", ""),
        ("device CN 2026-01-05 device first_of_kind", "routine", ""),
        ("device GD 2026-01-05 device priority_review", "routine", ""),
        ("drug CN 2026-01-05 chemical key_variety low_risk rare_disease", "routine", ""),
        // Shanghai
        ("drug SH 2025-10-22 chemical key_variety", "routine", ""),
        ("drug SH 2025-10-23 chemical key_variety", "green_channel", "SH-9-drug SH-2"),
        ("device SH 2025-10-23 device key_variety", "green_channel", "SH-9-device SH-2"),
        ("device SH 2026-01-05 device II innovative", "green_channel", "SH-10 SH-11d-innovative N-10b"),
        ("device SH 2026-01-05 device II first_in_country", "green_channel", "SH-10-likewise"),
        ("device SH 2026-01-05 device II priority_review", "green_channel", "SH-10-likewise"),
        ("device SH 2026-01-05 device II", "routine", ""),
        ("lot SH 2026-01-05 vaccine key_variety", "green_channel", "SH-2"),
        ("drug SH 2026-01-05 chemical first_of_kind", "routine", ""),
        // Shanxi: devices; the key variety is a list, not a lane.
        ("device SX 2025-06-15 device first_of_kind", "routine", ""),
        ("device SX 2025-06-16 device first_of_kind", "green_channel", "SX-11c"),
        ("device SX 2025-06-16 device priority_review", "green_channel", "SX-11c"),
        ("device SX 2025-06-16 ivd innovative", "green_channel", "SX-11c N-10b"),
        ("device SX 2027-06-16 device first_of_kind", "routine", ""),
        ("drug SX 2026-01-05 chemical first_of_kind priority_review", "routine", ""),
        ("device SX 2026-01-05 device key_variety", "routine", ""),
        // Jilin: undated, so on every date; support for class III does not give a lane.
        ("device JL 2019-01-02 device innovative", "green_channel", "JL-14"),
        ("device JL 2026-01-05 device priority_review", "green_channel", "JL-14"),
        ("device JL 2026-01-05 device innovative", "green_channel", "JL-14 N-10b"),
        ("device JL 2026-01-05 device III", "routine", ""),
        ("device JL 2026-01-05 device first_of_kind", "routine", ""),
        ("drug JL 2026-01-05 chemical priority_review", "routine", ""),
    ];
    for (line, lane, provisions) in table {
        let found = determine(line);
        assert_eq!((found.lane.value.as_str(), ids(&found.lane.provisions).as_str()), (lane, provisions), "{line}");
    }
}

#[test]
fn the_testing_clock() {
    let table: &[(&str, Option<(u32, &str)>)] = &[
        ("lot CN 2026-01-05 vaccine", Some((60, "2026-04-03"))),
        ("lot CN 2026-01-05 blood_product", Some((35, "2026-02-28"))),
        ("lot CN 2026-01-05 blood_screening_reagent", Some((35, "2026-02-28"))),
        ("lot CN 2026-01-05 biologic", None),
        // Influenza: 60 before the notice, 45 from it, 30 in Shanghai.
        ("lot CN 2025-04-01 vaccine seasonal_influenza_vaccine", Some((60, "2025-06-30"))),
        ("lot CN 2025-04-02 vaccine seasonal_influenza_vaccine", Some((45, "2025-06-10"))),
        ("lot SH 2025-10-22 vaccine seasonal_influenza_vaccine", Some((45, "2025-12-24"))),
        ("lot SH 2025-11-03 vaccine seasonal_influenza_vaccine", Some((30, "2025-12-15"))),
        ("lot SH 2026-01-05 vaccine seasonal_influenza_vaccine", Some((30, "2026-02-14"))),
        ("lot SX 2026-07-01 vaccine seasonal_influenza_vaccine", Some((45, "2026-09-02"))),
        ("lot SH 2026-07-01 vaccine", Some((60, "2026-09-22"))),
        ("lot JL 2026-07-01 vaccine seasonal_influenza_vaccine", Some((45, "2026-09-02"))),
        // Registration
        ("drug CN 2026-07-01 chemical", Some((60, "2026-09-22"))),
        ("drug CN 2026-07-01 vaccine seasonal_influenza_vaccine", Some((60, "2026-09-22"))),
        ("drug SH 2026-07-01 blood_product rare_disease", Some((60, "2026-09-22"))),
        ("drug CN 2026-01-05 chemical standard", Some((90, "2026-05-20"))),
        // Devices: only Shanxi sets a limit.
        ("device CN 2026-07-01 device", None),
        ("device SX 2025-06-15 device", None),
        ("device SX 2025-06-16 device", Some((20, "2025-07-14"))),
        ("device SX 2026-07-01 ivd II", Some((20, "2026-07-29"))),
        ("device SX 2027-06-16 device", None),
        ("port SH 2026-07-01 chemical", None),
    ];
    for (line, expected) in table {
        let found = clock(line, "testing");
        let seen = found.as_ref().map(|clock| (clock.limit, clock.due.to_string()));
        assert_eq!(seen, expected.map(|(limit, due)| (limit, due.to_owned())), "{line}");
        if let Some(clock) = found {
            assert_eq!((clock.unit, clock.starts), (ClockUnit::WorkingDay, case(line).dates.accepted), "{line}");
            assert!(!clock.provisions.is_empty() && !clock.provisional, "{line}");
        }
    }
}

#[test]
fn the_clocks_of_the_port_run_side_by_side_each_from_its_own_day() {
    let line = "port SH 2026-02-11 chemical arrived_at_port=2026-02-13 notice_received=2026-02-13 sampled=2026-02-24 result_received=2026-03-18";
    let seen: Vec<String> = determine(line)
        .clocks
        .iter()
        .map(|clock| {
            format!("{} {} {} {} [{}]", clock.name, clock.limit, clock.unit, clock.due, ids(&clock.provisions))
        })
        .collect();
    assert_eq!(
        seen,
        [
            "port_sampling 3 working_day 2026-02-25 [SH-11a]",
            "port_contact 2 calendar_day 2026-02-24 [IM-23 CC-203]",
            "port_report 20 calendar_day 2026-03-16 [IM-26]",
            "re_examination_request 7 calendar_day 2026-03-25 [DL-102 IM-29]",
        ]
    );
    // Outside Shanghai there is no limit from arrival; without its day a clock is left out.
    let line = "port CN 2026-02-11 chemical arrived_at_port=2026-02-13";
    assert_eq!(determine(line).clocks, []);
}

#[test]
fn the_other_clocks() {
    let table = [
        ("lot CN 2026-07-06 vaccine received=2026-07-01", "acceptance_decision", 5, "working_day", "2026-07-08"),
        (
            "lot CN 2026-07-06 vaccine result_received=2026-07-01",
            "re_examination_request",
            7,
            "working_day",
            "2026-07-10",
        ),
        (
            "drug CN 2026-07-01 chemical supplement_requested=2026-07-01",
            "supplement_response",
            30,
            "working_day",
            "2026-08-12",
        ),
    ];
    for (line, name, limit, unit, due) in table {
        let found = clock(line, name).expect(line);
        let seen = (found.limit, found.unit.as_str(), found.due.to_string());
        assert_eq!(seen, (limit, unit, due.to_owned()), "{line}");
    }
    for (line, name) in [
        ("lot CN 2026-07-06 vaccine", "acceptance_decision"),
        ("drug CN 2026-07-06 chemical received=2026-07-01", "acceptance_decision"),
        ("drug CN 2026-07-06 chemical sampled=2026-07-01 notice_received=2026-07-01", "port_report"),
        ("device CN 2026-07-06 device result_received=2026-07-06", "re_examination_request"),
    ] {
        assert_eq!(clock(line, name), None, "{line}");
    }
}
