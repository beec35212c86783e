//! Tells SQL Server from what only stands in for it, so that a test which the stand-in cannot pass
//! says so aloud, for it alone.

use runstone_db::{Database, Dialect, Statement};

/// Whether the server only stands in for SQL Server, by what it says of its version. Says aloud what
/// is `not_shown` there.
///
/// # Panics
/// The server does not answer.
pub async fn stands_in(db: &Database, not_shown: &str) -> bool {
    if db.dialect() != Dialect::Mssql {
        return false;
    }
    let asked = "SELECT CAST(SERVERPROPERTY('BabelfishVersion') AS NVARCHAR(128)) AS stand_in";
    let found = match Statement::render("testkit.stand_in", asked, Dialect::Mssql) {
        Ok(statement) => db.fetch_all(&statement, &[]).await,
        Err(error) => panic!("{error}"),
    };
    let rows = found.unwrap_or_else(|error| panic!("which server is it: {error}"));
    let version = rows
        .first()
        .map(|row| row.get::<Option<String>>("stand_in"));
    let Some(Ok(Some(version))) = version else {
        return false;
    };
    eprintln!("STAND-IN {version} for SQL Server: {not_shown}");
    true
}
