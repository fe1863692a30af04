//! Which rows a transaction wrote, with what they hold now, so that its event can carry their hashes.
//!
//! Triggers copy every row that is written into a table of the writing connection: a temporary one, so that whoever
//! changes the database with another program leaves no trace in it, and no event can take such a change for its own.
//! On SQLite the triggers are temporary too and made with the connection: they keep which rows were written, and a view
//! says what each of them holds once it is asked for, so that a row that is written three times is read once. On
//! PostgreSQL they are made once, after the migrations. What a row holds is said as the database writes it in JSON, without the columns that are null: a column
//! that comes later with nothing in it changes no hash.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::{AnyConnection, Outcome, StoreError};

/// A table whose rows are compared with the trail.
#[derive(Clone, Copy, Debug)]
pub struct SealedTable {
    /// Its name.
    pub name: &'static str,
    /// The columns of its key.
    pub key: &'static [&'static str],
    /// Columns that change without an event, because nothing rests on them.
    pub passing: &'static [&'static str],
}

const fn by_id(name: &'static str) -> SealedTable {
    SealedTable { name, key: &["id"], passing: &[] }
}

const fn keyed(name: &'static str, key: &'static [&'static str]) -> SealedTable {
    SealedTable { name, key, passing: &[] }
}

/// Every table whose rows an event speaks of.
pub const SEALED: &[SealedTable] = &[
    by_id("institute"),
    by_id("applicant"),
    // Failures are counted and a lock ends by itself.
    SealedTable { name: "account", key: &["id"], passing: &["failed_logins", "locked_until"] },
    keyed("account_role", &["account_id", "role"]),
    // The last step that was used moves with every log-in.
    SealedTable { name: "second_factor", key: &["account_id"], passing: &["last_step"] },
    keyed("recovery_code", &["account_id", "code_sha256"]),
    by_id("signature"),
    by_id("signatory_field"),
    by_id("signatory_field_end"),
    by_id("product"),
    keyed("product_trait", &["product_id", "trait_name"]),
    by_id("specification"),
    by_id("test_item"),
    by_id("authorisation"),
    by_id("application"),
    keyed("application_clock", &["application_id", "name"]),
    by_id("batch"),
    by_id("sample"),
    by_id("container"),
    keyed("custody_balance", &["sample_id", "place"]),
    by_id("custody_entry"),
    by_id("label_print"),
    by_id("reversal"),
    by_id("keeping_request"),
    by_id("keeping_step"),
    by_id("handover"),
    by_id("instrument_file"),
    by_id("demonstration"),
    by_id("instrument"),
    by_id("calibration"),
    keyed("companion_file", &["instrument_file_id", "name"]),
    by_id("dead_letter"),
    by_id("run_list"),
    keyed("run_list_row", &["run_list_id", "position"]),
    by_id("observation"),
    by_id("test_task"),
    by_id("reading"),
    by_id("result"),
    by_id("result_correction"),
    keyed("certificate_correction", &["certificate_id", "result_correction_id"]),
    by_id("record_correction"),
    keyed("record_correction_decision", &["correction_id"]),
    keyed("corrected_certificate", &["certificate_id", "correction_id"]),
    by_id("out_of_limit_decision"),
    by_id("investigation_step"),
    by_id("import_check"),
    by_id("certificate"),
    by_id("protocol_review"),
    by_id("reference_standard"),
    by_id("evaluation"),
    keyed("evaluation_file", &["evaluation_id", "instrument_file_id"]),
    keyed("evaluation_standard", &["evaluation_id", "reference_standard_id"]),
    by_id("evaluation_result"),
    by_id("owner_proposal"),
];

/// Tables whose rows no event speaks of, and why.
pub const EXEMPT: &[(&str, &str)] = &[
    ("audit_entry", "sealed itself"),
    ("audit_rows", "its hash is in the sealed entry"),
    ("audit_seal", "signed and chained itself"),
    ("audit_end", "compared with the entries themselves"),
    ("seal_anchor", "says what others saw of a seal: a token is signed by its authority and compared with the seal"),
    ("session", "ends by itself; opening and closing are events"),
    ("idempotency_key", "answers that are kept for a while, to be given again"),
    ("lot_key", "made of the lot number of the sealed row of its batch, to look it up by"),
    ("number_series", "every number that was given is on a sealed row, and the series moves by one"),
    ("health_probe", "a counter that nobody reads"),
    ("pending_file", "bytes on their way to the files, under their own hash"),
    ("instrument_way", "how the connection to an instrument does at the moment"),
    ("instrument_folder_entry", "what a watched folder held when it was last looked at"),
];

diesel::table! {
    /// The copy of what was written, on the writing connection alone.
    touched_row (ordinal) {
        ordinal -> BigInt,
        table_name -> Text,
        row_key -> Text,
        content -> Nullable<Text>,
    }
}

diesel::table! {
    /// On SQLite: which rows were written.
    touched_key (table_name, row_key) {
        table_name -> Text,
        row_key -> Text,
        row_id -> Nullable<BigInt>,
    }
}

/// Between the parts of a key of several columns.
const PART: &str = "\u{1f}";

/// A row that a transaction wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TouchedRow {
    /// Its table.
    pub table: String,
    /// Its key.
    pub key: String,
    /// What it holds; none where it was removed.
    pub content: Option<String>,
}

