//! Several obligations on one case: what each asks, and what holds for the samples that they share. Pure.

use crate::determination::{CaseRefusal, Determination, Remainder, Ruled};
use vocabulary::words::Business;

/// One determination of several: every clock with the obligation that it is of, the larger numbers, the faster lane, and
/// nothing of the remainder to be sold that one of them does not allow.
pub(crate) fn together(each: Vec<(Business, Determination)>) -> Determination {
    let mut all = each.into_iter().map(|(business, one)| labelled(business, one));
    let first = all.next().unwrap_or_else(nothing);
    all.fold(first, |held, other| Determination {
        batches: larger(held.batches, other.batches),
        quantity_multiple: larger(held.quantity_multiple, other.quantity_multiple),
        lane: larger(held.lane, other.lane),
        clocks: held.clocks.into_iter().chain(other.clocks).collect(),
        remainder: remainder(held.remainder, other.remainder),
        refusals: refusals(held.refusals, other.refusals),
        amounts: united(held.amounts, other.amounts),
        explanation: held.explanation.into_iter().chain(other.explanation).collect(),
    })
}

fn nothing() -> Determination {
    Determination {
        batches: Ruled { value: None, provisions: Vec::new() },
        quantity_multiple: Ruled { value: None, provisions: Vec::new() },
        lane: Ruled { value: vocabulary::words::Lane::Routine, provisions: Vec::new() },
        clocks: Vec::new(),
        remainder: Remainder { may_be_sold: false, conditions: Vec::new(), provisions: Vec::new() },
        refusals: Vec::new(),
        amounts: Vec::new(),
        explanation: Vec::new(),
    }
}

fn labelled(business: Business, mut one: Determination) -> Determination {
    for clock in &mut one.clocks {
        clock.obligation = Some(business);
    }
    for sentence in &mut one.explanation {
        let (zh, en) = sentence.split_once(" / ").unwrap_or((sentence, ""));
        *sentence = format!("{}：{zh} / {}: {en}", business.zh(), business.en());
    }
    one
}

/// The larger value with its provisions; where both are the same, both bear it.
fn larger<T: Ord>(one: Ruled<T>, other: Ruled<T>) -> Ruled<T> {
    match one.value.cmp(&other.value) {
        std::cmp::Ordering::Less => other,
        std::cmp::Ordering::Greater => one,
        std::cmp::Ordering::Equal => Ruled { provisions: united(one.provisions, other.provisions), value: one.value },
    }
}

fn united(mut one: Vec<String>, other: Vec<String>) -> Vec<String> {
    for id in other {
        if !one.contains(&id) {
            one.push(id);
        }
    }
    one
}

fn remainder(one: Remainder, other: Remainder) -> Remainder {
    match (one.may_be_sold, other.may_be_sold) {
        (true, true) => Remainder {
            may_be_sold: true,
            conditions: united(one.conditions, other.conditions),
            provisions: united(one.provisions, other.provisions),
        },
        _ => Remainder { may_be_sold: false, conditions: Vec::new(), provisions: Vec::new() },
    }
}

fn refusals(mut one: Vec<CaseRefusal>, other: Vec<CaseRefusal>) -> Vec<CaseRefusal> {
    for refusal in other {
        match one.iter_mut().find(|known| known.code == refusal.code) {
            Some(known) => known.provisions = united(std::mem::take(&mut known.provisions), refusal.provisions),
            None => one.push(refusal),
        }
    }
    one
}
