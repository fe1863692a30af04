//! Reading an archive: everything in it is checked before anybody uses any of it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::{Component, Path, PathBuf};

use sha2::{Digest, Sha256};

use super::trailer::{TrailerEnd, end_of};
use super::{DATABASE, FILES, FORMAT, KEYS, MANIFEST, Manifest, Member, OLDER, SIGNATURE, signed};
use crate::clock::Clock;
use crate::record::{Memory, PublicKeys, Report, take_over, verify};
use crate::store::copy::{content_named, faults_of};
use crate::store::{DbConn, DbSettings};

/// What age's files begin with.
const AGE: &[u8] = b"age-encryption.org/";
/// The most bytes of a manifest that are read: a line a file, for some millions of files.
const MANIFEST_BYTES: u64 = 1 << 30;

/// Something that is not as it should be: what kind, and a sentence.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ArchiveProblem {
    pub code: &'static str,
    pub message: String,
}

fn problem(code: &'static str, message: impl Into<String>) -> ArchiveProblem {
    ArchiveProblem { code, message: message.into() }
}

/// What is asked of an archive.
pub struct Demands<'a> {
    /// Opens an encrypted one.
    pub identity: Option<&'a Path>,
    /// The public key that must have signed it; without one, a key that it brings along.
    pub trusted: Option<&'a Path>,
    /// One of the versions before is taken too, which says nothing of its members.
    pub older: bool,
    /// Whether the stored files are unpacked as well, or only looked at.
    pub unpack: bool,
}

/// What was found.
#[derive(Debug, Default)]
pub struct ExaminedArchive {
    pub manifest: Option<Manifest>,
    /// It is not what was written: none of it can be used.
    pub damage: Vec<ArchiveProblem>,
    /// It is what was written, and already was not in order then.
    pub findings: Vec<ArchiveProblem>,
    /// The trail in it, where it could be looked at.
    pub audit: Option<Report>,
}

/// Unpacks an archive into `work`, an empty folder, and checks everything in it.
///
/// # Errors
/// The file system's, and an archive that cannot be opened at all.
pub fn examine(path: &Path, work: &Path, demands: &Demands<'_>) -> io::Result<ExaminedArchive> {
    let mut found = ExaminedArchive::default();
    match unpacked(path, work, demands) {
        Ok((manifest, members)) => {
            found.damage = files_in_order(&members);
            found.manifest = Some(manifest);
        }
        Err(Unpacking::Io(error)) => return Err(error),
        Err(Unpacking::Damaged(why)) => found.damage = vec![why],
    }
    if let (true, Some(manifest)) = (found.damage.is_empty(), &found.manifest)
        && manifest.database == "sqlite"
    {
        let members: BTreeSet<String> = manifest.members.iter().map(|member| member.name.clone()).collect();
        let (audit, findings) = database_in_order(work, manifest, &members);
        (found.audit, found.findings) = (audit, findings);
    }
    Ok(found)
}

enum Unpacking {
    Io(io::Error),
    Damaged(ArchiveProblem),
}

impl From<ArchiveProblem> for Unpacking {
    fn from(problem: ArchiveProblem) -> Self {
        Self::Damaged(problem)
    }
}

fn unpacked(path: &Path, work: &Path, demands: &Demands<'_>) -> Result<(Manifest, Vec<Member>), Unpacking> {
    let plain = decrypted(path, work, demands.identity)?;
    let mut file = File::open(&plain).map_err(Unpacking::Io)?;
    let end = end_of(&mut file).map_err(Unpacking::Io)?;
    match end {
        TrailerEnd::Whole => {}
        TrailerEnd::Changed => return Err(problem("bytes-changed", "its bytes are not those that were written").into()),
        TrailerEnd::Missing if demands.older => {}
        TrailerEnd::Missing => {
            let text = "it is no copy that backup wrote, it is cut off, or a version before wrote it (--older)";
            return Err(problem("no-end", text).into());
        }
    }
    let members = untarred(file, work, demands)?;
    if plain != path {
        std::fs::remove_file(&plain).map_err(Unpacking::Io)?;
    }
    let text = std::fs::read(work.join(MANIFEST)).map_err(|_| problem("no-manifest", "it has no manifest"))?;
    let manifest: Manifest = serde_json::from_slice(&text)
        .map_err(|error| problem("manifest-unreadable", format!("its manifest cannot be read: {error}")))?;
    match (manifest.format, end) {
        (FORMAT, TrailerEnd::Whole) => signed_and_complete(&manifest, &text, &members, work, demands)?,
        // What it says of itself decides nothing: one of this version that lost its end is not an older one.
        (OLDER, TrailerEnd::Missing) => {}
        (form, _) => {
            return Err(problem("form", format!("its form is {form}, this program reads {FORMAT}")).into());
        }
    }
    let mut manifest = manifest;
    if manifest.format == OLDER {
        manifest.members.clone_from(&members);
    }
    Ok((manifest, members))
}

