//! Why something did not happen: a refusal (the client's matter) or the store's own failure.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

use super::columns::Unreadable;
use super::invariants::Invariant;
use crate::refusal::{Code, Refusal};

/// A failure of the database itself.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database could not be opened or reached.
    #[error("the database cannot be opened: {0}")]
    Unavailable(String),
    /// A migration failed.
    #[error("migration failed: {0}")]
    Migration(String),
    /// Two transactions met; the writer retries these.
    #[error("serialisation failure")]
    Serialization,
    /// No such row.
    #[error("no such row")]
    NoRow,
    /// A unique key holds that value already.
    #[error("already there ({}): {text}", rule.as_str())]
    Unique {
        /// Which key.
        rule: Invariant,
        /// What the database said, for the log.
        text: String,
    },
    /// A check, foreign key or trigger refused.
    #[error("refused by the database ({}): {text}", rule.as_str())]
    Invariant {
        /// Which rule.
        rule: Invariant,
        /// What the database said, for the log.
        text: String,
    },
    /// A stored value cannot be read: table, column and id, where it was found again.
    #[error("{value} ({place})")]
    Unreadable {
        /// What was read, and what the column holds.
        value: Unreadable,
        /// `table.column, id`; the column alone where the row was not found again.
        place: String,
    },
    /// Another process holds the database.
    #[error("the database is locked: {0}")]
    Locked(String),
    /// No room is left.
    #[error("no room is left: {0}")]
    Full(String),
    /// What is stored is not what was written.
    #[error("the stored data are damaged: {0}")]
    Damaged(String),
    /// The disk does not take what is written.
    #[error("the storage fails: {0}")]
    Failing(String),
    /// A workflow panicked; its changes were undone.
    #[error("internal failure: {0}")]
    Panicked(String),
    /// Anything else.
    #[error("database: {0}")]
    Other(String),
}

impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> Self {
        match error {
            DieselError::NotFound => Self::NoRow,
            DieselError::DatabaseError(kind, info) => Self::of_database(kind, info.constraint_name(), info.message()),
            DieselError::DeserializationError(inner) => Self::of_reading(inner.as_ref()),
            other => Self::Other(other.to_string()),
        }
    }
}

impl StoreError {
    /// A value that could not be read; which column it is diesel says, [`super::unreadable::find`] adds the row.
    fn of_reading(error: &(dyn std::error::Error + Send + Sync + 'static)) -> Self {
        let said = error.to_string();
        let mut inner: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(one) = inner {
            if let Some(value) = one.downcast_ref::<Unreadable>() {
                return Self::Unreadable { value: value.clone(), place: said };
            }
            inner = one.source();
        }
        Self::Other(said)
    }

    fn of_database(kind: DatabaseErrorKind, name: Option<&str>, message: &str) -> Self {
        let text = name.map_or_else(|| message.to_owned(), |name| format!("{message} ({name})"));
        let known = Invariant::of_constraint(name, message);
        let refused = |rule: Invariant, text: String| Self::Invariant { rule: known.unwrap_or(rule), text };
        match kind {
            DatabaseErrorKind::UniqueViolation => {
                Self::Unique { rule: known.unwrap_or(Invariant::AlreadyRecorded), text }
            }
            DatabaseErrorKind::ForeignKeyViolation | DatabaseErrorKind::RestrictViolation => {
                refused(Invariant::ReferenceMissing, text)
            }
            DatabaseErrorKind::NotNullViolation => refused(Invariant::ValueMissing, text),
            DatabaseErrorKind::CheckViolation => refused(Invariant::ValueNotAllowed, text),
            DatabaseErrorKind::ExclusionViolation => refused(Invariant::Unknown, text),
            DatabaseErrorKind::SerializationFailure => Self::Serialization,
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => Self::unreached(text),
            _ => Self::of_message(text),
        }
    }

    /// Kinds that diesel does not tell apart: triggers, which name their rule, and PostgreSQL's deadlocks.
    fn of_message(text: String) -> Self {
        if let Some(rule) = Invariant::of_trigger(&text) {
            Self::Invariant { rule, text }
        } else if text.contains("deadlock detected") || text.contains("could not serialize") {
            Self::Serialization
        } else {
            Self::of_trouble(&text).unwrap_or(Self::Other(text))
        }
    }

    /// A database that was not reached, with the reason where the system gives a plain one.
    pub(super) fn unreached(text: String) -> Self {
        Self::of_trouble(&text).unwrap_or(Self::Unavailable(text))
    }

    /// The trouble of the machine that a database's message tells: neither database has a kind of its own for it.
    fn of_trouble(text: &str) -> Option<Self> {
        const LOCKED: [&str; 4] =
            ["database is locked", "database table is locked", "database schema is locked", "due to lock timeout"];
        const FULL: [&str; 3] = ["database or disk is full", "No space left on device", "Disk quota exceeded"];
        const DAMAGED: [&str; 5] = [
            "disk image is malformed",
            "file is not a database",
            "malformed database schema",
            "invalid page in block",
            "could not read block",
        ];
        const FAILING: [&str; 4] =
            ["disk I/O error", "readonly database", "Read-only file system", "unable to open database file"];
        let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
        let told = || text.to_owned();
        if says(&FULL) {
            Some(Self::Full(told()))
        } else if says(&DAMAGED) {
            Some(Self::Damaged(told()))
        } else if says(&FAILING) {
            Some(Self::Failing(told()))
        } else if says(&LOCKED) {
            Some(Self::Locked(told()))
        } else {
            None
        }
    }

    /// What the file system says.
    pub(super) fn of_io(error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                Self::Full(error.to_string())
            }
            ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => Self::Failing(error.to_string()),
            _ => Self::Other(format!("file store: {error}")),
        }
    }

    /// The same failure for another caller.
    pub(super) fn again(&self) -> Self {
        match self {
            Self::Serialization => Self::Serialization,
            Self::Unavailable(text) => Self::Unavailable(text.clone()),
            Self::Locked(text) => Self::Locked(text.clone()),
            Self::Full(text) => Self::Full(text.clone()),
            Self::Damaged(text) => Self::Damaged(text.clone()),
            Self::Failing(text) => Self::Failing(text.clone()),
            other => Self::Other(other.to_string()),
        }
    }

    /// The trouble of the machine that this is, as it is shown to everybody.
    #[must_use]
    pub fn trouble(&self) -> Option<Refusal> {
        let (code, zh, en) = match self {
            Self::Locked(_) => (
                Code::DatabaseLocked,
                "数据库被其他程序占用，请稍后重试",
                "another program holds the database: try again later",
            ),
            Self::Full(_) => (Code::StorageFull, "存储空间已满，未保存", "no room is left: nothing was stored"),
            Self::Damaged(_) => (
                Code::StorageDamaged,
                "存储的数据已损坏，请联系系统管理员",
                "the stored data are damaged: tell the administrator",
            ),
            Self::Failing(_) => {
                (Code::StorageFailing, "存储无法写入，未保存", "the storage cannot be written: nothing was stored")
            }
            Self::Serialization | Self::Unavailable(_) => (Code::Busy, "系统繁忙，请重试", "busy: try again"),
            _ => return None,
        };
        Some(Refusal::new(code, zh, en))
    }
}

