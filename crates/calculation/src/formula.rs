//! Calculation formulas of test items: a small decimal expression language.
//!
//! Names stand for readings; a reading taken several times is a list, and arithmetic goes element by element.
//! `+ - * /`, brackets, and the functions `mean sum max min count abs first detected`. All arithmetic is
//! decimal (28 digits), never binary floating point. A censored reading (`<0.05`, `未检出`) is not a number and never
//! becomes one: its bound travels by the rules of [`crate::censored`], and where they give no statement, using it is an
//! error. `detected(x)` leaves such readings out, visibly.
//!
//! Every step is kept as text, so that the raw record shows how the result came about.

use std::collections::BTreeMap;
use std::fmt;

use regulation::numeric::Measured;
use rust_decimal::Decimal;

use crate::censored;

/// The deepest nesting of brackets that a formula may have.
const DEPTH: usize = 32;
/// The longest formula, in characters.
const LENGTH: usize = 500;

/// A calculated value with the steps that led to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calculated {
    /// The value, unrounded; or what is known of it.
    pub value: Measured,
    /// The steps, in order.
    pub steps: Vec<String>,
}

/// Why a formula cannot be read or calculated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormulaError {
    /// Not a formula; the position counts characters from 1.
    #[error("公式第 {position} 个字符：{expected} / character {position}: {expected}")]
    Syntax {
        /// Where.
        position: usize,
        /// What was expected.
        expected: String,
    },
    /// A name without readings.
    #[error("缺少读数 {0} / no reading named {0}")]
    Missing(String),
    /// Arithmetic uses a reading of which the rules give no statement.
    #[error(
        "读数 {0} 不是数值，不能参与此计算；可注明界限，如“未检出（<0.05）” / the reading {0} is no number and cannot be calculated with here: give its bound, as in 未检出（<0.05）"
    )]
    Censored(String),
    /// Lists of different lengths.
    #[error("读数个数不一致：{0} 与 {1} / the numbers of readings differ: {0} and {1}")]
    Lengths(usize, usize),
    /// Division by nothing.
    #[error("除数为零 / division by zero")]
    DivisionByZero,
    /// Beyond 28 digits.
    #[error("数值超出范围 / the number is out of range")]
    Overflow,
    /// The formula leaves several values.
    #[error("公式得到 {0} 个值，应为一个（可用 mean） / the formula gives {0} values instead of one (use mean)")]
    NotOne(usize),
}

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Number(Decimal),
    Name(String),
    Negative(Box<Node>),
    Operation(char, Box<Node>, Box<Node>),
    Call(Function, Box<Node>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Mean,
    Sum,
    Max,
    Min,
    Count,
    Abs,
    First,
    Detected,
}

impl Function {
    const ALL: [(&'static str, Function); 8] = [
        ("mean", Function::Mean),
        ("sum", Function::Sum),
        ("max", Function::Max),
        ("min", Function::Min),
        ("count", Function::Count),
        ("abs", Function::Abs),
        ("first", Function::First),
        ("detected", Function::Detected),
    ];

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, f)| *f == self).map_or("", |(name, _)| name)
    }
}

/// A formula, read and ready to calculate.
#[derive(Clone, Debug, PartialEq)]
pub struct Formula {
    root: Node,
}

impl fmt::Display for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_node(&self.root, 0, f)
    }
}

fn write_node(node: &Node, above: u8, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match node {
        Node::Number(number) => write!(f, "{number}"),
        Node::Name(name) => f.write_str(name),
        Node::Negative(inner) => {
            f.write_str("-")?;
            write_node(inner, 3, f)
        }
        Node::Operation(operator, left, right) => {
            let rank = if matches!(operator, '+' | '-') { 1 } else { 2 };
            if rank < above {
                f.write_str("(")?;
            }
            write_node(left, rank, f)?;
            write!(f, " {} ", pretty(*operator))?;
            write_node(right, rank + 1, f)?;
            if rank < above {
                f.write_str(")")?;
            }
            Ok(())
        }
        Node::Call(function, inner) => {
            write!(f, "{}(", function.name())?;
            write_node(inner, 0, f)?;
            f.write_str(")")
        }
    }
}

fn pretty(operator: char) -> char {
    match operator {
        '*' => '×',
        '/' => '÷',
        other => other,
    }
}

