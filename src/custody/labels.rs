//! Labels of a sample and its containers: each print is an event, and a label is printed again for a reason only, since
//! two containers with one label are one container too many.

use std::collections::BTreeMap;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::moves::sample_of;
use super::refusals::CustodyRefusal;
use crate::action::{Action, Context, Facts};
use crate::documents::Printed;
use crate::insert_all;
use crate::record::Change;
use crate::refusal::Refusal;
use crate::store::Outcome;
use crate::store::columns::{ContainerId, Instant, LabelPrintId, SampleId};
use crate::store::rows::{ContainerRow, LabelPrintRow, SampleRow};
use crate::store::schema::{application, batch, container, label_print, product};
use crate::text;
use crate::vocabulary::{Permission, Portion};

/// The most labels of one sheet.
pub const LABELS_AT_ONCE: i64 = 120;

/// Prints labels: 0 is the sample's own, and each container has its position.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PrintLabels {
    pub id: SampleId,
    /// The first; without it, that of the sample
    #[serde(default)]
    pub first: Option<i64>,
    /// The last; without it, that of the last container
    #[serde(default)]
    pub last: Option<i64>,
    /// Why labels are printed again; needed where one is
    #[serde(default)]
    pub reason: Option<String>,
}

/// The labels of one print. All of it is text that can be printed.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LabelsPrinted {
    pub sample_id: SampleId,
    pub sample_number: Printed,
    pub product_zh: Printed,
    pub product_en: Printed,
    pub lot_number: Printed,
    pub received_at: Instant,
    /// How many containers the sample has
    pub containers: i64,
    pub labels: Vec<PrintedLabel>,
}

/// One label.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PrintedLabel {
    /// What a scanner reads
    pub code: String,
    /// What people read beside it
    pub text: Printed,
    /// The place of the container; 0 for the sample's own label
    pub position: i64,
    pub portion: Option<Portion>,
    /// 1 for the first print, more for a reprint
    pub copy_number: i64,
}

/// A sample with what its labels say, and how often each was printed.
pub struct Labelled {
    sample: SampleRow,
    product: (String, String),
    lot: String,
    containers: Vec<ContainerRow>,
    printed: BTreeMap<String, i64>,
}

/// The labels that are printed.
#[derive(Debug)]
pub struct LabelSheet {
    labels: Vec<(Option<ContainerId>, PrintedLabel)>,
    reason: Option<String>,
}

impl Action for PrintLabels {
    const NAME: &'static str = "label.print";
    const PERMISSION: Permission = Permission::LabelPrint;
    type Prepared = ();
    type Loaded = Labelled;
    type Plan = LabelSheet;
    type Done = LabelsPrinted;

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<Labelled> {
        let sample = sample_of(cx.conn, cx.actor, &self.id)?;
        let product = application::table
            .find(&sample.application_id)
            .inner_join(product::table)
            .select((product::name_zh, product::name_en))
            .first(cx.conn)?;
        let lot = batch::table.find(&sample.batch_id).select(batch::lot_number).first(cx.conn)?;
        let containers: Vec<ContainerRow> = container::table
            .filter(container::sample_id.eq(&self.id))
            .order(container::position)
            .select(ContainerRow::as_select())
            .load(cx.conn)?;
        let copies: Vec<(String, i64)> = label_print::table
            .filter(label_print::sample_id.eq(&self.id))
            .select((label_print::code, label_print::copy_number))
            .order(label_print::copy_number)
            .load(cx.conn)?;
        Ok(Labelled { sample, product, lot, containers, printed: copies.into_iter().collect() })
    }

    fn decide(&self, _: &Facts<'_>, found: &Labelled) -> Result<LabelSheet, Refusal> {
        let end = found.containers.last().map_or(0, |one| one.position);
        let (first, last) = (self.first.unwrap_or(0), self.last.unwrap_or(end));
        if first < 0 || last > end || first > last {
            return Err(CustodyRefusal::NoLabels { last: end }.into());
        }
        let own = (None, found.sample.number.clone(), 0, None);
        let each = |one: &ContainerRow| (Some(one.id.clone()), one.label_code.clone(), one.position, Some(one.portion));
        let all = std::iter::once(own).chain(found.containers.iter().map(each));
        let mut labels = Vec::new();
        let mut again = None;
        for (container, code, position, portion) in all.filter(|(_, _, at, _)| (first..=last).contains(at)) {
            let times = found.printed.get(&code).copied().unwrap_or(0);
            if times > 0 && again.is_none() {
                again = Some((code.clone(), times));
            }
            let (text, copy_number) = (Printed::shown(&code), times + 1);
            labels.push((container, PrintedLabel { code, text, position, portion, copy_number }));
        }
        if i64::try_from(labels.len()).unwrap_or(i64::MAX) > LABELS_AT_ONCE {
            return Err(CustodyRefusal::TooManyLabels { most: LABELS_AT_ONCE }.into());
        }
        let reason = text::optional("reason", self.reason.as_deref().unwrap_or(""), text::REMARK)?;
        let reason = Some(reason).filter(|reason| !reason.is_empty());
        if let (Some((code, times)), None) = (again, &reason) {
            return Err(CustodyRefusal::Reprint { code, times }.into());
        }
        Ok(LabelSheet { labels, reason })
    }

