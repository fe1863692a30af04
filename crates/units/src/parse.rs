//! The grammar of UCUM (case sensitive), over the whole language: terms of `.` and `/`, exponents, brackets,
//! annotations. What is read is evaluated at once, by the table.

use std::collections::{BTreeMap, BTreeSet};

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Zero};

use crate::UnitError;
use crate::essence::{Atom, UnitMeaning, table};
use crate::exact;

/// The longest unit, and the deepest nesting of its brackets.
const LENGTH: usize = 200;
const DEPTH: usize = 16;

/// A scale that is not a multiple of others: its function, and what it is a function of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Special {
    pub function: String,
    /// A prefix before the symbol.
    pub prefix: BigRational,
}

/// What a unit is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Worth {
    pub factor: BigRational,
    /// Exponents of the base units and of what is comparable with itself only.
    pub dimension: BTreeMap<String, i32>,
    /// What is above and below the line, so that a quotient of two masses differs from one of two volumes.
    pub above: BTreeMap<String, i32>,
    pub annotations: BTreeSet<String>,
    pub special: Option<Special>,
    /// A special scale within a term: valid, and not convertible.
    pub opaque: bool,
}

impl Worth {
    fn number(factor: BigRational) -> Self {
        Self {
            factor,
            dimension: BTreeMap::new(),
            above: BTreeMap::new(),
            annotations: BTreeSet::new(),
            special: None,
            opaque: false,
        }
    }

    fn base(name: &str) -> Self {
        let one = BTreeMap::from([(name.to_owned(), 1)]);
        Self { dimension: one.clone(), above: one, ..Self::number(BigRational::one()) }
    }

    fn power(mut self, exponent: i32) -> Option<Self> {
        self.opaque |= self.special.take().is_some();
        self.factor = exact::power(&self.factor, exponent)?;
        let below = sum(&self.above, &self.dimension, -1)?;
        let kept = if exponent < 0 { below } else { self.above };
        self.above = times(&kept, exponent.checked_abs()?)?;
        self.dimension = times(&self.dimension, exponent)?;
        Some(self)
    }

    fn by(mut self, mut other: Self) -> Option<Self> {
        let plain = |worth: &Self| worth.dimension.is_empty() && worth.factor.is_one() && worth.special.is_none();
        if self.special.is_some() && !plain(&other) || other.special.is_some() && !plain(&self) {
            self.opaque |= self.special.take().is_some() || other.special.is_some();
            other.special = None;
        }
        self.factor *= other.factor;
        self.dimension = sum(&self.dimension, &other.dimension, 1)?;
        self.above = sum(&self.above, &other.above, 1)?;
        self.annotations.append(&mut other.annotations);
        self.opaque |= other.opaque;
        self.special = self.special.or(other.special);
        Some(self)
    }
}

fn times(of: &BTreeMap<String, i32>, by: i32) -> Option<BTreeMap<String, i32>> {
    let each = of.iter().map(|(name, exponent)| Some((name.clone(), exponent.checked_mul(by)?)));
    each.filter(|one| one.as_ref().is_none_or(|(_, exponent)| *exponent != 0)).collect()
}

fn sum(a: &BTreeMap<String, i32>, b: &BTreeMap<String, i32>, sign: i32) -> Option<BTreeMap<String, i32>> {
    let mut all = a.clone();
    for (name, exponent) in b {
        let at = all.entry(name.clone()).or_insert(0);
        *at = at.checked_add(exponent.checked_mul(sign)?)?;
    }
    all.retain(|_, exponent| *exponent != 0);
    Some(all)
}

/// Reads a unit.
pub(crate) fn worth(text: &str) -> Result<Worth, UnitError> {
    within(text, 0)
}

