//! The shop's schema in each dialect: the same tables, in each database's own types.
use runstone_db::{Dialect, Migration};

macro_rules! shop {
    ($dialect:literal) => {
        Migration {
            version: 1,
            name: "shop",
            up: include_str!(concat!("../migrations/", $dialect, "/0001_shop.up.sql")),
            down: include_str!(concat!("../migrations/", $dialect, "/0001_shop.down.sql")),
        }
    };
}

pub(crate) fn migrations(dialect: Dialect) -> Vec<Migration> {
    vec![match dialect {
        Dialect::Sqlite => shop!("sqlite"),
        Dialect::Postgres => shop!("postgres"),
        Dialect::Mysql => shop!("mysql"),
        Dialect::Mssql => shop!("mssql"),
    }]
}
