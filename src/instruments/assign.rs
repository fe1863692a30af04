//! A person says which sample a name in a file stands for, where the file does not say it in our own numbers.

use diesel::prelude::*;
use serde::Deserialize;
use utoipa::ToSchema;

use super::inbox::{FileView, file_of, samples_by_number, view_in};
use crate::action::Services;
use crate::record::{self, Actor, Change};
use crate::refusal::{Code, Refusal};
use crate::store::Outcome;
use crate::store::columns::InstrumentFileId;
use crate::store::schema::observation;
use crate::text;

/// Which sample a name in the file stands for.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Assign {
    /// The name as the file has it; without it, the values for which the file names no sample
    #[serde(default)]
    pub sample_text: Option<String>,
    /// A sample that exists, by its number; without it, the assignment is taken back
    pub sample_number: Option<String>,
}

/// Assigns the values of one name to a sample that exists. No sample is ever made.
///
/// # Errors
/// Where the file is decided about already, has no such name, or there is no such sample.
pub fn assign(services: &Services, actor: &Actor, id: &InstrumentFileId, new: &Assign) -> Outcome<FileView> {
    let (actor, now, id, new) = (actor.clone(), services.clock.now(), id.clone(), new.clone());
    let rules = services.mappings.rules();
    services.db.write(move |conn| {
        let institute =
            actor.institute.clone().ok_or_else(|| Refusal::new(Code::Forbidden, "仅限机构人员", "for staff only"))?;
        let file = file_of(conn, &institute, &id)?;
        if file.state != "staged" {
            return Err(Refusal::new(Code::WrongState, "该文件已处理", "the file was decided about already").into());
        }
        let sample = match new.sample_number.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
            None => None,
            Some(number) => {
                let number = text::required("sample_number", number, text::TEXT)?;
                let found = samples_by_number(conn, &institute, std::slice::from_ref(&number))?;
                let found = found.into_iter().next().map(|(_, sample)| sample);
                Some(found.ok_or_else(|| Refusal::not_found("样品", "sample", &number).at("sample_number"))?)
            }
        };
        let of_file = observation::table.filter(observation::instrument_file_id.eq(&id));
        let changed = match &new.sample_text {
            Some(text) => diesel::update(of_file.filter(observation::sample_text.eq(text)))
                .set(observation::sample_id.eq(&sample))
                .execute(conn)?,
            None => diesel::update(of_file.filter(observation::sample_text.is_null()))
                .set(observation::sample_id.eq(&sample))
                .execute(conn)?,
        };
        if changed == 0 {
            return Err(Refusal::field("sample_text", "文件中没有此样品名", "the file has no such sample name").into());
        }
        let change = Change::field(
            "instrument_file.assign",
            "instrument_file",
            &id,
            "sample",
            new.sample_text.clone(),
            new.sample_number.clone(),
        );
        record::record(conn, &actor, now, vec![change])?;
        view_in(conn, &institute, &id, &rules)
    })
}
