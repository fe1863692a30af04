//! Conditions that take nothing for granted.
//!
//! Tera refuses to print or to loop over what is not defined, but takes it for false in an `if`, and hands it on by `set`
//! and to a component as it is. A page that asks `{% if apart.review %}` of a view that calls it otherwise would then
//! offer the review. So each dotted name in a condition, an assignment and a component's argument goes through the
//! filter `given`, which refuses what is not defined. `x.y is defined` is how a template asks on purpose.

use regex::{Captures, Regex};

/// What is looked for in a template's source.
pub struct Strict {
    condition: Regex,
    argument: Regex,
    name: Regex,
}

impl Strict {
    /// # Errors
    /// A sentence about a pattern that cannot be read.
    pub fn new() -> Result<Self, String> {
        let pattern = |parts: &[&str]| Regex::new(&parts.concat()).map_err(|error| error.to_string());
        Ok(Self {
            condition: pattern(&[
                r"(?s)(?P<start>\{%-?\s*(?:if\s|elif\s|set\s+[a-z_]+\s*=))",
                r"(?P<asks>.*?)(?P<end>-?%\})",
            ])?,
            argument: pattern(&[r"(?P<start>\s[a-z_]+=\{)", r"(?P<asks>[a-z_0-9]+(?:\.[a-z_0-9]+)+)(?P<end>\})"])?,
            // Texts, loops, optional chains and tests for being there are left alone; any other dotted name is asked for.
            name: pattern(&[
                r#""[^"]*"|\bloop\.[a-z_0-9]+|[a-z_0-9.]+\?[a-z_0-9.?]*"#,
                r"|[a-z_0-9.]+\s+is\s+(?:not\s+)?(?:un)?defined\b",
                r"|(?P<name>\b[a-z_][a-z_0-9]*(?:\.[a-z_][a-z_0-9]*)+)",
            ])?,
        })
    }

    /// A template whose conditions and assignments refuse what is not defined.
    #[must_use]
    pub fn template(&self, source: &str) -> String {
        let asked = |found: &Captures| format!("{}{}{}", &found["start"], self.given(&found["asks"]), &found["end"]);
        self.argument.replace_all(&self.condition.replace_all(source, asked), asked).into_owned()
    }

    fn given(&self, asks: &str) -> String {
        let each = |found: &Captures| match found.name("name") {
            Some(name) => format!("({} | given)", name.as_str()),
            None => found[0].to_owned(),
        };
        self.name.replace_all(asks, each).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_conditions_are_asked_for() {
        let strict = Strict::new().expect("the patterns");
        for (source, wanted) in [
            ("{% if a.b and not c.d.e %}", "{% if (a.b | given) and not (c.d.e | given) %}"),
            ("{%- elif a.b == \"x.y\" -%}", "{%- elif (a.b | given) == \"x.y\" -%}"),
            ("{% if a.b | length > 1 %}", "{% if (a.b | given) | length > 1 %}"),
            (
                "{% if a.b is defined and a.b is not string %}",
                "{% if a.b is defined and (a.b | given) is not string %}",
            ),
            ("{% if loop.last or a?.b.c %}", "{% if loop.last or a?.b.c %}"),
            ("{% set a = b.c %}{% set d %}{{ e.f }}", "{% set a = (b.c | given) %}{% set d %}{{ e.f }}"),
            ("{% if alone %}{{ a.b }}", "{% if alone %}{{ a.b }}"),
            (
                "{{ <kit.one at={a.b} it={t(k=\"a.b\")} n=\"a.b\" /> }}",
                "{{ <kit.one at={(a.b | given)} it={t(k=\"a.b\")} n=\"a.b\" /> }}",
            ),
        ] {
            assert_eq!(strict.template(source), wanted);
        }
    }
}
