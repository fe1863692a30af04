//! Where watched folders lie: below `folders.instruments`, in a folder for each institute that is named by its code. It is
//! asked when a folder is registered and again at every look, since a folder may have become a link meanwhile.

use std::path::{Component, Path, PathBuf};

use crate::action::Site;

/// Why a folder is not watched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unwatchable {
    /// The configuration names no folder below which they lie.
    #[error("no folder is watched without folders.instruments in the configuration")]
    NoRoot,
    /// The institute's code cannot name a folder.
    #[error("the institute's code {0:?} cannot name a folder")]
    Code(String),
    /// It lies elsewhere, or leads there.
    #[error("must lie in {}, the institute's folder below folders.instruments; links that lead out of it count by where they lead", .0.display())]
    Outside(PathBuf),
    /// It holds the data folder, or lies in it.
    #[error("the folder must lie apart from the data folder of the system")]
    Data,
    /// It is not there, or the system does not let us look.
    #[error("{0}")]
    Unreached(String),
}

impl Unwatchable {
    /// The same in Chinese.
    #[must_use]
    pub fn zh(&self) -> String {
        match self {
            Self::NoRoot => "未配置 folders.instruments，不监视任何文件夹".into(),
            Self::Code(code) => format!("机构代码 {code} 不能用作文件夹名"),
            Self::Outside(shelf) => format!(
                "须位于 {} 之内（配置 folders.instruments 下的本机构文件夹）；链接按其所指位置判断",
                shelf.display()
            ),
            Self::Data => "不得与系统数据文件夹重叠".into(),
            Self::Unreached(why) => why.clone(),
        }
    }
}

/// The institute's folder below the configured one, as configured.
fn shelf(root: Option<&Path>, institute: &str) -> Result<(PathBuf, PathBuf), Unwatchable> {
    let root = root.ok_or(Unwatchable::NoRoot)?;
    let mut parts = Path::new(institute).components();
    let plain = matches!((parts.next(), parts.next()), (Some(Component::Normal(one)), None) if one == institute);
    if !plain {
        return Err(Unwatchable::Code(institute.to_owned()));
    }
    let root = std::path::absolute(root).map_err(unreached(root))?;
    Ok((root.join(institute), root))
}

fn unreached(path: &Path) -> impl Fn(std::io::Error) -> Unwatchable {
    move |error| Unwatchable::Unreached(format!("{}: {error}", path.display()))
}

/// Whether a folder that is not there yet may be watched once it is: by its name, and by where it leads so far.
fn by_name(root: Option<&Path>, institute: &str, folder: &Path) -> Result<(), Unwatchable> {
    let (shelf, _) = shelf(root, institute)?;
    if !folder.starts_with(&shelf) {
        return Err(Unwatchable::Outside(shelf));
    }
    let real = shelf.canonicalize().unwrap_or_else(|_| shelf.clone());
    // What is there of it may lead elsewhere; what lies above the institute's folder is the machine's own matter.
    let mut within = folder.ancestors().take_while(|path| path.starts_with(&shelf));
    match within.find_map(|path| path.canonicalize().ok()) {
        Some(there) if !there.starts_with(&real) => Err(Unwatchable::Outside(shelf)),
        _ => Ok(()),
    }
}

fn real(root: Option<&Path>, data: &Path, institute: &str, folder: &Path) -> Result<PathBuf, Unwatchable> {
    let (shelf, root) = shelf(root, institute)?;
    // The configured folder may be a link, since the administrator of the machine said so; nothing below it may lead
    // out of the institute's own.
    let within = root.canonicalize().map_err(unreached(&root))?.join(institute);
    let real = folder.canonicalize().map_err(unreached(folder))?;
    if !real.starts_with(&within) {
        return Err(Unwatchable::Outside(shelf));
    }
    let data = data.canonicalize().map_err(unreached(data))?;
    if real.starts_with(&data) || data.starts_with(&real) {
        return Err(Unwatchable::Data);
    }
    Ok(real)
}

/// Where a folder that may be watched really lies.
///
/// # Errors
/// [`Unwatchable`].
pub fn watchable(site: &Site, institute: &str, folder: &Path) -> Result<PathBuf, Unwatchable> {
    real(site.watched.as_deref(), &site.data, institute, folder)
}

/// Whether a folder may be named in the register: it may be watched, or could be if it were there.
pub(super) fn nameable(site: &Site, institute: &str, folder: &Path) -> Result<(), Unwatchable> {
    match watchable(site, institute, folder) {
        Err(Unwatchable::Unreached(_)) => by_name(site.watched.as_deref(), institute, folder),
        told => told.map(|_| ()),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::create_dir_all;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn only_what_lies_in_the_institutes_own_folder_is_watched() {
        let dir = tempfile::tempdir().unwrap();
        let (root, data) = (dir.path().join("instruments"), dir.path().join("data"));
        for path in ["instruments/SX/lc", "instruments/SH/lc", "data/keys", "elsewhere"] {
            create_dir_all(dir.path().join(path)).unwrap();
        }
        let told = |folder: &Path| real(Some(&root), &data, "SX", folder);
        assert_eq!(told(&root.join("SX/lc")), root.join("SX/lc").canonicalize().map_err(|_| Unwatchable::NoRoot));
        assert_eq!(told(&root.join("SX/link")).map_err(|why| matches!(why, Unwatchable::Unreached(_))), Err(true));
        let outside = Err(Unwatchable::Outside(root.join("SX")));
        for other in ["instruments/SH/lc", "instruments", "data/keys", "elsewhere", "instruments/SX/../SH/lc"] {
            assert_eq!(told(&dir.path().join(other)), outside, "{other}");
        }
        // A link counts by where it leads, wherever on the way it is.
        symlink(dir.path().join("elsewhere"), root.join("SX/link")).unwrap();
        assert_eq!(told(&root.join("SX/link")), outside);
        symlink(root.join("SX/lc"), root.join("SX/near")).unwrap();
        assert!(told(&root.join("SX/near")).is_ok());
        symlink(dir.path().join("data"), root.join("SY")).unwrap();
        let of_link = real(Some(&root), &data, "SY", &root.join("SY/keys"));
        assert_eq!(of_link, Err(Unwatchable::Outside(root.join("SY"))));
        assert_eq!(real(None, &data, "SX", &root.join("SX/lc")), Err(Unwatchable::NoRoot));
        // A data folder below the configured one is the system's all the same.
        let wide = real(Some(dir.path()), &data, "data", &data.join("keys"));
        assert_eq!(wide, Err(Unwatchable::Data));
    }

    #[test]
    fn a_code_that_leads_elsewhere_names_no_folder() {
        let root = Path::new("/srv/instruments");
        for code in ["..", ".", "", "a/b", "/etc", "SX/"] {
            assert_eq!(shelf(Some(root), code), Err(Unwatchable::Code(code.to_owned())), "{code:?}");
        }
        assert!(shelf(Some(root), "晋药检 1").is_ok());
    }

    #[test]
    fn a_folder_that_is_not_there_yet_is_named_by_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap().join("instruments");
        create_dir_all(root.join("SX")).unwrap();
        assert_eq!(by_name(Some(&root), "SX", &root.join("SX/later/lc")), Ok(()));
        assert_eq!(by_name(Some(&root), "SY", &root.join("SY/later")), Ok(()));
        assert!(by_name(Some(&root), "SX", &root.join("SY/later")).is_err());
        symlink(dir.path(), root.join("SX/out")).unwrap();
        assert!(by_name(Some(&root), "SX", &root.join("SX/out/later")).is_err());
    }
}
