//! A person says which sample a name in a file stands for, where the file does not say it in our own numbers.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::files::{file_of, samples_by_number, touch};
use crate::action::{Action, Context, Facts, Subject};
use crate::instruments::refusals::InstrumentRefusal;
use crate::record::Change;
use crate::refusal::Refusal;
use crate::store::Outcome;
use crate::store::columns::{InstrumentFileId, SampleId};
use crate::store::revisions::Revised;
use crate::store::rows::InstrumentFileRow;
use crate::store::schema::observation;
use crate::text::{self, codes};
use crate::vocabulary::Permission;
use crate::vocabulary::instruments::FileEvent;

/// Gives the values of one name to a sample that exists. No sample is ever made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MatchName {
    pub id: InstrumentFileId,
    /// The name as the file has it; without it, the values for which the file names no sample
    #[serde(default)]
    pub sample_text: Option<String>,
    /// A sample that exists, by its number; without it, the assignment is taken back
    #[serde(default)]
    pub sample_number: Option<String>,
}

/// What was matched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Matched {
    pub file_id: InstrumentFileId,
    /// How many values have another sample now
    pub values: usize,
}

/// What a match is decided from.
pub struct NameFound {
    file: InstrumentFileRow,
    /// The sample of the number that was given.
    sample: Option<SampleId>,
    /// How many values have the name.
    values: i64,
}

impl MatchName {
    fn number(&self) -> Option<&str> {
        self.sample_number.as_deref().map(str::trim).filter(|text| !text.is_empty())
    }
}

impl Action for MatchName {
    const NAME: &'static str = "file.match";
    const PERMISSION: Permission = Permission::InstrumentAccept;
    const AS_FILED: &'static [&'static str] = &["sample_text"];
    type Prepared = ();
    type Loaded = NameFound;
    type Plan = Option<SampleId>;
    type Done = Matched;

    fn subject(&self) -> Option<Subject> {
        Some(Subject::new(Revised::InstrumentFile, &self.id))
    }

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<NameFound> {
        let own = cx.institute()?;
        let file = file_of(cx.conn, &own, &self.id)?;
        let sample = match self.number() {
            Some(number) => samples_by_number(cx.conn, &own, &codes::forms(number))?.into_iter().next(),
            None => None,
        };
        let of_file = observation::table.filter(observation::instrument_file_id.eq(&self.id));
        let values = match &self.sample_text {
            Some(text) => of_file.filter(observation::sample_text.eq(text)).count().get_result(cx.conn)?,
            None => of_file.filter(observation::sample_text.is_null()).count().get_result(cx.conn)?,
        };
        Ok(NameFound { file, sample: sample.map(|(_, id)| id), values })
    }

    fn decide(&self, _: &Facts<'_>, found: &NameFound) -> Result<Option<SampleId>, Refusal> {
        found.file.state.on(FileEvent::Match).map_err(InstrumentRefusal::from)?;
        if let Some(number) = self.number() {
            let number = text::required("sample_number", number, text::TEXT)?;
            if found.sample.is_none() {
                return Err(InstrumentRefusal::NoSample(number).at("sample_number"));
            }
        }
        if found.values == 0 {
            return Err(InstrumentRefusal::NoSuchName.into());
        }
        Ok(found.sample.clone())
    }

    fn keep(&self, cx: &mut Context<'_>, _: NameFound, sample: Option<SampleId>) -> Outcome<Matched> {
        let of_file = observation::table.filter(observation::instrument_file_id.eq(&self.id));
        let values = match &self.sample_text {
            Some(text) => diesel::update(of_file.filter(observation::sample_text.eq(text)))
                .set(observation::sample_id.eq(&sample))
                .execute(cx.conn)?,
            None => diesel::update(of_file.filter(observation::sample_text.is_null()))
                .set(observation::sample_id.eq(&sample))
                .execute(cx.conn)?,
        };
        touch(cx.conn, &self.id)?;
        let (name, number) = (self.sample_text.clone(), self.number().map(str::to_owned));
        cx.record(Change::field(Self::NAME, "instrument_file", &self.id, "sample", name, number));
        Ok(Matched { file_id: self.id.clone(), values })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instruments::reception::take_in::tests::row;
    use crate::refusal::Code;
    use crate::vocabulary::instruments::FileState;

    fn decided(action: &MatchName, found: &NameFound) -> Result<Option<SampleId>, Code> {
        let regulation = crate::regulation::Regulation::embedded().expect("provisions");
        let actor = crate::record::Actor {
            account: "a".into(),
            username: "analyst".into(),
            display_name: "检验".into(),
            institute: Some("i".into()),
            applicant: None,
            roles: Vec::new(),
            request_id: None,
            session: None,
        };
        let facts = Facts { actor: &actor, now: chrono::DateTime::UNIX_EPOCH, regulation: &regulation };
        action.decide(&facts, found).map_err(|refusal| refusal.code)
    }

    #[test]
    fn a_name_is_matched_to_a_sample_that_exists_or_to_none() {
        let staged = InstrumentFileRow { state: FileState::Staged, ..row("a.csv") };
        let action = |number: Option<&str>| MatchName {
            id: "f".into(),
            sample_text: Some("Unknown".into()),
            sample_number: number.map(str::to_owned),
        };
        let found = |sample: Option<&str>, values| NameFound {
            file: staged.clone(),
            sample: sample.map(SampleId::from),
            values,
        };
        assert_eq!(decided(&action(Some("SX1")), &found(Some("one"), 2)), Ok(Some("one".into())));
        assert_eq!(decided(&action(Some(" ")), &found(None, 2)), Ok(None), "the match is taken back");
        assert_eq!(decided(&action(Some("SX9")), &found(None, 2)), Err(Code::NotFound));
        assert_eq!(decided(&action(None), &found(None, 0)), Err(Code::InvalidField));
        let over =
            NameFound { file: InstrumentFileRow { state: FileState::Accepted, ..staged.clone() }, ..found(None, 2) };
        assert_eq!(decided(&action(None), &over), Err(Code::WrongState));
    }
}
