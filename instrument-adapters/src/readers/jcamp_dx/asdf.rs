//! Ordinates in the ASCII forms of JCAMP-DX (4.24, section 5): AFFN, PAC, SQZ, DIF and DUP.
//!
//! AFFN is a plain number; in PAC the sign separates. SQZ puts sign and first digit into one letter, DIF does
//! so for the difference from the value before, DUP says how often the value or the difference occurs.

use rust_decimal::Decimal;

use crate::numbers::{self, Number};

/// One mark of a line with the place of its first character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub form: AsdfForm,
    /// As written.
    pub text: String,
    /// Counts from 1.
    pub column: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AsdfForm {
    /// A number, however written.
    Value(String),
    /// A difference from the value before.
    Difference(String),
    /// How often the one before occurs.
    Repeat(String),
    /// `?`: no value was measured.
    Missing,
}

/// Takes a line apart.
///
/// # Errors
/// The character that no form has, and its column.
pub(super) fn tokens(line: &str) -> Result<Vec<Token>, (String, u32)> {
    let chars: Vec<char> = line.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(c) = chars.get(at).copied() {
        if c.is_whitespace() || matches!(c, ',' | ';') {
            at += 1;
            continue;
        }
        let start = at;
        at += 1;
        let (lead, kind): (String, fn(String) -> AsdfForm) = match c {
            '0'..='9' | '.' | '+' | '-' => (c.to_string(), AsdfForm::Value),
            '@' => ("0".into(), AsdfForm::Value),
            'A'..='I' => (digit(c, 'A').to_string(), AsdfForm::Value),
            'a'..='i' => (format!("-{}", digit(c, 'a')), AsdfForm::Value),
            '%' => ("0".into(), AsdfForm::Difference),
            'J'..='R' => (digit(c, 'J').to_string(), AsdfForm::Difference),
            'j'..='r' => (format!("-{}", digit(c, 'j')), AsdfForm::Difference),
            'S'..='Z' => (digit(c, 'S').to_string(), AsdfForm::Repeat),
            's' => ("9".into(), AsdfForm::Repeat),
            '?' => (String::new(), |_| AsdfForm::Missing),
            _ => return Err((format!("'{c}' is no digit of any form"), column(start))),
        };
        let mut number = lead;
        while let Some(next) = chars.get(at).filter(|c| c.is_ascii_digit() || **c == '.') {
            number.push(*next);
            at += 1;
        }
        at = exponent(&chars, at, &mut number);
        let text: String = chars.get(start..at).unwrap_or_default().iter().collect();
        found.push(Token { form: kind(number), text, column: column(start) });
    }
    Ok(found)
}

/// `E` is the digit 5 as well: it is an exponent only before a sign and a digit.
fn exponent(chars: &[char], at: usize, number: &mut String) -> usize {
    let is = |offset: usize, fits: fn(&char) -> bool| chars.get(at + offset).is_some_and(fits);
    if !is(0, |c| matches!(c, 'e' | 'E')) || !is(1, |c| matches!(c, '+' | '-')) || !is(2, char::is_ascii_digit) {
        return at;
    }
    let mut end = at + 2;
    while chars.get(end).is_some_and(char::is_ascii_digit) {
        end += 1;
    }
    number.extend(chars.get(at..end).unwrap_or_default());
    end
}

fn digit(c: char, one: char) -> u32 {
    u32::from(c) + 1 - u32::from(one)
}

fn column(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1)
}

/// An ordinate before its factor; `None` where none was measured.
pub(super) type Ordinate = (Option<Decimal>, Token);

/// Ordinates over the lines of one table.
#[derive(Debug)]
pub(super) struct Decoder {
    /// How many more ordinates there may be: a repetition of six characters can stand for a million.
    left: usize,
    last: Option<Decimal>,
    /// The difference that the last value was made with: the next line begins with a check.
    difference: Option<Decimal>,
}

/// What a line held.
#[derive(Debug, Default)]
pub(super) struct AsdfLine {
    /// The abscissa that it begins with.
    pub x: Option<(Number, u32)>,
    /// True where its first ordinate is the last one of the line before, again.
    pub checked: bool,
    pub ordinates: Vec<Ordinate>,
}

impl Decoder {
    /// A decoder for at most `most` ordinates.
    pub fn new(most: usize) -> Self {
        Self { left: most, last: None, difference: None }
    }

