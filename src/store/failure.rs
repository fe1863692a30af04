//! Why something did not happen: a refusal (the client's matter) or the store's own failure.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

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
    /// A unique key holds that value already: constraint (PostgreSQL) or columns (SQLite).
    #[error("already there: {0}")]
    Unique(String),
    /// A check, foreign key or trigger refused.
    #[error("refused by the database: {0}")]
    Invariant(String),
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
            DieselError::DatabaseError(kind, info) => {
                let text = match info.constraint_name() {
                    Some(name) => format!("{} ({name})", info.message()),
                    None => info.message().to_owned(),
                };
                match kind {
                    DatabaseErrorKind::UniqueViolation => Self::Unique(text),
                    DatabaseErrorKind::SerializationFailure => Self::Serialization,
                    DatabaseErrorKind::ForeignKeyViolation
                    | DatabaseErrorKind::NotNullViolation
                    | DatabaseErrorKind::CheckViolation
                    | DatabaseErrorKind::RestrictViolation
                    | DatabaseErrorKind::ExclusionViolation => Self::Invariant(text),
                    DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => {
                        Self::Unavailable(text)
                    }
                    _ => Self::of_message(text),
                }
            }
            other => Self::Other(other.to_string()),
        }
    }
}

impl StoreError {
    /// Kinds that diesel does not tell apart: PostgreSQL deadlocks, and triggers that raise on either side.
    fn of_message(text: String) -> Self {
        const TRIGGERS: [&str; 16] = [
            "append-only",
            "never deleted",
            "is locked",
            "a number series",
            "keeps its",
            "stays as",
            "opens empty",
            "only the custody ledger",
            "names a container",
            "without a review",
            "not changed",
            "by somebody else",
            "is immutable",
            "constraint failed",
            "keeps its identity",
            "violates",
        ];
        if text.contains("deadlock detected") || text.contains("could not serialize") {
            Self::Serialization
        } else if TRIGGERS.iter().any(|part| text.contains(part)) {
            Self::Invariant(text)
        } else {
            Self::Other(text)
        }
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

impl Failure {
    /// As the user is told. A unique key or an invariant that a client ran into is a conflict, not our failure.
    #[must_use]
    pub fn into_refusal(self) -> Refusal {
        match self {
            Self::Refused(refusal) => *refusal,
            Self::Store(StoreError::Unique(what)) => {
                Refusal::new(Code::Conflict, format!("记录已存在：{what}"), format!("already recorded: {what}"))
            }
            Self::Store(StoreError::Invariant(what)) => {
                Refusal::new(Code::Conflict, format!("数据库拒绝：{what}"), format!("refused by the database: {what}"))
            }
            Self::Store(StoreError::NoRow) => Refusal::new(Code::NotFound, "未找到记录", "there is no such record"),
            Self::Store(StoreError::Serialization | StoreError::Unavailable(_)) => {
                Refusal::new(Code::Busy, "系统繁忙，请重试", "busy: try again")
            }
            Self::Store(_) => Refusal::new(Code::Internal, "内部错误", "internal error"),
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
