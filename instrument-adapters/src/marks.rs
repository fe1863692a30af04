//! What a comma or a point in a number means. `1,021` is a thousand to one reader and one to another: the file's other
//! numbers say which, or nobody does, and then it is for a person.

use crate::numbers::{self, Number};

/// What a mark stands for where its place in a number leaves both open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    Decimal,
    Groups,
    /// Nothing in the file says.
    Open,
}

/// What the numbers of a file show of one mark.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Shown {
    /// A number has it where only a decimal mark can be: `0,5`, `12,34`.
    decimal: bool,
    /// A number has it where only thousands can be parted: `1,234,567`, `1,234.5`.
    groups: bool,
    /// A number has it where it may be either.
    open: bool,
}

/// What the numbers of a file show of their marks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Evidence {
    comma: Shown,
    point: Shown,
}

/// How the marks of one file are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Convention {
    comma: Meaning,
    point: Meaning,
}

impl Convention {
    /// Before anything is known: each number as if its mark were decimal.
    pub const FIRST_LOOK: Self = Self { comma: Meaning::Decimal, point: Meaning::Decimal };

    /// The file or its declaration names its decimal mark; the other one then parts thousands.
    pub fn of_decimal_mark(mark: char) -> Option<Self> {
        match mark {
            ',' | '，' => Some(Self { comma: Meaning::Decimal, point: Meaning::Groups }),
            '.' | '．' => Some(Self { comma: Meaning::Groups, point: Meaning::Decimal }),
            _ => None,
        }
    }

    fn of(self, mark: char) -> Meaning {
        if mark == ',' { self.comma } else { self.point }
    }
}

impl Evidence {
    fn of(&mut self, mark: char) -> &mut Shown {
        if mark == ',' { &mut self.comma } else { &mut self.point }
    }

    /// What the numbers say together. A point is decimal unless they speak against it; a comma is what they show.
    pub fn convention(&self) -> Convention {
        let Self { comma, point } = *self;
        let comma_is = match (comma.decimal, comma.groups) {
            (true, true) => Meaning::Open,
            // Both marks were used for decimals: a third number with a comma may be of either hand.
            (true, false) if point.decimal => Meaning::Open,
            (true, false) => Meaning::Decimal,
            (false, true) => Meaning::Groups,
            (false, false) if point.decimal && !point.groups => Meaning::Groups,
            (false, false) if point.groups && !point.decimal => Meaning::Decimal,
            (false, false) => Meaning::Open,
        };
        let point_is = match (point.decimal, point.groups) {
            (true, true) => Meaning::Open,
            (true, false) => Meaning::Decimal,
            (false, true) => Meaning::Groups,
            // Where the comma is the decimal mark, a point before three digits may well part thousands.
            (false, false) if comma.decimal => Meaning::Open,
            (false, false) => Meaning::Decimal,
        };
        Convention { comma: comma_is, point: point_is }
    }

    /// The convention of the file, where reading it at first look was wrong for one of its numbers.
    pub fn second_look(&self) -> Option<Convention> {
        let convention = self.convention();
        let wrong = (self.comma.open && convention.comma != Meaning::Decimal)
            || (self.point.open && convention.point != Meaning::Decimal);
        wrong.then_some(convention)
    }
}

/// A number that was read, and how sure that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Marked {
    /// It can be read in one way only.
    Plain(Number),
    /// The file decides that its mark parts thousands, which its own shape does not.
    Grouped(Number),
    /// Its mark may be either: read as a decimal mark, and as one that parts thousands.
    Open { decimal: Number, grouped: Number },
}

