//! `qianfa backup`, `qianfa restore`: database, files and keys in one file, and back.

use std::fs::File;
use std::io::Write;
use std::path::{Component, Path, PathBuf};

use clap::Args;
use serde::{Deserialize, Serialize};

use super::place::{Installation, database, failure};
use super::{CommandError, CommandOutcome, write_json};
use crate::action::files_folder;
use crate::app::config::Config;
use crate::clock::Clock;
use crate::record::{PublicKeys, WITNESS, verify};
use crate::store::copy::{copy_in, copy_out, is_empty};
use crate::store::{Backend, DbConn, applied_versions};

/// The form of the archive.
const FORMAT: u32 = 1;
const MANIFEST: &str = "manifest.json";
const DATABASE: &str = "database";
const FILES: &str = "files";
const KEYS: &str = "keys";

/// Write a consistent copy of database, files and keys to one file
///
/// The file holds the private keys: keep it as safe as the installation itself.
#[derive(Clone, Debug, Args)]
pub struct BackupArgs {
    /// The file to write (a tar archive, compressed with zstd); it must not be there yet
    file: PathBuf,
    #[command(flatten)]
    place: Installation,
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
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What an archive says of itself.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    format: u32,
    program: String,
    database: String,
    schema: Option<String>,
    made_at: String,
}

fn kind(backend: &Backend) -> &'static str {
    match backend {
        Backend::Sqlite(_) => "sqlite",
        Backend::Postgres(_) => "postgres",
    }
}

fn at(path: &Path) -> impl Fn(std::io::Error) -> CommandError {
    move |error| CommandError::at("file", "file", format!("{}: {error}", path.display()))
}

/// Writes the copy.
///
/// # Errors
/// Where the file is there already or cannot be written, or the database cannot be copied.
pub fn backup(args: &BackupArgs, out: &mut dyn Write) -> Result<CommandOutcome, CommandError> {
    let path = &args.file;
    if path.exists() {
        return Err(CommandError::at("file", "file", format!("{} is there already", path.display())));
    }
    let (config, db) = args.place.existing()?;
    let manifest = Manifest {
        format: FORMAT,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        database: kind(db.backend()).to_owned(),
        schema: db.read(|conn| Ok(applied_versions(conn)?)).map_err(failure)?.pop(),
        made_at: Clock::system().now().to_rfc3339(),
    };
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let work = Work::new(folder)?;
    // The database first: a file is stored before the row that names it, so every row copied has its file.
    let copy = work.0.join(DATABASE);
    copy_out(db.backend(), &copy).map_err(database)?;
    let partial = work.0.join("archive");
    crate::secrets::write_private(&partial, b"").map_err(at(&partial))?;
    pack(&partial, &manifest, &copy, &config.site.data).map_err(at(path))?;
    std::fs::rename(&partial, path).map_err(at(path))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(path))?;
    let bytes = std::fs::metadata(path).map_err(at(path))?.len();
    if args.json {
        write_json(out, &serde_json::json!({"file": path, "bytes": bytes, "manifest": manifest}))?;
    } else {
        writeln!(out, "{}: {bytes} bytes", path.display())?;
    }
    Ok(CommandOutcome::Success)
}

fn pack(to: &Path, manifest: &Manifest, copy: &Path, data: &Path) -> std::io::Result<()> {
    let file = File::options().write(true).open(to)?;
    let mut encoder = zstd::Encoder::new(file, 3)?;
    encoder.include_checksum(true)?;
    let mut archive = tar::Builder::new(encoder);
    let text = serde_json::to_vec_pretty(manifest)?;
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    header.set_mode(0o600);
    archive.append_data(&mut header, MANIFEST, text.as_slice())?;
    archive.append_path_with_name(copy, DATABASE)?;
    append(&mut archive, &files_folder(data), Path::new(FILES))?;
    append(&mut archive, &data.join(KEYS), Path::new(KEYS))?;
    let file = archive.into_inner()?.finish()?;
    file.sync_all()
}

/// Adds the files under `folder`, less what is still being written.
fn append<W: Write>(archive: &mut tar::Builder<W>, folder: &Path, name: &Path) -> std::io::Result<()> {
    let listed = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        listed => listed?,
    };
    for entry in listed {
        let entry = entry?;
        let inner = name.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            if entry.file_name() != "incoming" {
                append(archive, &entry.path(), &inner)?;
            }
        } else if entry.file_name() == WITNESS {
            // A server that runs on may have made it after the database was copied.
        } else if !entry.file_name().to_string_lossy().starts_with('.') {
            archive.append_path_with_name(entry.path(), inner)?;
        }
    }
    Ok(())
}

/// Brings the copy back, then verifies the trail.
///
/// # Errors
/// Where the target is not empty, the archive was not written by the program, or its database is of the other kind.
pub fn restore(args: &RestoreArgs, out: &mut dyn Write) -> Result<CommandOutcome, CommandError> {
    let config = args.place.config()?;
    let backend = Backend::parse(&config.database.url).map_err(database)?;
    let data = &config.site.data;
    refuse_full(&backend, data)?;
    std::fs::create_dir_all(data).map_err(at(data))?;
    let work = Work::new(data)?;
    unpack(&args.file, &work.0)?;
    let manifest = std::fs::read(work.0.join(MANIFEST)).map_err(|_| foreign(&args.file, "it has no manifest"))?;
    let manifest: Manifest =
        serde_json::from_slice(&manifest).map_err(|error| foreign(&args.file, &error.to_string()))?;
    if manifest.format != FORMAT {
        return Err(foreign(&args.file, &format!("its form is {}, not {FORMAT}", manifest.format)));
    }
    if manifest.database != kind(&backend) {
        let text = format!("the copy is of {}, the target is {}", manifest.database, kind(&backend));
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
    report(&config, args.json, out)
}

fn report(config: &Config, json: bool, out: &mut dyn Write) -> Result<CommandOutcome, CommandError> {
    let db = DbConn::open(&config.database).map_err(database)?;
    let folder = config.site.keys();
    let keys = PublicKeys::open(&folder).map_err(|text| CommandError::new("keys", text))?;
    let report = verify(&db, &keys, None).map_err(failure)?;
    if json {
        write_json(out, &serde_json::json!({"data": config.site.data, "audit": report}))?;
    } else {
        writeln!(out, "restored to {}", config.site.data.display())?;
        writeln!(out, "audit trail: {} entries under {} seals fit", report.entries, report.seals)?;
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

fn foreign(path: &Path, why: &str) -> CommandError {
    CommandError::at("file", "file", format!("{} is no copy that backup wrote: {why}", path.display()))
}

fn unpack(path: &Path, to: &Path) -> Result<(), CommandError> {
    let file = File::open(path).map_err(at(path))?;
    let not_ours = |error: std::io::Error| foreign(path, &error.to_string());
    let mut archive = tar::Archive::new(zstd::Decoder::new(file).map_err(not_ours)?);
    for entry in archive.entries().map_err(not_ours)? {
        let mut entry = entry.map_err(not_ours)?;
        let name = entry.path().map_err(not_ours)?.into_owned();
        let plain = name.components().all(|part| matches!(part, Component::Normal(_)));
        if !plain || !entry.header().entry_type().is_file() {
            return Err(foreign(path, &format!("it holds {}", name.display())));
        }
        entry.unpack_in(to).map_err(not_ours)?;
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
