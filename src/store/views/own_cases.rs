//! Cases as their applicants see them: what is theirs, and nothing of the laboratory's own.

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::Reader;
use super::cases::{CaseFilter, due_of, laboratory_clocks};
use super::keyset::{self, After, COUNTED, Part};
use crate::business::{Particulars, StoredParticulars};
use crate::store::columns::{ApplicationId, BatchId, CertificateId, Day, Instant, ProductId, SampleId};
use crate::store::rows::{ApplicationRow, BatchRow};
use crate::store::schema::{application, batch, certificate, product, sample};
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::{Business, CaseState, CertificateState, Purpose, SampleState};

/// One of an applicant's cases in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OwnCaseRow {
    pub id: ApplicationId,
    pub number: String,
    pub business: Business,
    pub state: CaseState,
    pub product_zh: String,
    pub product_en: String,
    pub accepted_on: Option<Day>,
    /// When the report is due
    pub due: Option<Day>,
    pub provisional: Option<bool>,
    pub created_at: Instant,
}

/// One of an applicant's cases.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OwnCaseDetail {
    pub id: ApplicationId,
    pub number: String,
    pub business: Business,
    pub purpose: Purpose,
    pub state: CaseState,
    /// Why it was not accepted; null in every other state
    pub refused_because: Option<String>,
    pub acceptance_number: Option<String>,
    pub product_id: ProductId,
    pub product_zh: String,
    pub product_en: String,
    pub created_at: Instant,
    pub accepted_on: Option<Day>,
    pub arrived_at_port_on: Option<Day>,
    pub notice_received_on: Option<Day>,
    pub sampled_on: Option<Day>,
    pub received_on: Option<Day>,
    /// When the report is due
    pub due: Option<Day>,
    pub provisional: Option<bool>,
    pub particulars: Particulars,
    pub batches: Vec<OwnBatch>,
    /// What the institute asks of the applicant now
    pub asked: Vec<Asked>,
    pub certificates: Vec<OwnCertificate>,
    /// The revision to name when it is changed
    pub revision: i64,
}

/// A batch with what became of its sample.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OwnBatch {
    pub lot_number: String,
    pub produced_on: Option<String>,
    pub expires_on: Option<String>,
    pub lot_size: Option<String>,
    /// Null where no sample of it arrived
    pub sample: Option<SampleState>,
    /// Since when it is not awaited any more
    pub withdrawn_at: Option<Instant>,
}

/// Something that the institute waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Asked {
    /// `samples`: send samples of the lot
    pub what: &'static str,
    pub lot_number: String,
    pub message_zh: String,
    pub message_en: String,
}

/// A certificate that was issued.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OwnCertificate {
    pub id: CertificateId,
    pub kind: String,
    pub number: Option<String>,
    pub state: CertificateState,
    pub signed_at: Option<Instant>,
    pub lot_number: String,
}

/// The applicant's cases, the newest first; none for staff.
///
/// # Errors
/// A cursor that this list did not give, and the store's failure.
pub fn own_cases(conn: &mut AnyConnection, reader: &Reader, filter: &CaseFilter) -> Outcome<Part<OwnCaseRow>> {
    let Reader::Applicant(applicant) = reader else {
        return Ok(Part::empty());
    };
    let (after, limit) = (filter.begins()?, keyset::limit(filter.limit));
    macro_rules! filtered {
        ($of:expr) => {{
            let mut query = $of.filter(application::applicant_id.eq(applicant.clone())).into_boxed();
            if let Some(state) = filter.state {
                query = query.filter(application::state.eq(state));
            }
            if let Some(business) = filter.business {
                query = query.filter(application::business.eq(business));
            }
            if let Some(number) = filter.number.clone().filter(|text| !text.is_empty()) {
                let end = format!("{number}\u{10FFFF}");
                query = query.filter(application::number.ge(number)).filter(application::number.lt(end));
            }
            query
        }};
    }
    let total: i64 = crate::on_each!(&mut *conn, c => {
        let some = filtered!(application::table).select(application::id).limit(COUNTED);
        application::table.filter(application::id.eq_any(some)).count().get_result(c)
    })?;
    let mut query = filtered!(application::table.inner_join(product::table));
    if let Some(After { at, id }) = after {
        let older = application::created_at.lt(at.clone());
        query = query.filter(older.or(application::created_at.eq(at).and(application::id.lt(ApplicationId::from(id)))));
    }
    let mut rows: Vec<(ApplicationRow, (String, String))> = query
        .order((application::created_at.desc(), application::id.desc()))
        .limit(limit + 1)
        .select((ApplicationRow::as_select(), (product::name_zh, product::name_en)))
        .load(conn)?;
    let next = keyset::next(&mut rows, limit, |(row, _)| After::of(&row.created_at, &row.id));
    let ids: Vec<&ApplicationId> = rows.iter().map(|(row, _)| &row.id).collect();
    let clocks = laboratory_clocks(conn, &ids)?;
    let items = rows.into_iter().map(|(row, (product_zh, product_en))| {
        let clock = due_of(&clocks, &row.id);
        OwnCaseRow {
            number: row.number,
            business: row.business,
            state: row.state,
            product_zh,
            product_en,
            accepted_on: row.accepted_on,
            due: clock.map(|clock| clock.due.clone()),
            provisional: clock.map(|clock| clock.provisional),
            created_at: row.created_at,
            id: row.id,
        }
    });
    Ok(Part { total, total_at_least: total >= COUNTED, items: items.collect(), next })
}