/// The plain archive: the file itself, or what age makes of it.
fn decrypted(path: &Path, work: &Path, identity: Option<&Path>) -> Result<PathBuf, Unpacking> {
    let mut file = File::open(path).map_err(Unpacking::Io)?;
    let mut beginning = Vec::new();
    (&mut file).take(AGE.len() as u64).read_to_end(&mut beginning).map_err(Unpacking::Io)?;
    if beginning != AGE {
        return Ok(path.to_path_buf());
    }
    let Some(identity) = identity else {
        return Err(problem("encrypted", "it is encrypted: --identity names the key that opens it").into());
    };
    let told = |error: &dyn std::fmt::Display| problem("identity", format!("{}: {error}", identity.display()));
    let keys = age::IdentityFile::from_file(identity.display().to_string()).map_err(|error| told(&error))?;
    let keys = keys.into_identities().map_err(|error| told(&error))?;
    let file = File::open(path).map_err(Unpacking::Io)?;
    let not_opened =
        |error: &dyn std::fmt::Display| problem("not-decrypted", format!("it cannot be decrypted: {error}"));
    let decryptor = age::Decryptor::new(BufReader::new(file)).map_err(|error| not_opened(&error))?;
    let keys = keys.iter().map(|key| key.as_ref() as &dyn age::Identity);
    let mut plain = decryptor.decrypt(keys).map_err(|error| not_opened(&error))?;
    let to = work.join("decrypted");
    let mut out = File::create_new(&to).map_err(Unpacking::Io)?;
    let mut buffer = vec![0_u8; 1 << 16];
    loop {
        match plain.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => out.write_all(buffer.get(..count).unwrap_or_default()).map_err(Unpacking::Io)?,
            Err(error) => return Err(not_opened(&error).into()),
        }
    }
    Ok(to)
}

/// Unpacks to the very end of the compressed stream, where its checksum is.
fn untarred(file: File, work: &Path, demands: &Demands<'_>) -> Result<Vec<Member>, Unpacking> {
    let foreign = |error: io::Error| problem("unreadable", format!("it is no copy that backup wrote: {error}"));
    let mut archive = tar::Archive::new(zstd::Decoder::new(file).map_err(foreign)?);
    let (mut members, mut names) = (Vec::new(), BTreeSet::new());
    for entry in archive.entries().map_err(foreign)? {
        let mut entry = entry.map_err(foreign)?;
        let name = entry.path().map_err(foreign)?.into_owned();
        let plain = name.components().all(|part| matches!(part, Component::Normal(_)));
        let text = name.to_str().filter(|_| plain && entry.header().entry_type().is_file());
        let Some(text) = text.map(str::to_owned).filter(|text| names.insert(text.clone())) else {
            return Err(problem("member", format!("it holds {}, which no copy has", name.display())).into());
        };
        if text == MANIFEST && entry.size() > MANIFEST_BYTES {
            return Err(problem("member", "its manifest is too long to be one").into());
        }
        let keep = demands.unpack || !text.starts_with("files/");
        let mut to = if keep { Some(created(&work.join(&name)).map_err(Unpacking::Io)?) } else { None };
        let (mut digest, mut bytes, mut buffer) = (Sha256::new(), 0_u64, vec![0_u8; 1 << 16]);
        loop {
            let count = entry.read(&mut buffer).map_err(foreign)?;
            let part = buffer.get(..count).unwrap_or_default();
            if part.is_empty() {
                break;
            }
            digest.update(part);
            bytes += count as u64;
            if let Some(to) = &mut to {
                to.write_all(part).map_err(Unpacking::Io)?;
            }
        }
        members.push(Member { name: text, bytes, sha256: hex::encode(digest.finalize()) });
    }
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(foreign)?;
    Ok(members)
}

