//! The laboratory's mapping (`mappings/*.toml`): which analyte and quantity of which method or adapter is which
//! reading of which test item, with replicates, dilution, units and the names that an analyte goes by.
//!
//! ```toml
//! [analytes]
//! "布洛芬" = ["Ibuprofen", "IBU"]
//!
//! [[map]]
//! product = "IBU-T"                # the product's code; without it, every product
//! specification = 2                # the version of its specification; without it, every one
//! item = "assay"                   # the test item's code
//! input = "x"                      # the reading's name in the item's formula
//! adapters = ["agilent-chemstation-report"]
//! instruments = ["HPLC-01"]
//! method = "IBU_ASSAY"             # what the file says of its method: a pattern with * and ?
//! analyte = "布洛芬"
//! quantity = "amount"
//! context = { signal = "DAD1 A" }
//! replicates = 2                   # how many values there must be
//! dilution = "10"                  # every value is multiplied by it
//! unit = "mg/mL"                   # what the file must say
//! units = { "mmol/L" = "0.206" }    # other units that do not convert by themselves, each with its factor
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use globset::GlobBuilder;
use instrument_adapters::AdapterSet;
use instrument_adapters::isolated::Adapters;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use toml::Spanned;
use utoipa::ToSchema;

use crate::calculation::inputs::InputSource;

/// A mapping file that cannot be used: file, line, field, and what is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}: {field}: {message}")]
pub struct MappingError {
    pub file: String,
    pub line: usize,
    pub field: String,
    pub message: String,
}

/// One rule, ready for use.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = MappingRule)]
pub struct Rule {
    /// The file that it is written in
    pub file: String,
    pub line: usize,
    pub product: Option<String>,
    pub specification: Option<i64>,
    pub item: String,
    pub input: String,
    pub instruments: Vec<String>,
    pub method: Option<String>,
    pub source: InputSource,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default)]
    analytes: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    map: Vec<Spanned<RawRule>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    product: Option<String>,
    specification: Option<i64>,
    item: String,
    #[serde(default = "x")]
    input: String,
    #[serde(default)]
    adapters: Vec<String>,
    #[serde(default)]
    instruments: Vec<String>,
    method: Option<String>,
    quantity: String,
    analyte: Option<String>,
    #[serde(default)]
    except: Vec<String>,
    #[serde(default)]
    context: BTreeMap<String, String>,
    nth: Option<i64>,
    replicates: Option<i64>,
    dilution: Option<String>,
    unit: Option<String>,
    #[serde(default)]
    units: BTreeMap<String, String>,
}

fn x() -> String {
    "x".into()
}

impl Rule {
    /// Whether it speaks of this item of this specification, and of files such as this.
    #[must_use]
    pub fn fits(&self, of: &Target<'_>) -> bool {
        let same = |a: &str, b: &str| a.trim().eq_ignore_ascii_case(b.trim());
        same(&self.item, of.item)
            && self.input == of.input
            && self.product.as_deref().is_none_or(|code| same(code, of.product))
            && self.specification.is_none_or(|version| version == of.specification)
            && self.source.reads(of.adapter)
            && (self.instruments.is_empty()
                || of.instrument.is_some_and(|code| self.instruments.iter().any(|one| same(one, code))))
            && self.method.as_deref().is_none_or(|pattern| of.method.is_some_and(|method| like(pattern, method)))
    }
}

/// What a rule is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    pub product: &'a str,
    pub specification: i64,
    pub item: &'a str,
    pub input: &'a str,
    pub adapter: &'a str,
    pub instrument: Option<&'a str>,
    pub method: Option<&'a str>,
}

fn like(pattern: &str, text: &str) -> bool {
    let glob = GlobBuilder::new(pattern).case_insensitive(true).backslash_escape(false).build();
    // The method may be a whole path; its last part counts too.
    let last = text.rsplit(['\\', '/']).next().unwrap_or(text);
    pattern.eq_ignore_ascii_case(text)
        || glob.is_ok_and(|glob| {
            let matcher = glob.compile_matcher();
            matcher.is_match(text) || matcher.is_match(last)
        })
}

/// Reads the mapping files of a folder, by name.
///
/// # Errors
/// The first that cannot be used.
pub fn read_folder(folder: &Path, adapters: &AdapterSet) -> Result<Vec<Rule>, MappingError> {
    let mut rules = Vec::new();
    for path in files(folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).map_err(|error| fault(&name, 1, "file", error.to_string()))?;
        rules.extend(read_text(&name, &text, adapters)?);
    }
    Ok(rules)
}