impl Formula {
    /// Reads a formula.
    ///
    /// # Errors
    /// Where it is not a formula; the position and what was expected.
    pub fn parse(text: &str) -> Result<Self, FormulaError> {
        let chars: Vec<char> = text.chars().collect();
        if chars.len() > LENGTH {
            return Err(FormulaError::Syntax {
                position: LENGTH,
                expected: format!("不超过 {LENGTH} 个字符 (at most {LENGTH} characters)"),
            });
        }
        let mut parser = Parser { chars, at: 0, depth: 0 };
        let root = parser.sum()?;
        parser.blanks();
        if parser.at < parser.chars.len() {
            return Err(parser.expected("运算符或结尾 (an operator or the end)"));
        }
        Ok(Self { root })
    }

    /// The names that it uses, each once.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let mut found = Vec::new();
        collect(&self.root, &mut found);
        found
    }

    /// Calculates with `readings`.
    ///
    /// # Errors
    /// Where a reading is missing or no number, or the arithmetic has no result.
    pub fn calculate(&self, readings: &BTreeMap<String, Vec<Measured>>) -> Result<Calculated, FormulaError> {
        let mut steps = Vec::new();
        let list = evaluate(&self.root, readings, &mut steps)?;
        let value = match list.as_slice() {
            [Measured::Number(number)] => Measured::Number(without_negative_zero(*number)),
            [censored] => censored.clone(),
            [] => Measured::NotDetected,
            many => return Err(FormulaError::NotOne(many.len())),
        };
        let shown = value.to_string();
        steps.push(format!("{self} = {shown}"));
        Ok(Calculated { value, steps })
    }
}

/// Keeps the scale that arithmetic gave, without a negative zero.
fn without_negative_zero(number: Decimal) -> Decimal {
    if number.is_zero() { number.abs() } else { number }
}

fn collect(node: &Node, found: &mut Vec<String>) {
    match node {
        Node::Number(_) => {}
        Node::Name(name) => {
            if !found.contains(name) {
                found.push(name.clone());
            }
        }
        Node::Negative(inner) | Node::Call(_, inner) => collect(inner, found),
        Node::Operation(_, left, right) => {
            collect(left, found);
            collect(right, found);
        }
    }
}

fn evaluate(
    node: &Node,
    readings: &BTreeMap<String, Vec<Measured>>,
    steps: &mut Vec<String>,
) -> Result<Vec<Measured>, FormulaError> {
    match node {
        Node::Number(number) => Ok(vec![Measured::Number(*number)]),
        Node::Name(name) => match readings.get(name) {
            Some(list) if !list.is_empty() => Ok(list.clone()),
            _ => Err(FormulaError::Missing(name.clone())),
        },
        Node::Negative(inner) => evaluate(inner, readings, steps)?.iter().map(censored::negative).collect(),
        Node::Operation(operator, left, right) => {
            let left = evaluate(left, readings, steps)?;
            let right = evaluate(right, readings, steps)?;
            let list = broadcast(*operator, &left, &right)?;
            for (a, b, result) in &list {
                steps.push(format!("{a} {} {b} = {result}", pretty(*operator)));
            }
            Ok(list.into_iter().map(|(.., result)| result).collect())
        }
        Node::Call(function, inner) => {
            let list = evaluate(inner, readings, steps)?;
            call(*function, &list, steps)
        }
    }
}

/// A pair and what came of it.
type Step<'a> = (&'a Measured, &'a Measured, Measured);

/// Element by element; a single value goes with every one of the other side.
fn broadcast<'a>(operator: char, left: &'a [Measured], right: &'a [Measured]) -> Result<Vec<Step<'a>>, FormulaError> {
    let of = |a: &'a Measured, b: &'a Measured| Ok((a, b, censored::apply(operator, a, b)?));
    match (left, right) {
        (left, right) if left.len() == right.len() => left.iter().zip(right).map(|(a, b)| of(a, b)).collect(),
        (left, [one]) => left.iter().map(|a| of(a, one)).collect(),
        ([one], right) => right.iter().map(|b| of(one, b)).collect(),
        (left, right) => Err(FormulaError::Lengths(left.len(), right.len())),
    }
}