/// One of the applicant's cases; none of another's, and none for staff.
///
/// # Errors
/// What is stored and cannot be read, and the store's failure.
pub fn own_case(conn: &mut AnyConnection, reader: &Reader, id: &ApplicationId) -> Outcome<Option<OwnCaseDetail>> {
    let Reader::Applicant(applicant) = reader else { return Ok(None) };
    let found: Option<(ApplicationRow, i64, String, String)> = application::table
        .inner_join(product::table)
        .filter(application::id.eq(id))
        .filter(application::applicant_id.eq(applicant))
        .select((ApplicationRow::as_select(), application::revision, product::name_zh, product::name_en))
        .first(conn)
        .optional()?;
    let Some((row, revision, product_zh, product_en)) = found else { return Ok(None) };
    let rows: Vec<BatchRow> = batch::table
        .filter(batch::application_id.eq(id))
        .order(batch::position)
        .select(BatchRow::as_select())
        .load(conn)?;
    let samples: Vec<(BatchId, SampleState)> = sample::table
        .filter(sample::application_id.eq(id))
        .order(sample::number)
        .select((sample::batch_id, sample::state))
        .load(conn)?;
    let batches: Vec<OwnBatch> = rows.into_iter().map(|row| own_batch(row, &samples)).collect();
    let clocks = laboratory_clocks(conn, &[id])?;
    let clock = due_of(&clocks, id);
    let stored: StoredParticulars = row.particulars.stored("application", "particulars", id)?;
    Ok(Some(OwnCaseDetail {
        refused_because: row.state_reason.filter(|_| row.state == CaseState::Refused),
        asked: asked(row.state, &batches),
        certificates: issued(conn, id)?,
        batches,
        due: clock.map(|clock| clock.due.clone()),
        provisional: clock.map(|clock| clock.provisional),
        particulars: stored.into(),
        id: row.id,
        number: row.number,
        business: row.business,
        purpose: row.purpose,
        state: row.state,
        acceptance_number: row.acceptance_number,
        product_id: row.product_id,
        product_zh,
        product_en,
        created_at: row.created_at,
        accepted_on: row.accepted_on,
        arrived_at_port_on: row.arrived_at_port_on,
        notice_received_on: row.notice_received_on,
        sampled_on: row.sampled_on,
        received_on: row.received_on,
        revision,
    }))
}

/// The batch with its sample: a received one before those that were refused.
fn own_batch(row: BatchRow, samples: &[(BatchId, SampleState)]) -> OwnBatch {
    let of_batch = || samples.iter().filter(|(batch, _)| *batch == row.id).map(|(_, state)| *state);
    let sample = of_batch().find(|state| *state != SampleState::Refused).or_else(|| of_batch().next_back());
    OwnBatch {
        lot_number: row.lot_number,
        produced_on: row.produced_on,
        expires_on: row.expires_on,
        lot_size: row.lot_size,
        sample,
        withdrawn_at: row.withdrawn_at,
    }
}

/// What the institute waits for: samples of the lots that did not arrive or were refused, while samples may come.
fn asked(state: CaseState, batches: &[OwnBatch]) -> Vec<Asked> {
    if !CaseState::RECEIVING.contains(&state) {
        return Vec::new();
    }
    let comes =
        |batch: &&OwnBatch| batch.withdrawn_at.is_none() && matches!(batch.sample, None | Some(SampleState::Refused));
    let missing = batches.iter().filter(comes);
    missing
        .map(|batch| {
            let again = batch.sample.is_some();
            Asked {
                what: "samples",
                lot_number: batch.lot_number.clone(),
                message_zh: if again { "样品被拒收，请重新送样" } else { "请送样" }.to_owned(),
                message_en: if again { "the sample was refused: send another" } else { "send the sample" }.to_owned(),
            }
        })
        .collect()
}

/// The certificates of the case that were issued, whatever became of them since.
fn issued(conn: &mut AnyConnection, id: &ApplicationId) -> Outcome<Vec<OwnCertificate>> {
    type Found = (CertificateId, String, Option<String>, CertificateState, Option<Instant>, SampleId, String);
    let found: Vec<Found> = certificate::table
        .inner_join(sample::table.inner_join(batch::table))
        .filter(certificate::application_id.eq(id))
        .filter(certificate::state.eq_any(CertificateState::EVER_ISSUED))
        .order(certificate::signed_at)
        .select((
            certificate::id,
            certificate::kind,
            certificate::number,
            certificate::state,
            certificate::signed_at,
            certificate::sample_id,
            batch::lot_number,
        ))
        .load(conn)?;
    let own = |(id, kind, number, state, signed_at, _, lot_number): Found| OwnCertificate {
        id,
        kind,
        number,
        state,
        signed_at,
        lot_number,
    };
    Ok(found.into_iter().map(own).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_applicant_is_asked_for_what_is_missing() {
        let batch = |lot: &str, sample| OwnBatch {
            lot_number: lot.into(),
            produced_on: None,
            expires_on: None,
            lot_size: None,
            sample,
            withdrawn_at: None,
        };
        let batches =
            [batch("A", Some(SampleState::Received)), batch("B", None), batch("C", Some(SampleState::Refused))];
        let lots = |state| asked(state, &batches).into_iter().map(|one| one.lot_number).collect::<Vec<_>>();
        assert_eq!(lots(CaseState::Accepted), ["B", "C"]);
        for state in [CaseState::Draft, CaseState::Tested, CaseState::Reported, CaseState::Voided] {
            assert!(lots(state).is_empty(), "{state}");
        }
    }
}
