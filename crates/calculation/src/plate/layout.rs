//! Wells: their places, and which observation is a well's reading.

use std::collections::BTreeMap;

use crate::method::Method;
use crate::outcome::{Outcome, WellLine};
use crate::setup::{PlateSetup, Role, WellSetup, number};
use crate::{Seen, arith};
use rust_decimal::prelude::ToPrimitive;

/// A well with its role and its reading.
#[derive(Clone, Debug)]
pub struct Well<'a> {
    pub well: String,
    pub row: u32,
    pub column: u32,
    pub role: Role,
    pub name: &'a str,
    pub dose: Option<f64>,
    pub dilution: f64,
    /// The reading, less that of the reference wavelength; none where it may not be used.
    pub value: Option<f64>,
    pub seen: Option<&'a Seen>,
}

impl Well<'_> {
    /// As the outcome shows it.
    pub(super) fn line(&self, blank: f64) -> WellLine {
        WellLine {
            well: self.well.clone(),
            row: self.row,
            column: self.column,
            role: self.role.as_str().to_owned(),
            name: self.name.to_owned(),
            dose: self.dose.map(super::text),
            dilution: (self.dilution != 1.0).then(|| super::text(self.dilution)),
            value: self.value.map(|value| super::text(if self.role == Role::Blank { value } else { value - blank })),
            raw: self.seen.map(|seen| seen.raw.clone()).unwrap_or_default(),
            status: self.seen.map_or("missing", |seen| seen.status.as_str()).to_owned(),
            observation_id: self.seen.map(|seen| seen.id.clone()).unwrap_or_default(),
        }
    }
}

/// Row and column of a well such as `A1`, `h12`, `AF48`; both from 1.
#[must_use]
pub fn place(well: &str) -> Option<(u32, u32)> {
    let well = well.trim().to_ascii_uppercase();
    let split = well.find(|c: char| c.is_ascii_digit())?;
    let (letters, digits) = well.split_at(split);
    let row = match letters.as_bytes() {
        [one] if one.is_ascii_uppercase() => u32::from(one - b'A') + 1,
        [b'A', two] if (b'A'..=b'F').contains(two) => u32::from(two - b'A') + 27,
        _ => return None,
    };
    let column: u32 = digits.parse().ok().filter(|column| (1..=48).contains(column))?;
    Some((row, column))
}

/// A well's name in one form: `a01` is `A1`.
#[must_use]
pub fn named(well: &str) -> Option<String> {
    let (row, column) = place(well)?;
    let letter = |n: u32| char::from(b'A' + u8::try_from(n - 1).unwrap_or(0));
    Some(if row > 26 { format!("A{}{column}", letter(row - 26)) } else { format!("{}{column}", letter(row)) })
}

/// The wells of a range: `A1:A3`, `A1:H1`, or one well.
///
/// # Errors
/// The text, where it is not a range of wells.
pub fn range(text: &str) -> Result<Vec<String>, String> {
    let wrong = || text.to_owned();
    let (from, to) = text.split_once([':', '~']).unwrap_or((text, text));
    let ((r1, c1), (r2, c2)) = (place(from).ok_or_else(wrong)?, place(to).ok_or_else(wrong)?);
    let mut wells = Vec::new();
    for row in r1.min(r2)..=r1.max(r2) {
        for column in c1.min(c2)..=c1.max(c2) {
            let letter = |n: u32| char::from(b'A' + u8::try_from(n - 1).unwrap_or(0));
            let name = if row > 26 { format!("A{}", letter(row - 26)) } else { letter(row).to_string() };
            wells.push(format!("{name}{column}"));
        }
    }
    Ok(wells)
}

/// Whether an observation is a reading of this plate at this wavelength.
fn is_reading(method: &Method, setup: &PlateSetup, wavelength: &str, seen: &Seen) -> bool {
    let quantity = if setup.quantity.is_empty() { &method.response } else { &setup.quantity };
    let told = |keys: &[&str], wanted: &str| {
        wanted.is_empty() || keys.iter().filter_map(|key| seen.told(key)).any(|text| text == wanted)
    };
    seen.quantity == *quantity
        && told(&["plate", "block"], &setup.plate)
        && told(&["wavelength", "channel", "filter", "read"], wavelength)
}

