//! The templates, embedded and parsed once, with the functions that they know.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::sync::LazyLock;

use serde::Serialize;
use tera::{Context, Error, Kwargs, Map, State, Tera, TeraResult, Value};

use super::strict::Strict;
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
    "kit.html",
    "lib.html",
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
    "label_sheet.html",
    "labels.html",
    "bench.html",
    "task.html",
    "investigation.html",
    "files.html",
    "handover.html",
    "instrument_choices.html",
    "file.html",
    "adapters.html",
    "file_plots.html",
    "plots.html",
    "evaluation_lib.html",
    "evaluations.html",
    "evaluation_choose.html",
    "evaluation_new.html",
    "evaluation.html",
    "second_factor.html",
    "sessions.html",
    "standards.html",
    "instruments.html",
    "instrument.html",
    "dead_letters.html",
    "retention.html",
    "review.html",
    "oos.html",
    "certificates.html",
    "certificate.html",
    "verify.html",
    "regulation.html",
    "provision.html",
    "authorisations.html",
    "owners.html",
    "corrections.html",
    "correction_new.html",
    "products.html",
    "product.html",
    "options.html",
    "applicants.html",
    "accounts.html",
    "audit.html",
);

static BOTH: LazyLock<Result<[Pages; 2], String>> = LazyLock::new(|| Ok([build(Lang::Zh)?, build(Lang::En)?]));

/// The templates of one language, and the names that each of them reads.
struct Pages {
    tera: Tera,
    reads: BTreeMap<&'static str, BTreeSet<String>>,
}

fn build(lang: Lang) -> Result<Pages, String> {
    let mut tera = Tera::default();
    tera.set_escape_fn(escape);
    // What a template calls has to be known before the template is.
    let dictionary = words::dictionary(lang)?;
    tera.register_function("t", move |args: Kwargs, _: &State| translated(&dictionary, &args));
    tera.register_function("options", move |args: Kwargs, _: &State| {
        Ok::<_, Error>(Value::from_serializable(&words::options(argument(&args, "of")?, lang)))
    });
    // Templates compare numbers only; days as text are in their own order.
    tera.register_function("before", |args: Kwargs, _: &State| {
        let (a, b) = (argument(&args, "a")?, argument(&args, "b")?);
        Ok::<_, Error>(!a.is_empty() && !b.is_empty() && a < b)
    });
    tera.register_function("pick", move |args: Kwargs, _: &State| {
        let (zh, en) = (argument(&args, "zh")?, argument(&args, "en")?);
        // Where one language was left empty, the other is better than nothing.
        let picked = lang.pick(zh, en);
        Ok::<_, Error>(if picked.is_empty() { lang.pick(en, zh) } else { picked }.to_owned())
    });
    tera.register_filter("name", move |value: &Value, args: Kwargs, _: &State| {
        Ok::<_, Error>(words::name(argument(&args, "of")?, text(value, "name")?, lang))
    });
    tera.register_filter("side", move |value: &Value, _: Kwargs, _: &State| {
        Ok::<_, Error>(words::side(text(value, "side")?, lang).to_owned())
    });
    tera.register_filter("number", |value: &Value, _: Kwargs, _: &State| text(value, "number").map(short_number));
    tera.register_filter("time", |value: &Value, _: Kwargs, _: &State| text(value, "time").map(local_time));
    tera.register_filter("otherwise", otherwise);
    tera.register_filter("json", json);
    tera.register_filter("given", given);
    let strict = Strict::new()?;
    let sources = SOURCES.iter().map(|(name, source)| (*name, strict.template(source)));
    tera.add_raw_templates(sources).map_err(|error| chain(&error))?;
    let mut reads = BTreeMap::new();
    for (name, _) in SOURCES {
        let names = tera.get_template_variables(name).map_err(|error| chain(&error))?;
        reads.insert(*name, names.into_iter().map(str::to_owned).collect());
    }
    Ok(Pages { tera, reads })
}

/// What a template hands over as text: an explicit nothing is empty, what is not there at all is a mistake of the page.
fn text<'a>(value: &'a Value, what: &str) -> TeraResult<&'a str> {
    match value.as_str() {
        Some(text) => Ok(text),
        None if value.is_none() => Ok(""),
        None => Err(Error::message(format!("{what} wants a text, not {}", value.name()))),
    }
}

fn argument<'a>(args: &'a Kwargs, name: &'a str) -> TeraResult<&'a str> {
    text(args.must_get(name)?, name)
}

/// What [`Strict`] puts behind the names of conditions.
fn given(value: Value, _: Kwargs, _: &State) -> TeraResult<Value> {
    if value.is_undefined() { Err(Error::message("this is not defined")) } else { Ok(value) }
}

