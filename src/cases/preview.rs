//! What the regulation says of a form that is being filled; nothing is stored.

use serde::Serialize;
use utoipa::ToSchema;

use super::acceptance::{Ground, accept, case_of, determine, with_demand};
use super::application::{NewApplication, draft, file_for};
use super::asked::KnownLot;
use super::demand::LotDemand;
use super::duplicates;
use super::load::authorisations_of;
use crate::action::{Facts, Services};
use crate::record::Actor;
use crate::refusal::Refusal;
use crate::regulation::Determination;
use crate::store::Outcome;

/// What the desk shows while a form is filled: the determination and what is asked of each batch.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct IntakePreview {
    pub determination: Determination,
    pub demand: LotDemand,
    /// Cases of the same lots that there are, here and in other institutes; for the staff of an institute alone
    pub duplicates: Vec<KnownLot>,
    /// Why it would not be accepted today, if so
    pub refusal: Option<WouldRefuse>,
}

/// Why a case would not be accepted.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WouldRefuse {
    /// The stable code
    pub code: &'static str,
    pub message_zh: String,
    pub message_en: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub provisions: Vec<String>,
    /// Numbers that a program can read
    #[serde(skip_serializing_if = "serde_json::Value::is_null")]
    #[schema(value_type = BTreeMap<String, RefusalDetail>)]
    pub details: serde_json::Value,
}

/// What the details of a refusal to accept hold; only for the description of the API.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[allow(dead_code)]
enum RefusalDetail {
    Number(i64),
    Text(String),
    /// All that the regulation refuses
    Refusals(Vec<crate::regulation::CaseRefusal>),
    /// The cases of the same lot
    Known(Vec<KnownLot>),
}

impl From<Refusal> for WouldRefuse {
    fn from(refusal: Refusal) -> Self {
        Self {
            code: refusal.code.as_str(),
            message_zh: refusal.message_zh,
            message_en: refusal.message_en,
            field: refusal.field,
            provisions: refusal.provisions,
            details: refusal.details,
        }
    }
}

/// What would be decided today.
///
/// # Errors
/// Where the form cannot be read that far.
pub fn preview(services: &Services, actor: &Actor, new: &NewApplication) -> Outcome<IntakePreview> {
    let facts = Facts { actor, now: services.clock.now(), regulation: &services.regulation };
    let line = services.lines.of(new.business)?;
    let ground = services.db.read(|conn| {
        let file = file_for(conn, actor, new, facts.today())?;
        let authorisations = if line.authorised() { authorisations_of(conn, &file.institute.id)? } else { Vec::new() };
        let lots: Vec<String> = new.batches.iter().map(|batch| batch.lot_number.clone()).collect();
        let known = match &actor.institute {
            Some(own) => duplicates::known(conn, &file.product, own, &lots, None)?,
            None => Vec::new(),
        };
        Ok(Ground { file, line, authorisations, known })
    })?;
    let mut draft = draft(new, &ground.file, line, &facts)?;
    let case = case_of(draft.case.row(), &ground.file, facts.today())?;
    let determined = determine(&services.regulation, &case)?;
    let (determination, demand) = with_demand(&services.regulation, &ground.file, determined);
    let accepted = accept(&facts, &mut draft.case, &ground, draft.batches.len());
    let (business, practice) = (draft.case.row().business, services.regulation.practice());
    let known = duplicates::check(&draft.batches, &ground.known, business, practice, None);
    let refusal = accepted.err().or_else(|| known.err().map(Refusal::from)).map(WouldRefuse::from);
    Ok(IntakePreview { determination, demand, duplicates: ground.known, refusal })
}
