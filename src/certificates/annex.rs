//! The plots that an item's specification wants in the certificate's annex, drawn from the files that the final
//! results were read from.

use std::collections::BTreeSet;

use diesel::prelude::*;

use super::document::{AnnexFigure, Bilingual};
use super::facts::{Facts, Final};
use crate::audit::Actor;
use crate::instruments::{self, Figure};
use crate::services::Services;
use crate::store::columns::{ResultId, SampleId};
use crate::store::rows::{InstrumentFileRow, ObservationRow, TestItemRow};
use crate::store::schema::{instrument_file, observation};
use crate::store::{AnyConnection, Outcome};
use crate::testing;

/// The plots, and the results that they belong to: the caller sees to it that these are still the final ones.
pub(super) struct Annex {
    pub figures: Vec<AnnexFigure>,
    pub of: Vec<ResultId>,
}

/// A value that a result rests on: its item, itself, and its file.
type Source = (TestItemRow, ObservationRow, InstrumentFileRow);

/// Draws what the sample's items want. Files are read here and not in the transaction that drafts: a large one
/// takes its time.
///
/// # Errors
/// Where the results are not final, or a file cannot be read any more.
pub(super) fn annex(services: &Services, actor: &Actor, sample: &SampleId) -> Outcome<Annex> {
    let (of, sources) = services.db.read(|conn| {
        let finals = Facts::load(conn, actor, sample)?.finals(conn)?;
        let sources = sources(conn, &finals)?;
        Ok((finals.iter().map(|one| one.result.id.clone()).collect(), sources))
    })?;
    let mut read: Vec<(String, Vec<Figure>)> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut figures = Vec::new();
    for (item, value, file) in &sources {
        // One plot an injection, however many of its values the result takes.
        if !seen.insert((item.id.clone(), file.id.clone(), value.sample_text.clone(), value.injection.clone())) {
            continue;
        }
        if !read.iter().any(|(known, _)| *known == file.sha256) {
            let drawn = instruments::figures_of(&instruments::whole(services, file)?);
            read.push((file.sha256.clone(), drawn));
        }
        let of_file = read.iter().find(|(known, _)| *known == file.sha256).map(|(_, drawn)| drawn);
        let of_value = |figure: &&Figure| {
            figure.kind == "chromatogram" && figure.sample == value.sample_text && figure.injection == value.injection
        };
        let drawn: Vec<&Figure> = of_file.into_iter().flatten().filter(of_value).collect();
        figures.extend(drawn.iter().map(|figure| AnnexFigure {
            svg: figure.svg(),
            signals: figure.signals.clone(),
            ..without_picture(item, value, file)
        }));
        if drawn.is_empty() {
            figures.push(without_picture(item, value, file));
        }
    }
    Ok(Annex { figures, of })
}

fn without_picture(item: &TestItemRow, value: &ObservationRow, file: &InstrumentFileRow) -> AnnexFigure {
    AnnexFigure {
        item: Bilingual::new(&item.name_zh, &item.name_en),
        kind: "chromatogram".into(),
        file: file.name.clone(),
        sha256: file.sha256.clone(),
        sample: value.sample_text.clone().unwrap_or_default(),
        injection: value.injection.clone().unwrap_or_default(),
        ..AnnexFigure::default()
    }
}

/// The values that stand for the final results of the items that want a chromatogram, in their order.
fn sources(conn: &mut AnyConnection, finals: &[Final]) -> Outcome<Vec<Source>> {
    let mut sources = Vec::new();
    for one in finals {
        let wanted: Vec<String> = one.item.annex.read().unwrap_or_default();
        if !wanted.iter().any(|word| word == "chromatogram") {
            continue;
        }
        let standing = testing::standing_readings(conn, &one.task.id)?;
        let ids = standing.iter().filter_map(|row| row.observation_id.clone());
        let rows: Vec<(ObservationRow, InstrumentFileRow)> = observation::table
            .inner_join(instrument_file::table)
            .filter(observation::id.eq_any(ids))
            .order((instrument_file::uploaded_at, observation::position))
            .select((ObservationRow::as_select(), InstrumentFileRow::as_select()))
            .load(conn)?;
        sources.extend(rows.into_iter().map(|(value, file)| (one.item.clone(), value, file)));
    }
    Ok(sources)
}