fn by_well<'a>(
    method: &Method,
    setup: &PlateSetup,
    wavelength: &str,
    seen: &'a [Seen],
) -> BTreeMap<String, Vec<&'a Seen>> {
    let mut found: BTreeMap<String, Vec<&Seen>> = BTreeMap::new();
    for one in seen.iter().filter(|one| is_reading(method, setup, wavelength, one)) {
        let well = ["well", "location"].iter().find_map(|key| one.told(key)).and_then(named);
        if let Some(well) = well {
            found.entry(well).or_default().push(one);
        }
    }
    found
}

/// The wells that the operator masked in any of the plate's values.
fn masked<'a>(setup: &PlateSetup, seen: &'a [Seen]) -> BTreeMap<String, &'a Seen> {
    let of_plate = |one: &Seen| setup.plate.is_empty() || one.told("plate").is_none_or(|plate| plate == setup.plate);
    let marked = seen.iter().filter(|one| one.status == "masked" && of_plate(one));
    marked.filter_map(|one| Some((named(one.told("well")?)?, one))).collect()
}

/// The wells of a layout with their readings.
pub(super) fn wells<'a>(
    method: &Method,
    setup: &'a PlateSetup,
    seen: &'a [Seen],
    outcome: &mut Outcome,
) -> Vec<Well<'a>> {
    let readings = by_well(method, setup, &setup.wavelength, seen);
    let reference = if setup.reference_wavelength.is_empty() {
        None
    } else {
        Some(by_well(method, setup, &setup.reference_wavelength, seen))
    };
    let masked = masked(setup, seen);
    let mut wells: Vec<Well<'a>> = Vec::new();
    for set in &setup.wells {
        let (dose, dilution) = levels(set, outcome);
        for name in &set.wells {
            let Some((well, (row, column))) = named(name).zip(place(name)) else {
                outcome.refuse("no_well", format!("“{name}”不是孔位 / {name:?} is no well"));
                continue;
            };
            if wells.iter().any(|known| known.well == well) {
                outcome.refuse(
                    "well_twice",
                    format!("孔 {well} 在布局中出现两次 / well {well} stands twice in the layout"),
                );
                continue;
            }
            let (role, name) = (set.role, set.name.as_str());
            let (mut value, seen) = reading(&well, set, &readings, reference.as_ref(), outcome);
            if let (Some(mask), Some(_)) = (masked.get(&well), value) {
                // Left out by the operator in the instrument's own evaluation, though its raw reading is kept.
                let text = format!(
                    "孔 {well} 在仪器软件中已屏蔽（{}），不作数值使用 / well {well} is masked: not used",
                    mask.raw
                );
                outcome.find("unusable", text, Some(&mask.id));
                value = None;
            }
            wells.push(Well { well, row, column, role, name, dose, dilution, value, seen });
        }
    }
    let left: Vec<&str> =
        readings.keys().filter(|well| !wells.iter().any(|one| one.well == **well)).map(String::as_str).collect();
    if !left.is_empty() {
        outcome.find(
            "not_laid_out",
            format!(
                "{} 个孔有读数而未在布局中：{} / {} wells have readings and no role",
                left.len(),
                left.join(" "),
                left.len()
            ),
            None,
        );
    }
    wells
}

fn levels(set: &WellSetup, outcome: &mut Outcome) -> (Option<f64>, f64) {
    let mut typed = |text: &str| match number(text) {
        Ok(value) => value.and_then(|value| value.to_f64()),
        Err(text) => {
            outcome.refuse("not_a_number", format!("布局中“{text}”不是数值 / {text:?} in the layout is no number"));
            None
        }
    };
    (typed(&set.dose), typed(&set.dilution).unwrap_or(1.0))
}