    fn keep(&self, cx: &mut Context<'_>, found: Labelled, sheet: LabelSheet) -> Outcome<LabelsPrinted> {
        let Labelled { sample, product, lot, containers, .. } = found;
        let row = |(container, label): &(Option<ContainerId>, PrintedLabel)| LabelPrintRow {
            id: LabelPrintId::new(),
            institute_id: sample.institute_id.clone(),
            sample_id: sample.id.clone(),
            container_id: container.clone(),
            code: label.code.clone(),
            copy_number: label.copy_number,
            reason: sheet.reason.clone(),
            printed_by: cx.actor.account.clone(),
            printed_at: cx.now.into(),
        };
        let rows: Vec<LabelPrintRow> = sheet.labels.iter().map(row).collect();
        let codes: Vec<&str> = rows.iter().map(|row| row.code.as_str()).collect();
        let again: Vec<&str> = rows.iter().filter(|row| row.copy_number > 1).map(|row| row.code.as_str()).collect();
        let mut event = Change::created(Self::NAME, "sample", &sample.id, json!({"labels": codes, "again": again}));
        event.reason.clone_from(&sheet.reason);
        cx.record(event);
        insert_all!(cx.conn, label_print::table, &rows)?;
        Ok(LabelsPrinted {
            sample_id: sample.id,
            sample_number: Printed::shown(&sample.number),
            product_zh: Printed::shown(&product.0),
            product_en: Printed::shown(&product.1),
            lot_number: Printed::shown(&lot),
            received_at: sample.received_at,
            containers: i64::try_from(containers.len()).unwrap_or(i64::MAX),
            labels: sheet.labels.into_iter().map(|(_, label)| label).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::specimens::{actor, facts_of, sample};
    use super::*;

    fn labelled(containers: i64, printed: &[(&str, i64)]) -> Labelled {
        let sample = sample();
        let container = |position| ContainerRow {
            id: ContainerId::new(),
            sample_id: sample.id.clone(),
            position,
            label_code: format!("S20260001-{position:02}"),
            portion: Portion::Test,
            institute_id: "i".into(),
        };
        let containers = (1..=containers).map(container).collect();
        let printed = printed.iter().map(|(code, times)| ((*code).to_owned(), *times)).collect();
        Labelled { sample, product: ("品".into(), "P".into()), lot: "L".into(), containers, printed }
    }

    fn decided(of: &Labelled, (first, last): (i64, i64), reason: &str) -> Result<Vec<i64>, Refusal> {
        let reason = Some(reason.to_owned());
        let print = PrintLabels { id: of.sample.id.clone(), first: Some(first), last: Some(last), reason };
        let sheet = facts_of(&actor("receiver"), |facts| print.decide(facts, of))?;
        Ok(sheet.labels.into_iter().map(|(_, label)| label.copy_number).collect())
    }

    #[test]
    fn a_label_is_printed_again_for_a_reason_only() {
        let of = labelled(3, &[("S20260001-02", 2)]);
        assert_eq!(decided(&of, (0, 1), ""), Ok(vec![1, 1]));
        let again = CustodyRefusal::Reprint { code: "S20260001-02".into(), times: 2 };
        assert_eq!(decided(&of, (0, 3), " "), Err(again.into()));
        assert_eq!(decided(&of, (0, 3), "标签污损"), Ok(vec![1, 1, 3, 1]));
    }

    #[test]
    fn a_sheet_has_labels_that_there_are_and_not_too_many() {
        let of = labelled(130, &[]);
        for wrong in [(-1, 2), (2, 1), (0, 131)] {
            assert_eq!(decided(&of, wrong, ""), Err(CustodyRefusal::NoLabels { last: 130 }.into()));
        }
        assert_eq!(decided(&of, (0, 120), ""), Err(CustodyRefusal::TooManyLabels { most: LABELS_AT_ONCE }.into()));
        assert_eq!(decided(&of, (11, 130), "").map(|all| all.len()), Ok(120));
    }
}