/// What a workflow returns when it did nothing.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Refused, with the reason for the user.
    #[error(transparent)]
    Refused(#[from] Box<Refusal>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl From<DieselError> for Failure {
    fn from(error: DieselError) -> Self {
        Self::Store(error.into())
    }
}

/// `table.column, id` in parts that a program can read.
fn located(place: &str) -> serde_json::Value {
    let parts = place.split_once(", id ").and_then(|(at, id)| Some((at.split_once('.')?, id)));
    match parts {
        Some(((table, column), id)) => serde_json::json!({"table": table, "column": column, "id": id}),
        None => serde_json::json!({"column": place}),
    }
}

impl Failure {
    /// As the user is shown it. A rule that a client ran into is said in
    /// its own words, never in the database's.
    #[must_use]
    pub fn into_refusal(self) -> Refusal {
        match self {
            Self::Refused(refusal) => *refusal,
            Self::Store(StoreError::Unique { rule, .. } | StoreError::Invariant { rule, .. }) => rule.refusal(),
            Self::Store(StoreError::NoRow) => Refusal::new(Code::NotFound, "未找到记录", "there is no such record"),
            Self::Store(StoreError::Unreadable { value, place }) => Refusal::new(
                Code::RecordUnreadable,
                format!("已存记录无法读取（{place}）：{:?}", value.text),
                format!("a stored record cannot be read ({place}): {:?} is not {}", value.text, value.what),
            )
            .with(located(&place)),
            Self::Store(error) => {
                error.trouble().unwrap_or_else(|| Refusal::new(Code::Internal, "内部错误", "internal error"))
            }
        }
    }

    /// The refusal, where it is one.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::Store(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_trouble_is_told_by_its_kind() {
        for (text, code) in [
            ("database is locked", Code::DatabaseLocked),
            ("database or disk is full", Code::StorageFull),
            ("could not extend file \"base/1/2\": No space left on device", Code::StorageFull),
            ("database disk image is malformed", Code::StorageDamaged),
            ("invalid page in block 7 of relation base/1/2", Code::StorageDamaged),
            ("attempt to write a readonly database", Code::StorageFailing),
            ("disk I/O error", Code::StorageFailing),
            ("anything else", Code::Internal),
        ] {
            let refusal = Failure::from(StoreError::of_message(text.to_owned())).into_refusal();
            assert_eq!(refusal.code, code, "{text}");
            assert!(!refusal.message_en.contains(text), "{refusal}");
            assert_eq!(StoreError::of_message(text.to_owned()).again().trouble().is_some(), code != Code::Internal);
        }
    }
}
