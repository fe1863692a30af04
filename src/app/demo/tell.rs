//! What the demonstration prints: each decision with its clauses.

use std::io::Write;

use crate::cases::Taken;
use crate::regulation::{Determination, Regulation};

/// Prints a determination: its sentences, then every provision that made it, with clause and text.
pub(super) fn determination(out: &mut dyn Write, regulation: &Regulation, made: &Determination) -> std::io::Result<()> {
    for sentence in &made.explanation {
        writeln!(out, "  · {sentence}")?;
    }
    let mut ids: Vec<&String> = Vec::new();
    let lists = [&made.batches.provisions, &made.quantity_multiple.provisions, &made.lane.provisions];
    let clocks = made.clocks.iter().flat_map(|clock| &clock.provisions);
    for id in lists.into_iter().flatten().chain(clocks).chain(&made.remainder.provisions) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    for id in ids {
        let Some(one) = regulation.register().get(id) else { continue };
        let document = one.document_number.as_deref().unwrap_or(&one.document_title);
        writeln!(out, "    [{id}] {document}{} [{}]：{}", one.clause, one.confidence, one.text)?;
    }
    Ok(())
}

/// Prints what was received.
pub(super) fn received(out: &mut dyn Write, taken: &Taken) -> std::io::Result<()> {
    if let Some(need) = &taken.demand {
        let multiple = need.multiple.map_or_else(String::new, |m| format!(" × {m}"));
        writeln!(
            out,
            "  用量 quantity: 全检 full test {}{multiple} = 须送 required {} 个容器 containers [{}]",
            need.full_test_containers,
            need.required_containers,
            need.provisions.join(", ")
        )?;
    }
    for sample in &taken.samples {
        writeln!(
            out,
            "  收样 received: {} 批号 lot {}, {} 个容器 containers",
            sample.number,
            sample.lot_number,
            sample.containers.len()
        )?;
    }
    Ok(())
}
