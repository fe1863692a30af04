//! What the workflows work with: the database, the clock, the regulation, the files, the adapters, the
//! typesetter and the institute's signing key. Cheap to clone.

use std::sync::Arc;

use instrument_adapters::AdapterSet;

use crate::certificates::document::{SigningKey, Typesetter};
use crate::certificates::{Gate, NumberPatterns};
use crate::clock::Clock;
use crate::identity::Identity;
use crate::regulation::Regulation;
use crate::store::DbConn;
use crate::store::blobs::Blobs;

/// The services of one running program.
#[derive(Clone)]
pub struct Services {
    pub db: DbConn,
    pub clock: Clock,
    pub regulation: Arc<Regulation>,
    /// Instrument files and issued PDFs, by content
    pub files: Blobs,
    pub adapters: Arc<AdapterSet>,
    pub typesetter: Typesetter,
    /// Bounds how many documents are typeset at once
    pub gate: Arc<Gate>,
    /// The institute's key; without it nothing can be issued
    pub signing_key: Option<Arc<SigningKey>>,
    pub numbers: NumberPatterns,
    pub identity: Identity,
    /// Where certificates send their readers, without a closing slash
    pub public_url: String,
}