fn fault(file: &str, line: usize, field: &str, message: impl Into<String>) -> MappingError {
    MappingError { file: file.into(), line, field: field.into(), message: message.into() }
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, MappingError> {
    let name = folder.display().to_string();
    let listed = std::fs::read_dir(folder).map_err(|error| fault(&name, 1, "folder", error.to_string()))?;
    let mut found: Vec<PathBuf> = listed
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "toml") && path.is_file())
        .collect();
    found.sort();
    Ok(found)
}

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// Reads one mapping file.
///
/// # Errors
/// Names line and field.
pub fn read_text(file: &str, text: &str, adapters: &AdapterSet) -> Result<Vec<Rule>, MappingError> {
    let syntax = |error: &toml::de::Error| error.span().map_or(1, |span| line_of(text, span.start));
    let parsed = toml::Deserializer::parse(text)
        .map_err(|error| fault(file, syntax(&error), "toml", one_line(error.message())))?;
    let raw: RawFile = serde_path_to_error::deserialize(parsed).map_err(|error| {
        // A value that remembers its place hides behind a field of its own.
        let field = error.path().to_string().replace(".$__serde_spanned_private_value", "");
        fault(file, syntax(error.inner()), &field, one_line(error.inner().message()))
    })?;
    let mut rules = Vec::with_capacity(raw.map.len());
    for (index, rule) in raw.map.into_iter().enumerate() {
        let line = line_of(text, rule.span().start);
        let wrong = |field: &str, message: String| fault(file, line, &format!("map[{index}].{field}"), message);
        rules.push(checked(file, line, rule.into_inner(), &raw.analytes, adapters, &wrong)?);
    }
    Ok(rules)
}

fn one_line(text: &str) -> String {
    text.split('\n').map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}

fn checked(
    file: &str,
    line: usize,
    raw: RawRule,
    analytes: &BTreeMap<String, Vec<String>>,
    adapters: &AdapterSet,
    wrong: &dyn Fn(&str, String) -> MappingError,
) -> Result<Rule, MappingError> {
    for (field, text) in [("item", &raw.item), ("input", &raw.input), ("quantity", &raw.quantity)] {
        if text.trim().is_empty() {
            return Err(wrong(field, "must not be empty".into()));
        }
    }
    if let Some(id) = raw.adapters.iter().find(|id| adapters.get(id).is_none()) {
        return Err(wrong("adapters", format!("there is no adapter {id:?}")));
    }
    if let Some(pattern) = &raw.method {
        GlobBuilder::new(pattern).build().map_err(|error| wrong("method", error.kind().to_string()))?;
    }
    let aliases = raw.analyte.as_ref().and_then(|name| analytes.get(name)).cloned().unwrap_or_default();
    let source = InputSource {
        quantity: raw.quantity,
        analyte: raw.analyte,
        except: raw.except,
        context: raw.context,
        nth: raw.nth,
        aliases,
        adapters: raw.adapters,
        replicates: raw.replicates,
        dilution: raw.dilution,
        unit: raw.unit,
        units: raw.units,
    };
    source.check().map_err(|(field, message)| wrong(field, message))?;
    Ok(Rule {
        file: file.into(),
        line,
        product: raw.product,
        specification: raw.specification,
        item: raw.item,
        input: raw.input,
        instruments: raw.instruments,
        method: raw.method,
        source,
    })
}

/// What the folder looked like: names, sizes and times of change.
type Look = Vec<(PathBuf, u64, Option<std::time::SystemTime>)>;

/// The rules of the laboratory's folder, read again when a file changes.
pub struct Mappings {
    folder: Option<PathBuf>,
    adapters: Arc<Adapters>,
    rules: RwLock<Arc<Vec<Rule>>>,
    /// When and how the folder was looked at last.
    looked: Mutex<(Instant, Look)>,
    /// Why the rules in use are not those of the folder.
    fault: RwLock<Option<MappingError>>,
}

/// How often the folder is looked at.
const EVERY: Duration = Duration::from_secs(1);

impl Mappings {
    /// The rules of a folder; none without one.
    ///
    /// # Errors
    /// The first file that cannot be used.
    pub fn open(folder: Option<PathBuf>, adapters: Arc<Adapters>) -> Result<Self, MappingError> {
        let look = folder.as_deref().map(looks).unwrap_or_default();
        let rules = match &folder {
            Some(folder) => read_folder(folder, &adapters.set())?,
            None => Vec::new(),
        };
        Ok(Self {
            folder,
            adapters,
            rules: RwLock::new(Arc::new(rules)),
            looked: Mutex::new((Instant::now(), look)),
            fault: RwLock::new(None),
        })
    }

