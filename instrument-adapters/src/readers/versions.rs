//! Results that a message sends more than once: corrections replace what comes before them,
//! all others are measurements of their own.

use std::collections::BTreeMap;

use crate::sink::Sink;

/// Context entry in which readers of messages leave `correction`.
pub(crate) const VERSION: &str = "result_version";

/// Tells results of the same sample and test apart. `same` names what a correction replaces; `order`
/// is what tells measurements apart.
pub(crate) fn settle(sink: &mut Sink, order: &str) {
    let mut groups: BTreeMap<(Option<String>, String), Vec<usize>> = BTreeMap::new();
    for (index, o) in sink.observations.iter().enumerate() {
        let test = o.context.get("test_id").cloned().unwrap_or_default();
        groups.entry((o.sample.clone(), test)).or_default().push(index);
    }
    for members in groups.into_values().filter(|m| m.len() > 1) {
        let corrects = |sink: &Sink, index: usize| {
            sink.observations.get(index).is_some_and(|o| o.context.get(VERSION).is_some_and(|v| v == "correction"))
        };
        let last_correction = members.iter().rposition(|m| corrects(sink, *m));
        for (place, index) in members.iter().enumerate() {
            let Some(o) = sink.observations.get_mut(*index) else { continue };
            match last_correction {
                Some(last) => {
                    o.context.insert("version_number".into(), (place + 1).to_string());
                    if place < last {
                        o.context.insert("superseded".into(), "yes".into());
                        o.flags.push("superseded".into());
                    }
                }
                None if o.injection.is_none() => o.injection = o.context.get(order).cloned(),
                None => {}
            }
        }
    }
}
