//! Fits, potencies and plates against numbers computed independently (scipy: `curve_fit`, `least_squares`; the
//! balanced formulas of the parallel-line assay by hand), and properties.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::curve::{Back, Model, Weighed, fit};
use super::potency::{combine, parallel_curve, parallel_line, t95};
use super::{evaluate, layout};
use crate::Seen;
use crate::method::{Method, methods};
use crate::outcome::Outcome;
use crate::setup::{ControlSetup, PlateSetup, Role, Setup, WellSetup};

#[track_caller]
fn near(found: f64, expected: f64, relative: f64) {
    assert!((found - expected).abs() <= expected.abs() * relative, "{found} is not {expected}");
}

const X: [f64; 6] = [0.05, 0.15, 0.45, 1.35, 4.05, 12.15];
const Y: [[f64; 2]; 6] =
    [[0.071, 0.075], [0.148, 0.153], [0.382, 0.371], [0.905, 0.931], [1.620, 1.587], [2.051, 2.072]];

fn points(weight: fn(f64) -> f64) -> Vec<Weighed> {
    X.iter().zip(Y).flat_map(|(x, [p, q])| [(*x, p, weight(p)), (*x, q, weight(q))]).collect()
}

#[test]
fn a_four_parameter_curve_is_what_scipy_finds() {
    let found = fit(Model::FourParameter, &points(|_| 1.0)).expect("a fit");
    for (found, expected) in
        found.parameters.iter().zip([0.040965375559, 1.149120017174, 2.046905825391, 2.321238775829])
    {
        near(*found, expected, 1e-6);
    }
    for (found, expected) in found.errors.iter().zip([0.009951077897, 0.029749624643, 0.052147787925, 0.026432726475]) {
        near(*found, expected, 1e-4);
    }
    near(found.r_squared, 0.9998069488560899, 1e-9);
    match found.back(0.7) {
        Back::Number(x) => near(x, 0.9351704932825909, 1e-7),
        other => panic!("{other:?}"),
    }
    assert_eq!(found.back(0.02), Back::Below(0.05));
    assert_eq!(found.back(0.08), Back::Number(found.inverse(0.08).expect("x")));
    assert_eq!(found.back(2.2), Back::Above(12.15));
    assert_eq!(found.back(9.0), Back::Above(12.15));
    let weighted = fit(Model::FourParameter, &points(|y| 1.0 / (y * y))).expect("a fit");
    for (found, expected) in
        weighted.parameters.iter().zip([0.041329361902, 1.145118761366, 2.072079953966, 2.330338885929])
    {
        near(*found, expected, 1e-5);
    }
}

#[test]
fn a_five_parameter_curve_is_what_scipy_finds() {
    let found = fit(Model::FiveParameter, &points(|_| 1.0)).expect("a fit");
    let squares: f64 = points(|_| 1.0).iter().map(|(x, y, _)| (y - found.at(*x)).powi(2)).sum();
    near(squares, 0.001225950317120173, 1e-6);
    for (found, expected) in
        found.parameters.iter().zip([0.047398812495, 1.2068477128, 1.60394935066, 2.38496389044, 0.782556034195])
    {
        near(*found, expected, 1e-3);
    }
}

#[test]
fn what_does_not_determine_a_curve_is_no_curve() {
    assert!(fit(Model::FourParameter, &[(1.0, 1.0, 1.0), (2.0, 2.0, 1.0), (3.0, 3.0, 1.0)]).is_none());
    assert!(fit(Model::Linear, &[(1.0, 1.0, 1.0), (1.0, 2.0, 1.0)]).is_none());
    assert!(fit(Model::LogLog, &[(0.0, 1.0, 1.0), (1.0, 2.0, 1.0)]).is_none());
    let flat: Vec<Weighed> = X.iter().map(|x| (*x, 1.0, 1.0)).collect();
    assert!(fit(Model::FourParameter, &flat).is_none());
}

/// Three doses, four wells each, of a standard and a sample.
fn three_and_three() -> (Vec<(f64, f64)>, Vec<(f64, f64)>) {
    let wells = |levels: [(f64, [f64; 4]); 3]| levels.into_iter().flat_map(|(x, ys)| ys.map(|y| (x, y))).collect();
    let standard = wells([
        (1.0, [161.0, 151.0, 162.0, 164.0]),
        (1.5, [187.0, 193.0, 184.0, 190.0]),
        (2.25, [215.0, 209.0, 216.0, 218.0]),
    ]);
    let sample = wells([
        (1.0, [155.0, 148.0, 157.0, 151.0]),
        (1.5, [181.0, 178.0, 186.0, 174.0]),
        (2.25, [207.0, 212.0, 204.0, 199.0]),
    ]);
    (standard, sample)
}

