//! Looking at a folder: which files there are, and reading one of them safely. Nothing is ever moved, changed or
//! deleted, and no link is followed.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::instruments::{Globs, SeenFile};

/// The most entries of one folder with everything below it.
const MOST: usize = 500_000;

/// One file of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it lies.
    pub place: PathBuf,
    /// What it looks like.
    pub seen: SeenFile,
}

/// The files of a folder that fit the patterns.
///
/// # Errors
/// Where the folder itself cannot be listed, or holds more than can be looked at. A folder below it that cannot be
/// listed is left out: the next look may find it.
pub fn files(folder: &Path, globs: Option<&Globs>) -> io::Result<Vec<Found>> {
    let mut found = Vec::new();
    let mut entries = 0_usize;
    // No link is followed, so that the depth is what the folder has; the number of entries is bounded.
    let mut todo: Vec<PathBuf> = vec![folder.to_path_buf()];
    let mut below_it = false;
    while let Some(here) = todo.pop() {
        let listed = match std::fs::read_dir(&here) {
            Ok(listed) => listed,
            Err(error) if !below_it => return Err(error),
            Err(_) => continue,
        };
        below_it = true;
        for entry in listed {
            let Ok(entry) = entry else { continue };
            entries += 1;
            if entries > MOST {
                return Err(io::Error::other(format!("more than {MOST} entries")));
            }
            let Ok(kind) = entry.file_type() else { continue };
            let name = entry.file_name();
            if partial(&readable(&name)) {
                continue;
            }
            let place = here.join(&name);
            if kind.is_dir() {
                todo.push(place);
            } else if kind.is_file() {
                let Some(path) = path_of(folder, &place) else { continue };
                if globs.is_some_and(|globs| !globs.fit(&path)) {
                    continue;
                }
                let Ok(meta) = entry.metadata() else { continue };
                let seen = look(path, &meta);
                found.push(Found { place, seen });
            }
        }
    }
    apart(folder, &mut found);
    found.sort_by(|a, b| a.seen.path.cmp(&b.seen.path));
    Ok(found)
}

/// The path of a file below a folder, as people read it.
pub fn path_of(folder: &Path, place: &Path) -> Option<String> {
    let parts = place.strip_prefix(folder).ok()?.iter().map(readable).collect::<Vec<_>>();
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// A name as people read it: in UTF-8, else in GB18030 as older Chinese systems wrote it, else with its bytes as `\xNN`.
fn readable(name: &OsStr) -> String {
    let bytes = name.as_encoded_bytes();
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    let strange = |c: char| c.is_control() || matches!(c, '\u{e000}'..='\u{f8ff}');
    match encoding_rs::GB18030.decode_without_bom_handling_and_without_replacement(bytes) {
        Some(text) if !text.contains(strange) => text.into_owned(),
        _ => spelled(bytes),
    }
}

fn spelled(bytes: &[u8]) -> String {
    bytes.iter().map(|b| if b.is_ascii() { char::from(*b).to_string() } else { format!("\\x{b:02x}") }).collect()
}

/// Two names that read the same are distinguished by their bytes; one in UTF-8 stays as it is.
fn apart(folder: &Path, found: &mut [Found]) {
    let mut times: HashMap<String, usize> = HashMap::new();
    for one in found.iter() {
        *times.entry(one.seen.path.clone()).or_default() += 1;
    }
    for one in found.iter_mut().filter(|one| times.get(&one.seen.path).is_some_and(|times| *times > 1)) {
        let bytes = one.place.strip_prefix(folder).unwrap_or(&one.place).as_os_str().as_encoded_bytes();
        if std::str::from_utf8(bytes).is_err() {
            one.seen.path = spelled(bytes);
        }
    }
}

/// Names that a program gives to what it is still writing, or keeps for itself.
fn partial(name: &str) -> bool {
    const ENDS: [&str; 9] =
        [".tmp", ".temp", ".part", ".partial", ".filepart", ".crdownload", ".swp", ".lock", ".bak~"];
    let lower = name.to_lowercase();
    name.starts_with("~$")
        || name.starts_with('.')
        || name.ends_with('~')
        || ENDS.iter().any(|end| lower.ends_with(end))
        || ["thumbs.db", "desktop.ini"].contains(&lower.as_str())
}

fn look(path: String, meta: &Metadata) -> SeenFile {
    let modified = meta.modified().ok();
    let nanos = match modified.map(|at| at.duration_since(UNIX_EPOCH)) {
        Some(Ok(after)) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
        Some(Err(before)) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |nanos| -nanos),
        None => 0,
    };
    SeenFile { path, size: i64::try_from(meta.len()).unwrap_or(i64::MAX), modified: nanos }
}

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    /// It went away or changed: the next look will see.
    #[error("the file changed while it was read")]
    Changed,
    /// More than is taken in.
    #[error("the file has more than {0} bytes")]
    TooLarge(usize),
    /// The system's word.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Reads a file that looks as `seen`, at most `most` bytes of it. `folder` is where the watched folder really lies:
