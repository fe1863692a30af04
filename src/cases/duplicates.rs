//! The same lot asked for twice (重复送检), found across all institutes of the installation. This is the one view through
//! the walls between them: of another house it has its name, the number of the case and what became of it, and nothing
//! else. Pure but for the look.

use diesel::prelude::*;

use super::asked::KnownLot;
use super::refusals::CasesRefusal;
use crate::regulation::practice::{Practice, RefusedElsewhere};
use crate::store::columns::{ApplicationId, BatchId, InstituteId};
use crate::store::rows::{BatchRow, LotKeyRow, ProductRow};
use crate::store::schema::{application, batch, certificate, institute, lot_key, product, sample};
use crate::store::{AnyConnection, Outcome};
use crate::text::codes;
use crate::vocabulary::{Business, CaseState, CertificateState};

/// The key by which lots are compared, of each of these batches.
pub(super) fn keys(batches: &[BatchRow]) -> Vec<LotKeyRow> {
    let of = |batch: &BatchRow| LotKeyRow { batch_id: batch.id.clone(), lot: codes::lot_key(&batch.lot_number) };
    batches.iter().map(of).collect()
}

/// One product under whatever id an institute has it. Two of one institute's catalogue are two.
fn same_product(one: &ProductRow, other: &ProductRow) -> bool {
    let named = |text: &str| codes::lot_key(text);
    let approval = |row: &ProductRow| row.approval_number.as_deref().map(named).filter(|number| !number.is_empty());
    if one.id == other.id || one.institute_id == other.institute_id {
        return one.id == other.id;
    }
    approval(one).is_some_and(|number| Some(number) == approval(other))
        || (named(&one.name_zh) == named(&other.name_zh) && named(&one.manufacturer) == named(&other.manufacturer))
}

/// The cases of these lots of that product that there are already, in every institute; drafts that nobody took up and
/// cases that were entered by mistake do not count.
///
/// # Errors
/// The store's failure.
pub(super) fn known(
    conn: &mut AnyConnection,
    product: &ProductRow,
    institute: &InstituteId,
    lots: &[String],
    but: Option<&ApplicationId>,
) -> Outcome<Vec<KnownLot>> {
    let wanted: Vec<String> = lots.iter().map(|lot| codes::lot_key(lot)).collect();
    type Found = (BatchId, String, ApplicationId, String, CaseState, InstituteId, (String, String), ProductRow);
    let found: Vec<Found> = lot_key::table
        .inner_join(batch::table.inner_join(application::table.inner_join(product::table).inner_join(institute::table)))
        .filter(lot_key::lot.eq_any(wanted))
        .filter(application::state.ne_all([CaseState::Draft, CaseState::Voided]))
        .order((application::created_at, batch::position))
        .select((
            batch::id,
            batch::lot_number,
            application::id,
            application::number,
            application::state,
            application::institute_id,
            (institute::name_zh, institute::name_en),
            ProductRow::as_select(),
        ))
        .load(conn)?;
    let mut all = Vec::new();
    for (batch_id, lot_number, case, application_number, state, of, (institute_zh, institute_en), other) in found {
        if but == Some(&case) || !same_product(product, &other) {
            continue;
        }
        let conforms: Option<bool> = certificate::table
            .inner_join(sample::table)
            .filter(sample::batch_id.eq(&batch_id))
            .filter(certificate::state.eq(CertificateState::Issued))
            .order(certificate::signed_at.desc())
            .select(certificate::conforms)
            .first(conn)
            .optional()?;
        let own = of == *institute;
        all.push(KnownLot { lot_number, institute_zh, institute_en, application_number, state, conforms, own });
    }
    Ok(all)
}

/// A lot that there is already is taken with a reason only; one that another institute refused to release is not taken,
/// unless the laboratory decided to ask.
///
/// # Errors
/// The first lot that is refused or not answered for.
pub(super) fn check(
    batches: &[BatchRow],
    known: &[KnownLot],
    business: Business,
    practice: &Practice,
    reason: Option<&str>,
) -> Result<(), CasesRefusal> {
    for (index, batch) in batches.iter().enumerate() {
        let of: Vec<KnownLot> = known.iter().filter(|one| one.is_of(&batch.lot_number)).cloned().collect();
        let refused = of.iter().find(|one| !one.own && one.conforms == Some(false));
        if let Some(refused) = refused
            && business == Business::LotRelease
            && practice.refused_elsewhere == RefusedElsewhere::Refuse
        {
            return Err(CasesRefusal::RefusedElsewhere { batch: index, known: refused.clone() });
        }
        let answered = batch.despite_duplicate.as_deref().or(reason).is_some_and(|reason| !reason.trim().is_empty());
        if !of.is_empty() && !answered {
            return Err(CasesRefusal::LotKnown { batch: index, known: of });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::specimens;

    fn elsewhere(lot: &str, conforms: Option<bool>) -> KnownLot {
        KnownLot {
            lot_number: lot.into(),
            institute_zh: "别处".into(),
            institute_en: "Elsewhere".into(),
            application_number: "HBC20260001".into(),
            state: CaseState::Reported,
            conforms,
            own: false,
        }
    }

    #[test]
    fn a_lot_that_is_known_is_asked_about_however_it_is_written() {
        let practice = Practice::shipped().expect("the shipped file");
        let application = specimens::application();
        let mut batch = specimens::batch(&application);
        batch.lot_number = "202506022（1-2）".into();
        let known = [elsewhere("202506022 (1～2)", Some(true)), elsewhere("other", None)];
        let check = |batch: &BatchRow, business, reason| {
            check(std::slice::from_ref(batch), &known, business, &practice, reason)
        };
        let asked = CasesRefusal::LotKnown { batch: 0, known: vec![known[0].clone()] };
        assert_eq!(check(&batch, Business::PortEntry, None), Err(asked.clone()));
        assert_eq!(check(&batch, Business::PortEntry, Some(" ")), Err(asked));
        assert_eq!(check(&batch, Business::PortEntry, Some("第二口岸分批进口")), Ok(()));
        batch.despite_duplicate = Some("分批进口".into());
        assert_eq!(check(&batch, Business::PortEntry, None), Ok(()));
    }

    #[test]
    fn a_lot_that_was_refused_elsewhere_is_not_released_here_unless_the_laboratory_asks() {
        let mut practice = Practice::shipped().expect("the shipped file");
        let batch = specimens::batch(&specimens::application());
        let known = [elsewhere("L-1", Some(false))];
        let refused = CasesRefusal::RefusedElsewhere { batch: 0, known: known[0].clone() };
        let reason = Some("另行送检");
        let (batches, lot_release) = ([batch], Business::LotRelease);
        assert_eq!(check(&batches, &known, lot_release, &practice, reason), Err(refused));
        assert_eq!(check(&batches, &known, Business::PortEntry, &practice, reason), Ok(()));
        practice.refused_elsewhere = RefusedElsewhere::Ask;
        assert_eq!(check(&batches, &known, lot_release, &practice, reason), Ok(()));
        assert!(check(&batches, &known, lot_release, &practice, None).is_err());
        let own = [KnownLot { own: true, ..known[0].clone() }];
        assert!(matches!(
            check(&batches, &own, lot_release, &Practice::shipped().expect("a file"), None),
            Err(CasesRefusal::LotKnown { .. })
        ));
    }
}
