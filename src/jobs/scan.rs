//! Looking at a folder: which files there are, and reading one of them safely. Nothing is ever moved, changed or
//! deleted, and no link is followed.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::instruments::{Globs, SeenFile, below};

/// How deep folders lie within one another.
const DEEPEST: usize = 8;
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
    let mut todo: Vec<(PathBuf, usize)> = vec![(folder.to_path_buf(), 0)];
    while let Some((here, depth)) = todo.pop() {
        let listed = match std::fs::read_dir(&here) {
            Ok(listed) => listed,
            Err(error) if depth == 0 => return Err(error),
            Err(_) => continue,
        };
        for entry in listed {
            let Ok(entry) = entry else { continue };
            entries += 1;
            if entries > MOST {
                return Err(io::Error::other(format!("more than {MOST} entries")));
            }
            let Ok(kind) = entry.file_type() else { continue };
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| !partial(name)) else { continue };
            if kind.is_dir() && depth < DEEPEST {
                todo.push((here.join(name), depth + 1));
            } else if kind.is_file() {
                let place = here.join(name);
                let Some(path) = below(folder, &place) else { continue };
                if globs.is_some_and(|globs| !globs.fit(&path)) {
                    continue;
                }
                let Ok(meta) = entry.metadata() else { continue };
                let seen = look(path, &meta);
                found.push(Found { place, seen });
            }
        }
    }
    found.sort_by(|a, b| a.seen.path.cmp(&b.seen.path));
    Ok(found)
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
    if below(folder, &real).as_deref() != Some(found.seen.path.as_str()) || !same_file(&opened, &lies_there) {
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
