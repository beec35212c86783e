//! Migrations against real databases.
use crate::fixture::Fixture;
use runstone_db::{Database, Dialect, Migration, Migrator};
use runstone_testkit::on_every_database;

const V1: Migration = Migration {
    version: 1,
    name: "0001_items",
    up: "-- The items; with a semicolon in a comment.\nCREATE TABLE item (\n    id BIGINT PRIMARY KEY,\n    note VARCHAR(99) NOT NULL DEFAULT 'a;b'\n);\nCREATE INDEX item_note ON item (note);\n",
    down: "DROP TABLE item;",
};
const V2: Migration = Migration {
    version: 2,
    name: "0002_tags",
    up: "CREATE TABLE tag (item BIGINT NOT NULL REFERENCES item (id) ON DELETE CASCADE, tag TEXT NOT NULL)",
    down: "DROP TABLE tag",
};
const BROKEN: Migration = Migration {
    version: 3,
    name: "0003_broken",
    up: "CREATE TABLE fine (a BIGINT);\n\nCREATE TABEL broken (a BIGINT);",
    down: "",
};
const ALL: [Migration; 2] = [V1, V2];

fn migrator<'a>(db: &'a Database, migrations: &'a [Migration]) -> Migrator<'a> {
    Migrator::new(db, migrations, "0.1.0", 1_700_000_000_000_000)
}

/// Everything that defines the schema, in a fixed order.
async fn dump(fixture: &Fixture) -> Vec<String> {
    let text = match fixture.db.dialect() {
        Dialect::Sqlite => {
            "SELECT sql AS line FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name"
        }
        Dialect::Postgres => {
            "SELECT table_name || '.' || column_name || ' ' || data_type AS line
             FROM information_schema.columns WHERE table_schema = current_schema()
             UNION ALL
             SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema()
             ORDER BY line"
        }
        Dialect::Mysql => {
            "SELECT CONCAT(table_name, '.', column_name, ' ', column_type) AS line
             FROM information_schema.columns WHERE table_schema = DATABASE()
             UNION ALL
             SELECT CONCAT(table_name, ' ', index_name, ' ', seq_in_index, ' ', column_name)
             FROM information_schema.statistics WHERE table_schema = DATABASE()
             ORDER BY line"
        }
        Dialect::Mssql => {
            "SELECT CONCAT(TABLE_NAME, '.', COLUMN_NAME, ' ', DATA_TYPE) AS line
             FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_SCHEMA = SCHEMA_NAME() ORDER BY line"
        }
    };
    fixture
        .fetch(text)
        .await
        .iter()
        .map(|row| row.get("line").unwrap())
        .collect()
}

on_every_database! {
    async fn up_down_up_gives_the_same_schema(fixture: Fixture) {
        let migrator = migrator(&fixture.db, &ALL);
        assert!(migrator.check().await.is_err());
        assert_eq!(migrator.up(None).await, Ok(vec![1, 2]));
        assert_eq!(migrator.check().await, Ok(()));
        let first = dump(&fixture).await;
        assert_eq!(migrator.up(None).await, Ok(vec![]), "twice is once");
        assert_eq!(migrator.down(0).await, Ok(vec![2, 1]));
        assert!(dump(&fixture).await.len() < first.len());
        assert_eq!(migrator.up(Some(1)).await, Ok(vec![1]));
        let status: Vec<(u32, Option<i64>)> = migrator
            .status()
            .await
            .unwrap()
            .into_iter()
            .map(|one| (one.version, one.applied_at))
            .collect();
        assert_eq!(status, [(1, Some(1_700_000_000_000_000)), (2, None)]);
        let old = migrator.check().await.unwrap_err();
        assert_eq!(
            old.message,
            "the database has schema 1, this binary needs 2; run `runstone migrate up`"
        );
        assert_eq!(migrator.up(None).await, Ok(vec![2]));
        assert_eq!(dump(&fixture).await, first);
        fixture.end().await;
    }

    async fn a_failing_migration_names_its_line_and_changes_nothing_that_can_be_undone(fixture: Fixture) {
        migrator(&fixture.db, &ALL).up(None).await.unwrap();
        let before = dump(&fixture).await;
        let error = migrator(&fixture.db, &[V1, V2, BROKEN])
            .up(None)
            .await
            .unwrap_err();
        assert!(
            error
                .message
                .starts_with("migration 0003_broken (up), line 3: "),
            "{error}"
        );
        let mut after = dump(&fixture).await;
        if fixture.db.dialect() == Dialect::Mysql {
            assert!(error.message.contains("goes on here"), "{error}");
            after.retain(|line| !line.starts_with("fine."));
        }
        assert_eq!(after, before);
        fixture.end().await;
    }

    async fn a_newer_and_an_altered_schema_are_refused(fixture: Fixture) {
        migrator(&fixture.db, &ALL).up(None).await.unwrap();
        let older_binary = [V1];
        let older = migrator(&fixture.db, &older_binary);
        for error in [
            older.check().await.unwrap_err(),
            older.up(None).await.unwrap_err(),
            older.down(0).await.unwrap_err(),
        ] {
            assert_eq!(
                error.message,
                "the database was written by a newer Runstone: schema 2, this binary knows up \
                 to 1; use the newer binary"
            );
        }
        let edited = [
            V1,
            Migration {
                up: "CREATE TABLE other (a BIGINT)",
                ..V2
            },
        ];
        let error = migrator(&fixture.db, &edited).up(None).await.unwrap_err();
        assert!(error.message.contains("with another content"), "{error}");
        assert!(older.up(Some(7)).await.is_err(), "there is no schema 7");
        fixture.end().await;
    }

    async fn eight_at_once_migrate_once(fixture: Fixture) {
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let url = fixture.url.clone();
                tokio::spawn(async move {
                    let db = Database::connect(&url, runstone_db::Options::default())
                        .await
                        .unwrap();
                    let done = migrator(&db, &ALL).up(None).await;
                    db.close().await;
                    done
                })
            })
            .collect();
        let mut applied = 0;
        for task in tasks {
            applied += task.await.unwrap().unwrap().len();
        }
        assert_eq!(applied, 2);
        fixture.end().await;
    }
}