#[derive(QueryableByName)]
struct ColumnName {
    #[diesel(sql_type = Text)]
    name: String,
}

impl SealedTable {
    /// The columns that are sealed, in the order of their names.
    fn sqlite_columns(&self, raw: &mut SqliteConnection) -> Result<Vec<String>, StoreError> {
        let query = diesel::sql_query("SELECT name FROM pragma_table_info(?) ORDER BY name").bind::<Text, _>(self.name);
        let all: Vec<ColumnName> = query.load(raw)?;
        let sealed = all.into_iter().map(|column| column.name);
        Ok(sealed.filter(|name| !self.passing.contains(&name.as_str())).collect())
    }

    /// The key of a row, as an expression of SQL.
    fn key_of(&self, row: &str, part: &str) -> String {
        let parts: Vec<String> = self.key.iter().map(|column| format!("CAST({row}{column} AS TEXT)")).collect();
        parts.join(&format!(" || {part} || "))
    }

    fn sqlite_key(&self, row: &str) -> String {
        self.key_of(row, "char(31)")
    }

    fn postgres_key(&self, row: &str) -> String {
        self.key_of(row, "chr(31)")
    }

    fn sqlite_content(columns: &[String], row: &str) -> String {
        let fields: Vec<String> = columns.iter().map(|name| format!("'{name}', {row}{name}")).collect();
        format!("json_object({})", fields.join(", "))
    }

    /// A row of another statement, by the place that the database has it in.
    fn sqlite_row(&self, columns: &[String]) -> String {
        let content = Self::sqlite_content(columns, "");
        format!("WHEN '{table}' THEN (SELECT {content} FROM main.{table} WHERE rowid = row_id)\n", table = self.name)
    }

    fn sqlite_triggers(&self, columns: &[String]) -> String {
        let (table, watched) = (self.name, columns.join(", "));
        let (key, old) = (self.sqlite_key("NEW."), self.sqlite_key("OLD."));
        let keep = |key: &str, row: &str| {
            format!("BEGIN INSERT OR REPLACE INTO touched_key VALUES ('{table}', {key}, {row}); END;")
        };
        format!(
            "CREATE TEMP TRIGGER touched_{table}_insert AFTER INSERT ON main.{table} {added}\n\
             CREATE TEMP TRIGGER touched_{table}_update AFTER UPDATE OF {watched} ON main.{table} {added}\n\
             CREATE TEMP TRIGGER touched_{table}_delete AFTER DELETE ON main.{table} {removed}\n",
            added = keep(&key, "NEW.rowid"),
            removed = keep(&old, "NULL"),
        )
    }

    fn postgres_content(&self, row: &str) -> String {
        let passing: Vec<String> = self.passing.iter().map(|column| format!(" - '{column}'")).collect();
        format!("jsonb_strip_nulls(to_jsonb({row}){})::text", passing.join(""))
    }

