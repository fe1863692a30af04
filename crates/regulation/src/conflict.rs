//! The check at load: two provisions of equal rank must not set different values for one and the same case.

use crate::error::RegisterError;
use crate::provision::Provision;
use vocabulary::words::ClockName;

/// Refuses a register in which some case would have two answers.
///
/// `files` names, for each provision, the file that it comes from.
pub(crate) fn check(provisions: &[Provision], files: &[String]) -> Result<(), RegisterError> {
    let file = |index: usize| files.get(index).cloned().unwrap_or_default();
    for (first_index, first) in provisions.iter().enumerate() {
        for (second_index, second) in provisions.iter().enumerate().skip(first_index + 1) {
            if !could_both_decide(first, second) {
                continue;
            }
            if let Some(subject) = disagreement(first, second) {
                return Err(RegisterError::Conflict {
                    subject,
                    first: first.id.clone(),
                    first_file: file(first_index),
                    second: second.id.clone(),
                    second_file: file(second_index),
                });
            }
        }
    }
    Ok(())
}

/// Equal rank includes the same first day in force, so that the days in force of the two always overlap.
fn could_both_decide(first: &Provision, second: &Provision) -> bool {
    first.active
        && second.active
        && first.jurisdiction == second.jurisdiction
        && first.rank() == second.rank()
        && first.applies.overlaps(&second.applies)
}

/// What the two disagree on. Lanes are left out: there the highest is taken.
fn disagreement(first: &Provision, second: &Provision) -> Option<String> {
    let (one, other) = (&first.sets, &second.sets);
    if differ(&one.batches, &other.batches) {
        return Some("batches".to_owned());
    }
    if differ(&one.quantity_multiple, &other.quantity_multiple) {
        return Some("quantity_multiple".to_owned());
    }
    if differ(&one.remainder, &other.remainder) {
        return Some("remainder".to_owned());
    }
    if differ(&one.pre_submission, &other.pre_submission) {
        return Some("pre_submission".to_owned());
    }
    if differ(&one.day_off_moves_to_next_working_day, &other.day_off_moves_to_next_working_day) {
        return Some("day_off_moves_to_next_working_day".to_owned());
    }
    let clock =
        |provision: &Provision, name: ClockName| provision.sets.clocks.iter().find(|clock| clock.name == name).copied();
    ClockName::ALL
        .iter()
        .find(|name| differ(&clock(first, **name), &clock(second, **name)))
        .map(|name| format!("the clock `{name}`"))
}

fn differ<T: PartialEq>(one: &Option<T>, other: &Option<T>) -> bool {
    matches!((one, other), (Some(one), Some(other)) if one != other)
}
