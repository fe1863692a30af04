//! Why a register, a calendar or a folder of a laboratory's own could not be taken.

use thiserror::Error;

/// A register or calendar that cannot be used; the message names file, provision and field.
#[derive(Debug, Error)]
pub enum RegisterError {
    #[error("{path}: {source}")]
    Read {
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error("{file}: not valid TOML: {detail}")]
    Syntax { file: String, detail: String },
    #[error("{file}: {detail}")]
    File { file: String, detail: String },
    #[error("{file}: provision `{id}`: {detail}")]
    Provision { file: String, id: String, detail: String },
    #[error(
        "provisions `{first}` ({first_file}) and `{second}` ({second_file}) set different values for {subject} at equal rank"
    )]
    Conflict { subject: String, first: String, first_file: String, second: String, second_file: String },
}

impl RegisterError {
    /// A stable word for the kind of problem.
    pub const fn code(&self) -> &'static str {
        match self {
            RegisterError::Read { .. } => "regulation_unreadable",
            RegisterError::Syntax { .. } | RegisterError::File { .. } => "regulation_invalid_file",
            RegisterError::Provision { .. } => "regulation_invalid_provision",
            RegisterError::Conflict { .. } => "regulation_conflict",
        }
    }
}
