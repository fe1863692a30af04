//! The register: all provisions, and which of them decides a question of a case.

use std::cmp::Reverse;
use std::collections::HashMap;

use chrono::NaiveDate;

use crate::case::CaseFacts;
use crate::provision::Provision;
use vocabulary::words::Jurisdiction;

/// Every provision that is known, in the order of its files.
#[derive(Clone, Debug)]
pub struct Register {
    provisions: Vec<Provision>,
    index: HashMap<String, usize>,
}

/// An answer, with every provision that gives it; the one that decides comes first.
#[derive(Clone, Debug)]
pub struct ProvisionAnswer<'r, T> {
    pub value: T,
    pub provisions: Vec<&'r Provision>,
}

impl Register {
    pub(crate) fn new(provisions: Vec<Provision>) -> Self {
        let index = provisions.iter().enumerate().map(|(at, one)| (one.id.clone(), at)).collect();
        Register { provisions, index }
    }

    /// All provisions, those for information and inactive ones included.
    pub fn provisions(&self) -> &[Provision] {
        &self.provisions
    }

    /// The provision of that id.
    pub fn get(&self, id: &str) -> Option<&Provision> {
        self.index.get(id).and_then(|at| self.provisions.get(*at))
    }

    /// The provisions in force on a day (all, without one) that reach a place: its own and the national ones.
    pub fn list(&self, on: Option<NaiveDate>, place: Option<Jurisdiction>) -> Vec<&Provision> {
        self.provisions
            .iter()
            .filter(|one| on.is_none_or(|day| one.in_force_on(day)))
            .filter(|one| place.is_none_or(|place| one.jurisdiction.covers(place)))
            .collect()
    }

    /// The provisions that speak to a case, the one of the highest rank first; equal ranks in file order.
    pub(crate) fn speaking_to(&self, case: &CaseFacts) -> Vec<&Provision> {
        let mut speaking: Vec<&Provision> = self.provisions.iter().filter(|one| one.speaks_to(case)).collect();
        speaking.sort_by_key(|one| Reverse(one.rank()));
        speaking
    }
}

/// The answer of the first provision that has one, and with it all others that give the same.
pub(crate) fn decide<'r, T: PartialEq>(
    speaking: &[&'r Provision],
    answer: impl Fn(&'r Provision) -> Option<T>,
) -> Option<ProvisionAnswer<'r, T>> {
    let value = speaking.iter().find_map(|one| answer(one))?;
    let provisions = speaking.iter().filter(|one| answer(one).as_ref() == Some(&value)).copied().collect();
    Some(ProvisionAnswer { value, provisions })
}
