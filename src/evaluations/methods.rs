//! The method definitions that are in use: the shipped ones and those in the data folder's `methods`.

use super::refusals::EvaluationRefusal;
use crate::action::Services;
use crate::calculation::method::{Method, methods as of_texts};
use crate::refusal::Refusal;

/// Every definition. A laboratory's file in `methods` of the data folder replaces a shipped one of the same id.
///
/// # Errors
/// Names the file that is not in order.
pub fn methods(services: &Services) -> Result<Vec<Method>, Refusal> {
    let folder = services.site.data.join("methods");
    let mut own: Vec<(String, String)> = Vec::new();
    let wrong = EvaluationRefusal::MethodMalformed;
    if folder.is_dir() {
        let entries = std::fs::read_dir(&folder).map_err(|error| wrong(error.to_string()))?;
        for entry in entries {
            let path = entry.map_err(|error| wrong(error.to_string()))?.path();
            if path.extension().is_none_or(|end| end != "toml") {
                continue;
            }
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let text = std::fs::read_to_string(&path).map_err(|error| wrong(format!("{name}: {error}")))?;
            own.push((name, text));
        }
        own.sort();
    }
    Ok(of_texts(&own).map_err(wrong)?)
}

/// The definition of that id.
///
/// # Errors
/// Where there is none.
pub(super) fn method(services: &Services, id: &str) -> Result<Method, Refusal> {
    let found = methods(services)?.into_iter().find(|method| method.id == id);
    found.ok_or_else(|| EvaluationRefusal::NoMethod(id.to_owned()).into())
}
