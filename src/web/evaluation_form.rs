//! The form of an evaluation: from its fields to a setup and back. A plate's layout is typed as lines.

use super::form::Form;
use crate::calculation::plate::layout;
use crate::calculation::setup::{
    AssignedRole, ControlSetup, PlateSetup, Preparation, Role, SampleSetup, Setup, WellSetup,
};
use crate::evaluations::CreateEvaluation;
use crate::refusal::Refusal;
use crate::store::columns::ReferenceStandardId;

/// The most injections and solutions of a form.
const MOST: usize = 2000;

/// The texts of a solution, with the names of their fields.
fn fields(one: &mut Preparation) -> [(&'static str, &mut String); 9] {
    [
        ("label", &mut one.label),
        ("standard_id", &mut one.standard_id),
        ("weight", &mut one.weight),
        ("volume", &mut one.volume),
        ("dilution", &mut one.dilution),
        ("water", &mut one.water),
        ("internal_amount", &mut one.internal_amount),
        ("label_amount", &mut one.label_amount),
        ("average_weight", &mut one.average_weight),
    ]
}

/// What a form says.
///
/// # Errors
/// Names the line of a layout that is not as expected.
pub fn read(form: &Form) -> Result<CreateEvaluation, Refusal> {
    let mut setup = Setup {
        analyte: form.text("analyte"),
        internal_standard: form.text("internal_standard"),
        signal: form.text("signal"),
        ..Setup::default()
    };
    for index in 0..form.count("injections", MOST) {
        let field = |name: &str| form.text(&format!("injections[{index}].{name}"));
        setup.injections.push(AssignedRole {
            injection: field("injection"),
            role: role(&format!("injections[{index}].role"), &field("role"))?,
            preparation: field("preparation"),
            reason: field("reason"),
            ..AssignedRole::default()
        });
    }
    for index in 0..form.count("preparations", MOST) {
        let mut one = Preparation::default();
        for (name, text) in fields(&mut one) {
            *text = form.text(&format!("preparations[{index}].{name}"));
        }
        one.dried = form.ticked(&format!("preparations[{index}].dried"));
        if !one.label.is_empty() {
            setup.preparations.push(one);
        }
    }
    if form.opt("plate.layout").is_some() {
        setup.plate = Some(plate(form)?);
    }
    Ok(CreateEvaluation {
        title: form.text("title"),
        method_id: form.text("method_id"),
        file_ids: form.all("file").into_iter().map(Into::into).collect(),
        setup,
        reason: form.opt("reason"),
    })
}

/// The role of a word; an injection that has none takes no part.
fn role(field: &str, word: &str) -> Result<Role, Refusal> {
    if word.is_empty() {
        return Ok(Role::Other);
    }
    crate::text::word(field, word, Role::parse)
}

/// The lots of reference standards that are chosen in a form.
#[must_use]
pub fn lots_of(form: &Form) -> Vec<ReferenceStandardId> {
    let solutions = (0..form.count("preparations", MOST)).map(|index| format!("preparations[{index}].standard_id"));
    let fields = solutions.chain(["plate.standard_id".to_owned()]);
    fields.filter_map(|field| form.opt(&field)).map(Into::into).collect()
}

fn plate(form: &Form) -> Result<PlateSetup, Refusal> {
    let mut plate = PlateSetup {
        quantity: form.text("plate.quantity"),
        plate: form.text("plate.plate"),
        wavelength: form.text("plate.wavelength"),
        reference_wavelength: form.text("plate.reference_wavelength"),
        standard_potency: form.text("plate.standard_potency"),
        unit: form.text("plate.unit"),
        standard_id: form.text("plate.standard_id"),
        ..PlateSetup::default()
    };
    for (number, cells) in lines(&form.text("plate.layout")) {
        plate.wells.push(wells(number, &cells)?);
    }
    for (_, cells) in lines(&form.text("plate.controls")) {
        plate.controls.push(ControlSetup { name: cell(&cells, 0), expected: cell(&cells, 1) });
    }
    for (_, cells) in lines(&form.text("plate.samples")) {
        plate.samples.push(SampleSetup { name: cell(&cells, 0), assumed_potency: cell(&cells, 1) });
    }
    Ok(plate)
}

/// Lines with their numbers, cut at bars or tabs.
fn lines(text: &str) -> Vec<(usize, Vec<String>)> {
    let cut = |line: &str| line.split(['|', '｜', '\t']).map(|cell| cell.trim().to_owned()).collect();
    let each = text.lines().zip(1_usize..).filter(|(line, _)| !line.trim().is_empty());
    each.map(|(line, number)| (number, cut(line))).collect()
}

fn cell(cells: &[String], index: usize) -> String {
    cells.get(index).cloned().unwrap_or_default()
}

fn wells(number: usize, cells: &[String]) -> Result<WellSetup, Refusal> {
    let wrong = |zh: String, en: String| {
        Refusal::field("plate.layout", format!("第 {number} 行：{zh}"), format!("line {number}: {en}"))
    };
    let word = cell(cells, 1);
    let role = Role::ALL.iter().find(|role| role.1 == word || role.2 == word).map(|role| role.0);
    let role = role.ok_or_else(|| wrong(format!("“{word}”不是用途"), format!("{word:?} is no role")))?;
    let mut found = Vec::new();
    for part in cell(cells, 0).split([' ', ',', '，', '、']).filter(|part| !part.is_empty()) {
        let range = layout::range(part);
        found.extend(range.map_err(|text| wrong(format!("“{text}”不是孔位"), format!("{text:?} is no well")))?);
    }
    Ok(WellSetup {
        wells: found,
        role,
        name: cell(cells, 2),
        dose: cell(cells, 3),
        dilution: cell(cells, 4),
        reason: cell(cells, 5),
    })
}

/// A form filled with a setup.
#[must_use]
pub fn filled(title: &str, setup: &Setup) -> Form {
    let mut form = Form::default();
    form.set("title", title);
    form.set("analyte", setup.analyte.as_str());
    form.set("internal_standard", setup.internal_standard.as_str());
    form.set("signal", setup.signal.as_str());
    for (index, one) in setup.injections.iter().enumerate() {
        form.set(&format!("injections[{index}].role"), one.role.as_str());
        form.set(&format!("injections[{index}].preparation"), one.preparation.as_str());
        form.set(&format!("injections[{index}].reason"), one.reason.as_str());
    }
    for (index, one) in setup.preparations.iter().enumerate() {
        let mut one = one.clone();
        if one.dried {
            form.set(&format!("preparations[{index}].dried"), "1");
        }
        for (name, text) in fields(&mut one) {
            form.set(&format!("preparations[{index}].{name}"), text.as_str());
        }
    }
    if let Some(plate) = &setup.plate {
        fill_plate(&mut form, plate);
    }
    form
}

fn fill_plate(form: &mut Form, plate: &PlateSetup) {
    form.set("plate.quantity", plate.quantity.as_str());
    form.set("plate.plate", plate.plate.as_str());
    form.set("plate.wavelength", plate.wavelength.as_str());
    form.set("plate.reference_wavelength", plate.reference_wavelength.as_str());
    form.set("plate.standard_potency", plate.standard_potency.as_str());
    form.set("plate.unit", plate.unit.as_str());
    form.set("plate.standard_id", plate.standard_id.as_str());
    let line = |set: &WellSetup| {
        let cells = [&set.wells.join(" "), set.role.names().0, &set.name, &set.dose, &set.dilution].map(str::to_owned);
        cells.join(" | ").trim_end_matches([' ', '|']).to_owned()
    };
    let joined = |list: Vec<String>| list.join("\n");
    form.set("plate.layout", joined(plate.wells.iter().map(line).collect()));
    let controls = plate.controls.iter().map(|one| format!("{} | {}", one.name, one.expected));
    form.set("plate.controls", joined(controls.collect()));
    let samples = plate.samples.iter().map(|one| format!("{} | {}", one.name, one.assumed_potency));
    form.set("plate.samples", joined(samples.collect()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setup_goes_through_the_form_and_back() {
        let plate = PlateSetup {
            unit: "[IU]/mL".into(),
            wells: vec![WellSetup {
                wells: vec!["A1".into(), "A2".into()],
                role: Role::Standard,
                name: "REF 1".into(),
                dose: "1.50".into(),
                ..WellSetup::default()
            }],
            controls: vec![ControlSetup { name: "QC".into(), expected: "0.8~1.2".into() }],
            ..PlateSetup::default()
        };
        let setup = Setup {
            analyte: "Main".into(),
            preparations: vec![Preparation {
                label: "STD".into(),
                weight: "20.10".into(),
                dried: true,
                ..Preparation::default()
            }],
            plate: Some(plate),
            ..Setup::default()
        };
        let mut form = filled("t", &setup);
        form.set("file", "f-1");
        let read = read(&form).expect("a setup");
        assert_eq!(read.setup, setup);
        assert_eq!((read.title.as_str(), read.file_ids.len()), ("t", 1));
    }

    #[test]
    fn a_wrong_line_of_a_layout_is_named() {
        for (text, told) in [("A1 | 对照 | S\nZZ9 | sample", "第 2 行"), ("A1 | reference", "第 1 行")] {
            let mut form = Form::default();
            form.set("plate.layout", text);
            let refusal = read(&form).expect_err(text);
            assert!(refusal.message_zh.contains(told), "{refusal}");
            assert_eq!(refusal.field.as_deref(), Some("plate.layout"));
        }
        let mut form = Form::default();
        form.set("plate.layout", "A1:B2，C1 ｜ 供试品 ｜ SX20260001 ｜ ｜ 100");
        let plate = read(&form).expect("a setup").setup.plate.expect("a plate");
        assert_eq!(plate.wells[0].wells, ["A1", "A2", "B1", "B2", "C1"]);
        assert_eq!((plate.wells[0].role, plate.wells[0].dilution.as_str()), (Role::Sample, "100"));
    }
}
