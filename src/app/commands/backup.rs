//! `qianfa backup`, `qianfa restore`: database, files and keys in one file, everything in it checked, and back.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::place::{Installation, database, failure};
use super::{CommandError, CommandOutcome, write_json};
use crate::action::files_folder;
use crate::app::archive::{
    self, ArchiveProblem, ArchiveSource, DATABASE, Demands, ExaminedArchive, FILES, FORMAT, KEYS, Manifest, kind,
};
use crate::app::config::Config;
use crate::clock::Clock;
use crate::record::{Memory, PublicKeys, SealKey, last_seal, remember_restored, verify};
use crate::store::blobs::Blobs;
use crate::store::copy::{copy_in, copy_out, is_empty};
use crate::store::{Backend, DbConn, applied_versions};

/// Write a consistent copy of database, files and keys to one file, or check one
///
/// The file holds the private keys: keep it as safe as the installation itself, or encrypt it (--recipient).
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct BackupArgs {
    #[command(subcommand)]
    command: Option<BackupCommand>,
    /// The file to write (a tar archive, compressed with zstd); it must not be there yet
    #[arg(required = true)]
    file: Option<PathBuf>,
    #[command(flatten)]
    place: Installation,
    /// Encrypt the file for this public key of age (age1…); may be given several times
    #[arg(long, value_name = "KEY")]
    recipient: Vec<age::x25519::Recipient>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Debug, Subcommand)]
enum BackupCommand {
    /// Check everything in a copy: its bytes, its signed manifest, every stored file, the database and the trail
    Verify(VerifyArgs),
}

