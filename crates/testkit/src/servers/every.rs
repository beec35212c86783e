//! The macros that make one test a database out of one text. A test is compiled once and called
//! from a module named after each database, so that its path has the database's name as a word.

/// Defines tests that run on every database: `name::of::the::suite::mariadb::claim`.
///
/// The argument's type is a [`Fixture`](crate::servers::Fixture), taken by value or by reference;
/// tests are async or not, but all of one call are alike. One call a module.
///
/// ```ignore
/// on_every_database! {
///     async fn an_empty_store_has_no_runs(db: &TestDb) { … }
/// }
/// ```
#[macro_export]
macro_rules! on_every_database {
    ($($tests:tt)+) => {
        $crate::on_databases! {
            [
                sqlite Sqlite, postgres13 Postgres13, postgres Postgres, postgres18 Postgres18,
                mariadb Mariadb, mysql Mysql, mssql Mssql
            ]
            $($tests)+
        }
    };
}

/// The same without SQLite: what only servers can do.
#[macro_export]
macro_rules! on_every_server {
    ($($tests:tt)+) => {
        $crate::on_databases! {
            [
                postgres13 Postgres13, postgres Postgres, postgres18 Postgres18,
                mariadb Mariadb, mysql Mysql, mssql Mssql
            ]
            $($tests)+
        }
    };
}

/// The same on those of a list: `[sqlite Sqlite, mariadb Mariadb] async fn …`, a name and a
/// variant of [`TestDatabase`](crate::servers::TestDatabase) each.
#[macro_export]
macro_rules! on_databases {
    (
        [$($module:ident $database:ident),+]
        $($(#[$meta:meta])* async fn $name:ident($db:ident: &$kind:ident) $body:block)+
    ) => {
        $($(#[$meta])* async fn $name($db: &$kind) $body)+
        $crate::on_databases! {
            @modules ref_async [$($module $database),+] { $($name: $kind),+ }
        }
    };
    (
        [$($module:ident $database:ident),+]
        $($(#[$meta:meta])* async fn $name:ident($db:ident: $kind:ident) $body:block)+
    ) => {
        $($(#[$meta])* async fn $name($db: $kind) $body)+
        $crate::on_databases! {
            @modules own_async [$($module $database),+] { $($name: $kind),+ }
        }
    };
    (
        [$($module:ident $database:ident),+]
        $($(#[$meta:meta])* fn $name:ident($db:ident: &$kind:ident) $body:block)+
    ) => {
        $($(#[$meta])* fn $name($db: &$kind) $body)+
        $crate::on_databases! {
            @modules ref_sync [$($module $database),+] { $($name: $kind),+ }
        }
    };
    (@modules $form:ident [$($module:ident $database:ident),+] $tests:tt) => {
        $(mod $module {
            $crate::on_databases! { @tests $form $database $tests }
        })+
    };
    (@tests ref_async $database:ident { $($name:ident: $kind:ident),+ }) => {
        $(#[::tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            let database = $crate::servers::TestDatabase::$database;
            if let Some(db) = <super::$kind as $crate::servers::Fixture>::open(database).await {
                super::$name(&db).await;
            }
        })+
    };
    (@tests own_async $database:ident { $($name:ident: $kind:ident),+ }) => {
        $(#[::tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            let database = $crate::servers::TestDatabase::$database;
            if let Some(db) = <super::$kind as $crate::servers::Fixture>::open(database).await {
                super::$name(db).await;
            }
        })+
    };
    (@tests ref_sync $database:ident { $($name:ident: $kind:ident),+ }) => {
        $(#[test]
        fn $name() {
            let database = $crate::servers::TestDatabase::$database;
            if let Some(db) = $crate::servers::open_and_wait::<super::$kind>(database) {
                super::$name(&db);
            }
        })+
    };
}
