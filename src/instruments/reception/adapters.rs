//! 适配器: which adapters read the laboratory's files, who has checked them, and which were refused, and why.

use instrument_adapters::{AdapterStatus, LoadedFolder};
use serde::Serialize;
use utoipa::ToSchema;

use crate::action::Services;

/// The adapters in use.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AdaptersView {
    /// Those that read files, by id
    pub adapters: Vec<AdapterStand>,
    /// Folders of the laboratory's own that are not in use as they are
    pub refused: Vec<RefusedFolder>,
    /// Whether files are read in processes of their own
    pub apart: bool,
}

/// One adapter.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AdapterStand {
    pub id: String,
    pub version: String,
    /// `draft` or `validated`
    #[schema(value_type = String)]
    pub status: AdapterStatus,
    pub product: String,
    pub description: String,
    pub reader: String,
    /// Who has validated it, when (`YYYY-MM-DD`), and against what
    pub validated_by: Option<String>,
    pub validated_on: Option<String>,
    pub validated_against: Option<String>,
    /// Why it is a draft, where it says of itself that it is validated
    pub draft_because: Option<String>,
    /// The laboratory's own, from its folder
    pub own: bool,
}

/// A folder that was refused.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RefusedFolder {
    /// Name of the adapter's folder
    pub folder: String,
    /// What is wrong with it
    pub reason: String,
    /// Id and version of an earlier state that stays in use
    pub keeps: Option<String>,
}

/// The adapters as they are now.
#[must_use]
pub fn adapters(services: &Services) -> AdaptersView {
    let set = services.adapters.set();
    let own: Vec<&String> = set.loaded().iter().filter_map(|loaded| loaded.outcome.as_ref().ok()).collect();
    let stand = |adapter: &instrument_adapters::Adapter| {
        let standing = adapter.standing();
        let (by, on, against) = match standing.validation {
            Some(record) => (Some(record.by), Some(record.on), record.against),
            None => (None, None, None),
        };
        AdapterStand {
            id: adapter.id().to_owned(),
            version: adapter.version().to_owned(),
            status: standing.status,
            product: adapter.product().to_owned(),
            description: adapter.description().to_owned(),
            reader: adapter.reader().to_owned(),
            validated_by: by,
            validated_on: on,
            validated_against: against,
            draft_because: standing.reason,
            own: own.iter().any(|id| *id == adapter.id()),
        }
    };
    let refused = set.loaded().iter().filter_map(|loaded| {
        let reason = loaded.outcome.as_ref().err()?.clone();
        let folder = loaded.folder.file_name().unwrap_or(loaded.folder.as_os_str());
        Some(RefusedFolder { folder: folder.to_string_lossy().into_owned(), reason, keeps: loaded.keeps.clone() })
    });
    AdaptersView {
        adapters: set.iter().map(stand).collect(),
        refused: refused.collect(),
        apart: services.adapters.pool().is_some(),
    }
}

/// Puts what became of the laboratory's adapters into the log.
pub fn tell_loaded(loaded: &[LoadedFolder]) {
    for one in loaded {
        let folder = one.folder.display();
        match &one.outcome {
            Ok(adapter) => tracing::info!(%folder, adapter, "an adapter is loaded"),
            Err(why) => tracing::warn!(%folder, why, keeps = one.keeps, "an adapter is not loaded"),
        }
    }
}