/// How an archive is opened, and by whom it must be signed.
#[derive(Clone, Debug, Args)]
struct Opening {
    /// The file with the secret key of age, where the copy is encrypted
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// The public key (PEM) that must have signed it, kept from before; without it, a key that the copy brings along
    #[arg(long, value_name = "FILE")]
    trusted_key: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
struct VerifyArgs {
    /// A file that `backup` wrote
    file: PathBuf,
    #[command(flatten)]
    opening: Opening,
    /// A folder with room for the database in it (default: the system's temporary one)
    #[arg(long, value_name = "DIR")]
    work: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Bring a copy back into an empty place
#[derive(Clone, Debug, Args)]
pub struct RestoreArgs {
    /// A file that `backup` wrote
    file: PathBuf,
    #[command(flatten)]
    place: Installation,
    #[command(flatten)]
    opening: Opening,
    /// Take a copy that a version before wrote, which has no signed manifest
    #[arg(long)]
    older: bool,
    /// Bring back a copy that is whole, but was not in order already when it was made
    #[arg(long)]
    despite_findings: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn at(path: &Path) -> impl Fn(std::io::Error) -> CommandError {
    move |error| CommandError::at("file", "file", format!("{}: {error}", path.display()))
}

/// Writes the copy, or checks one.
///
/// # Errors
/// Where the file is there already or cannot be written, or the database cannot be copied.
pub fn backup(args: &BackupArgs, out: &mut dyn Write) -> Result<CommandOutcome, CommandError> {
    let path = match (&args.command, &args.file) {
        (Some(BackupCommand::Verify(args)), _) => return check(args, out),
        (None, Some(path)) => path,
        (None, None) => return Err(CommandError::at("usage", "file", "expected a file to write")),
    };
    if path.exists() {
        return Err(CommandError::at("file", "file", format!("{} is there already", path.display())));
    }
    let (config, db) = args.place.existing()?;
    let (key, _) = SealKey::open(&config.site.keys()).map_err(|text| CommandError::new("keys", text))?;
    // Before the copy: what is sealed now is in it.
    let (schema, sealed) = db.read(|conn| Ok((applied_versions(conn)?.pop(), last_seal(conn)?))).map_err(failure)?;
    let manifest = Manifest {
        format: FORMAT,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        database: kind(db.backend()).to_owned(),
        schema,
        made_at: Clock::system().now().to_rfc3339(),
        members: Vec::new(),
        last_seal: sealed,
        key: None,
    };
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let work = Work::new(folder)?;
    // The database first: a file is stored before the row that names it, or lies in the database itself, so every row
    // copied has its file.
    let copy = work.0.join(DATABASE);
    copy_out(db.backend(), &copy).map_err(database)?;
    let partial = work.0.join("archive");
    let source = ArchiveSource { copy: &copy, files: &files_folder(&config.site.data), keys: &config.site.keys() };
    let file = File::create_new(&partial).map_err(at(&partial))?;
    let manifest = archive::write(file, &source, manifest, &key, &args.recipient).map_err(at(path))?;
    std::fs::rename(&partial, path).map_err(at(path))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(path))?;
    let bytes = std::fs::metadata(path).map_err(at(path))?.len();
    if args.json {
        let encrypted = !args.recipient.is_empty();
        let told = serde_json::json!({"file": path, "bytes": bytes, "encrypted": encrypted, "manifest": manifest});
        write_json(out, &told)?;
    } else {
        writeln!(out, "{}: {bytes} bytes, {} files", path.display(), manifest.members.len())?;
    }
    Ok(CommandOutcome::Success)
}

/// Checks a copy, and changes nothing.
fn check(args: &VerifyArgs, out: &mut dyn Write) -> Result<CommandOutcome, CommandError> {
    let work = Work::new(&args.work.clone().unwrap_or_else(std::env::temp_dir))?;
    let demands = Demands {
        identity: args.opening.identity.as_deref(),
        trusted: args.opening.trusted_key.as_deref(),
        older: false,
        unpack: false,
    };
    let found = archive::examine(&args.file, &work.0, &demands).map_err(at(&args.file))?;
    let problems: Vec<&ArchiveProblem> = found.damage.iter().chain(&found.findings).collect();
    let (intact, manifest) = (problems.is_empty(), &found.manifest);
    if args.json {
        let told = serde_json::json!({
            "file": args.file, "intact": intact, "problems": problems, "audit": found.audit,
            "made_at": manifest.as_ref().map(|one| &one.made_at), "key": manifest.as_ref().and_then(|one| one.key.as_ref()),
            "last_seal": manifest.as_ref().and_then(|one| one.last_seal.as_ref()),
            "members": manifest.as_ref().map(|one| one.members.len()),
        });
        write_json(out, &told)?;
    } else {
        if let Some(manifest) = manifest {
            let key = manifest.key.as_deref().unwrap_or("none");
            writeln!(out, "made {}, signed by the key {key}: {} files", manifest.made_at, manifest.members.len())?;
        }
        if let Some(audit) = &found.audit {
            writeln!(out, "audit trail: {} entries under {} seals fit", audit.entries, audit.seals)?;
        }
        for problem in &problems {
            writeln!(out, "{}: {}", problem.code, problem.message)?;
        }
        writeln!(out, "{}", if intact { "everything in it fits" } else { "NOT in order" })?;
    }
    Ok(if intact { CommandOutcome::Success } else { CommandOutcome::Refusal })
}

/// Brings the copy back; everything in it is checked before anything is moved into its place.
///
/// # Errors
/// Where the target is not empty, the archive is not as it was written, or its database is of the other kind.
pub fn restore(args: &RestoreArgs, out: &mut dyn Write) -> Result<CommandOutcome, CommandError> {
    let config = args.place.config()?;
    let backend = Backend::parse(&config.database.url).map_err(database)?;
    let data = &config.site.data;
    refuse_full(&backend, data)?;
    std::fs::create_dir_all(data).map_err(at(data))?;
    let work = Work::new(data)?;
    let demands = Demands {
        identity: args.opening.identity.as_deref(),
        trusted: args.opening.trusted_key.as_deref(),
        older: args.older,
        unpack: true,
    };
    let found = archive::examine(&args.file, &work.0, &demands).map_err(at(&args.file))?;
    refuse_damaged(args, &found)?;
    let other = found.manifest.map(|manifest| manifest.database).unwrap_or_default();
    if other != kind(&backend) {
        let text = format!("the copy is of {other}, the target is {}", kind(&backend));
        return Err(CommandError::new("database", text));
    }
    for name in [FILES, KEYS] {
        let (from, to) = (work.0.join(name), data.join(name));
        if from.is_dir() {
            // Empty, as was seen above; a rename does not replace a folder that holds anything.
            std::fs::rename(&from, &to).map_err(at(&to))?;
        }
    }
    copy_in(&backend, &work.0.join(DATABASE)).map_err(database)?;
    drop(work);
    report(&config, args, out)
}

fn refuse_damaged(args: &RestoreArgs, found: &ExaminedArchive) -> Result<(), CommandError> {
    let told = |problems: &[ArchiveProblem]| {
        let all: Vec<String> = problems.iter().map(|one| format!("{} ({})", one.message, one.code)).collect();
        format!("{}: {}", args.file.display(), all.join("; "))
    };
    if !found.damage.is_empty() {
        return Err(CommandError::at("archive-damaged", "file", told(&found.damage)));
    }
    if !found.findings.is_empty() && !args.despite_findings {
        let text = format!("{} (--despite-findings brings it back all the same)", told(&found.findings));
        return Err(CommandError::at("archive-findings", "file", text));
    }
    Ok(())
}

fn report(config: &Config, args: &RestoreArgs, out: &mut dyn Write) -> Result<CommandOutcome, CommandError> {
    let db = DbConn::open(&config.database).map_err(database)?;
    let folder = config.site.keys();
    let keys = PublicKeys::open(&folder).map_err(|text| CommandError::new("keys", text))?;
    let files = Blobs::open(config.site.files()).map_err(|error| CommandError::new("files", error.to_string()))?;
    // What of the files was not in order was said by the examination, and is wanted all the same.
    let files = Some(&files).filter(|_| !args.despite_findings);
    let report = verify(&db, &keys, Memory::None, files).map_err(failure)?;
    // What is remembered stays with the installation that it is of: this one begins with what was brought back.
    remember_restored(&db, &Clock::system(), &folder, &args.file.display().to_string()).map_err(failure)?;
    if args.json {
        write_json(out, &serde_json::json!({"data": config.site.data, "audit": report}))?;
    } else {
        writeln!(out, "restored to {}", config.site.data.display())?;
        writeln!(out, "audit trail: {} entries under {} seals fit", report.entries, report.seals)?;
        writeln!(out, "{} rows and {} files were compared with it", report.rows, report.files)?;
        if let Some(misfit) = &report.misfit {
            writeln!(out, "{} / {}", misfit.message_zh, misfit.message_en)?;
        }
    }
    Ok(if report.intact { CommandOutcome::Success } else { CommandOutcome::Refusal })
}

fn refuse_full(backend: &Backend, data: &Path) -> Result<(), CommandError> {
    let full =
        |what: &str| CommandError::new("not-empty", format!("{what}: a copy is brought back into an empty place"));
    let holds = std::fs::read_dir(data).is_ok_and(|mut listed| listed.next().is_some());
    if holds {
        return Err(full(&format!("{} is not empty", data.display())));
    }
    if !is_empty(backend).map_err(database)? {
        return Err(full("the database is not empty"));
    }
    Ok(())
}

/// A folder for work in progress, beside the result so that a rename suffices; removed at the end.
struct Work(PathBuf);

impl Work {
    fn new(beside: &Path) -> Result<Self, CommandError> {
        let folder = beside.join(format!(".qianfa-work-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&folder).map_err(at(&folder))?;
        Ok(Self(folder))
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