/// `value | otherwise(value="—")`: what is shown for an explicit nothing. What is not there at all stays a mistake.
fn otherwise(value: &Value, args: Kwargs, _: &State) -> TeraResult<Value> {
    match value {
        _ if value.is_undefined() => Err(Error::message("otherwise wants a value, not undefined")),
        _ if value.is_none() => args.must_get("value"),
        _ => Ok(value.clone()),
    }
}

/// A value as JSON, for what has no form of its own on a page.
fn json(value: &Value, args: Kwargs, _: &State) -> TeraResult<String> {
    if value.is_undefined() {
        return Err(Error::message("json wants a value, not undefined"));
    }
    let pretty = args.get::<bool>("pretty")?.unwrap_or(false);
    let written = if pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
    written.map_err(Error::message)
}

/// Escapes a text for any place of a page where a template may put it. The slash, too: no text ends an element.
fn escape(text: &str, out: &mut dyn Write) -> io::Result<()> {
    for part in text.split_inclusive(['&', '<', '>', '"', '\'', '/']) {
        let plain = part.trim_end_matches(['&', '<', '>', '"', '\'', '/']);
        out.write_all(plain.as_bytes())?;
        out.write_all(match &part[plain.len()..] {
            "&" => b"&amp;",
            "<" => b"&lt;",
            ">" => b"&gt;",
            "\"" => b"&quot;",
            "'" => b"&#x27;",
            "/" => b"&#x2F;",
            _ => b"",
        })?;
    }
    Ok(())
}

/// `t(k="section.key", …)`: the dictionary's text, with `{name}` replaced by the argument of that name.
fn translated(dictionary: &BTreeMap<String, String>, args: &Kwargs) -> TeraResult<String> {
    let key = argument(args, "k")?;
    let mut found = dictionary.get(key).ok_or_else(|| Error::message(format!("no text for {key:?}")))?.clone();
    for (name, value) in args.iter().filter_map(|(name, value)| Some((name.as_str()?, value))) {
        if value.is_undefined() {
            return Err(Error::message(format!("{name} of {key} is not defined")));
        }
        if name != "k" {
            found = found.replace(&format!("{{{name}}}"), &value.to_string());
        }
    }
    Ok(found)
}

/// A calculated number in few digits, for tables; the record has all of them. Anything else is unchanged.
fn short_number(text: &str) -> String {
    let sign: String = text.chars().take_while(|c| ['<', '>'].contains(c)).collect();
    match text.trim_start_matches(['<', '>']).parse::<rust_decimal::Decimal>() {
        Ok(number) => format!("{sign}{}", number.round_sf(7).unwrap_or(number).normalize()),
        Err(_) => text.to_owned(),
    }
}

/// An instant as a clock on the laboratory's wall shows it.
fn local_time(text: &str) -> String {
    match chrono::DateTime::parse_from_rfc3339(text) {
        Ok(at) => crate::clock::local_time(at.to_utc()),
        Err(_) => text.to_owned(),
    }
}

fn unshown(template: &str, error: &str) -> Refusal {
    tracing::error!(template, error, "a page cannot be shown");
    Refusal::new(Code::Internal, "内部错误", "internal error")
}

/// What a view gives to a template.
///
/// # Errors
/// [`Code::Internal`] for what is not an object with names, which no view gives.
pub fn context(content: &impl Serialize) -> Result<Context, Refusal> {
    match serde_json::to_value(content) {
        Ok(serde_json::Value::Object(fields)) => {
            let mut context = Context::new();
            for (name, value) in fields {
                context.insert_value(name, shown(value));
            }
            Ok(context)
        }
        Ok(_) => Err(unshown("a view", "it is not an object with names")),
        Err(error) => Err(unshown("a view", &error.to_string())),
    }
}

/// A value of a view as templates know it. The numbers of this program's JSON keep all of their digits, which Tera
/// would take for a map: a whole number stays a number, and another one is shown as it is written.
#[must_use]
pub fn shown(value: serde_json::Value) -> Value {
    match value {
        serde_json::Value::Null => Value::none(),
        serde_json::Value::Bool(is) => Value::from(is),
        serde_json::Value::String(text) => Value::from(text),
        serde_json::Value::Array(all) => Value::from(all.into_iter().map(shown).collect::<Vec<_>>()),
        serde_json::Value::Object(fields) => {
            let mut map = Map::new();
            for (name, value) in fields {
                map.insert(name.into(), shown(value));
            }
            Value::from(map)
        }
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Value::from(whole),
            (None, Some(part)) if format!("{part:?}") == number.to_string() => Value::from(part),
            (None, _) => Value::from(number.to_string()),
        },
    }
}

