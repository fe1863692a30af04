//! The laboratory's patterns: which files of a folder are an instrument's, and which sample a text speaks of.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::instruments::refusals::InstrumentRefusal;
use crate::vocabulary::instruments::{MatchOn, MatchWay};

/// How the names in an instrument's files lead to samples.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MatchRule {
    /// Which ways to a sample count
    pub by: Vec<MatchWay>,
    /// A regular expression with a group `sample`, e.g. `^(?P<sample>SH\d+)_`: what the group takes is compared
    /// as a whole; a text that does not fit names no sample
    pub pattern: Option<String>,
    /// What the pattern is held against: the text in the file, or the file's name
    pub on: MatchOn,
}

impl Default for MatchRule {
    fn default() -> Self {
        Self { by: MatchWay::ALL.to_vec(), pattern: None, on: MatchOn::Sample }
    }
}

impl MatchRule {
    /// Whether a way counts.
    #[must_use]
    pub fn counts(&self, way: MatchWay) -> bool {
        self.by.contains(&way)
    }

    /// The pattern, ready for use.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn regex(&self) -> Result<Option<Regex>, String> {
        let Some(pattern) = self.pattern.as_deref().filter(|text| !text.is_empty()) else { return Ok(None) };
        let regex = RegexBuilder::new(pattern).size_limit(1 << 20).build().map_err(|error| error.to_string())?;
        if !regex.capture_names().flatten().any(|name| name == "sample") {
            return Err("the pattern has no group (?P<sample>…)".into());
        }
        Ok(Some(regex))
    }

    /// Checks what a person entered.
    ///
    /// # Errors
    /// Names the field.
    pub fn check(&self, at: &str) -> Result<(), InstrumentRefusal> {
        self.regex().map_err(|why| InstrumentRefusal::SamplePattern { at: at.to_owned(), why })?;
        Ok(())
    }
}

/// The patterns of file names, separated by semicolons or line ends; none of them means all files. A pattern with a
/// slash is held against the path below the folder, another one against the name alone.
///
/// # Errors
/// What is wrong with which pattern.
pub fn file_globs(text: &str) -> Result<Option<Globs>, String> {
    let (mut names, mut paths, mut any) = (GlobSetBuilder::new(), GlobSetBuilder::new(), false);
    for one in text.split([';', '\n', '；']).map(str::trim).filter(|one| !one.is_empty()) {
        let glob = GlobBuilder::new(one).case_insensitive(true).literal_separator(true).build();
        let glob = glob.map_err(|error| format!("{one}: {}", error.kind()))?;
        if one.contains('/') {
            paths.add(glob)
        } else {
            names.add(glob)
        };
        any = true;
    }
    let built = |builder: GlobSetBuilder| builder.build().map_err(|error| error.to_string());
    Ok(if any { Some(Globs { names: built(names)?, paths: built(paths)? }) } else { None })
}

/// Patterns of file names.
#[derive(Clone, Debug)]
pub struct Globs {
    names: GlobSet,
    paths: GlobSet,
}

impl Globs {
    /// Whether a file fits, by its path below the folder.
    #[must_use]
    pub fn fit(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        self.names.is_match(name) || self.paths.is_match(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_needs_its_group() {
        let rule = |pattern: &str| MatchRule { pattern: Some(pattern.into()), ..MatchRule::default() };
        assert!(rule(r"^(?P<sample>SH\d+)_").check("m").is_ok());
        for wrong in [r"^SH\d+", "(", r"(?P<sampl>x)"] {
            let refusal = rule(wrong).check("m").unwrap_err();
            assert!(matches!(refusal, InstrumentRefusal::SamplePattern { at, .. } if at == "m"), "{wrong}");
        }
    }

    #[test]
    fn file_patterns_are_held_against_name_or_path() {
        let globs = file_globs("*.txt; REPORT*.csv").unwrap().unwrap();
        assert!(globs.fit("a/b/x.TXT") && globs.fit("report01.CSV") && !globs.fit("x.csv"));
        let globs = file_globs("2026/*/*.txt").unwrap().unwrap();
        assert!(globs.fit("2026/a/x.txt") && !globs.fit("2025/a/x.txt") && !globs.fit("x.txt"));
        assert!(file_globs(" ").unwrap().is_none());
        assert!(file_globs("[").is_err());
    }
}
