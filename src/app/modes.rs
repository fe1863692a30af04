//! Who may read what the program writes: its owner alone.

use std::path::{Path, PathBuf};

use crate::action::Site;
use crate::store::Backend;

/// Whatever this process and those that it starts make from now on is for their owner alone: files 600, folders 700.
pub fn for_the_owner_alone() {
    #[cfg(unix)]
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
}

/// What of an installation others of the machine can reach: made by a version before, or by hand.
#[must_use]
pub fn wider_than_the_owner(site: &Site, backend: &Backend) -> Vec<PathBuf> {
    let mut looked = vec![site.data.clone(), site.files(), site.keys()];
    if let Backend::Sqlite(path) = backend {
        looked.push(path.clone());
    }
    looked.retain(|path| is_wide(path));
    looked
}

#[cfg(unix)]
fn is_wide(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_wide(_: &Path) -> bool {
    false
}