/// `depth` counts definitions of definitions too: no text makes it run away.
fn within(text: &str, depth: usize) -> Result<Worth, UnitError> {
    let unknown = || UnitError::Unknown { text: text.to_owned() };
    let printable = text.bytes().all(|byte| (33..=126).contains(&byte));
    if text.is_empty() || text.len() > LENGTH || !printable || depth > DEPTH {
        return Err(unknown());
    }
    let mut parser = Parser { rest: text, depth };
    let found = parser.main_term().ok_or_else(unknown)?;
    if parser.rest.is_empty() { Ok(found) } else { Err(unknown()) }
}

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn take(&mut self, mark: char) -> bool {
        self.rest.strip_prefix(mark).is_some_and(|rest| {
            self.rest = rest;
            true
        })
    }

    fn main_term(&mut self) -> Option<Worth> {
        if self.take('/') {
            let below = self.component()?;
            return self.onward(below.power(-1)?);
        }
        let first = self.component()?;
        self.onward(first)
    }

    /// `.` and `/` have one rank and go from left to right.
    fn onward(&mut self, mut left: Worth) -> Option<Worth> {
        loop {
            if self.take('.') {
                left = left.by(self.component()?)?;
            } else if self.take('/') {
                left = left.by(self.component()?.power(-1)?)?;
            } else {
                return Some(left);
            }
        }
    }

    fn component(&mut self) -> Option<Worth> {
        if self.take('(') {
            self.depth += 1;
            if self.depth > DEPTH {
                return None;
            }
            let mut inner = self.main_term()?;
            self.depth -= 1;
            if !self.take(')') {
                return None;
            }
            inner.annotations.extend(self.annotation()?);
            return Some(inner);
        }
        if self.rest.starts_with('{') {
            let mut one = Worth::number(BigRational::one());
            one.annotations.extend(self.annotation()?);
            return Some(one);
        }
        let mut found = self.simple()?;
        found.annotations.extend(self.annotation()?);
        Some(found)
    }

    /// `{…}` where there is one; nothing where it does not end.
    fn annotation(&mut self) -> Option<Option<String>> {
        let Some(inner) = self.rest.strip_prefix('{') else { return Some(None) };
        let end = inner.find('}')?;
        let text = inner.get(..end)?;
        if text.contains('{') {
            return None;
        }
        self.rest = inner.get(end + 1..)?;
        Some(Some(text.to_lowercase()).filter(|text| !text.is_empty()))
    }

    fn simple(&mut self) -> Option<Worth> {
        let chunk = self.chunk()?;
        let after_brackets = chunk.rfind(']').map_or(0, |at| at + 1);
        let tail = chunk.get(after_brackets..)?;
        let digits = tail.len() - tail.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let mut at = chunk.len() - digits;
        if digits == chunk.len() {
            let number: BigInt = chunk.parse().ok()?;
            return Some(Worth::number(BigRational::from(number))).filter(|worth| !worth.factor.is_zero());
        }
        let signed = digits > 0 && at > after_brackets && matches!(chunk.as_bytes().get(at - 1), Some(b'+' | b'-'));
        if signed {
            at -= 1;
        }
        let exponent = if digits == 0 { 1 } else { chunk.get(at..)?.parse().ok()? };
        let unit = symbol(chunk.get(..at)?, self.depth)?;
        if exponent == 1 { Some(unit) } else { unit.power(exponent) }
    }

    /// A symbol with its exponent: what is within square brackets belongs to it, whatever it is.
    fn chunk(&mut self) -> Option<&'a str> {
        let mut inside = false;
        let end = self.rest.find(|c: char| {
            match c {
                '[' => inside = true,
                ']' => inside = false,
                '.' | '/' | '(' | ')' | '{' | '}' => return !inside,
                _ => {}
            }
            false
        });
        let (chunk, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        Some(chunk).filter(|chunk| !chunk.is_empty())
    }
}

/// A symbol of the table, or a prefix and a symbol that takes one.
fn symbol(name: &str, depth: usize) -> Option<Worth> {
    let table = table();
    if let Some(atom) = table.atoms.get(name) {
        return of_atom(name, atom, depth);
    }
    table.prefixes.iter().find_map(|(code, factor)| {
        let rest = name.strip_prefix(code.as_str())?;
        let atom = table.atoms.get(rest).filter(|atom| atom.metric)?;
        let mut found = of_atom(rest, atom, depth)?;
        match &mut found.special {
            Some(special) => special.prefix *= factor,
            None => found.factor *= factor,
        }
        Some(found)
    })
}

fn of_atom(name: &str, atom: &Atom, depth: usize) -> Option<Worth> {
    match &atom.meaning {
        UnitMeaning::Base | UnitMeaning::Arbitrary => Some(Worth::base(name)),
        UnitMeaning::Multiple { value, unit } => {
            let mut found = within(unit, depth + 1).ok()?;
            found.factor *= value;
            Some(found)
        }
        UnitMeaning::Special { function, value, unit } => {
            let mut found = within(unit, depth + 1).ok()?;
            found.factor *= value;
            found.special = Some(Special { function: function.clone(), prefix: BigRational::one() });
            Some(found)
        }
    }
}
