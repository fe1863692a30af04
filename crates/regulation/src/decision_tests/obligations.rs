//! A case with several obligations: each brings its clocks, and the stricter amount and the faster lane hold.

use super::*;

const PORT: &str = "port SH 2026-03-04 vaccine arrived_at_port=2026-03-02 sampled=2026-03-04";

fn both(line: &str, others: &[Business]) -> Determination {
    let facts = CaseFacts { obligations: others.to_vec(), ..case(line) };
    regulation().determine(&facts).expect(line)
}

#[test]
fn an_imported_vaccine_has_the_clocks_of_port_entry_and_of_lot_release() {
    let found = both(PORT, &[Business::LotRelease]);
    let of = |business: Business| -> Vec<ClockName> {
        found.clocks.iter().filter(|clock| clock.obligation == Some(business)).map(|clock| clock.name).collect()
    };
    let alone = |line: &str| -> Vec<ClockName> { determine(line).clocks.iter().map(|clock| clock.name).collect() };
    assert_eq!(of(Business::PortEntry), alone(PORT));
    assert_eq!(of(Business::LotRelease), alone(&PORT.replace("port ", "lot ")));
    assert!(of(Business::LotRelease).contains(&ClockName::Testing), "{:?}", found.clocks);
    assert!(of(Business::PortEntry).contains(&ClockName::PortSampling), "{:?}", found.clocks);
    assert!(found.explanation.iter().any(|one| one.starts_with("生物制品批签发：")), "{:?}", found.explanation);
}

#[test]
fn the_stricter_amount_and_the_faster_lane_hold_whichever_comes_first() {
    for line in [PORT, "port JL 2026-03-04 vaccine", "port CN 2024-03-04 blood_product rare_disease"] {
        let lot = line.replace("port ", "lot ");
        let (port, release) = (determine(line), determine(&lot));
        let joined = both(line, &[Business::LotRelease]);
        let turned = both(&lot, &[Business::PortEntry]);
        let larger = port.quantity_multiple.value.max(release.quantity_multiple.value);
        assert_eq!(joined.quantity_multiple.value, larger, "{line}");
        assert_eq!(joined.lane.value, port.lane.value.max(release.lane.value), "{line}");
        assert_eq!(joined.quantity_multiple.value, turned.quantity_multiple.value, "{line}");
        assert_eq!((joined.lane.value, joined.batches.value), (turned.lane.value, turned.batches.value), "{line}");
        assert!(!joined.remainder.may_be_sold || (port.remainder.may_be_sold && release.remainder.may_be_sold));
    }
}

#[test]
fn a_case_of_one_obligation_is_as_it_was() {
    let one = determine(PORT);
    assert!(one.clocks.iter().all(|clock| clock.obligation.is_none()));
    let text = serde_json::to_string(&one).expect("JSON");
    assert!(!text.contains("obligation"), "{text}");
}

#[test]
fn obligations_are_read_strictly() {
    let text = |obligations: &str| {
        format!(
            r#"{{"business":"port_entry","obligations":{obligations},"jurisdiction":"CN-SH",
                "dates":{{"accepted":"2026-03-04"}},"product":{{"category":"vaccine"}}}}"#
        )
    };
    let read = CaseFacts::from_json(&text(r#"["lot_release","port_entry","lot_release"]"#)).expect("a case");
    assert_eq!(read.obligations, [Business::LotRelease], "each once, and none twice");
    for wrong in [r#""lot_release""#, r#"["lottery"]"#, "[1]"] {
        let refused = CaseFacts::from_json(&text(wrong)).expect_err(wrong);
        assert_eq!(refused.field(), Some("obligations"), "{wrong}");
    }
}