/// Fills a template.
///
/// # Errors
/// [`Code::Internal`]; what is wrong is logged.
pub fn render(lang: Lang, template: &str, context: &Context) -> Result<String, Refusal> {
    let [zh, en] = BOTH.as_ref().map_err(|error| unshown(template, error))?;
    let pages = if lang == Lang::Zh { zh } else { en };
    fill(pages, template, context).map_err(|error| unshown(template, &error))
}

/// A name that a template reads has to be given, if only as an explicit nothing: Tera itself lets an `if` pass one that
/// is not there, and what a page asks for by a misspelt name would be left out without a word.
fn fill(pages: &Pages, template: &str, context: &Context) -> Result<String, String> {
    let missing: Vec<&String> =
        pages.reads.get(template).into_iter().flatten().filter(|name| !context.contains_key(name.as_str())).collect();
    if !missing.is_empty() {
        return Err(format!("{template} reads what it is not given: {missing:?}"));
    }
    pages.tera.render(template, context).map_err(|error| chain(&error))
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

    use serde_json::json;

    use super::*;

    /// What a template of one line comes to with what it is given.
    fn line(source: &str, given: &serde_json::Value) -> Result<String, String> {
        let mut pages = build(Lang::En)?;
        let source = Strict::new()?.template(source);
        pages.tera.add_raw_template("line.html", &source).map_err(|error| chain(&error))?;
        let reads = pages.tera.get_template_variables("line.html").map_err(|error| chain(&error))?;
        let reads = reads.into_iter().map(str::to_owned).collect();
        pages.reads.insert("line.html", reads);
        fill(&pages, "line.html", &context(given).map_err(|refusal| refusal.to_string())?)
    }

    fn filled(source: &str) -> Result<String, String> {
        line(source, &json!({"one": {"text": "a/b <c>", "nothing": null, "list": []}}))
    }

    #[test]
    fn a_page_fails_where_a_name_is_not_defined() {
        for source in [
            "{{ two }}",
            "{{ one.other }}",
            "{% if two %}{% endif %}",
            "{% if not two %}{% endif %}",
            "{% if one.other %}{% endif %}",
            "{% if one.text and not one.other %}{% endif %}",
            "{% if one.text == \"x\" %}{% elif one.other %}{% endif %}",
            "{% for each in one.other %}{% endfor %}",
            "{% set each = one.other %}",
            "{{ one.other | time }}",
            "{{ one.other | otherwise(value=1) }}",
            "{{ t(k=\"task.line\", n=one.other) }}",
            "{{ pick(zh=one.text, en=one.other) }}",
            "{{ <lib.state of=\"place\" word={one.other} /> }}",
            "{{ one.text | no_filter }}",
            "{{ <no.component /> }}",
            "{{ <lib.state of=\"place\" /> }}",
            "{{ <lib.state of=\"place\" word={one.text} more=\"\" /> }}",
        ] {
            assert!(filled(source).is_err(), "{source} comes to {:?}", filled(source));
        }
    }

    #[test]
    fn an_explicit_nothing_is_shown_as_the_page_says() {
        for (source, shown) in [
            ("{{ one.text }}", "a&#x2F;b &lt;c&gt;"),
            ("{{ one.nothing }}", ""),
            ("{{ one.nothing | otherwise(value=\"—\") }}", "—"),
            ("{{ one.nothing | time }}", ""),
            ("{% if one.nothing or one.list %}yes{% else %}no{% endif %}", "no"),
            ("{% if one.other is defined %}yes{% else %}no{% endif %}", "no"),
            ("{{ one.text | json }}", "&quot;a&#x2F;b &lt;c&gt;&quot;"),
        ] {
            assert_eq!(filled(source).as_deref(), Ok(shown), "{source}");
        }
    }

    #[test]
    fn numbers_are_shown_as_they_are_written() {
        let written = r#"{"one": {"whole": 7, "part": 0.5, "long": 0.12345678901234567890, "small": 1e-7}}"#;
        let given: serde_json::Value = serde_json::from_str(written).expect("JSON");
        let source = "{{ one.whole }} {{ one.whole + 1 }} {{ one.part }} {{ one.long }} {{ one.small }}";
        let shown = line(source, &given).expect("a line");
        assert!(shown.starts_with("7 8 0.5 0.12345678901234567"), "{shown}");
        assert!(shown.ends_with(" 1e-7"), "{shown}");
    }

    #[test]
    fn a_refused_field_keeps_what_was_typed_and_says_what_is_wrong() {
        let given = json!({"form": {"lot": "A<1"}, "refusal": {"at": "lot", "message": "too <long>"}});
        let asked = "{{ <kit.input name=\"lot\" label=\"Lot\" hint=\"As printed\" required={true} /> }}";
        let other = "{{ <kit.input name=\"size\" label=\"Size\" value={7} /> }}";
        let [asked, other] = [asked, other].map(|source| line(source, &given).expect("a field"));
        for part in [
            "<span>Lot<i",
            "value=\"A&lt;1\" required",
            "aria-invalid=\"true\"",
            "<small>As printed</small>",
            "id=\"fault\">too &lt;long&gt;</span></label>",
        ] {
            assert!(asked.contains(part), "{part} is not in {asked}");
        }
        assert!(other.contains("value=\"7\"") && !other.contains("fault"), "{other}");
        let quiet = line("{{ <kit.input name=\"lot\" label=\"Lot\" refusal={false} /> }}", &given).expect("a field");
        assert!(!quiet.contains("fault"), "a form that was not sent shows the refusal of another: {quiet}");
    }

    #[test]
    fn what_is_signed_asks_for_password_and_code_where_no_grace_counts() {
        let shown = |grace: bool, code: bool, more: &str| {
            let page =
                json!({"csrf": "c", "once": "o", "user": {"username": "u"}, "proof": {"grace": grace, "code": code}});
            let source = format!(
                "{{% <kit.dialogue of=\"tasks\" id=\"7\" does=\"review\" revision={{3}} {more}
                 buttons={{[{{\"text\": \"Go\", \"class\": \"main\"}}]}}> %}}What is signed{{% </kit.dialogue> %}}"
            );
            line(&source, &json!({"page": page, "form": {}, "refusal": null})).expect("a dialogue")
        };
        let asks = |text: &str| [text.contains("name=\"password\""), text.contains("name=\"code_password\"")];
        assert_eq!(asks(&shown(false, false, "")), [true, false]);
        assert_eq!(asks(&shown(false, true, "")), [true, true]);
        assert_eq!(asks(&shown(true, true, "")), [false, false]);
        assert_eq!(asks(&shown(true, true, "always={true}")), [true, true]);
        let text = shown(false, false, "meaning=\"issue_meaning\" means=\"批准签发\"");
        for part in [
            "action=\"/tasks/7/review\"",
            "name=\"revision\" value=\"3\"",
            "What is signed",
            "<option value=\"批准签发\" selected>",
            ">Go</button>",
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }

    #[test]
    fn a_table_says_that_it_is_empty_and_leaves_out_columns_that_are_none() {
        let table = |rows: &serde_json::Value| {
            let source = "{% <kit.table columns={[\"A\", {\"n\": \"B\"}, \"C\" if one.c else none]} rows={one.rows}
                          empty=\"Nothing\"> %}{% for row in one.rows %}<tr><td>{{ row }}</td></tr>{% endfor %}{% </kit.table> %}";
            line(source, &json!({"one": {"c": false, "rows": rows}})).expect("a table")
        };
        assert!(table(&json!([])).contains("<p class=\"muted\">Nothing</p>"));
        let full = table(&json!(["<x>"]));
        for part in ["<th>A</th>", "<th class=\"n\">B</th>", "<td>&lt;x&gt;</td>"] {
            assert!(full.contains(part), "{part} is not in {full}");
        }
        assert!(!full.contains("C</th>") && !full.contains("Nothing"), "{full}");
    }

    #[test]
    fn what_the_kit_has_is_made_nowhere_else() {
        let with = |part: &str| -> Vec<&str> {
            SOURCES.iter().flat_map(|(name, source)| source.matches(part).map(|_| *name)).collect()
        };
        for part in [
            "\"fault\"",
            "aria-invalid",
            "class=\"must\"",
            "class=\"crumbs\"",
            "name=\"csrf\"",
            "name=\"revision\"",
            "<th class=\"{{",
            "t(k=\"sign.password\")",
            "t(k=\"sign.grace\")",
        ] {
            let mut places = with(part);
            places.dedup();
            assert_eq!(places, ["kit.html"], "{part}");
        }
        for part in ["class=\"field", "<table class=\"list"] {
            assert_eq!(with(part), [""; 0], "{part} is a part of the kit: kit.field, kit.table");
        }
        for (name, source) in SOURCES.iter().filter(|(name, _)| *name == "kit.html") {
            for part in source.split("{% component ").skip(1).filter_map(|rest| rest.split('(').next()) {
                assert!(!with(&format!("<{part} ")).is_empty(), "{part} of {name} is used nowhere");
            }
        }
    }

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
