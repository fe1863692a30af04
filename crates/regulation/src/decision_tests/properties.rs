//! Properties that hold for any case.

use proptest::prelude::*;

use super::laboratory::OWN;
use super::*;

fn any_case() -> impl Strategy<Value = CaseFacts> {
    let date =
        (0i64..2000).prop_map(|offset| parse_date("2023-06-01").expect("a date") + chrono::Duration::days(offset));
    let place = prop::sample::select(vec!["CN", "CN-SH", "CN-SX", "CN-JL", "CN-GD", "CN-SN"]);
    let traits = prop::collection::btree_set(prop::sample::select(Trait::ALL.to_vec()), 0..4);
    let dates = (date, prop::option::of(0i64..60));
    (
        prop::sample::select(Business::ALL.to_vec()),
        place,
        dates,
        (
            prop::sample::select(Category::ALL.to_vec()),
            prop::option::of(prop::sample::select(DeviceClass::ALL.to_vec())),
            traits,
        ),
        prop::sample::select(Purpose::ALL.to_vec()),
        any::<(bool, bool)>(),
    )
        .prop_map(|(business, place, (accepted, later), (category, device_class, traits), purpose, flags)| {
            let other = later.map(|days| accepted + chrono::Duration::days(days));
            let dates = Dates {
                accepted,
                arrived_at_port: other,
                notice_received: other,
                sampled: other,
                received: other,
                supplement_requested: other,
                result_received: other,
                sampling_refused: other,
                re_examination_accepted: other,
                review_ends: other,
            };
            CaseFacts {
                business,
                jurisdiction: Jurisdiction::parse(place).expect("a place"),
                dates,
                product: Product { category, device_class, traits },
                purpose,
                pre_submission: flags.0,
                standard_verification: flags.1,
                obligations: Vec::new(),
            }
        })
}

proptest! {
    #[test]
    fn a_determination_is_the_same_every_time_and_reads_back(case in any_case()) {
        let regulation = regulation();
        let once = regulation.determine(&case).expect("determined");
        prop_assert_eq!(&regulation.determine(&case).expect("determined"), &once);
        let text = serde_json::to_string(&case).expect("JSON");
        prop_assert_eq!(CaseFacts::from_json(&text).expect("reads back"), case);
        for clock in &once.clocks {
            let counted_back = clock.due < clock.starts;
            prop_assert!(clock.due != clock.starts && counted_back == clock.name.counts_back());
            prop_assert!(regulation.calendar().is_working_day(clock.due));
        }
        if once.lane.value != Lane::Routine {
            prop_assert!(!once.lane.provisions.is_empty());
        }
    }

    #[test]
    fn a_later_provision_never_changes_a_case_accepted_before_it(case in any_case()) {
        let later = case.dates.accepted.succ_opt().expect("a day");
        let place = case.jurisdiction.code();
        let text = OWN.replace("CN-GD", &place).replace("2026-01-01", &later.to_string())
            .replace("business = [\"drug_registration\"], kind = \"drug\"", "")
            .replace("quantity_multiple = 4", "quantity_multiple = 9, batches = 9, lane = \"immediate\", \
                clocks = [{ name = \"testing\", unit = \"calendar_day\", limit = 1, starts = \"accepted\" }]");
        let changed = with(&text).expect("loads").determine(&case).expect("determined");
        prop_assert_eq!(changed, regulation().determine(&case).expect("determined"));
    }

    #[test]
    fn an_expired_provision_serves_the_cases_accepted_before(case in any_case()) {
        // Ending every rule on the day that selected it for the case changes nothing for the case.
        let mut text = String::new();
        let regulation = regulation();
        for one in regulation.register().provisions() {
            if let Some(day) = case.dates.get(one.selected_by).filter(|day| one.in_force_on(*day)) {
                text.push_str(&format!("[[provision]]\nid = \"{}\"\neffective_to = {day}\n", one.id));
            }
        }
        let ended = with(&text).expect("loads").determine(&case).expect("determined");
        prop_assert_eq!(ended, regulation.determine(&case).expect("determined"));
    }
}
