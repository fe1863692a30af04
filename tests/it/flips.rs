//! Bits of what an installation keeps are flipped, one at a time and anywhere: each is found, or changes nothing that the
//! record rests on. `scripts/nightly.sh` does it ten thousand times.

use std::path::{Path, PathBuf};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel::sqlite::SqliteConnection;
use qianfa::record::{Memory, PublicKeys, Witness, verify};
use qianfa::store::blobs::Blobs;
use qianfa::store::touched::SEALED;
use qianfa::store::{DbConn, DbSettings};

use crate::forms::every_form;
use crate::support::{Dice, On, TestApp, rounds, walked};

/// An installation at rest: one file of the database, the stored files and the keys.
struct AtRest {
    folder: PathBuf,
    /// What every row that an entry speaks of holds, and every entry and seal.
    content: Vec<String>,
    /// The columns of each table of it.
    columns: Vec<(String, String)>,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

fn lines(conn: &mut SqliteConnection, query: &str) -> QueryResult<Vec<String>> {
    let found: Vec<Line> = diesel::sql_query(query).load(conn)?;
    Ok(found.into_iter().map(|found| found.line).collect())
}

impl AtRest {
    fn of(app: &TestApp) -> Self {
        let (data, folder) = (app.ground.dir.path().join("data"), app.ground.dir.path().join("rest"));
        std::fs::create_dir_all(&folder).expect("a folder");
        for file in walked(&data).into_iter().filter(|file| !file.to_string_lossy().contains("qianfa.db")) {
            let to = folder.join(file.strip_prefix(&data).expect("below it"));
            std::fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
            std::fs::copy(&file, to).expect("copied");
        }
        let mut conn = SqliteConnection::establish(data.join("qianfa.db").to_str().expect("a path")).expect("opens");
        let database = folder.join("qianfa.db");
        conn.batch_execute(&format!("VACUUM INTO '{}'", database.display())).expect("written anew");
        let names = SEALED.iter().map(|table| table.name).chain(["audit_entry", "audit_rows", "audit_seal"]);
        let columns: Vec<(String, String)> = names
            .map(|name| {
                let query = format!("SELECT 'quote(\"' || name || '\")' AS line FROM pragma_table_info('{name}')");
                (name.to_owned(), lines(&mut conn, &query).expect("columns").join(" || ',' || "))
            })
            .collect();
        let mut rest = Self { folder, content: Vec::new(), columns };
        rest.content = rest.read().expect("what it holds");
        rest
    }

    fn database(&self) -> PathBuf {
        self.folder.join("qianfa.db")
    }

    /// What the tables hold, read from the tables themselves and not from an index.
    fn read(&self) -> Result<Vec<String>, String> {
        let path = self.database().display().to_string();
        let mut conn = SqliteConnection::establish(&path).map_err(|error| error.to_string())?;
        let mut content = Vec::new();
        for (table, columns) in &self.columns {
            let query = format!("SELECT {columns} AS line FROM {table} NOT INDEXED");
            content.extend(lines(&mut conn, &query).map_err(|error| error.to_string())?);
        }
        content.sort();
        Ok(content)
    }

    /// Whether the program finds everything in order.
    fn in_order(&self) -> Result<bool, String> {
        let mut settings = DbSettings::new(format!("sqlite://{}", self.database().display()));
        settings.readers = 1;
        let db = DbConn::open_read_only(&settings).map_err(|error| error.to_string())?;
        let keys = PublicKeys::open(&self.folder.join("keys"))?;
        let witness = Witness::read(&self.folder.join("keys"))?;
        let files = Blobs::open(self.folder.join("files")).map_err(|error| error.to_string())?;
        let report = verify(&db, &keys, Memory::Kept(witness.as_ref()), Some(&files));
        Ok(report.map_err(|error| error.to_string())?.intact)
    }
}

fn flip(path: &Path, at: usize, bit: usize) {
    let mut bytes = std::fs::read(path).expect("read");
    bytes[at] ^= 1 << bit;
    // A stored file is read-only.
    std::fs::remove_file(path).expect("removed");
    std::fs::write(path, bytes).expect("written");
}

#[test]
fn a_flipped_bit_is_found_or_changes_nothing() {
    let mut app = TestApp::start(On::Sqlite);
    every_form(&app);
    assert!(app.services.sealer.seal_all(Duration::from_secs(10)).expect("sealed"));
    app.stop();
    let rest = AtRest::of(&app);
    assert_eq!(rest.in_order(), Ok(true));
    let mut files = walked(&rest.folder.join("files"));
    files.retain(|file| file.file_name().is_some_and(|name| name.len() == 64));
    files.sort();
    assert!(files.len() > 2 && rest.content.len() > 500, "{} files, {} rows", files.len(), rest.content.len());
    let (mut dice, mut found, mut nothing, mut unseen) = (Dice(20_261_201), 0, 0, Vec::new());
    for round in 0..rounds("NIGHTLY_FLIPS", 160) {
        // Every fourth is in a stored file: an instrument's, or a signed document.
        let target = if round % 4 == 3 { files[dice.below(files.len())].clone() } else { rest.database() };
        let length = usize::try_from(target.metadata().expect("a file").len()).expect("a length");
        let (at, bit) = (dice.below(length), dice.below(8));
        flip(&target, at, bit);
        if rest.in_order() != Ok(true) {
            found += 1;
        } else if target == rest.database() && rest.read().as_ref() == Ok(&rest.content) {
            nothing += 1;
        } else {
            unseen.push(format!("bit {bit} of byte {at} of {}", target.display()));
        }
        flip(&target, at, bit);
    }
    assert_eq!(unseen, Vec::<String>::new());
    assert_eq!(rest.in_order(), Ok(true), "every bit was put back");
    println!("{found} found, {nothing} changed nothing");
    assert!(found > nothing, "{found} found, {nothing} changed nothing");
}
