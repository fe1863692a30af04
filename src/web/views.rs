//! The templates, embedded and parsed once, with the functions that they know.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use serde_json::Value;
use tera::{Context, Tera};

use super::words;
use crate::http::problem::Lang;
use crate::refusal::{Code, Refusal};

/// Embeds the pages; the list is all there is.
macro_rules! pages {
    ($($name:literal),* $(,)?) => {
        /// Every template by its name.
        pub const SOURCES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../templates/pages/", $name)))),*];
    };
}

pages!(
    "base.html",
    "lib.html",
    "rule.html",
    "problem.html",
    "login.html",
    "password.html",
    "home.html",
    "desk.html",
    "desk_preview.html",
    "cases.html",
    "case.html",
    "receive.html",
    "sample.html",
    "labels.html",
    "bench.html",
    "task.html",
    "investigation.html",
    "files.html",
    "instrument_choices.html",
    "file.html",
    "adapters.html",
    "file_plots.html",
    "plots.html",
    "evaluation_lib.html",
    "evaluations.html",
    "evaluation_new.html",
    "evaluation.html",
    "second_factor.html",
    "sessions.html",
    "standards.html",
    "instruments.html",
    "instrument.html",
    "dead_letters.html",
    "review.html",
    "oos.html",
    "certificates.html",
    "certificate.html",
    "verify.html",
    "regulation.html",
    "provision.html",
    "authorisations.html",
    "owners.html",
    "products.html",
    "product.html",
    "options.html",
    "applicants.html",
    "accounts.html",
    "audit.html",
);

static BOTH: LazyLock<Result<[Tera; 2], String>> = LazyLock::new(|| Ok([build(Lang::Zh)?, build(Lang::En)?]));

fn build(lang: Lang) -> Result<Tera, String> {
    let mut tera = Tera::default();
    tera.add_raw_templates(SOURCES.iter().copied()).map_err(|error| chain(&error))?;
    let dictionary = words::dictionary(lang)?;
    tera.register_function("t", move |args: &HashMap<String, Value>| translated(&dictionary, args));
    tera.register_function("options", move |args: &HashMap<String, Value>| {
        serde_json::to_value(words::options(text(args, "of"), lang)).map_err(tera::Error::json)
    });
    // Templates compare numbers only; days as text are in their own order.
    tera.register_function("before", |args: &HashMap<String, Value>| {
        let (a, b) = (text(args, "a"), text(args, "b"));
        Ok(Value::from(!a.is_empty() && !b.is_empty() && a < b))
    });
    tera.register_function("pick", move |args: &HashMap<String, Value>| {
        let (zh, en) = (text(args, "zh"), text(args, "en"));
        // Where one language was left empty, the other is better than nothing.
        let picked = lang.pick(zh, en);
        Ok(Value::from(if picked.is_empty() { lang.pick(en, zh) } else { picked }))
    });
    tera.register_filter("name", move |value: &Value, args: &HashMap<String, Value>| {
        Ok(Value::from(words::name(text(args, "of"), value.as_str().unwrap_or_default(), lang)))
    });
    tera.register_filter("side", move |value: &Value, _: &HashMap<String, Value>| {
        Ok(Value::from(words::side(value.as_str().unwrap_or_default(), lang)))
    });
    tera.register_filter("number", |value: &Value, _: &HashMap<String, Value>| Ok(Value::from(short_number(value))));
    tera.register_filter("time", |value: &Value, _: &HashMap<String, Value>| Ok(Value::from(local_time(value))));
    Ok(tera)
}

fn text<'a>(args: &'a HashMap<String, Value>, name: &str) -> &'a str {
    args.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// `t(k="section.key", …)`: the dictionary's text, with `{name}` replaced by the argument of that name.
fn translated(dictionary: &BTreeMap<String, String>, args: &HashMap<String, Value>) -> tera::Result<Value> {
    let key = text(args, "k");
    let mut found = dictionary.get(key).ok_or_else(|| tera::Error::msg(format!("no text for {key:?}")))?.clone();
    for (name, value) in args.iter().filter(|(name, _)| *name != "k") {
        let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        found = found.replace(&format!("{{{name}}}"), &shown);
    }
    Ok(Value::from(found))
}

/// A calculated number in few digits, for tables; the record has all of them. Anything else is unchanged.
fn short_number(value: &Value) -> String {
    let text = value.as_str().unwrap_or_default();
    let sign: String = text.chars().take_while(|c| ['<', '>'].contains(c)).collect();
    match text.trim_start_matches(['<', '>']).parse::<rust_decimal::Decimal>() {
        Ok(number) => format!("{sign}{}", number.round_sf(7).unwrap_or(number).normalize()),
        Err(_) => text.to_owned(),
    }
}

/// An instant as a clock on the laboratory's wall shows it.
fn local_time(value: &Value) -> String {
    let text = value.as_str().unwrap_or_default();
    match chrono::DateTime::parse_from_rfc3339(text) {
        Ok(at) => crate::clock::local_time(at.to_utc()),
        Err(_) => text.to_owned(),
    }
}

/// Fills a template.
///
/// # Errors
/// [`Code::Internal`]; what is wrong is logged.
pub fn render(lang: Lang, template: &str, context: &Context) -> Result<String, Refusal> {
    let failed = |told: String| {
        tracing::error!(template, error = told, "a page cannot be shown");
        Refusal::new(Code::Internal, "内部错误", "internal error")
    };
    let [zh, en] = BOTH.as_ref().map_err(|error| failed(error.clone()))?;
    let tera = if lang == Lang::Zh { zh } else { en };
    tera.render(template, context).map_err(|error| failed(chain(&error)))
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut told = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        told = format!("{told}: {error}");
        next = error.source();
    }
    told
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every key that a text asks for by `t(k="…")`.
    fn keys(source: &str) -> BTreeSet<String> {
        source.split("t(k=\"").skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
    }

    #[test]
    fn the_templates_are_in_order() {
        for lang in [Lang::Zh, Lang::En] {
            build(lang).unwrap_or_else(|error| panic!("{error}"));
        }
    }

    #[test]
    fn the_dictionaries_have_the_same_keys_and_all_that_are_used() {
        let [zh, en] = [Lang::Zh, Lang::En].map(|lang| words::dictionary(lang).expect("a dictionary"));
        let of = |one: &BTreeMap<String, String>| one.keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(of(&zh), of(&en));
        let used: BTreeSet<String> = SOURCES.iter().flat_map(|(_, source)| keys(source)).collect();
        assert!(used.len() > 100, "the search for keys finds too little: {}", used.len());
        let missing: Vec<&String> = used.iter().filter(|key| !zh.contains_key(*key)).collect();
        assert!(missing.is_empty(), "used, but in no dictionary: {missing:?}");
        let idle: Vec<&String> = zh.keys().filter(|key| !used.contains(*key)).collect();
        assert!(idle.is_empty(), "in the dictionary, but used nowhere: {idle:?}");
        for (key, text) in zh.iter().chain(&en) {
            assert!(!text.trim().is_empty(), "{key} is empty");
        }
    }

    #[test]
    fn both_languages_fill_the_same_places() {
        let [zh, en] = [Lang::Zh, Lang::En].map(|lang| words::dictionary(lang).expect("a dictionary"));
        let places = |text: &str| {
            let parts = text.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
            parts.map(|(name, _)| name.to_owned()).collect::<BTreeSet<_>>()
        };
        for (key, text) in &zh {
            assert_eq!(places(text), places(&en[key]), "{key}");
        }
    }
}