fn call(function: Function, list: &[Measured], steps: &mut Vec<String>) -> Result<Vec<Measured>, FormulaError> {
    let result = match function {
        Function::Detected => {
            let kept: Vec<Measured> = list.iter().filter(|one| matches!(one, Measured::Number(_))).cloned().collect();
            if kept.len() < list.len() {
                steps.push(format!("detected: {} / {}（其余未检出或低于定量限）", kept.len(), list.len()));
            }
            return Ok(kept);
        }
        Function::Count => return Ok(vec![Measured::Number(Decimal::from(list.len()))]),
        Function::Abs => return list.iter().map(censored::absolute).collect(),
        Function::Mean => censored::mean(list)?,
        Function::Sum => censored::sum(list)?,
        Function::Max => censored::max(list),
        Function::Min => censored::min(list),
        Function::First => list.first().cloned(),
    };
    if let (Some(result), true) = (&result, list.len() > 1) {
        let shown: Vec<String> = list.iter().map(ToString::to_string).collect();
        steps.push(format!("{}({}) = {result}", function.name(), shown.join(", ")));
    }
    Ok(result.into_iter().collect())
}

struct Parser {
    chars: Vec<char>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn expected(&self, what: &str) -> FormulaError {
        FormulaError::Syntax { position: self.at + 1, expected: format!("应为{what}") }
    }

    fn blanks(&mut self) {
        while self.chars.get(self.at).is_some_and(|c| c.is_whitespace()) {
            self.at += 1;
        }
    }

    /// The next character that counts, one of `wanted`, with the writings of × and ÷ folded.
    fn take(&mut self, wanted: &[char]) -> Option<char> {
        self.blanks();
        let found = match self.chars.get(self.at)? {
            '×' => '*',
            '÷' => '/',
            '−' => '-',
            '（' => '(',
            '）' => ')',
            other => *other,
        };
        wanted.contains(&found).then(|| {
            self.at += 1;
            found
        })
    }

