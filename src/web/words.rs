//! The two languages of the pages: a dictionary each, and the names that the regulation gives its words.

use std::collections::BTreeMap;

use crate::calculation::setup::Role as EvaluationRole;
use crate::http::problem::Lang;
use crate::regulation::{
    Business, Category, ClockName, ClockUnit, Confidence, DateName, DeviceClass, Jurisdiction, Lane, Purpose, Trait,
};
use crate::vocabulary::{
    AuthorisationState, CaseState, CertificateKind, CertificateState, CheckFinding, CorrectionOutcome,
    CorrectionSubject, EvaluationKind, InvestigationEvent, InvestigationState, IssueMeaning, KeepingEvent, KeepingKind,
    KeepingState, Place, Portion, ProtocolOutcome, Role, SampleState, SignatureMeaning, SpecificationStanding,
    StandardBasis, TaskState,
};

const ZH: &str = include_str!("../../templates/i18n/zh-CN.toml");
const EN: &str = include_str!("../../templates/i18n/en.toml");

/// A language's dictionary: `section.key` → text.
///
/// # Errors
/// A sentence that says what is wrong with the file.
pub fn dictionary(lang: Lang) -> Result<BTreeMap<String, String>, String> {
    let table: BTreeMap<String, BTreeMap<String, String>> =
        toml::from_str(lang.pick(ZH, EN)).map_err(|error| error.to_string())?;
    let flat = table
        .into_iter()
        .flat_map(|(section, keys)| keys.into_iter().map(move |(key, text)| (format!("{section}.{key}"), text)));
    Ok(flat.collect())
}

/// The name of a word of a vocabulary; the word itself where the vocabulary does not have it.
#[must_use]
pub fn name(of: &str, word: &str, lang: Lang) -> String {
    macro_rules! named {
        ($($set:literal => $type:ty),* $(,)?) => {
            match of {
                $($set => <$type>::parse(word).map(|value| lang.pick(value.zh(), value.en())),)*
                _ => None,
            }
        };
    }
    let found = named! {
        "business" => Business,
        "purpose" => Purpose,
        "category" => Category,
        "device_class" => DeviceClass,
        "trait" => Trait,
        "lane" => Lane,
        "clock" => ClockName,
        "unit" => ClockUnit,
        "date" => DateName,
        "confidence" => Confidence,
        "role" => Role,
        "case_state" => CaseState,
        "task_state" => TaskState,
        "certificate_state" => CertificateState,
        "certificate_kind" => CertificateKind,
        "check_finding" => CheckFinding,
        "protocol_outcome" => ProtocolOutcome,
        "correction_subject" => CorrectionSubject,
        "correction_outcome" => CorrectionOutcome,
        "keeping_event" => KeepingEvent,
        "keeping_kind" => KeepingKind,
        "keeping_state" => KeepingState,
        "signature_meaning" => SignatureMeaning,
        "evaluation_kind" => EvaluationKind,
        "standard_basis" => StandardBasis,
        "place" => Place,
        "portion" => Portion,
        "sample_state" => SampleState,
        "specification_standing" => SpecificationStanding,
        "authorisation_state" => AuthorisationState,
        "jurisdiction" => Jurisdiction,
        "evaluation_role" => EvaluationRole,
        "investigation_state" => InvestigationState,
        "investigation_event" => InvestigationEvent,
    };
    found.unwrap_or(word).to_owned()
}

/// The words of a vocabulary with their names, in order: the options of a choice.
#[must_use]
pub fn options(of: &str, lang: Lang) -> Vec<(&'static str, &'static str)> {
    macro_rules! listed {
        ($($set:literal => $type:ty),* $(,)?) => {
            match of {
                $($set => <$type>::ALL.iter().map(|v| (v.as_str(), lang.pick(v.zh(), v.en()))).collect(),)*
                _ => Vec::new(),
            }
        };
    }
    listed! {
        "business" => Business,
        "purpose" => Purpose,
        "category" => Category,
        "device_class" => DeviceClass,
        "trait" => Trait,
        "role" => Role,
        "case_state" => CaseState,
        "task_state" => TaskState,
        "certificate_state" => CertificateState,
        "certificate_kind" => CertificateKind,
        "check_finding" => CheckFinding,
        "protocol_outcome" => ProtocolOutcome,
        "issue_meaning" => IssueMeaning,
        "evaluation_kind" => EvaluationKind,
        "standard_basis" => StandardBasis,
    }
}

/// One side of a text that has both: `中文。 / English.`
#[must_use]
pub fn side(text: &str, lang: Lang) -> &str {
    match text.split_once(" / ") {
        Some((zh, en)) => lang.pick(zh, en),
        None => text,
    }
}
