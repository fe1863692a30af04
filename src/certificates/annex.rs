//! The plots that an item's specification wants in the certificate's annex, drawn from the files that the final
//! results were read from.

use std::collections::BTreeSet;

use diesel::prelude::*;

use super::dossier::Final;
use super::facts::TestedSample;
use crate::action::Services;
use crate::bench;
use crate::documents::{AnnexFigure, Bilingual};
use crate::instruments::{self, Figure};
use crate::record::Actor;
use crate::store::columns::{ResultId, SampleId, TestItemId};
use crate::store::rows::{InstrumentFileRow, ObservationRow};
use crate::store::schema::{instrument_file, observation};
use crate::store::{AnyConnection, Outcome};

/// The plots, and the results that they belong to: the caller sees to it that these are still the final ones.
#[derive(Clone, Default)]
pub(super) struct Annex {
    pub figures: Vec<AnnexFigure>,
    pub of: Vec<ResultId>,
}

/// A value that a result rests on, its file, and the item that wants its plot.
struct Source {
    item: (TestItemId, Bilingual),
    value: ObservationRow,
    file: InstrumentFileRow,
}

/// Draws what the sample's items want. Files are read here and not in the transaction that drafts: a large one
/// takes its time.
///
/// # Errors
/// Where the results are not final, or a file cannot be read any more.
pub(super) fn annex(services: &Services, actor: &Actor, sample: &SampleId) -> Outcome<Annex> {
    let (of, sources) = services.db.read(|conn| {
        let facts = TestedSample::load(conn, &services.lines, actor, sample)?;
        let finals = facts.dossier.finals()?;
        let sources = sources(conn, &finals)?;
        Ok((finals.iter().map(|one| one.result.id.clone()).collect(), sources))
    })?;
    let mut read: Vec<(String, Vec<Figure>)> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut figures = Vec::new();
    for source in &sources {
        let Source { item, value, file } = source;
        // One plot an injection, however many of its values the result takes.
        if !seen.insert((item.0.clone(), file.id.clone(), value.sample_text.clone(), value.injection.clone())) {
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
            svg: figure.svg().into(),
            signals: figure.signals.iter().map(Into::into).collect(),
            ..without_picture(source)
        }));
        if drawn.is_empty() {
            figures.push(without_picture(source));
        }
    }
    Ok(Annex { figures, of })
}

fn without_picture(source: &Source) -> AnnexFigure {
    let Source { item, value, file } = source;
    AnnexFigure {
        item: item.1.clone(),
        kind: "chromatogram".into(),
        file: file.name.clone().into(),
        sha256: file.sha256.clone().into(),
        sample: value.sample_text.clone().unwrap_or_default().into(),
        injection: value.injection.clone().unwrap_or_default().into(),
        ..AnnexFigure::default()
    }
}

/// The values that stand for the final results of the items that want a chromatogram, in their order.
fn sources(conn: &mut AnyConnection, finals: &[Final<'_>]) -> Outcome<Vec<Source>> {
    let mut sources = Vec::new();
    for one in finals.iter().map(|one| one.attempt) {
        if !one.annex.iter().any(|word| word == "chromatogram") {
            continue;
        }
        let standing = bench::standing_readings(conn, &one.task)?;
        let ids = standing.iter().filter_map(|row| row.observation_id.clone());
        let rows: Vec<(ObservationRow, InstrumentFileRow)> = observation::table
            .inner_join(instrument_file::table)
            .filter(observation::id.eq_any(ids))
            .order((instrument_file::uploaded_at, observation::position))
            .select((ObservationRow::as_select(), InstrumentFileRow::as_select()))
            .load(conn)?;
        let item = (one.item_id.clone(), one.item.clone());
        sources.extend(rows.into_iter().map(|(value, file)| Source { item: item.clone(), value, file }));
    }
    Ok(sources)
}