fn created(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    File::create_new(path)
}

/// The manifest is signed by a key of the archive, or by the one that is trusted, and names exactly what is there.
fn signed_and_complete(
    manifest: &Manifest,
    text: &[u8],
    members: &[Member],
    work: &Path,
    demands: &Demands<'_>,
) -> Result<(), ArchiveProblem> {
    let unsigned = |why: String| problem("signature", why);
    let signature =
        std::fs::read_to_string(work.join(SIGNATURE)).map_err(|_| unsigned("its manifest has no signature".into()))?;
    let keys = match demands.trusted {
        Some(path) => PublicKeys::of_file(path),
        None => PublicKeys::open(&work.join(KEYS)),
    };
    let keys = keys.map_err(unsigned)?;
    let id = manifest.key.as_deref().unwrap_or_default();
    match keys.verify(id, &signed(text), &signature) {
        Some(true) => {}
        Some(false) => return Err(unsigned(format!("its manifest is not what the key {id} signed"))),
        None => return Err(unsigned(format!("its manifest is signed by the key {id}, which is not known here"))),
    }
    let there: Vec<&Member> =
        members.iter().filter(|member| ![MANIFEST, SIGNATURE].contains(&member.name.as_str())).collect();
    for (said, is) in manifest.members.iter().zip(&there) {
        if said != *is {
            return Err(problem("member", format!("{} is not what its manifest says", is.name)));
        }
    }
    if manifest.members.len() != there.len() {
        let text = format!("its manifest names {} members, there are {}", manifest.members.len(), there.len());
        return Err(problem("member", text));
    }
    Ok(())
}

/// Every stored file is named by its content.
fn files_in_order(members: &[Member]) -> Vec<ArchiveProblem> {
    let named = |member: &&Member| {
        let mut parts = member.name.rsplit('/');
        member.name.starts_with("files/") && parts.next() != Some(member.sha256.as_str())
    };
    let text = |member: &Member| format!("{} does not have the content of its name", member.name);
    members.iter().filter(named).map(|member| problem("stored-file", text(member))).collect()
}

/// The database is one, its trail fits, and every file that it names is there.
fn database_in_order(
    work: &Path,
    manifest: &Manifest,
    members: &BTreeSet<String>,
) -> (Option<Report>, Vec<ArchiveProblem>) {
    let path = work.join(DATABASE);
    let mut findings = Vec::new();
    match faults_of(&path) {
        Ok(faults) => findings.extend(faults.into_iter().map(|fault| problem("database", fault))),
        Err(error) => return (None, vec![problem("database", error.to_string())]),
    }
    // The trail is read by this version's words: of a copy, which is brought up to date for it.
    let copy = work.join("looked-at.db");
    let looked = std::fs::copy(&path, &copy).map_err(|error| error.to_string()).and_then(|_| {
        let db = DbConn::open(&DbSettings::new(format!("sqlite://{}", copy.display()))).map_err(|e| e.to_string())?;
        let keys = PublicKeys::open(&work.join(KEYS))?;
        // Of a copy that is older than the hashes of rows only the trail can be compared.
        take_over(&db, Clock::system().now()).map_err(|error| error.to_string())?;
        let memory = manifest.last_seal.as_ref().map_or(Memory::None, |seal| Memory::Kept(Some(seal)));
        let report = verify(&db, &keys, memory, None).map_err(|error| error.to_string())?;
        let named = db.read(content_named).map_err(|error| error.to_string())?;
        Ok((report, named))
    });
    for left in ["looked-at.db", "looked-at.db-wal", "looked-at.db-shm"] {
        // What is not there needs no removal.
        let _ = std::fs::remove_file(work.join(left));
    }
    match looked {
        Err(error) => {
            findings.push(problem("database", error));
            (None, findings)
        }
        Ok((report, named)) => {
            if let Some(misfit) = &report.misfit {
                findings.push(problem("trail", format!("{} / {}", misfit.message_zh, misfit.message_en)));
            }
            for sha256 in named {
                let shelf = sha256.get(..2).unwrap_or_default();
                if !members.contains(&format!("{FILES}/{shelf}/{sha256}")) {
                    findings.push(problem("file-missing", format!("the file {sha256} is named and not there")));
                }
            }
            (Some(report), findings)
        }
    }
}
