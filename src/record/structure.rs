//! What the database is built of, on the trail: a trigger that somebody took away is a misfit.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::Value;

use super::misfit::{Misfit, MisfitKind};
use super::writing::{Author, Change, record_by};
use crate::store::columns::Json;
use crate::store::schema::audit_entry;
use crate::store::stored::At;
use crate::store::structure::{Structure, damage, structure};
use crate::store::{AnyConnection, DbConn, Outcome};

/// What the last event about the structure said, with its entry.
fn last_known(conn: &mut AnyConnection) -> Outcome<Option<(i64, Structure)>> {
    let last: Option<(i64, Json)> = audit_entry::table
        .filter(audit_entry::subject_kind.eq("record"))
        .filter(audit_entry::subject_id.eq("structure"))
        .order(audit_entry::seq.desc())
        .select((audit_entry::seq, audit_entry::changes))
        .first(conn)
        .optional()?;
    let Some((seq, changes)) = last else { return Ok(None) };
    let changes: BTreeMap<String, Value> = At::new("audit_entry", "changes", &seq.to_string()).read(&changes)?;
    let new = |field: &str| {
        let said = changes.get(field).and_then(|change| change.get("new")).and_then(Value::as_str);
        said.unwrap_or_default().to_owned()
    };
    Ok(Some((seq, Structure { version: new("version"), sha256: new("sha256") })))
}

/// Adds the structure to the trail where it is not what the trail knows: at the first start, and after an upgrade.
///
/// # Errors
/// The store's failure.
pub fn record_structure(db: &DbConn, now: DateTime<Utc>) -> Outcome<()> {
    let news = |conn: &mut AnyConnection| {
        let (known, is) = (last_known(conn)?.map(|(_, known)| known), structure(conn)?);
        Ok((known.as_ref() != Some(&is)).then_some((known, is)))
    };
    if db.read(news)?.is_none() {
        return Ok(());
    }
    db.write(move |conn| {
        let Some((known, is)) = news(conn)? else { return Ok(()) };
        let (version, sha256) = known.map(|known| (known.version, known.sha256)).unzip();
        let change = Change::field("record.structure", "record", "structure", "sha256", sha256, is.sha256)
            .and("version", version, is.version);
        record_by(conn, &Author::program(), now, vec![change])
    })
}

/// Compares the structure with what the trail knows of it, and asks the database about its own file.
///
/// # Errors
/// The store's failure.
pub fn compare_structure(conn: &mut AnyConnection) -> Outcome<Vec<Misfit>> {
    let mut misfits = Vec::new();
    if let Some(found) = damage(conn)? {
        misfits.push(Misfit {
            kind: MisfitKind::DatabaseDamaged,
            entry: None,
            seal: None,
            message_zh: format!("数据库文件已损坏：{found}"),
            message_en: format!("the database is damaged: {found}"),
        });
    }
    if let Some((entry, known)) = last_known(conn)?
        && known != structure(conn)?
    {
        misfits.push(Misfit {
            kind: MisfitKind::StructureChanged,
            entry: Some(entry),
            seal: None,
            message_zh: format!("数据库的结构（表、约束、触发器）在审计记录{entry}之后被改动，改动没有审计记录"),
            message_en: format!(
                "the structure of the database (tables, checks, triggers) was changed after audit entry {entry}, and \
                 no entry says so"
            ),
        });
    }
    Ok(misfits)
}
