//! The table of UCUM as published, read once. Nothing of it is repeated in code.

use std::collections::HashMap;
use std::sync::OnceLock;

use num_rational::BigRational;

use crate::exact;

/// The table, verbatim.
const ESSENCE: &str = include_str!("../data/ucum-essence.xml");

/// What a unit symbol stands for.
#[derive(Clone, Debug)]
pub(crate) enum UnitMeaning {
    /// One of the seven, or the mole, which has a kind of its own here ([`crate::Unit`]).
    Base,
    /// So many of another unit.
    Multiple { value: BigRational, unit: String },
    /// Defined by a procedure: of no dimension, and comparable with itself only.
    Arbitrary,
    /// On a scale of its own: a function of so many of another unit.
    Special { function: String, value: BigRational, unit: String },
}

/// A unit symbol.
#[derive(Clone, Debug)]
pub(crate) struct Atom {
    /// Whether prefixes may come before it.
    pub metric: bool,
    pub meaning: UnitMeaning,
}

/// Prefixes and symbols.
#[derive(Debug, Default)]
pub(crate) struct UnitTable {
    pub prefixes: Vec<(String, BigRational)>,
    pub atoms: HashMap<String, Atom>,
}

/// The table. Were it not readable, it would be empty, and every unit unknown: the tests look.
pub(crate) fn table() -> &'static UnitTable {
    static TABLE: OnceLock<UnitTable> = OnceLock::new();
    TABLE.get_or_init(|| read(ESSENCE).unwrap_or_default())
}

fn read(text: &str) -> Option<UnitTable> {
    let document = roxmltree::Document::parse(text).ok()?;
    let mut table = UnitTable::default();
    for node in document.root_element().children().filter(roxmltree::Node::is_element) {
        let code = node.attribute("Code")?.to_owned();
        let child = |name: &str| node.children().find(|child| child.has_tag_name((NAMESPACE, name)));
        match node.tag_name().name() {
            "prefix" => table.prefixes.push((code, exact::read(child("value")?.attribute("value")?)?)),
            "base-unit" => {
                table.atoms.insert(code, Atom { metric: true, meaning: UnitMeaning::Base });
            }
            _ => {
                let metric = node.attribute("isMetric") == Some("yes");
                let meaning = meaning(&code, node, child("value")?)?;
                table.atoms.insert(code, Atom { metric, meaning });
            }
        }
    }
    // The longer prefix is tried first: `dam` is ten metres, not a tenth of `am`.
    table.prefixes.sort_by_key(|(code, _)| std::cmp::Reverse(code.len()));
    Some(table)
}

const NAMESPACE: &str = "http://unitsofmeasure.org/ucum-essence";

fn meaning(code: &str, node: roxmltree::Node<'_, '_>, value: roxmltree::Node<'_, '_>) -> Option<UnitMeaning> {
    // UCUM counts moles as plain numbers, by which 1 mol would be 6×10²⁵ %: an amount is not a fraction here.
    if code == "mol" {
        return Some(UnitMeaning::Base);
    }
    if let Some(function) = value.children().find(|child| child.has_tag_name((NAMESPACE, "function"))) {
        return Some(UnitMeaning::Special {
            function: function.attribute("name")?.to_owned(),
            value: exact::read(function.attribute("value")?)?,
            unit: function.attribute("Unit")?.to_owned(),
        });
    }
    let unit = value.attribute("Unit")?.to_owned();
    if node.attribute("isArbitrary") == Some("yes") && unit == "1" {
        return Some(UnitMeaning::Arbitrary);
    }
    Some(UnitMeaning::Multiple { value: exact::read(value.attribute("value")?)?, unit })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_table_is_read() {
        let table = table();
        assert_eq!(table.prefixes.len(), ESSENCE.matches("<prefix ").count());
        let declared = ESSENCE.matches("<base-unit ").count() + ESSENCE.matches("<unit ").count();
        assert!(declared > 300, "{declared}");
        assert_eq!(table.atoms.len(), declared);
    }
}