/// A well's reading: exactly one value that may be calculated with.
fn reading<'a>(
    well: &str,
    set: &WellSetup,
    readings: &BTreeMap<String, Vec<&'a Seen>>,
    reference: Option<&BTreeMap<String, Vec<&'a Seen>>>,
    outcome: &mut Outcome,
) -> (Option<f64>, Option<&'a Seen>) {
    let takes_part = !matches!(set.role, Role::Empty | Role::Other);
    let one = |of: &BTreeMap<String, Vec<&'a Seen>>, outcome: &mut Outcome| match of.get(well).map(Vec::as_slice) {
        Some([one]) => Some(*one),
        Some(many) if takes_part => {
            outcome.refuse(
                "ambiguous",
                format!(
                    "孔 {well} 有 {} 个读数，请选定板号或波长 / well {well} has {} readings: name the plate or the wavelength",
                    many.len(),
                    many.len()
                ),
            );
            None
        }
        None if takes_part => {
            outcome.refuse("no_reading", format!("孔 {well} 没有读数 / well {well} has no reading"));
            None
        }
        _ => None,
    };
    let Some(seen) = one(readings, outcome) else { return (None, None) };
    if !takes_part {
        return (None, Some(seen));
    }
    let mut usable = |seen: &Seen| {
        let value = seen.number();
        if value.is_none() {
            let text = format!("孔 {well}：{} 不作数值使用 / not used as a number", seen.why_not());
            outcome.find("unusable", text, Some(&seen.id));
        }
        value
    };
    let value = usable(seen);
    let value = match reference {
        None => value,
        Some(reference) => match reference.get(well).map(Vec::as_slice) {
            Some([other]) => value.zip(usable(other)).and_then(|(value, other)| value.checked_sub(other)),
            _ => None,
        },
    };
    (value.and_then(|value| value.to_f64()), Some(seen))
}

/// The layout that the file's names propose: one line a name and type, with its wells.
#[must_use]
pub fn propose(method: &Method, setup: &PlateSetup, seen: &[Seen]) -> Vec<WellSetup> {
    let mut sets: Vec<WellSetup> = Vec::new();
    for (well, values) in by_well(method, setup, &setup.wavelength, seen) {
        let Some(one) = values.first() else { continue };
        let name = one.sample_text.as_deref().unwrap_or_default();
        let kind = ["well_type", "sample_type", "group"].iter().find_map(|key| one.told(key)).unwrap_or_default();
        let role = method.role_of(name, kind);
        let dose = ["dose", "nominal_concentration", "concentration"].iter().find_map(|key| one.told(key));
        let dilution = ["dilution", "dilution_factor"].iter().find_map(|key| one.told(key));
        let made = WellSetup {
            wells: vec![well],
            role,
            name: name.to_owned(),
            dose: dose.unwrap_or_default().to_owned(),
            dilution: dilution.unwrap_or_default().to_owned(),
            reason: String::new(),
        };
        // Of a sample without a dilution, each row is taken for a level of its own: replicates lie side by side.
        let row = |set: &WellSetup| set.wells.first().and_then(|well| place(well)).map(|at| at.0);
        let alike = |set: &WellSetup| made.role != Role::Sample || !made.dilution.is_empty() || row(set) == row(&made);
        let level = |set: &&mut WellSetup| {
            (set.role, &set.name, &set.dose, &set.dilution) == (made.role, &made.name, &made.dose, &made.dilution)
                && alike(set)
        };
        match sets.iter_mut().find(level) {
            Some(set) => set.wells.extend(made.wells),
            None => sets.push(made),
        }
    }
    sets.sort_by_key(|set| set.wells.first().and_then(|well| place(well)).map(|(row, column)| (column, row)));
    sets
}

/// Doses of the standard's levels that the file itself says as values of their own, by sample name.
#[must_use]
pub fn nominal(seen: &[Seen]) -> BTreeMap<String, String> {
    let of = seen.iter().filter(|one| one.quantity == "nominal_concentration");
    of.filter_map(|one| Some((one.sample_text.clone()?, arith::short(one.number()?)))).collect()
}
