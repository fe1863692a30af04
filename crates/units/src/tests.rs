use proptest::prelude::*;

use super::*;

fn decimal(text: &str) -> Decimal {
    text.parse().expect(text)
}

fn converted(value: &str, from: &str, to: &str) -> Result<String, UnitError> {
    let conversion = Unit::read(from)?.to(&Unit::read(to)?)?;
    conversion.of(decimal(value)).map(|found| found.value.normalize().to_string())
}

#[test]
fn values_convert_exactly() {
    for (value, from, to, expected) in [
        ("0.0811", "%", "ppm", "811"),
        ("811", "ppm", "%", "0.0811"),
        ("412.3", "μg/ml", "mg/mL", "0.4123"),
        ("412.3", "ug/mL", "mg/L", "412.3"),
        ("1.5", "mg/dL", "ug/mL", "15"),
        ("0.5", "g/L", "毫克/毫升", "0.5"),
        ("0.5", "毫克每毫升", "g/L", "0.5"),
        ("3", "％", "‰", "30"),
        ("5", "mg/kg", "%(w/w)", "0.0005"),
        ("5", "ppm(m/m)", "ug/g", "5"),
        ("2", "%(w/v)", "mg/mL", "20"),
        ("1200", "IU/mL", "kIU/mL", "1.2"),
        ("3", "cfu/g", "CFU/100g", ""),
        ("25", "℃", "K", "298.15"),
        ("77", "℉", "°C", "25"),
        ("-40", "°C", "[degF]", "-40"),
        ("90", "min", "h", "1.5"),
        ("2", "mM", "umol/mL", "2"),
        ("5", "mAU*s", "mAU*min", "0.0833333333333333333333333333"),
        ("1", "cm⁻¹", "m-1", "100"),
        ("0.3", "mPa·s", "cP", "0.3"),
    ] {
        if expected.is_empty() {
            assert!(converted(value, from, to).is_err(), "{from} {to}");
        } else {
            assert_eq!(converted(value, from, to).as_deref(), Ok(expected), "{value} {from} → {to}");
        }
    }
}

#[test]
fn what_does_not_convert_is_refused_with_both_units() {
    let told = |from: &str, to: &str| converted("1", from, to).expect_err(to);
    let named = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    for (a, b) in [("mg/L", "mmol/L"), ("mol/kg", "g/kg"), ("umol", "mg")] {
        let (from, to) = named(a, b);
        assert_eq!(told(a, b), UnitError::MolarMass { from, to });
    }
    for (a, b) in
        [("mg", "mL"), ("mg/mL", "%"), ("IU/mL", "mg/mL"), ("IU/mL", "U/mL"), ("cfu/g", "cfu/mL"), ("mol", "%")]
    {
        let (from, to) = named(a, b);
        assert_eq!(told(a, b), UnitError::Dimension { from, to });
    }
    for (a, b) in [
        ("%", "mg/g"),
        ("%(v/v)", "%(w/w)"),
        ("%", "%(w/w)"),
        ("mg/kg", "mL/L"),
        ("ppm", "ug/g"),
        ("area%", "%"),
        ("mol%", "wt%"),
        ("EU", "%"),
    ] {
        let (from, to) = named(a, b);
        assert_eq!(told(a, b), UnitError::Basis { from, to });
    }
    for (a, b) in [("copies/mL", "cells/mL"), ("个/mL", "10*3/uL"), ("EU/mL", "/mL")] {
        let (from, to) = named(a, b);
        assert_eq!(told(a, b), UnitError::Counted { from, to });
    }
    for (a, b) in [("[pH]", "mol/L"), ("dB", "1"), ("Cel/s", "K/s")] {
        let told = told(a, b);
        assert!(matches!(told, UnitError::Scale { .. } | UnitError::Dimension { .. }), "{told}");
    }
    for unknown in ["", " ", "?", "UG", "mg/", "ppmm", "mcl", "吨半", "10+3/uL", &"(".repeat(300), &"m.".repeat(150)]
    {
        assert!(matches!(Unit::read(unknown), Err(UnitError::Unknown { .. })), "{unknown}");
    }
}

#[test]
fn one_unit_has_many_spellings_and_two_units_stay_two() {
    for (a, b) in [
        ("μg/ml", "ug/mL"),
        ("[iU]/mL", "IU/ml"),
        ("mg / L", "mg/l"),
        ("％", "%"),
        ("quack", "quack"),
        ("g/L", "mg/mL"),
    ] {
        assert!(same(a, b), "{a} {b}");
    }
    for (a, b) in [("mg", "g"), ("mg/mL", "ug/mL"), ("%", "mg/g"), ("quack", "mg"), ("Mg", "mg"), ("quack", "quick")] {
        assert!(!same(a, b), "{a} {b}");
    }
}

/// Units of one dimension, of which any two convert.
const FAMILIES: &[&[&str]] = &[
    &["g", "mg", "ug", "ng", "kg", "[lb_av]", "[oz_av]", "u"],
    &["g/L", "mg/mL", "ug/mL", "ng/uL", "mg/dL", "kg/m3", "%(w/v)"],
    &["%", "ppm", "[ppb]", "[ppth]", "1"],
    &["mg/kg", "ug/g", "%(m/m)", "ppm(w/w)"],
    &["s", "min", "h", "d", "ms"],
    &["mol/L", "mM", "umol/mL"],
    &["IU/mL", "kIU/L", "[iU]/uL"],
    &["Pa", "kPa", "bar", "mm[Hg]", "[psi]", "atm"],
    &["K", "℃", "℉"],
];

proptest! {
    /// There and back gives the value again, and no value is silently another.
    #[test]
    fn conversions_are_inverse(family in 0..FAMILIES.len(), a in 0..8_usize, b in 0..8_usize, mantissa in 1_i64..1_000_000_000, scale in 0_u32..6) {
        let family = FAMILIES[family];
        let (a, b) = (Unit::read(family[a % family.len()]).expect("a unit"), Unit::read(family[b % family.len()]).expect("a unit"));
        let value = Decimal::new(mantissa, scale);
        let there = a.to(&b).expect("one dimension").of(value);
        let Ok(there) = there else { return Ok(()) };
        let back = b.to(&a).expect("one dimension").of(there.value).expect("as it was");
        if there.exact {
            prop_assert_eq!(back.value, value);
        } else {
            let lost = (back.value - value).abs();
            prop_assert!(lost < value * decimal("0.00000000001"), "{} {} {}", value, there.value, back.value);
        }
    }

    /// Whatever is written: it is read or refused, and never stalls.
    #[test]
    fn any_text_is_read_or_refused(text in "[a-zA-Z0-9µ%\\[\\]{}()./*^+ -]{0,40}") {
        let _ = Unit::read(&text);
    }

    /// Units of two families never convert.
    #[test]
    fn dimensions_stay_apart(a in 0..FAMILIES.len(), b in 0..FAMILIES.len(), i in 0..8_usize, j in 0..8_usize) {
        prop_assume!(a != b);
        let unit = |family: usize, at: usize| Unit::read(FAMILIES[family][at % FAMILIES[family].len()]).expect("a unit");
        prop_assert!(unit(a, i).to(&unit(b, j)).is_err());
    }
}
