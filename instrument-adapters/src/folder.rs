//! A laboratory's folder of adapters, followed while it changes: what is new is tested before it is used, what is
//! broken does not replace what worked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::adapter::{Adapter, Origin};
use crate::fs::{self, AdapterFolder, FolderError};
use crate::selftest::{TestReport, TestedFile};
use crate::set::{AdapterSet, LoadedFolder};

/// Runs the samples and rejects of a declaration: here, or in a process of its own.
pub type Tester<'a> = dyn Fn(&str, &[TestedFile]) -> TestReport + 'a;

/// An adapter that passed its tests.
#[derive(Debug, Clone)]
struct Good {
    adapter: Adapter,
    /// Its text, where it is not one of the embedded ones.
    declaration: Option<String>,
}

#[derive(Debug)]
struct Kept {
    /// What was looked at last.
    content: String,
    /// The last that passed.
    good: Option<Good>,
    /// What became of the last.
    outcome: Result<String, String>,
}

/// A folder of adapters with what became of each.
#[derive(Debug)]
pub struct Folder {
    dir: PathBuf,
    kept: BTreeMap<PathBuf, Kept>,
}

impl Folder {
    /// A folder that has not been looked at.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), kept: BTreeMap::new() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.dir
    }

    /// What tells one state of the folder from another without reading its files: names, sizes and times.
    ///
    /// # Errors
    /// [`FolderError`] where it cannot be listed.
    pub fn fingerprint(&self) -> Result<String, FolderError> {
        fs::fingerprint(&self.dir)
    }

    /// Looks at the folder again: what changed is tested, and used where it passes. A broken version does not
    /// take the place of one that passed before. Gives the entries that changed.
    ///
    /// # Errors
    /// [`FolderError`] where the folder itself cannot be listed; then nothing changes.
    pub fn refresh(&mut self, test: &Tester) -> Result<Vec<LoadedFolder>, FolderError> {
        let folders = fs::adapter_folders(&self.dir)?;
        let there: BTreeSet<&PathBuf> = folders.iter().collect();
        let gone: Vec<PathBuf> = self.kept.keys().filter(|path| !there.contains(path)).cloned().collect();
        let mut changed: Vec<PathBuf> = gone.clone();
        let mut lost = Vec::new();
        for path in gone {
            if self.kept.remove(&path).is_some() {
                lost.push(LoadedFolder { folder: path, outcome: Err("the folder is gone".into()), keeps: None });
            }
        }
        for folder in &folders {
            changed.extend(self.look(folder, test).then(|| folder.clone()));
        }
        let mut now: Vec<LoadedFolder> =
            self.loaded().into_iter().filter(|one| changed.contains(&one.folder)).collect();
        now.append(&mut lost);
        Ok(now)
    }

    /// True where the folder's content is another than before.
    fn look(&mut self, folder: &Path, test: &Tester) -> bool {
        let (content, found) = match fs::read_adapter(folder) {
            Ok(found) => (found.content(), Ok(found)),
            Err(why) => (why.to_string(), Err(why.to_string())),
        };
        if self.kept.get(folder).is_some_and(|kept| kept.content == content) {
            return false;
        }
        let outcome = found.and_then(|found| tried(&found, test));
        let others = self.kept.iter().filter(|(path, _)| path.as_path() != folder);
        let mut ids = others.filter_map(|(path, kept)| Some((path, kept.good.as_ref()?.adapter.id())));
        let outcome = outcome.and_then(|good| match ids.find(|(_, id)| *id == good.adapter.id()) {
            Some((path, id)) => Err(format!("{} has the adapter {id} already", path.display())),
            None => Ok(good),
        });
        let before = self.kept.remove(folder).and_then(|kept| kept.good);
        let kept = match outcome {
            Ok(good) => Kept { content, outcome: Ok(good.adapter.id().to_owned()), good: Some(good) },
            Err(why) => Kept { content, outcome: Err(why), good: before },
        };
        self.kept.insert(folder.to_owned(), kept);
        true
    }

    /// What became of each adapter's folder.
    pub fn loaded(&self) -> Vec<LoadedFolder> {
        let one = |(folder, kept): (&PathBuf, &Kept)| LoadedFolder {
            folder: folder.clone(),
            outcome: kept.outcome.clone(),
            keeps: kept
                .outcome
                .is_err()
                .then_some(kept.good.as_ref())
                .flatten()
                .map(|good| format!("{} {}", good.adapter.id(), good.adapter.version())),
        };
        self.kept.iter().map(one).collect()
    }

    /// The embedded adapters with those of the folder on top.
    ///
    /// A laboratory's own samples of an embedded adapter that do not pass withdraw it: a file refused does less
    /// harm than one read wrong.
    pub fn set(&self) -> AdapterSet {
        let mut set = AdapterSet::embedded();
        for (folder, kept) in &self.kept {
            match &kept.good {
                Some(good) => set.put(good.adapter.clone(), good.declaration.clone()),
                None => {
                    if let Some(id) = fs::embedded_id(folder) {
                        set.withdraw(id);
                    }
                }
            }
        }
        set.told(self.loaded());
        set
    }
}

/// The adapter of a folder, where everything passes.
fn tried(found: &AdapterFolder, test: &Tester) -> Result<Good, String> {
    let report = test(&found.declaration, &found.cases);
    if !report.passed() {
        return Err(report.failures().join("; "));
    }
    let mut adapter = Adapter::from_toml(&found.declaration).map_err(|error| error.to_string())?;
    adapter.origin = Origin::Own(found.standing_of(&adapter));
    Ok(Good { adapter, declaration: (!found.is_embedded).then(|| found.declaration.clone()) })
}