/// nothing is read that lies elsewhere, whatever becomes a link meanwhile.
///
/// # Errors
/// [`Unread`].
pub fn read(folder: &Path, found: &Found, most: usize) -> Result<Vec<u8>, Unread> {
    let gone = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Unread::Changed,
        _ => Unread::Io(error),
    };
    let as_seen = |meta: &Metadata| meta.is_file() && look(found.seen.path.clone(), meta) == found.seen;
    if found.seen.size > i64::try_from(most).unwrap_or(i64::MAX) {
        return Err(Unread::TooLarge(most));
    }
    let file = File::open(&found.place).map_err(gone)?;
    let opened = file.metadata()?;
    // A folder on the way may have become a link since it was listed. Asked after the opening, of what was opened: a
    // link that comes and goes in between leads to another file than the one that lies there.
    let real = found.place.canonicalize().map_err(gone)?;
    let lies_there = std::fs::symlink_metadata(&real).map_err(gone)?;
    let there =
        matches!((real.strip_prefix(folder), found.place.strip_prefix(folder)), (Ok(now), Ok(listed)) if now == listed);
    if !there || !same_file(&opened, &lies_there) {
        return Err(Unread::Changed);
    }
    if !as_seen(&opened) {
        return Err(Unread::Changed);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(found.seen.size).unwrap_or(0));
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    (&file).take(limit).read_to_end(&mut bytes)?;
    let whole = i64::try_from(bytes.len()).is_ok_and(|length| length == found.seen.size);
    if !whole || !as_seen(&file.metadata()?) {
        return Err(Unread::Changed);
    }
    Ok(bytes)
}

#[cfg(unix)]
fn same_file(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn same_file(one: &Metadata, other: &Metadata) -> bool {
    one.len() == other.len() && one.created().ok() == other.created().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instruments::file_globs;

    #[test]
    fn links_and_partial_names_are_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("watched");
        std::fs::create_dir_all(folder.join("run.D")).unwrap();
        for name in ["a.txt", "b.csv", "~$a.txt", "c.txt.part", ".hidden.txt", "d.TMP", "run.D/Report.TXT"] {
            std::fs::write(folder.join(name), name).unwrap();
        }
        std::fs::write(dir.path().join("secret.txt"), "secret").unwrap();
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(dir.path().join("secret.txt"), folder.join("link.txt")).unwrap();
            std::os::unix::fs::symlink(dir.path(), folder.join("up")).unwrap();
        }
        let paths = |globs: &str| -> Vec<String> {
            let globs = file_globs(globs).unwrap();
            files(&folder, globs.as_ref()).unwrap().into_iter().map(|found| found.seen.path).collect()
        };
        assert_eq!(paths(""), ["a.txt", "b.csv", "run.D/Report.TXT"]);
        assert_eq!(paths("*.txt"), ["a.txt", "run.D/Report.TXT"]);
        assert!(files(&dir.path().join("not there"), None).is_err());
    }

    /// An old Chinese system writes names in GB18030, and a network share may have names of any bytes.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_name_of_any_bytes_at_any_depth_is_found_and_read() {
        use std::os::unix::ffi::OsStrExt;
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path();
        let deep = (0..20).fold(folder.to_path_buf(), |path, n| path.join(format!("d{n}")));
        std::fs::create_dir_all(&deep).unwrap();
        let gbk = |text: &str| encoding_rs::GB18030.encode(text).0.into_owned();
        let old = folder.join(OsStr::from_bytes(&gbk("批次")));
        std::fs::create_dir_all(&old).unwrap();
        let names: [(PathBuf, &[u8]); 5] = [
            (folder.to_path_buf(), &gbk("水分2.txt")),
            (old, &gbk("噁唑.txt")),
            (folder.to_path_buf(), b"odd\xff\xfe.txt"),
            (folder.to_path_buf(), "水分2.txt".as_bytes()),
            (deep, b"deep.txt"),
        ];
        for (place, name) in &names {
            std::fs::write(place.join(OsStr::from_bytes(name)), name).unwrap();
        }
        let found = files(folder, None).unwrap();
        let mut paths: Vec<&str> = found.iter().map(|one| one.seen.path.as_str()).collect();
        paths.sort_unstable();
        assert_eq!(paths.len(), 5, "{paths:?}");
        paths.dedup();
        assert_eq!(paths.len(), 5, "two names are two files: {paths:?}");
        for path in ["水分2.txt", "批次/噁唑.txt", "odd\\xff\\xfe.txt"] {
            assert!(paths.contains(&path), "{path} {paths:?}");
        }
        for one in &found {
            assert_eq!(read(folder, one, 100).unwrap(), one.place.file_name().unwrap().as_encoded_bytes());
        }
    }

    #[test]
    fn a_file_is_read_as_it_was_seen_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let folder = &dir.path().canonicalize().unwrap();
        std::fs::write(folder.join("a.txt"), "one").unwrap();
        let found = files(folder, None).unwrap().remove(0);
        assert_eq!(read(folder, &found, 10).unwrap(), b"one");
        assert!(matches!(read(folder, &found, 2), Err(Unread::TooLarge(2))));
        std::fs::write(folder.join("a.txt"), "longer").unwrap();
        assert!(matches!(read(folder, &found, 10), Err(Unread::Changed)));
        std::fs::remove_file(folder.join("a.txt")).unwrap();
        assert!(matches!(read(folder, &found, 10), Err(Unread::Changed)));
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_became_a_link_leads_nowhere() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().canonicalize().unwrap().join("watched");
        let elsewhere = dir.path().join("elsewhere");
        std::fs::create_dir_all(folder.join("run")).unwrap();
        std::fs::create_dir_all(&elsewhere).unwrap();
        std::fs::write(folder.join("run/a.txt"), "mine").unwrap();
        let found = files(&folder, None).unwrap().remove(0);
        std::fs::rename(folder.join("run/a.txt"), elsewhere.join("a.txt")).unwrap();
        std::fs::remove_dir(folder.join("run")).unwrap();
        std::os::unix::fs::symlink(&elsewhere, folder.join("run")).unwrap();
        assert!(matches!(read(&folder, &found, 100), Err(Unread::Changed)));
    }
}
