//! Whose well it is: what layouts and other tables say of the wells of a plate.

use std::collections::{BTreeMap, BTreeSet};

use crate::sink::Sink;
use crate::tabular::Base;

/// (sheet, plate, well); the plate is empty where the file does not name it.
type Place = (String, String, String);

/// What the layouts of a file say of its wells.
#[derive(Debug, Default)]
pub(super) struct Wells {
    /// Name in `context` → text; the empty name is the sample's.
    said: BTreeMap<Place, BTreeMap<String, String>>,
    rows: BTreeMap<(String, String), BTreeSet<String>>,
    none: BTreeSet<String>,
}

fn plate(context: &BTreeMap<String, String>) -> String {
    context.get("plate").cloned().unwrap_or_default()
}

impl Wells {
    pub fn put(&mut self, sheet: &str, base: &Base, well: &str, name: &str, text: &str) {
        let plate = plate(&base.context);
        let letters = well.trim_end_matches(|c: char| c.is_ascii_digit());
        if name.is_empty() {
            self.rows.entry((sheet.to_owned(), plate.clone())).or_default().insert(letters.to_owned());
        }
        let place = (sheet.to_owned(), plate, well.to_owned());
        self.said.entry(place).or_default().insert(name.to_owned(), text.to_owned());
    }

    /// Letters of the rows in which the layout of this plate has samples.
    pub fn rows(&self, sheet: &str, base: &Base) -> impl Iterator<Item = &String> {
        self.rows.get(&(sheet.to_owned(), plate(&base.context))).unwrap_or(&self.none).iter()
    }

    /// Gives the values of wells the names that layouts have for them, and those without a name the one
    /// that the other tables of the file agree on.
    pub fn give(&self, sink: &mut Sink) {
        // Where another sheet holds the layout, it counts as long as the sheets agree.
        let mut anywhere: BTreeMap<(&str, &str), BTreeMap<&str, BTreeSet<&str>>> = BTreeMap::new();
        for ((_, plate, well), said) in &self.said {
            for (name, text) in said {
                let place = anywhere.entry((plate.as_str(), well.as_str())).or_default();
                place.entry(name.as_str()).or_default().insert(text.as_str());
            }
        }
        for observation in &mut sink.observations {
            let Some(well) = observation.context.get("well").cloned() else { continue };
            let plate = plate(&observation.context);
            let Some(names) = anywhere.get(&(plate.as_str(), &well)).or_else(|| anywhere.get(&("", &well))) else {
                continue;
            };
            let sheet = observation.locator.sheet.clone().unwrap_or_default();
            let own = self.said.get(&(sheet, plate.clone(), well.clone()));
            for (name, texts) in names {
                let here = own.and_then(|said| said.get(*name)).map(String::as_str);
                let agreed = texts.first().filter(|_| texts.len() == 1).copied();
                let Some(text) = here.or(agreed) else { continue };
                if name.is_empty() {
                    observation.sample.get_or_insert_with(|| text.to_owned());
                } else {
                    observation.context.entry((*name).to_owned()).or_insert_with(|| text.to_owned());
                }
            }
        }
        from_other_tables(sink);
    }
}

/// What the tables of a file say of a numbered well: sample and position, as long as they agree.
fn from_other_tables(sink: &mut Sink) {
    let mut known: BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)> = BTreeMap::new();
    for observation in &sink.observations {
        let Some(number) = observation.context.get("well_number") else { continue };
        if !known.contains_key(number) {
            known.insert(number.clone(), Default::default());
        }
        let Some((samples, wells)) = known.get_mut(number) else { continue };
        if let Some(sample) = observation.sample.as_ref().filter(|s| !samples.contains(*s)) {
            samples.insert(sample.clone());
        }
        if let Some(well) = observation.context.get("well").filter(|w| !wells.contains(*w)) {
            wells.insert(well.clone());
        }
    }
    let one = |set: &BTreeSet<String>| set.first().filter(|_| set.len() == 1).cloned();
    for observation in &mut sink.observations {
        let Some((samples, wells)) = observation.context.get("well_number").and_then(|n| known.get(n)) else {
            continue;
        };
        if observation.sample.is_none() {
            observation.sample = one(samples);
        }
        if !observation.context.contains_key("well")
            && let Some(well) = one(wells)
        {
            observation.context.insert("well".into(), well);
        }
    }
}
