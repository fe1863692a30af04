//! Finding the row again whose value could not be read, so that the error names table, column and id. It runs only
//! where something is wrong already.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Text;

use super::{AnyConnection, Failure, StoreError};
use crate::on_each;

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    name: String,
}

/// The failure with the place of the value that could not be read.
pub(super) fn placed(conn: &mut AnyConnection, failure: Failure) -> Failure {
    match failure {
        Failure::Store(StoreError::Unreadable { value, place }) => {
            let column = column_of(&place);
            let place = find(conn, &column, &value.text).unwrap_or(column);
            tracing::error!(%value, place, "a stored value cannot be read");
            StoreError::Unreadable { value, place }.into()
        }
        other => other,
    }
}

/// The column that diesel names in its message (`… field 'due' …`).
fn column_of(message: &str) -> String {
    message.split('\'').nth(1).unwrap_or(message).to_owned()
}

fn find(conn: &mut AnyConnection, column: &str, text: &str) -> Option<String> {
    for table in tables(conn, column) {
        // Both names are the database's own.
        let bind = match conn {
            AnyConnection::Sqlite(_) => "?",
            AnyConnection::Postgres(_) => "$1",
        };
        let query = format!(
            "SELECT CAST(id AS TEXT) AS name FROM \"{table}\" WHERE CAST(\"{column}\" AS TEXT) = {bind} LIMIT 1"
        );
        let found: Result<Vec<Named>, _> = on_each!(conn, c => sql_query(query.as_str()).bind::<Text, _>(text).load(c));
        if let Some(row) = found.ok().and_then(|rows| rows.into_iter().next()) {
            return Some(format!("{table}.{column}, id {}", row.name));
        }
    }
    None
}

/// The tables that have the column, and an id.
fn tables(conn: &mut AnyConnection, column: &str) -> Vec<String> {
    let query = match conn {
        AnyConnection::Sqlite(_) => {
            "SELECT m.name AS name FROM sqlite_master m WHERE m.type = 'table' \
             AND EXISTS (SELECT 1 FROM pragma_table_info(m.name) c WHERE c.name = ?) \
             AND EXISTS (SELECT 1 FROM pragma_table_info(m.name) c WHERE c.name = 'id') ORDER BY m.name"
        }
        AnyConnection::Postgres(_) => {
            "SELECT CAST(c.table_name AS TEXT) AS name FROM information_schema.columns c \
             WHERE c.table_schema = current_schema() AND c.column_name = $1 AND EXISTS \
             (SELECT 1 FROM information_schema.columns i WHERE i.table_schema = c.table_schema \
             AND i.table_name = c.table_name AND i.column_name = 'id') ORDER BY c.table_name"
        }
    };
    let found: Result<Vec<Named>, _> = on_each!(conn, c => sql_query(query).bind::<Text, _>(column).load(c));
    found.map(|rows| rows.into_iter().map(|row| row.name).collect()).unwrap_or_default()
}