    /// The rules in use. Where a changed file cannot be used, these are the former ones, and [`Mappings::fault`] says why.
    #[must_use]
    pub fn rules(&self) -> Arc<Vec<Rule>> {
        if let Some(folder) = &self.folder {
            self.look(folder);
        }
        self.rules.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What is wrong with the folder as it is now.
    #[must_use]
    pub fn fault(&self) -> Option<MappingError> {
        self.fault.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn look(&self, folder: &Path) {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if looked.0.elapsed() < EVERY {
            return;
        }
        looked.0 = Instant::now();
        let look = looks(folder);
        if look == looked.1 {
            return;
        }
        looked.1 = look;
        let read = read_folder(folder, &self.adapters.set());
        let mut fault = self.fault.write().unwrap_or_else(PoisonError::into_inner);
        match read {
            Ok(rules) => {
                tracing::info!(rules = rules.len(), "the mappings were read again");
                *self.rules.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
                *fault = None;
            }
            Err(error) => {
                tracing::error!(%error, "a mapping cannot be used: those of before stay in force");
                *fault = Some(error);
            }
        }
    }
}

fn looks(folder: &Path) -> Look {
    let paths = files(folder).unwrap_or_default();
    let look = |path: PathBuf| {
        let meta = std::fs::metadata(&path).ok();
        (path, meta.as_ref().map_or(0, std::fs::Metadata::len), meta.and_then(|meta| meta.modified().ok()))
    };
    paths.into_iter().map(look).collect()
}

/// A decimal factor above zero.
pub(crate) fn factor(text: &str) -> Option<Decimal> {
    let plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c == '.');
    Decimal::from_str_exact(text).ok().filter(|value| plain && *value > Decimal::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Rule>, MappingError> {
        read_text("m.toml", text, &AdapterSet::embedded())
    }

    fn place(text: &str) -> (usize, String) {
        let error = read(text).unwrap_err();
        (error.line, error.field)
    }

    #[test]
    fn a_fault_names_line_and_field() {
        let rule = "[[map]]\nitem = \"assay\"\nquantity = \"amount\"\n";
        assert_eq!(read(rule).unwrap().len(), 1);
        assert_eq!(place("\n[[map]]\nitem = \n").0, 3);
        assert_eq!(place(&format!("{rule}colour = \"red\"\n")).0, 4);
        assert_eq!(place(&format!("{rule}replicates = \"two\"\n")), (4, "map[0].replicates".into()));
        assert_eq!(place(&format!("{rule}\n{rule}dilution = \"1e3\"\n")), (5, "map[1].dilution".into()));
        assert_eq!(place(&format!("{rule}units = {{ \"g\" = \"0\" }}\nunit = \"mg\"\n")), (1, "map[0].units".into()));
        let wrong = format!("{rule}unit = \"mg/mL\"\nunits = {{ \"ug/mL\" = \"0.01\" }}\n");
        assert_eq!(place(&wrong), (1, "map[0].units".into()), "a factor that contradicts the units");
        let right = format!("{rule}unit = \"g/L\"\nunits = {{ \"mmol/L\" = \"0.18016\", \"ug/mL\" = \"0.001\" }}\n");
        assert!(read(&right).is_ok(), "a molar mass is the laboratory's");
        assert_eq!(place(&format!("{rule}adapters = [\"no-such\"]\n")), (1, "map[0].adapters".into()));
        assert_eq!(place("[[map]]\nitem = \"assay\"\n").1, "map[0]");
    }

    #[test]
    fn a_rule_fits_its_item_adapter_instrument_and_method() {
        let text = "[analytes]\n\"布洛芬\" = [\"IBU\"]\n[[map]]\nproduct = \"P\"\nspecification = 2\nitem = \"assay\"\n\
                    adapters = [\"agilent-chemstation-report\"]\ninstruments = [\"HPLC-01\"]\nmethod = \"IBU*.M\"\n\
                    analyte = \"布洛芬\"\nquantity = \"amount\"\n";
        let rule = read(text).unwrap().remove(0);
        assert_eq!(rule.source.aliases, ["IBU"]);
        let of = Target {
            product: "P",
            specification: 2,
            item: "assay",
            input: "x",
            adapter: "agilent-chemstation-report",
            instrument: Some("hplc-01"),
            method: Some("C:\\CHEM32\\1\\METHODS\\IBU_2.M"),
        };
        assert!(rule.fits(&of));
        for other in [
            Target { product: "Q", ..of },
            Target { specification: 1, ..of },
            Target { item: "related", ..of },
            Target { input: "y", ..of },
            Target { adapter: "sartorius-sbi", ..of },
            Target { instrument: None, ..of },
            Target { method: Some("OTHER.M"), ..of },
        ] {
            assert!(!rule.fits(&other), "{other:?}");
        }
    }
}
