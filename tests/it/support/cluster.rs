//! The PostgreSQL cluster of a test run. The binary starts one itself, so that no plain `cargo test` is green without
//! PostgreSQL; nothing of it outlives the binary, however that ends.

use std::fs::Permissions;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use diesel::prelude::*;

/// The URL of the cluster, as `postgres://USER@HOST:PORT/DATABASE`: the one that `QIANFA_TEST_POSTGRES` names, or
/// else a private one, started at the first use.
///
/// # Panics
/// Where there is no PostgreSQL: a test of both databases fails then, and says what to install.
pub fn cluster() -> &'static str {
    static NAMED: OnceLock<Option<String>> = OnceLock::new();
    static PRIVATE: OnceLock<Private> = OnceLock::new();
    let named = NAMED.get_or_init(|| std::env::var("QIANFA_TEST_POSTGRES").ok().filter(|url| !url.is_empty()));
    named.as_deref().unwrap_or_else(|| &PRIVATE.get_or_init(|| Private::start(None)).url)
}

/// A cluster of this process alone, kept by `scripts/postgres.sh` beside a command that waits for the end of its
/// standard input. Only this process holds the other end of that pipe, and the system closes it with the process,
/// after a panic or a `kill -9` too: then the script stops the server and removes its folder.
struct Private {
    url: String,
    /// The script, with the pipe.
    script: Child,
}

impl Private {
    /// In that folder, or where the script puts it.
    fn start(folder: Option<&Path>) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/postgres.sh");
        let mut script = Command::new("sh")
            .arg(script)
            .envs(folder.map(|folder| ("QIANFA_TEST_FOLDER", folder)))
            .args(["sh", "-c", r#"printf '%s\n' "${QIANFA_TEST_POSTGRES:-}" && exec cat >/dev/null"#])
            .env_remove("QIANFA_TEST_POSTGRES")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Whoever kills the tests' process group leaves the script alive to clear up.
            .process_group(0)
            .spawn()
            .expect("sh");
        let mut url = String::new();
        BufReader::new(script.stdout.take().expect("its output")).read_line(&mut url).expect("a line");
        assert!(!url.is_empty(), "PostgreSQL did not start: scripts/postgres.sh says why, above");
        let url = url.trim_end().to_owned();
        assert!(
            !url.is_empty(),
            "PostgreSQL is missing, and what is stored is tested on SQLite and on PostgreSQL: install its server \
             (Debian: apt-get install postgresql, or ./test.sh, which does it), or name a cluster in \
             QIANFA_TEST_POSTGRES=postgres://USER@HOST:PORT/DATABASE"
        );
        Self { url, script }
    }
}

/// Waits for what takes a server a moment.
fn soon(what: &str, mut there: impl FnMut() -> bool) {
    for _ in 0..200 {
        if there() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{what} did not come to pass within 10 s");
}

#[test]
fn nothing_of_a_private_cluster_outlives_its_owner() {
    let folder = tempfile::tempdir().expect("a folder");
    // The server runs as another user where the tests run as root.
    std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("open to all");
    let left = || std::fs::read_dir(folder.path()).expect("a folder").count();
    let there = |private: &Private| PgConnection::establish(&private.url).is_ok();

    // The end of the pipe is what the end of the process is to the script.
    let mut owned = Private::start(Some(folder.path()));
    assert!(there(&owned) && left() == 1);
    drop(owned.script.stdin.take());
    assert!(owned.script.wait().expect("an end").success());
    assert!(!there(&owned) && left() == 0, "server or folder are still there");

    // Linux ends the server of a script that was killed; elsewhere nothing does.
    if cfg!(target_os = "linux") {
        let mut killed = Private::start(Some(folder.path()));
        assert!(there(&killed));
        killed.script.kill().expect("a kill");
        killed.script.wait().expect("an end");
        let main = std::fs::read_dir(folder.path()).expect("a folder").next().expect("its folder").expect("an entry");
        let main = main.path().join("data/postmaster.pid");
        soon("the end of the server", || !main.exists() && !there(&killed));
    }
}