    fn sum(&mut self) -> Result<Node, FormulaError> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(self.expected("较浅的括号 (fewer brackets)"));
        }
        let mut left = self.product()?;
        while let Some(operator) = self.take(&['+', '-']) {
            left = Node::Operation(operator, Box::new(left), Box::new(self.product()?));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn product(&mut self) -> Result<Node, FormulaError> {
        let mut left = self.factor()?;
        while let Some(operator) = self.take(&['*', '/']) {
            left = Node::Operation(operator, Box::new(left), Box::new(self.factor()?));
        }
        Ok(left)
    }

    fn factor(&mut self) -> Result<Node, FormulaError> {
        if self.take(&['-']).is_some() {
            self.depth += 1;
            if self.depth > DEPTH {
                return Err(self.expected("较少的负号 (fewer signs)"));
            }
            let inner = self.factor()?;
            self.depth -= 1;
            return Ok(Node::Negative(Box::new(inner)));
        }
        if self.take(&['(']).is_some() {
            return self.closed();
        }
        let word = self.word();
        if word.is_empty() {
            return Err(self.expected("数值、读数名称或括号 (a number, a reading's name or a bracket)"));
        }
        if word.starts_with(|c: char| c.is_ascii_digit()) {
            return word.parse().map(Node::Number).map_err(|_| self.expected("数值 (a number)"));
        }
        if self.take(&['(']).is_none() {
            return Ok(Node::Name(word));
        }
        match Function::ALL.iter().find(|(name, _)| *name == word) {
            Some((_, function)) => Ok(Node::Call(*function, Box::new(self.closed()?))),
            None => Err(self.expected("函数 mean sum max min count abs first detected 之一 (one of these functions)")),
        }
    }

    fn closed(&mut self) -> Result<Node, FormulaError> {
        let inner = self.sum()?;
        match self.take(&[')']) {
            Some(_) => Ok(inner),
            None => Err(self.expected("右括号 (a closing bracket)")),
        }
    }

    fn word(&mut self) -> String {
        self.blanks();
        let start = self.at;
        while self.chars.get(self.at).is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '.')) {
            self.at += 1;
        }
        self.chars.get(start..self.at).map(|part| part.iter().collect()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(readings: &[(&str, &[&str])]) -> BTreeMap<String, Vec<Measured>> {
        readings
            .iter()
            .map(|(name, list)| {
                let list = list.iter().map(|text| Measured::parse(text).expect(text));
                ((*name).to_owned(), list.collect())
            })
            .collect()
    }

    fn value(formula: &str, readings: &[(&str, &[&str])]) -> Result<String, FormulaError> {
        Formula::parse(formula)?.calculate(&with(readings)).map(|c| match c.value {
            Measured::Number(n) => n.normalize().to_string(),
            Measured::NotDetected => "ND".to_owned(),
            bound => bound.to_string(),
        })
    }

    #[test]
    fn loss_on_drying_of_two_dishes() {
        let got = Formula::parse("mean((m1 - m2) / (m1 - m0) * 100)").and_then(|f| {
            f.calculate(&with(&[
                ("m0", &["20.0000", "21.0000"]),
                ("m1", &["21.0000", "22.0000"]),
                ("m2", &["20.9970", "21.9960"]),
            ]))
        });
        let got = got.expect("calculates");
        assert_eq!(got.value, Measured::Number("0.350000".parse().expect("decimal")));
        assert!(got.steps.iter().any(|s| s == "21.0000 - 20.9970 = 0.0030"), "{:?}", got.steps);
    }

    #[test]
    fn decimal_not_binary() {
        assert_eq!(value("0.1 + 0.2", &[]).as_deref(), Ok("0.3"));
        assert_eq!(value("1 - 0.9", &[]).as_deref(), Ok("0.1"));
        assert_eq!(value("-(2 + 3) * 4", &[]).as_deref(), Ok("-20"));
        assert_eq!(value("8 / 2 / 2", &[]).as_deref(), Ok("2"));
        assert_eq!(value("2 × （3 − 1） ÷ 4", &[]).as_deref(), Ok("1"));
    }

    #[test]
    fn censored_readings_are_never_numbers() {
        let readings: &[(&str, &[&str])] = &[("x", &["0.12", "<0.05"]), ("none", &["未检出"])];
        assert_eq!(value("sum(x)", readings).as_deref(), Ok("<0.17"));
        assert_eq!(value("x / none", readings), Err(FormulaError::Censored("未检出".into())));
        assert_eq!(value("mean(both)", &[("both", &["0.12", "未检出"])]), Err(FormulaError::Censored("未检出".into())));
        assert_eq!(value("sum(detected(x))", readings).as_deref(), Ok("0.12"));
        assert_eq!(value("max(detected(none))", readings).as_deref(), Ok("ND"));
        assert_eq!(value("mean(nd)", &[("nd", &["未检出", "ND"])]).as_deref(), Ok("ND"));
        assert_eq!(value("mean(low * 2)", &[("low", &["<0.05", "<0.05"])]).as_deref(), Ok("<0.10"));
    }

    #[test]
    fn errors_say_what_and_where() {
        assert!(matches!(Formula::parse("(1 + 2"), Err(FormulaError::Syntax { position: 7, .. })));
        assert!(matches!(Formula::parse("1 +"), Err(FormulaError::Syntax { position: 4, .. })));
        assert!(matches!(Formula::parse("sqrt(4)"), Err(FormulaError::Syntax { .. })));
        assert!(matches!(Formula::parse("1 2"), Err(FormulaError::Syntax { position: 3, .. })));
        assert!(matches!(Formula::parse(&"(".repeat(400)), Err(FormulaError::Syntax { .. })));
        assert!(matches!(Formula::parse(&"-".repeat(400)), Err(FormulaError::Syntax { .. })));
        assert_eq!(value("1 / (2 - 2)", &[]), Err(FormulaError::DivisionByZero));
        assert_eq!(value("a", &[]), Err(FormulaError::Missing("a".into())));
        assert_eq!(value("x", &[("x", &["1", "2"])]), Err(FormulaError::NotOne(2)));
        assert_eq!(value("x + y", &[("x", &["1", "2"]), ("y", &["1", "2", "3"])]), Err(FormulaError::Lengths(2, 3)));
        let huge = "9999999999999999999999999999";
        assert_eq!(value(&format!("{huge} * {huge}"), &[]), Err(FormulaError::Overflow));
    }

    #[test]
    fn shown_as_written() {
        let formula = Formula::parse("mean((m1-m2)/(m1-m0)*100)").expect("parses");
        assert_eq!(formula.to_string(), "mean((m1 - m2) ÷ (m1 - m0) × 100)");
        assert_eq!(formula.names(), ["m1", "m2", "m0"]);
        assert_eq!(Formula::parse("a-(b-c)").expect("parses").to_string(), "a - (b - c)");
    }
}