    /// Decodes a line that begins with an abscissa.
    ///
    /// # Errors
    /// What is wrong and in which column.
    pub fn line(&mut self, text: &str) -> Result<AsdfLine, (String, u32)> {
        let mut tokens = tokens(text)?.into_iter();
        let mut line = AsdfLine::default();
        let Some(first) = tokens.next() else { return Ok(line) };
        let x = match &first.form {
            AsdfForm::Value(x) => numbers::parse(x, &['.']),
            _ => None,
        };
        line.x = Some((x.ok_or((format!("{} is no abscissa", first.text), first.column))?, first.column));
        let mut check = self.difference.is_some().then_some(self.last).flatten();
        self.difference = None;
        for token in tokens {
            let wrong = |why: &str| (format!("{}: {why}", token.text), token.column);
            match &token.form {
                AsdfForm::Missing => {
                    self.last = None;
                    self.difference = None;
                    line.ordinates.push((None, token));
                }
                AsdfForm::Value(text) => {
                    let value = number(text).ok_or_else(|| wrong("no number"))?;
                    self.last = Some(value);
                    self.difference = None;
                    match check.take() {
                        Some(wanted) if wanted == value => line.checked = true,
                        Some(wanted) => {
                            return Err(wrong(&format!(
                                "the line before ended with {wanted}, this one repeats {value}"
                            )));
                        }
                        None => line.ordinates.push((Some(value), token)),
                    }
                }
                AsdfForm::Difference(text) => {
                    if check.is_some() {
                        return Err(wrong("the line must begin with the last value of the line before"));
                    }
                    let step = number(text).ok_or_else(|| wrong("no number"))?;
                    let value = self.last.and_then(|l| l.checked_add(step));
                    let value = value.ok_or_else(|| wrong("a difference without a value before it"))?;
                    self.last = Some(value);
                    self.difference = Some(step);
                    line.ordinates.push((Some(value), token));
                }
                AsdfForm::Repeat(text) => {
                    let times: usize = text.parse().map_err(|_| wrong("no number of repetitions"))?;
                    if self.last.is_none() {
                        return Err(wrong("a repetition without a value before it"));
                    }
                    if times.saturating_sub(1) > self.left.saturating_sub(line.ordinates.len()) {
                        return Err(wrong("more repetitions than the table has points"));
                    }
                    for _ in 1..times {
                        let value = self.last.and_then(|l| l.checked_add(self.difference.unwrap_or_default()));
                        let value = value.ok_or_else(|| wrong("a repetition without a value before it"))?;
                        self.last = Some(value);
                        line.ordinates.push((Some(value), token.clone()));
                    }
                }
            }
        }
        self.left = self
            .left
            .checked_sub(line.ordinates.len())
            .ok_or_else(|| (format!("more points than the table has; {} on this line", line.ordinates.len()), 1))?;
        Ok(line)
    }
}

fn number(text: &str) -> Option<Decimal> {
    numbers::parse(text, &['.'])?.decimal()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(lines: &[&str]) -> Vec<String> {
        let mut decoder = Decoder::new(100_000);
        lines
            .iter()
            .flat_map(|line| decoder.line(line).unwrap().ordinates)
            .map(|(value, _)| value.map_or("?".into(), |v| v.to_string()))
            .collect()
    }

    /// One row of values in every form.
    #[test]
    fn forms_say_the_same() {
        let wanted = ["1", "2", "3", "3", "2", "1", "0", "-1", "-2", "-3"];
        assert_eq!(values(&["100 1 2 3 3 2 1 0 -1 -2 -3"]), wanted);
        assert_eq!(values(&["100+1+2+3+3+2+1+0-1-2-3"]), wanted);
        assert_eq!(values(&["100ABCCBA@abc"]), wanted);
        assert_eq!(values(&["100A2B2", "102C3"]), ["12", "22", "33"]);
        assert_eq!(values(&["100AJT%jX"]), wanted);
        assert_eq!(values(&["100AJT%j", "104Bjjjjj"]), wanted);
        // A repetition of a value, without differences.
        assert_eq!(values(&["100A5V"]), ["15", "15", "15", "15"]);
        assert_eq!(values(&["100 1.5,?,-2.5E+01 3.0e-1"]), ["1.5", "?", "-25", "0.30"]);
    }

    /// `E` before digits is a digit, before a sign and a digit an exponent.
    #[test]
    fn an_exponent_needs_a_sign() {
        let tokens = tokens("646.2E66408043J981").unwrap();
        let forms: Vec<_> = tokens.into_iter().map(|t| t.form).collect();
        assert_eq!(
            forms,
            [AsdfForm::Value("646.2".into()), AsdfForm::Value("566408043".into()), AsdfForm::Difference("1981".into())]
        );
        assert_eq!(values(&["6.4E+02 1"]), ["1"]);
    }

    #[test]
    fn checks_and_nonsense() {
        let mut decoder = Decoder::new(100_000);
        decoder.line("1AJ").unwrap();
        assert!(decoder.line("2C").unwrap_err().0.contains("ended with 2"));
        assert!(Decoder::new(100_000).line("1J").is_err());
        assert!(Decoder::new(100_000).line("1S").is_err());
        assert!(Decoder::new(100_000).line("1 2 x").is_err());
        assert!(Decoder::new(100_000).line("1A9999999").is_ok());
        assert!(Decoder::new(100_000).line("1AZ99999999").is_err());
    }
}