    fn postgres_triggers(&self) -> String {
        let table = self.name;
        let keep = |row: &str, content: &str| {
            let key = self.postgres_key(&format!("{row}."));
            format!(
                "INSERT INTO pg_temp.touched_row (table_name, row_key, content) VALUES ('{table}', {key}, {content});"
            )
        };
        let (added, removed) = (keep("NEW", &self.postgres_content("NEW")), keep("OLD", "NULL"));
        format!(
            "CREATE OR REPLACE FUNCTION touched_{table}() RETURNS trigger LANGUAGE plpgsql AS $$\n\
             BEGIN\n\
             -- Another program than this one has no such table, and its change no event.\n\
             IF to_regclass('pg_temp.touched_row') IS NULL THEN RETURN NULL; END IF;\n\
             IF TG_OP = 'DELETE' THEN {removed} ELSE {added} END IF;\n\
             RETURN NULL;\n\
             END $$;\n\
             CREATE TRIGGER touched_{table} AFTER INSERT OR UPDATE OR DELETE ON {table} \
             FOR EACH ROW EXECUTE FUNCTION touched_{table}();\n"
        )
    }
}

/// Makes the triggers that a PostgreSQL lacks; SQLite has them on the writing connection.
pub(super) fn install(raw: &mut PgConnection) -> Result<(), StoreError> {
    let have: Vec<ColumnName> =
        diesel::sql_query("SELECT tgname::text AS name FROM pg_trigger WHERE tgname LIKE 'touched\\_%'").load(raw)?;
    let missing = SEALED.iter().filter(|table| !have.iter().any(|had| had.name == format!("touched_{}", table.name)));
    let text: String = missing.map(SealedTable::postgres_triggers).collect();
    if text.is_empty() {
        return Ok(());
    }
    raw.batch_execute(&text).map_err(StoreError::from)
}

/// Lets a connection that writes keep what it wrote.
pub(super) fn watch(conn: &mut AnyConnection) -> Result<(), StoreError> {
    match conn {
        AnyConnection::Sqlite(raw) => {
            let mut text = "PRAGMA temp_store = MEMORY;\n\
                            CREATE TEMP TABLE touched_key (table_name TEXT NOT NULL, row_key TEXT NOT NULL, \
                            row_id INTEGER, PRIMARY KEY (table_name, row_key)) WITHOUT ROWID;\n"
                .to_owned();
            let mut rows = String::new();
            for table in SEALED {
                let columns = table.sqlite_columns(raw)?;
                text.push_str(&table.sqlite_triggers(&columns));
                rows.push_str(&table.sqlite_row(&columns));
            }
            text.push_str(&format!(
                "CREATE TEMP VIEW touched_row AS SELECT 0 AS ordinal, table_name, row_key, CASE table_name {rows} END \
                 AS content FROM touched_key;\n"
            ));
            raw.batch_execute(&text)?;
        }
        AnyConnection::Postgres(raw) => raw.batch_execute(
            "CREATE TEMP TABLE touched_row (ordinal BIGINT GENERATED ALWAYS AS IDENTITY, table_name TEXT NOT NULL, \
             row_key TEXT NOT NULL, content TEXT) ON COMMIT DELETE ROWS",
        )?,
    }
    Ok(())
}

/// The rows that the transaction wrote since the last call, each once, with what they hold now.
///
/// # Errors
/// The store's failure.
pub fn take(conn: &mut AnyConnection) -> Outcome<Vec<TouchedRow>> {
    let kept: Vec<(String, String, Option<String>)> = touched_row::table
        .order(touched_row::ordinal)
        .select((touched_row::table_name, touched_row::row_key, touched_row::content))
        .load(conn)?;
    if kept.is_empty() {
        return Ok(Vec::new());
    }
    match conn {
        AnyConnection::Sqlite(raw) => diesel::delete(touched_key::table).execute(raw)?,
        AnyConnection::Postgres(raw) => diesel::delete(touched_row::table).execute(raw)?,
    };
    let mut last = std::collections::BTreeMap::new();
    for (table, key, content) in kept {
        last.insert((table, key), content.map(without_nulls));
    }
    Ok(last.into_iter().map(|((table, key), content)| TouchedRow { table, key, content }).collect())
}

/// The table of a row that was written and that no event took, if there is one.
///
/// # Errors
/// The store's failure.
pub(super) fn left(conn: &mut AnyConnection) -> Outcome<Option<String>> {
    // Both databases run the same actions; only the one in the process is asked after each.
    let AnyConnection::Sqlite(_) = conn else { return Ok(None) };
    Ok(touched_row::table.select(touched_row::table_name).first(conn).optional()?)
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    row_key: String,
    #[diesel(sql_type = Text)]
    content: String,
}

