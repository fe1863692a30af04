//! What workflows share: the database, the clock, the regulation, the files, the people. Clone it freely.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use instrument_adapters::isolated::Adapters;

use crate::business::Lines;
use crate::clock::Clock;
use crate::documents::{NumberPatterns, Press};
use crate::documents::{SigningKey, Typesetter};
use crate::mapping::Mappings;
use crate::people::Identity;
use crate::record::Actor;
use crate::record::Sealer;
use crate::refusal::{Code, Refusal};
use crate::regulation::Regulation;
use crate::store::DbConn;
use crate::store::blobs::Blobs;
use crate::store::views::Reader;
use crate::vocabulary::duties::Pair;
use crate::vocabulary::{Hidden, Permission};

/// Everything that a workflow needs from outside itself.
#[derive(Clone)]
pub struct Services {
    /// The database.
    pub db: DbConn,
    /// What time it is.
    pub clock: Clock,
    /// The provisions and the working days.
    pub regulation: Arc<Regulation>,
    /// The lines of business that the installation has.
    pub lines: Lines,
    /// Instrument files and certificates, by content.
    pub files: Blobs,
    /// Reads instrument files: in processes of their own, or, where no program to run was named, in this one.
    pub adapters: Arc<Adapters>,
    /// What strangers may send, and the processes that read it.
    pub strangers: super::Strangers,
    /// Which value of a file is which reading of which item, as the laboratory says.
    pub mappings: Arc<Mappings>,
    /// Typesets certificates.
    pub typesetter: Typesetter,
    /// Bounds how many documents are typeset at once.
    pub press: Arc<Press>,
    /// The institute's key; without it nothing can be issued.
    pub signing_key: Option<Arc<SigningKey>>,
    /// Roots that signatures are trusted by.
    pub roots: Arc<Vec<x509_cert::Certificate>>,
    /// How certificates are numbered.
    pub numbers: NumberPatterns,
    /// Accounts and sessions.
    pub identity: Arc<Identity>,
    /// Seals the trail.
    pub sealer: Arc<Sealer>,
    /// Where the installation lives, and under what address.
    pub site: Arc<Site>,
}

impl Services {
    /// What an account is to the views: staff of an institute, with what is hidden from it, or an applicant. Those who
    /// may read applicants see everything; from all others the laboratory's policy hides.
    ///
    /// # Errors
    /// [`Code::Forbidden`] for an account of neither.
    pub fn reader(&self, actor: &Actor) -> Result<Reader, Refusal> {
        match (&actor.institute, &actor.applicant) {
            (Some(institute), _) => {
                let sees = super::permitted(actor, Permission::ApplicantRead).is_ok();
                let hidden = if sees { Vec::new() } else { self.site.hidden_from_testers.clone() };
                Ok(Reader::Staff { institute: institute.clone(), hidden })
            }
            (None, Some(applicant)) => Ok(Reader::Applicant(applicant.clone())),
            (None, None) => Err(Refusal::new(Code::Forbidden, "账户不属于任何机构", "the account belongs to nobody")),
        }
    }
}

/// The installation.
#[derive(Clone, Debug)]
pub struct Site {
    /// The data folder.
    pub data: PathBuf,
    /// Whether the accounts have a password that everybody can read: then this machine alone is answered.
    pub demonstration: bool,
    /// Where the server itself listens.
    pub listen: SocketAddr,
    /// The address under which the public reaches it, without a slash at the end.
    pub public_url: String,
    /// Whether cookies are for HTTPS only.
    pub cookie_secure: bool,
    /// Proxies whose word on the address of a request counts.
    pub trusted_proxies: Vec<std::net::IpAddr>,
    /// The most bytes of a JSON body.
    pub json_bytes: usize,
    /// The most bytes of an uploaded file.
    pub upload_bytes: usize,
    /// Whether the reviewer of a result may confirm the check of its import in the same step.
    pub reviewer_checks_import: bool,
    /// Pairs of duties that the laboratory keeps apart beside those that are kept apart everywhere.
    pub apart: Vec<Pair>,
    /// What those who test do not see of a case: [M], changeable; shipped with the applicant, the contacts, the
    /// acceptance number and who entered it.
    pub hidden_from_testers: Vec<Hidden>,
    /// Adapters of the laboratory's own.
    pub adapters: Option<PathBuf>,
    /// Mappings of the laboratory.
    pub mappings: Option<PathBuf>,
    /// The folder below which each institute has one for the watched folders of its instruments; without it, none is
    /// watched.
    pub watched: Option<PathBuf>,
    /// Certificate layouts and pages of the laboratory's own.
    pub templates: Option<PathBuf>,
    /// The key and certificate that sign documents.
    pub signing: Option<SigningFiles>,
    /// Roots that `certificate verify` trusts.
    pub roots: Option<PathBuf>,
}

/// The files of a signing key.
#[derive(Clone, Debug, PartialEq)]
pub struct SigningFiles {
    /// The private key: PEM, with or without its certificates, or PKCS#12.
    pub key: PathBuf,
    /// Its certificate and chain, PEM, where they are not in the key's file.
    pub certificate: Option<PathBuf>,
    /// The environment variable that holds the key's passphrase, where it has one.
    pub passphrase_env: Option<String>,
}

impl Site {
    /// The folder of keys.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.data.join("keys")
    }

    /// The folder of files by content.
    #[must_use]
    pub fn files(&self) -> PathBuf {
        files_folder(&self.data)
    }
}

/// Where a data folder keeps its files by content.
#[must_use]
pub fn files_folder(data: &Path) -> PathBuf {
    data.join("files")
}
