//! What a way down deletes: read off the migrations' own statements, so that none is forgotten.
//! Changes nothing.
use runstone_db::{Database, Error, PlannedMigration, Statement};

/// Tables and columns that say nothing that does not come back by itself.
const IDLE: [&str; 4] = [
    "servers",
    "blobs.touched_at",
    "projects.updated_at",
    "projects.version",
];

/// The tables and columns that `plan` takes away, with how many rows lose something by it; without
/// those where none does.
pub(crate) async fn lost_by(
    db: &Database,
    plan: &[PlannedMigration],
) -> Result<Vec<(String, u64)>, Error> {
    let open = plan.iter().flat_map(|one| &one.statements[one.done..]);
    let taken = open.filter_map(|statement| taken(statement.sql));
    let mut lost = Vec::new();
    for (name, count) in taken.filter(|(name, _)| !IDLE.contains(&name.as_str())) {
        let count = Statement::render("migrations.lost", &count, db.dialect())
            .map_err(|error| Error::other(error.to_string()))?;
        let row = db.fetch_optional(&count, &[]).await?;
        let rows: u64 = row.map_or(Ok(0), |row| row.get("found"))?;
        if rows > 0 {
            lost.push((name, rows));
        }
    }
    Ok(lost)
}

/// What a statement takes away, and the statement that counts whom it concerns.
fn taken(sql: &str) -> Option<(String, String)> {
    let lines = sql
        .lines()
        .filter(|line| !line.trim_start().starts_with("--"));
    let lines: Vec<&str> = lines.collect();
    let words: Vec<&str> = lines
        .iter()
        .flat_map(|line| line.split_whitespace())
        .collect();
    let rows = |table: &str, filter: &str| format!("SELECT COUNT(*) AS found FROM {table}{filter}");
    match words.as_slice() {
        // Every empty database has the default project.
        ["DROP", "TABLE", "projects"] => {
            let filter = " WHERE name <> 'default'";
            Some(("projects".to_owned(), rows("projects", filter)))
        }
        ["DROP", "TABLE", table] => Some(((*table).to_owned(), rows(table, ""))),
        ["ALTER", "TABLE", table, "DROP", "COLUMN", column] => {
            let filter = format!(" WHERE {column} IS NOT NULL");
            Some((format!("{table}.{column}"), rows(table, &filter)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Migrations;
    use runstone_db::Dialect;

    #[test]
    fn every_statement_of_a_way_down_is_understood() {
        for dialect in Dialect::ALL {
            for migration in Migrations::known(dialect) {
                let lines = migration.down.lines();
                let lines = lines.filter(|line| !line.starts_with("--"));
                let lines: Vec<&str> = lines.collect();
                for sql in lines.join("\n").split(';') {
                    let text = sql.to_ascii_uppercase();
                    if text.contains("DROP TABLE") || text.contains("DROP COLUMN") {
                        assert!(taken(sql).is_some(), "{}: {sql}", migration.name);
                    }
                }
            }
        }
    }
}