#[test]
fn a_parallel_line_assay_is_what_the_balanced_formulas_give() {
    let (standard, sample) = three_and_three();
    let found = parallel_line(&standard, &sample).expect("a potency");
    for (name, squares, f, p) in [
        ("preparations", 400.1666666666667, 17.763255240443897, 0.0005209897001134819),
        ("regression", 11610.0625, 515.366522811344, 1.0695351958251083e-14),
        ("parallelism", 5.0625, 0.22472256473489519, 0.6411643817307355),
        ("quadratic", 6.020833333333333, 0.2672626387176325, 0.6114680794257159),
        ("opposed_quadratic", 1.0208333333333333, 0.045314426633785446, 0.8338191587801908),
    ] {
        let test = found.test(name).expect(name);
        near(test.squares, squares, 1e-8);
        near(test.f.expect("F"), f, 1e-8);
        near(test.p.expect("P"), p, 1e-6);
    }
    near(found.ratio, 0.8843297814346269, 1e-9);
    near(found.lower, 0.829785789199, 1e-9);
    near(found.upper, 0.940459637949, 1e-9);
    near(found.fl_percent(), (0.940459637949 - 0.829785789199) / (2.0 * 0.8843297814346269) * 100.0, 1e-8);
    assert_eq!(found.freedom, 18);
}

#[test]
fn a_parallel_curve_assay_is_what_scipy_finds() {
    let x = [0.1, 0.1, 0.3, 0.3, 0.9, 0.9, 2.7, 2.7, 8.1, 8.1, 24.3, 24.3];
    let s = [0.102, 0.108, 0.205, 0.198, 0.521, 0.540, 1.181, 1.150, 1.795, 1.822, 2.080, 2.063];
    let t = [0.118, 0.112, 0.246, 0.238, 0.633, 0.612, 1.302, 1.330, 1.880, 1.861, 2.101, 2.089];
    let with = |y: [f64; 12]| x.iter().copied().zip(y).collect::<Vec<_>>();
    let found = parallel_curve(&with(s), &with(t)).expect("a potency");
    near(found.ratio, 1.2297651317518874, 1e-6);
    near(found.lower, 1.1960037652521185, 1e-5);
    near(found.upper, 1.2644795302579492, 1e-5);
    let parallelism = found.test("parallelism").expect("it");
    near(parallelism.f.expect("F"), 0.11458945674817585, 1e-4);
    near(parallelism.p.expect("P"), 0.9502731156786851, 1e-4);
    near(found.test("regression").and_then(|test| test.f).expect("F"), 23119.258687490936, 1e-5);
    assert_eq!(found.freedom, 19);
}

