//! What is retained and until when (留样到期): the portions whose period has ended by a day, and those of which nobody can say
//! when it ends. The periods are provisions and the laboratory's own table.

use chrono::NaiveDate;
use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::label_date::last_day;
use crate::action::Services;
use crate::clock::statutory_date;
use crate::record::Actor;
use crate::regulation::Confidence;
use crate::regulation::practice::RetentionDays;
use crate::regulation::quantities::amount;
use crate::store::Outcome;
use crate::store::columns::{Day, Instant, SampleId};
use crate::store::rows::{CustodyBalanceRow, SampleRow};
use crate::store::schema::{application, batch, certificate, custody_balance, product, sample};
use crate::vocabulary::{Business, Category, Place};

/// A retained portion.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RetainedPortion {
    pub sample_id: SampleId,
    pub sample_number: String,
    pub product_zh: String,
    pub product_en: String,
    pub lot_number: String,
    /// As on the label
    pub expires_on: Option<String>,
    pub containers: i64,
    /// In `unit`; null where the ledger counts containers alone
    pub amount: Option<String>,
    pub unit: Option<String>,
    /// The last day on which it is kept; null where nobody can say, and somebody has to look
    pub kept_until: Option<Day>,
    /// The rule, and the provision that it rests on; without one it is the laboratory's default
    pub rule_zh: Option<String>,
    pub rule_en: Option<String>,
    pub provision: Option<String>,
    pub confidence: Option<Confidence>,
}

/// What is due by a day.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RetentionDue {
    pub until: Day,
    pub items: Vec<RetainedPortion>,
}

type Found = (SampleRow, (String, Option<String>), (String, String, Category), Business, CustodyBalanceRow);

/// The retained portions of the actor's institute whose period ends by `until`, the earliest first, behind those of which
/// nobody can say when it ends.
///
/// # Errors
/// The store's failure.
pub fn retention_due(services: &Services, actor: &Actor, until: NaiveDate) -> Outcome<RetentionDue> {
    let Some(institute) = actor.institute.clone() else {
        return Ok(RetentionDue { until: until.into(), items: Vec::new() });
    };
    let (found, reports) = services.db.read(|conn| {
        let found: Vec<Found> = custody_balance::table
            .inner_join(
                sample::table.inner_join(batch::table).inner_join(application::table.inner_join(product::table)),
            )
            .filter(custody_balance::place.eq(Place::Retention))
            .filter(custody_balance::balance.gt(0))
            .filter(sample::institute_id.eq(&institute))
            .order(sample::number)
            .select((
                SampleRow::as_select(),
                (batch::lot_number, batch::expires_on),
                (product::name_zh, product::name_en, product::category),
                application::business,
                CustodyBalanceRow::as_select(),
            ))
            .load(conn)?;
        let ids: Vec<&SampleId> = found.iter().map(|(row, ..)| &row.id).collect();
        let reports: Vec<(SampleId, Option<Instant>)> = certificate::table
            .filter(certificate::sample_id.eq_any(ids))
            .filter(certificate::signed_at.is_not_null())
            .order(certificate::signed_at)
            .select((certificate::sample_id, certificate::signed_at))
            .load(conn)?;
        Ok((found, reports))
    })?;
    let practice = services.regulation.practice();
    let mut items: Vec<RetainedPortion> = Vec::new();
    for (row, (lot_number, expires_on), (product_zh, product_en, category), business, left) in found {
        let first = reports.iter().find(|(id, _)| *id == row.id).and_then(|(_, at)| at.clone());
        let days = RetentionDays {
            // A date that can be read in two ways counts as the later one.
            expiry: expires_on.as_deref().and_then(|label| last_day(label).days().iter().max().copied()),
            report: first.map(|at| statutory_date(at.utc())),
            receipt: Some(statutory_date(row.received_at.utc())),
        };
        let rule = practice.retention(business, category);
        let kept_until = rule.and_then(|rule| rule.until(days));
        if kept_until.is_some_and(|day| day > until) {
            continue;
        }
        items.push(RetainedPortion {
            sample_id: row.id,
            sample_number: row.number,
            product_zh,
            product_en,
            lot_number,
            expires_on,
            containers: left.balance,
            amount: left.billionths.map(|billionths| amount(billionths).to_string()),
            unit: row.content_unit,
            kept_until: kept_until.map(Day::from),
            rule_zh: rule.map(|rule| rule.zh.clone()),
            rule_en: rule.map(|rule| rule.en.clone()),
            provision: rule.and_then(|rule| rule.provision.clone()),
            confidence: rule.map(|rule| rule.confidence),
        });
    }
    items.sort_by(|a, b| (&a.kept_until, &a.sample_number).cmp(&(&b.kept_until, &b.sample_number)));
    Ok(RetentionDue { until: until.into(), items })
}
