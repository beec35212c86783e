//! `runstone debug`: looks inside, for whoever works on Runstone.
use runstone_db::Dialect;
use runstone_model::problem::nearest;
use runstone_store::SqlStore;

use crate::{
    args::{DebugSqlArgs, DialectName},
    exit::Exit,
    print,
    trouble::Trouble,
};

/// Prints one statement as a kind of database gets it.
pub(super) fn sql(args: &DebugSqlArgs) -> anyhow::Result<Exit> {
    let dialect = match args.dialect {
        DialectName::Sqlite => Dialect::Sqlite,
        DialectName::Postgres => Dialect::Postgres,
        DialectName::Mysql => Dialect::Mysql,
        DialectName::Mssql => Dialect::Mssql,
    };
    let Some(statement) = SqlStore::rendered(&args.name, dialect) else {
        let mend = match nearest(&args.name, SqlStore::statement_names()) {
            Some(name) => format!("did you mean `{name}`?"),
            None => {
                let names: Vec<&str> = SqlStore::statement_names().collect();
                format!("one of: {}", names.join(", "))
            }
        };
        let reason = "there is no statement of that name";
        return Err(Trouble::at(args.name.clone(), reason).mend(mend).into());
    };
    print::out(&format!("{}\n", statement.sql().trim_end()))?;
    Ok(Exit::Ok)
}