#[test]
fn assays_are_combined_by_their_weights() {
    for (freedom, expected) in [(1, 12.706204736174694), (3, 3.1824463052837078), (18, 2.1009220402410382)] {
        near(t95(freedom).expect("t"), expected, 1e-9);
    }
    let even = combine(&[(2.012, 0.011, 18), (1.998, 0.014, 18), (2.021, 0.012, 18)]).expect("combined");
    near(even.log_potency, 2.01156040597428, 1e-12);
    near(even.chi_squared, 1.5585750533417793, 1e-9);
    near(even.p, 0.4587327297374464, 1e-9);
    near(even.lower, 99.42433729203556, 1e-9);
    near(even.upper, 106.07868003392666, 1e-9);
    assert!(!even.semi_weighted);
    let apart = combine(&[(2.012, 0.011, 18), (1.928, 0.014, 18), (2.061, 0.012, 18)]).expect("combined");
    assert!(apart.semi_weighted);
    near(apart.p, 4.419939770914206e-12, 1e-6);
    near(apart.log_potency, 2.000628412980939, 1e-12);
    near(apart.lower, 83.70896696175843, 1e-9);
    assert!(combine(&[(2.0, 0.01, 18)]).is_none());
    assert!(combine(&[(2.0, 0.0, 18), (2.0, 0.01, 18)]).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn exact_data_give_the_exact_curve(a in 0.0..0.2_f64, rise in 0.8..3.0_f64, b in 0.7..2.5_f64, c in 0.5..4.0_f64) {
        let d = a + rise;
        let points: Vec<Weighed> =
            [0.02, 0.08, 0.3, 1.0, 3.0, 9.0, 30.0, 100.0].iter().map(|x: &f64| (*x, d + (a - d) / (1.0 + (x / c).powf(b)), 1.0)).collect();
        let found = fit(Model::FourParameter, &points).expect("a fit");
        for (found, expected) in found.parameters.iter().zip([a, b, c, d]) {
            prop_assert!((found - expected).abs() < 1e-5 * (1.0 + expected), "{found} is not {expected}");
        }
    }

    #[test]
    fn a_sample_at_other_doses_has_another_potency(factor in 0.3..3.0_f64) {
        let (standard, sample) = three_and_three();
        let moved: Vec<(f64, f64)> = sample.iter().map(|(x, y)| (x * factor, *y)).collect();
        let (before, after) =
            (parallel_line(&standard, &sample).expect("a potency"), parallel_line(&standard, &moved).expect("a potency"));
        prop_assert!((before.ratio / factor / after.ratio - 1.0).abs() < 1e-9);
        prop_assert!((before.fl_percent() - after.fl_percent()).abs() < 1e-6);
        let parallel = |one: &super::potency::Potency| one.test("parallelism").and_then(|test| test.f).unwrap_or(f64::NAN);
        prop_assert!((parallel(&before) - parallel(&after)).abs() < 1e-6);
    }

    #[test]
    fn the_sample_of_a_known_ratio_has_it(ratio in 0.4..2.5_f64) {
        let curve = |x: f64| 2.2 - 2.1 / (1.0 + (x / 1.3).powf(1.2));
        let doses = [0.05, 0.15, 0.45, 1.35, 4.0, 12.0, 36.0];
        let standard: Vec<(f64, f64)> = doses.iter().map(|x| (*x, curve(*x))).collect();
        let sample: Vec<(f64, f64)> = doses.iter().map(|x| (*x, curve(x * ratio))).collect();
        let found = parallel_curve(&standard, &sample).expect("a potency");
        prop_assert!((found.ratio / ratio - 1.0).abs() < 1e-5, "{} is not {ratio}", found.ratio);
    }

    #[test]
    fn wells_are_read_as_they_are_written(row in 1_u32..=32, column in 1_u32..=48) {
        let letter = |n: u32| char::from(b'A' + u8::try_from(n - 1).unwrap_or(0));
        let name = if row > 26 { format!("a{}{column:02}", letter(row - 26)) } else { format!("{}{column:02}", letter(row)) };
        prop_assert_eq!(layout::place(&name), Some((row, column)));
    }
}

fn method(id: &str) -> Method {
    methods(&[]).expect("definitions").into_iter().find(|method| method.id == id).expect(id)
}

fn reading(well: &str, quantity: &str, raw: &str, status: &str) -> Seen {
    Seen {
        id: format!("o-{well}"),
        file: "f".into(),
        file_order: 0,
        sample_text: None,
        analyte: None,
        quantity: quantity.into(),
        raw: raw.into(),
        value: raw.parse().ok(),
        unit: None,
        status: status.into(),
        flags: Vec::new(),
        injection: None,
        acquired_at: None,
        context: BTreeMap::from([("well".to_owned(), well.to_owned())]),
        sample_id: Some("s-1".into()),
    }
}

fn wells(wells: &str, role: Role, name: &str, dose: &str, dilution: &str) -> WellSetup {
    WellSetup {
        wells: wells.split(' ').map(str::to_owned).collect(),
        role,
        name: name.into(),
        dose: dose.into(),
        dilution: dilution.into(),
        reason: String::new(),
    }
}

/// The curve of [`X`] and [`Y`] in columns 1 and 2, blanks in H1 and H2, a control and samples in columns 3 and 4.
fn elisa() -> (PlateSetup, Vec<Seen>) {
    let mut seen = vec![reading("H1", "absorbance", "0.040", "ok"), reading("H2", "absorbance", "0.040", "ok")];
    let mut layout = vec![wells("H1 H2", Role::Blank, "", "", "")];
    for (row, (x, [p, q])) in "ABCDEF".chars().zip(X.iter().zip(Y)) {
        seen.push(reading(&format!("{row}1"), "absorbance", &format!("{:.3}", p + 0.04), "ok"));
        seen.push(reading(&format!("{row}2"), "absorbance", &format!("{:.3}", q + 0.04), "ok"));
        layout.push(wells(&format!("{row}1 {row}2"), Role::Standard, "S", &x.to_string(), ""));
    }
    for (well, raw) in
        [("A3", "0.738"), ("A4", "0.742"), ("B3", "0.738"), ("B4", "0.742"), ("C3", "3.900"), ("C4", "3.900")]
    {
        seen.push(reading(well, "absorbance", raw, "ok"));
    }
    layout.push(wells("A3 A4", Role::Control, "QC", "", ""));
    layout.push(wells("B3 B4", Role::Sample, "SH20260001", "", "100"));
    layout.push(wells("C3 C4", Role::Sample, "SH20260001", "", "10"));
    let controls = vec![ControlSetup { name: "QC".into(), expected: "0.90~0.98".into() }];
    (PlateSetup { wells: layout, controls, unit: "ug/mL".into(), ..PlateSetup::default() }, seen)
}

fn of(method: &Method, plate: PlateSetup, seen: &[Seen]) -> Outcome {
    evaluate(method, &Setup { plate: Some(plate), ..Setup::default() }, seen)
}

#[test]
fn a_plate_with_a_known_answer() {
    let (plate, seen) = elisa();
    let found = of(&method("elisa-4pl"), plate, &seen);
    assert!(found.valid, "{:?}", found.reasons);
    let [one] = found.results.as_slice() else { panic!("{:?}", found.results) };
    // The mean of B3 and B4 less the blank is 0.7, which the curve reads at 0.93517; times 100.
    near(one.value.as_deref().and_then(|text| text.parse().ok()).expect("a number"), 93.51704932825909, 1e-6);
    assert_eq!((one.sample_id.as_deref(), one.unit.as_str()), (Some("s-1"), "ug/mL"));
    assert!(found.findings.iter().any(|note| note.code == "outside_curve"));
    let curve = found.calibration.expect("a curve");
    assert_eq!(curve.points.len(), 12);
    let residuals: f64 = curve.points.iter().filter_map(|point| point.residual.parse::<f64>().ok()).sum();
    assert!(residuals.abs() < 1e-6, "{residuals}");
    assert_eq!(found.wells.len(), 20);
}

#[test]
fn what_a_plate_must_show_and_does_not() {
    let fails = |change: fn(&mut PlateSetup, &mut Vec<Seen>)| {
        let (mut plate, mut seen) = elisa();
        change(&mut plate, &mut seen);
        let found = of(&method("elisa-4pl"), plate, &seen);
        assert!(!found.valid && found.results.is_empty(), "{found:?}");
        found.reasons.iter().map(|note| note.code.clone()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(fails(|plate, _| plate.controls[0].expected = "1.2~1.4".into()), "control");
    assert_eq!(fails(|plate, _| plate.controls.clear()), "no_expectation");
    assert_eq!(fails(|plate, _| plate.wells.retain(|set| set.role != Role::Blank)), "no_blank");
    assert!(fails(|plate, _| plate.wells[1].dose.clear()).contains("no_dose"));
    assert_eq!(fails(|plate, _| plate.wells[1].dose = "O.05".into()), "not_a_number no_dose");
    assert!(fails(|_, seen| seen.retain(|one| one.id != "o-B3")).contains("no_reading"));
    assert!(fails(|_, seen| seen.push(reading("B3", "absorbance", "0.7", "ok"))).contains("ambiguous"));
    assert!(fails(|plate, _| plate.wells.push(wells("A1", Role::Sample, "x", "", ""))).contains("well_twice"));
    // Replicates far apart.
    assert!(
        fails(|_, seen| {
            if let Some(one) = seen.iter_mut().find(|one| one.id == "o-B3") {
                one.value = "0.3".parse().ok();
            }
        })
        .contains("cv")
    );
}

#[test]
fn masked_and_over_range_wells_are_findings_and_never_numbers() {
    let (plate, mut seen) = elisa();
    for one in seen.iter_mut().filter(|one| one.id == "o-B3") {
        one.status = "masked".into();
        one.value = "9.9".parse().ok();
    }
    let found = of(&method("elisa-4pl"), plate.clone(), &seen);
    assert!(found.valid, "{:?}", found.reasons);
    assert!(
        found.findings.iter().any(|note| note.code == "unusable" && note.observation_id.as_deref() == Some("o-B3"))
    );
    let line = found.wells.iter().find(|well| well.well == "B3").expect("the well");
    assert_eq!(line.value, None);
    // Every level beyond the curve on one side: a bound, no number.
    let high: Vec<Seen> = seen
        .iter()
        .cloned()
        .map(|mut one| {
            if ["o-B3", "o-B4"].contains(&one.id.as_str()) {
                (one.raw, one.value, one.status) = ("3.9".into(), "3.9".parse().ok(), "ok".into());
            }
            one
        })
        .collect();
    let found = of(&method("elisa-4pl"), plate, &high);
    assert!(found.valid, "{:?}", found.reasons);
    assert_eq!((found.results[0].value.clone(), found.results[0].raw.as_str()), (None, ">1215"));
}

#[test]
fn a_potency_plate() {
    let (standard, sample) = three_and_three();
    let (mut seen, mut layout) = (Vec::new(), Vec::new());
    for (role, name, start, data) in [(Role::Standard, "REF", 1, standard), (Role::Sample, "SH20260001", 5, sample)] {
        for (index, (dose, response)) in data.iter().enumerate() {
            let well = format!("{}{}", ['A', 'B', 'C'][index / 4], start + index % 4);
            seen.push(reading(&well, "absorbance", &response.to_string(), "ok"));
            layout.push(wells(&well, role, name, &dose.to_string(), ""));
        }
    }
    let plate =
        PlateSetup { wells: layout, standard_potency: "1000".into(), unit: "[IU]/mL".into(), ..PlateSetup::default() };
    let found = of(&method("potency-parallel-line"), plate.clone(), &seen);
    assert!(found.valid, "{:?}", found.reasons);
    let [one] = found.potencies.as_slice() else { panic!() };
    near(one.potency.parse().expect("a number"), 884.3297814346269, 1e-8);
    near(one.lower.parse().expect("a number"), 829.785789199, 1e-8);
    assert_eq!(found.results[0].unit, "[IU]/mL");
    assert_eq!(found.calibration.expect("points").points.len(), 24);
    // Turned about, the sample falls where the standard rises: not parallel, nothing proposed.
    let mut turned = seen;
    for one in turned.iter_mut().filter(|one| ["5", "6", "7", "8"].iter().any(|end| one.id.ends_with(end))) {
        one.value =
            one.value.map(|value| rust_decimal::Decimal::from(420) - value - value / rust_decimal::Decimal::TWO);
    }
    let found = of(&method("potency-parallel-line"), plate, &turned);
    assert!(!found.valid && found.results.is_empty());
    assert!(found.reasons.iter().any(|note| note.code == "parallelism"), "{:?}", found.reasons);
}

#[test]
fn an_endotoxin_plate_with_its_spike() {
    // Onset = 1000 · c^-0.25 exactly: the curve is lg t = 3 − 0.25·lg c.
    let onset = |c: f64| 1000.0 * c.powf(-0.25);
    let (mut seen, mut layout) = (Vec::new(), Vec::new());
    for (row, c) in [("A", 5.0), ("B", 0.5), ("C", 0.05), ("D", 0.005)] {
        for column in 1..=2 {
            seen.push(reading(&format!("{row}{column}"), "onset_time", &onset(c).to_string(), "ok"));
        }
        layout.push(wells(&format!("{row}1 {row}2"), Role::Standard, "CSE", &c.to_string(), ""));
    }
    seen.push(reading("E1", "onset_time", "-", "over_range"));
    layout.push(wells("E1", Role::Blank, "NC", "", ""));
    for (well, c) in [("F1", 0.02), ("G1", 0.52)] {
        seen.push(reading(well, "onset_time", &onset(c).to_string(), "ok"));
    }
    layout.push(wells("F1", Role::Sample, "SX20260001", "", "10"));
    layout.push(wells("G1", Role::Spike, "SX20260001", "0.5", "10"));
    let plate = PlateSetup { wells: layout, ..PlateSetup::default() };
    let found = of(&method("endotoxin-kinetic"), plate.clone(), &seen);
    assert!(found.valid, "{:?}", found.reasons);
    near(found.results[0].value.as_deref().and_then(|text| text.parse().ok()).expect("a number"), 0.2, 1e-9);
    let recovery = found.criteria.iter().find(|one| one.code == "spike_recovery").expect("it");
    assert_eq!((recovery.found.as_str(), recovery.met), ("100", Some(true)));
    // Below the lowest standard: a bound. The blank reacting: invalid.
    let mut low = seen.clone();
    for one in low.iter_mut().filter(|one| one.id == "o-F1") {
        one.value = Some("9000".parse().expect("a number"));
    }
    let found = of(&method("endotoxin-kinetic"), plate.clone(), &low);
    assert_eq!((found.valid, found.results[0].raw.as_str()), (true, "<0.05"));
    let mut reacts = seen;
    for one in reacts.iter_mut().filter(|one| one.id == "o-E1") {
        (one.status, one.value) = ("ok".into(), "1500".parse().ok());
    }
    let found = of(&method("endotoxin-kinetic"), plate, &reacts);
    assert!(found.reasons.iter().any(|note| note.code == "blank_reacts"));
}