/// Hands every row of a table to `look`, one after the other.
///
/// # Errors
/// The store's failure.
pub fn each_row(conn: &mut AnyConnection, table: &SealedTable, mut look: impl FnMut(&str, &str)) -> Outcome<()> {
    match conn {
        AnyConnection::Sqlite(raw) => {
            let columns = table.sqlite_columns(raw)?;
            let (key, content) = (table.sqlite_key(""), SealedTable::sqlite_content(&columns, ""));
            let query = format!("SELECT {key} AS row_key, {content} AS content FROM {}", table.name);
            let rows = diesel::sql_query(query).load_iter::<Row, diesel::connection::DefaultLoadingMode>(raw)?;
            for row in rows {
                let row = row?;
                look(&row.row_key, &without_nulls(row.content));
            }
        }
        AnyConnection::Postgres(raw) => {
            let (key, content) = (table.postgres_key("t."), table.postgres_content("t"));
            let query = format!("SELECT {key} AS row_key, {content} AS content FROM {} AS t", table.name);
            let rows = diesel::sql_query(query).load_iter::<Row, diesel::pg::PgRowByRowLoadingMode>(raw)?;
            for row in rows {
                let row = row?;
                look(&row.row_key, &row.content);
            }
        }
    }
    Ok(())
}

/// What a row holds without the columns that are null. The database writes an object of plain values without blanks, and
/// marks every quote within a text: a quote without a mark before it begins or ends a name or a text.
fn without_nulls(content: String) -> String {
    if !content.contains("\":null") {
        return content;
    }
    let mut kept = String::with_capacity(content.len());
    let mut rest = content.as_str();
    while let Some(at) = rest.find("\":null") {
        let (before, after) = (&rest[..at], &rest[at + "\":null".len()..]);
        let ends = after.starts_with([',', '}']);
        // The name begins after the quote before; a quote that belongs to a text has a mark.
        let name = |begin: &usize| match before[..*begin].is_empty() {
            true => kept.ends_with([',', '{']),
            false => before[..*begin].ends_with([',', '{']),
        };
        match before.rfind('"').filter(|_| ends).filter(name) {
            Some(begin) => {
                kept.push_str(&before[..begin]);
                rest = match after.strip_prefix(',') {
                    Some(more) => more,
                    None => {
                        if kept.ends_with(',') {
                            kept.pop();
                        }
                        after
                    }
                };
            }
            None => {
                kept.push_str(&rest[..at + 1]);
                rest = &rest[at + 1..];
            }
        }
    }
    kept.push_str(rest);
    kept
}

/// The parts of a key, for people.
#[must_use]
pub fn shown_key(key: &str) -> String {
    key.replace(PART, " · ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(QueryableByName)]
    struct Said {
        #[diesel(sql_type = Text)]
        plain: String,
        #[diesel(sql_type = Text)]
        patched: String,
    }

    fn said(texts: &[Option<String>; 3]) -> Said {
        let mut raw = SqliteConnection::establish(":memory:").expect("a database");
        let object = "json_object('a', ?1, 'b', ?2, 'c', ?3, 'n', 5)";
        let query = format!("SELECT {object} AS plain, json_patch('{{}}', {object}) AS patched");
        diesel::sql_query(query)
            .bind::<diesel::sql_types::Nullable<Text>, _>(&texts[0])
            .bind::<diesel::sql_types::Nullable<Text>, _>(&texts[1])
            .bind::<diesel::sql_types::Nullable<Text>, _>(&texts[2])
            .get_result(&mut raw)
            .expect("JSON")
    }

    #[test]
    fn what_looks_like_a_column_without_a_value_stays_in_a_text() {
        let text = |text: &str| Some(text.to_owned());
        for texts in [
            [None, None, None],
            [text(",\"b\":null,"), None, text("{\"c\":null}")],
            [None, text("\":null"), None],
            [text("\\"), None, text("x\\\",\"n\":null")],
        ] {
            let Said { plain, patched } = said(&texts);
            assert_eq!(without_nulls(plain), patched, "{texts:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// Hashes that were written with the database's own patch stay what they are.
        #[test]
        fn a_row_is_said_as_the_database_patches_it(
            texts in prop::array::uniform3(prop::option::of(r#"[a-c,:{}\\"null\x01-\x1f批号 ]{0,24}"#)),
        ) {
            let Said { plain, patched } = said(&texts);
            prop_assert_eq!(without_nulls(plain), patched);
        }
    }
}