/// Reads a number that may be written with either mark, and notes what it shows of them.
pub(crate) fn parse(raw: &str, convention: Convention, evidence: &mut Evidence) -> Option<Marked> {
    // A balance writes its sign apart from the number.
    let text = raw.trim();
    let unsigned = text.trim_start_matches(['-', '+', '\u{2212}']);
    let sign = if text.starts_with(['-', '\u{2212}']) { "-" } else { "" };
    if text.chars().count() > unsigned.chars().count() + 1 {
        return None;
    }
    let text = format!("{sign}{}", unsigned.trim_start());
    let text = text.as_str();
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let mantissa = mantissa.trim_start_matches('-');
    let marks: Vec<char> = mantissa.chars().filter(|c| matches!(c, '.' | ',')).collect();
    match marks.as_slice() {
        [] => numbers::parse(text, &[]).map(Marked::Plain),
        [mark] => {
            let number = numbers::parse(text, &[*mark])?;
            if !is_open(mantissa, *mark) {
                evidence.of(*mark).decimal = true;
                return Some(Marked::Plain(number));
            }
            evidence.of(*mark).open = true;
            let grouped = || numbers::parse_grouped(text, &[], *mark);
            Some(match convention.of(*mark) {
                Meaning::Decimal => Marked::Plain(number),
                Meaning::Groups => Marked::Grouped(grouped()?),
                Meaning::Open => Marked::Open { decimal: number, grouped: grouped()? },
            })
        }
        [group, rest @ ..] => {
            let last = rest.last().copied().filter(|last| last != group);
            // `1.234,5` and `1,234,567` can be read in one way; `1,23,4` in none.
            let number = numbers::parse_grouped(text, last.as_slice(), *group)?;
            if mantissa.starts_with('0') {
                return None;
            }
            evidence.of(*group).groups = true;
            if let Some(last) = last {
                evidence.of(last).decimal = true;
            }
            Some(Marked::Plain(number))
        }
    }
}

/// One to three digits without a leading zero before the mark, and exactly three behind it.
fn is_open(mantissa: &str, mark: char) -> bool {
    let Some((whole, fraction)) = mantissa.split_once(mark) else { return false };
    (1..=3).contains(&whole.len()) && !whole.starts_with('0') && fraction.len() == 3
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of the first number beside the others.
    fn read(all: &[&str]) -> Option<String> {
        let mut evidence = Evidence::default();
        for one in all {
            parse(one, Convention::FIRST_LOOK, &mut evidence);
        }
        let convention = evidence.second_look().unwrap_or(Convention::FIRST_LOOK);
        match parse(all[0], convention, &mut Evidence::default())? {
            Marked::Plain(number) | Marked::Grouped(number) => Some(number.value),
            Marked::Open { decimal, grouped } => Some(format!("{}|{}", decimal.value, grouped.value)),
        }
    }

    #[test]
    fn the_other_numbers_decide_or_nobody_does() {
        for (numbers, is) in [
            (&["1,021"][..], "1.021|1021"),
            (&["1,021", "300", "17"], "1.021|1021"),
            (&["1,021", "12,345"], "1.021|1021"),
            (&["1,021", "4.33"], "1021"),
            (&["1,021", "4,33"], "1.021"),
            (&["1,021", "0,123"], "1.021"),
            (&["1,021", "1234,567"], "1.021"),
            (&["1,021", "1,234,567"], "1021"),
            (&["1,021", "2,345.6"], "1021"),
            (&["1,021", "2.345,6"], "1.021"),
            (&["1,021", "4.33", "4,33"], "1.021|1021"),
            (&["1.021"], "1.021"),
            (&["1.021", "300", "4.33"], "1.021"),
            (&["1.021", "4,33"], "1.021|1021"),
            (&["1.021", "1.234.567"], "1021"),
            (&["1.021", "1,234,567"], "1.021"),
            (&["-1,021"], "-1.021|-1021"),
            (&["+ 1,021"], "1.021|1021"),
            (&["0,021"], "0.021"),
            (&["1,02"], "1.02"),
            (&["1,0210"], "1.0210"),
            (&["1021,5"], "1021.5"),
            (&["1,234,567.8"], "1234567.8"),
            (&["1.234.567,8"], "1234567.8"),
        ] {
            assert_eq!(read(numbers).as_deref(), Some(is), "{numbers:?}");
        }
    }

    #[test]
    fn what_no_convention_writes_is_no_number() {
        for raw in [
            "1,23,4",
            "1,234,56",
            "0,123,456",
            "1.234.5",
            "1,234.567.8",
            "1,,021",
            "1 021",
            "1'021",
            "1\u{202f}021",
            "1，021",
        ] {
            assert_eq!(read(&[raw]), None, "{raw}");
        }
    }
}
