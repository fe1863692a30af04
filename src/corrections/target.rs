//! What a correction is of: one way to look at it and to change it, whoever owns it.

use diesel::prelude::*;

use crate::action::{Context, Facts, Services};
use crate::business::{Field, Lines, RecordedField};
use crate::cases::{CorrectableBatch, CorrectableCase, CorrectedCase};
use crate::catalogue::CorrectableEntry;
use crate::record::Actor;
use crate::refusal::Refusal;
use crate::store::columns::{ApplicationId, BatchId, CertificateId, SampleId};
use crate::store::schema::{application, certificate, sample};
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::{CertificateState, CorrectionSubject};

/// A thing on record that can be put right.
#[derive(Clone)]
pub(super) enum CorrectionTarget {
    Case(Box<CorrectableCase>),
    Batch(Box<CorrectableBatch>),
    Entry(CorrectableEntry),
}

/// A new text that was found in order, with what it changes.
pub(super) enum CorrectedText {
    Case(Box<CorrectedCase>),
    Text,
}

impl CorrectionTarget {
    /// The thing, where the actor may put it right.
    pub(super) fn load(
        conn: &mut AnyConnection,
        services: &Services,
        actor: &Actor,
        subject: CorrectionSubject,
        id: &str,
    ) -> Outcome<Self> {
        Ok(match subject {
            CorrectionSubject::Case => {
                Self::Case(Box::new(CorrectableCase::load(conn, &services.lines, actor, &ApplicationId::from(id))?))
            }
            CorrectionSubject::Batch => Self::Batch(Box::new(CorrectableBatch::load(conn, actor, &BatchId::from(id))?)),
            CorrectionSubject::Product | CorrectionSubject::Applicant | CorrectionSubject::Institute => {
                Self::Entry(CorrectableEntry::load(conn, actor, subject, id)?)
            }
        })
    }

    /// The case that it belongs to; none of what many cases share.
    pub(super) fn case(&self, id: &str) -> Option<ApplicationId> {
        match self {
            Self::Case(_) => Some(ApplicationId::from(id)),
            Self::Batch(batch) => Some(batch.case().clone()),
            Self::Entry(_) => None,
        }
    }

    pub(super) fn fields(&self) -> Vec<RecordedField> {
        match self {
            Self::Case(case) => case.fields(),
            Self::Batch(batch) => batch.fields(),
            Self::Entry(entry) => entry.fields(),
        }
    }

    /// The text on record; empty where there is none.
    pub(super) fn value(&self, field: &str) -> String {
        let found = self.fields().into_iter().find(|one| one.field.name == field);
        found.map(|one| one.value).unwrap_or_default()
    }

    /// The new text as it is kept, and what it changes.
    pub(super) fn with(&self, facts: &Facts<'_>, field: &str, new: &str) -> Result<(String, CorrectedText), Refusal> {
        Ok(match self {
            Self::Case(case) => {
                let (kept, corrected) = case.with(facts, field, new)?;
                (kept, CorrectedText::Case(Box::new(corrected)))
            }
            Self::Batch(batch) => (batch.checked(field, new)?, CorrectedText::Text),
            Self::Entry(entry) => (entry.checked(field, new)?, CorrectedText::Text),
        })
    }

    /// Writes it, with the event of that name.
    pub(super) fn keep(
        self,
        cx: &mut Context<'_>,
        name: &'static str,
        corrected: CorrectedText,
        (field, new): (&str, &str),
        reason: &str,
    ) -> Outcome<()> {
        match (self, corrected) {
            (_, CorrectedText::Case(case)) => case.keep(cx, name, reason),
            (Self::Batch(batch), CorrectedText::Text) => batch.keep(cx, name, (field, new), reason),
            (Self::Entry(entry), CorrectedText::Text) => entry.keep(cx, name, (field, new), reason),
            (Self::Case(_), CorrectedText::Text) => Ok(()),
        }
    }
}

/// What a field is called; none of a field that nothing has any more.
#[must_use]
pub fn field_named(lines: &Lines, subject: CorrectionSubject, name: &str) -> Option<Field> {
    let all: Vec<Field> = match subject {
        CorrectionSubject::Case => CorrectableCase::named(lines),
        CorrectionSubject::Batch => CorrectableBatch::named(),
        other => CorrectableEntry::named(other),
    };
    all.into_iter().find(|field| field.name == name)
}

/// The texts on record of a thing that the actor may put right.
///
/// # Errors
/// Where there is none, or another institute keeps it.
pub fn recorded(
    conn: &mut AnyConnection,
    services: &Services,
    actor: &Actor,
    subject: CorrectionSubject,
    id: &str,
) -> Outcome<Vec<RecordedField>> {
    Ok(CorrectionTarget::load(conn, services, actor, subject, id)?.fields())
}

/// The certificates under way or in force whose document speaks of a thing.
pub(super) fn speaking_of(
    cx: &mut Context<'_>,
    subject: CorrectionSubject,
    id: &str,
) -> Outcome<Vec<(CertificateId, SampleId)>> {
    let all = certificate::table
        .inner_join(application::table)
        .inner_join(sample::table)
        .filter(certificate::state.eq_any(CertificateState::LIVE))
        .filter(certificate::institute_id.eq(cx.institute()?))
        .order((certificate::drafted_at, certificate::id))
        .select((certificate::id, certificate::sample_id))
        .into_boxed();
    let of = match subject {
        CorrectionSubject::Case => all.filter(certificate::application_id.eq(id.to_owned())),
        CorrectionSubject::Batch => all.filter(sample::batch_id.eq(id.to_owned())),
        CorrectionSubject::Product => all.filter(application::product_id.eq(id.to_owned())),
        CorrectionSubject::Applicant => all.filter(application::applicant_id.eq(id.to_owned())),
        CorrectionSubject::Institute => all,
    };
    Ok(of.load(cx.conn)?)
}
