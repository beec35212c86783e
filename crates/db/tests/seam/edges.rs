//! Edge values of every type, one table of them for all databases: what goes in comes out, on
//! every path. A database that is new gets a column in [`Kind::column`] and nothing else.
use crate::fixture::{Fixture, INSERT, item, one_step, statement};
use runstone_db::{Class, Decimal, Dialect, Row, Value};
use runstone_testkit::on_every_database;
use uuid::Uuid;

#[derive(Clone, Copy, Debug)]
enum Kind {
    Bool,
    Int,
    Float,
    /// Decimals with many digits before the point.
    Large,
    /// Decimals with many digits behind it.
    Fine,
    Text,
    Bytes,
    Uuid,
    Time,
}

const KINDS: [Kind; 9] = [
    Kind::Bool,
    Kind::Int,
    Kind::Float,
    Kind::Large,
    Kind::Fine,
    Kind::Text,
    Kind::Bytes,
    Kind::Uuid,
    Kind::Time,
];

impl Kind {
    /// Its column on SQLite, PostgreSQL, MySQL, SQL Server.
    fn column(self, dialect: Dialect) -> String {
        let all = match self {
            Self::Bool => ["INTEGER", "BOOLEAN", "TINYINT(1)", "BIT"],
            Self::Int => ["INTEGER", "BIGINT", "BIGINT", "BIGINT"],
            Self::Float => ["REAL", "FLOAT8", "DOUBLE", "FLOAT(53)"],
            Self::Large => ["TEXT", "NUMERIC", "DECIMAL(65, 28)", "DECIMAL(38, 6)"],
            Self::Fine => ["TEXT", "NUMERIC", "DECIMAL(65, 28)", "DECIMAL(38, 28)"],
            Self::Text => ["TEXT", "TEXT", "LONGTEXT", "NVARCHAR(MAX)"],
            Self::Bytes => ["BLOB", "BYTEA", "LONGBLOB", "VARBINARY(MAX)"],
            Self::Uuid => ["BLOB", "UUID", "BINARY(16)", "BINARY(16)"],
            Self::Time => ["INTEGER", "TIMESTAMPTZ", "DATETIME(6)", "DATETIME2(7)"],
        };
        all[dialect as usize].to_owned()
    }

    /// The same, with what keeps every text another text.
    async fn column_on(self, fixture: &Fixture) -> String {
        let dialect = fixture.db.dialect();
        let column = self.column(dialect);
        match self {
            Self::Text => format!("{column} {}", exact(fixture).await),
            _ => column,
        }
    }

    /// Its name in `{{rows …}}`.
    fn marker(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Float => "float",
            Self::Large | Self::Fine => "decimal",
            Self::Text => "text",
            Self::Bytes => "bytes",
            Self::Uuid => "uuid",
            Self::Time => "time",
        }
    }

    fn read(self, row: &mut Row) -> Value {
        match self {
            Self::Bool => row.get::<Option<bool>>("v").unwrap().into(),
            Self::Int => row.get::<Option<i64>>("v").unwrap().into(),
            Self::Float => row.get::<Option<f64>>("v").unwrap().into(),
            Self::Large | Self::Fine => row.get::<Option<Decimal>>("v").unwrap().into(),
            Self::Text => row.take::<Option<String>>("v").unwrap().into(),
            Self::Bytes => row.take::<Option<Vec<u8>>>("v").unwrap().into(),
            Self::Uuid => row.get::<Option<Uuid>>("v").unwrap().into(),
            Self::Time => row
                .get::<Option<i64>>("v")
                .unwrap()
                .map_or(Value::Null, Value::Time),
        }
    }

    fn values(self) -> Vec<Value> {
        let mut values = match self {
            Self::Bool => vec![true.into(), false.into()],
            Self::Int => [
                i64::MIN,
                i64::MIN + 1,
                -1,
                0,
                1,
                1 << 53,
                i64::MAX - 1,
                i64::MAX,
            ]
            .map(Value::from)
            .to_vec(),
            Self::Float => [
                0.0,
                3.0,
                0.1 + 0.2,
                -1.5e-300,
                f64::MAX,
                f64::MIN,
                f64::EPSILON,
            ]
            .map(Value::from)
            .to_vec(),
            Self::Large => {
                let mut all =
                    decimals(&["0", "1", "-1", "1.10", "-0.000001", "9999.9999", "10000"]);
                all.extend([Decimal::MAX.into(), Decimal::MIN.into()]);
                all
            }
            Self::Fine => decimals(&[
                "0.0000000000000000000000000001",
                "-0.0000000000000000000000000001",
                "7.9228162514264337593543950335",
                "-1.0000000000000000000000000000",
                "0.1",
                "12345.00010002",
            ]),
            Self::Text => texts().into_iter().map(Value::from).collect(),
            Self::Bytes => vec![
                Vec::<u8>::new().into(),
                vec![0_u8].into(),
                (0..=255).collect::<Vec<u8>>().into(),
                vec![0xff_u8; 70_000].into(),
                (0..3_000_000_u32)
                    .map(|n| (n * 7 % 251) as u8)
                    .collect::<Vec<u8>>()
                    .into(),
            ],
            Self::Uuid => vec![
                Uuid::nil().into(),
                Uuid::max().into(),
                Uuid::now_v7().into(),
                Uuid::from_u128(0x80).into(),
            ],
            Self::Time => times(),
        };
        values.push(Value::Null);
        values
    }
}

fn decimals(all: &[&str]) -> Vec<Value> {
    let exact = |text: &&str| Decimal::from_str_exact(text).unwrap().into();
    all.iter().map(exact).collect()
}

fn times() -> Vec<Value> {
    [
        -62_135_596_800_000_000,
        -1,
        0,
        1,
        951_827_696_123_456,
        4_102_444_799_999_999,
        253_402_300_799_999_999,
    ]
    .map(Value::Time)
    .to_vec()
}

/// How a column of text is declared to tell every text from every other.
async fn exact(fixture: &Fixture) -> &'static str {
    match fixture.db.dialect() {
        Dialect::Sqlite | Dialect::Postgres => "",
        Dialect::Mssql => "COLLATE Latin1_General_100_BIN2",
        Dialect::Mysql => {
            let rows = fixture.fetch("SELECT VERSION() AS version").await;
            let version: String = rows[0].get("version").unwrap();
            if version.contains("MariaDB") {
                "CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"
            } else {
                "CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin"
            }
        }
    }
}

/// SQL Server takes `a ` for `a`, and 0x0100 for 0x01, wherever it compares; nothing can be done
/// about it.
fn ignores_the_end(fixture: &Fixture) -> bool {
    fixture.db.dialect() == Dialect::Mssql
}

fn texts() -> Vec<String> {
    // Every character there is, but NUL.
    let every: String = ('\u{1}'..=char::MAX).collect();
    let deep = format!("{}1{}", "[".repeat(1_000), "]".repeat(1_000));
    let wide: String =
        (0..300_000).fold("{\"n\": 9223372036854775807".to_owned(), |mut text, n| {
            text.push_str(&format!(", \"k{n}\":-{n}"));
            text
        }) + " }";
    assert!(wide.len() > 5 << 20);
    let mut all = vec![every, deep, wide, "é".repeat(700_000), String::new()];
    all.extend(
        [
            "a",
            "a ",
            " a",
            "\t\r\n",
            "e\u{301}",
            "\u{e9}",
            "👩‍👩‍👧‍👦 🦀",
            "\u{202e}\u{feff}\u{fffe}\u{10ffff}",
            "'; DROP TABLE edge; -- :x $1 ?1 @P1 \\' \" ` \\",
            "{\"a\": 18446744073709551615, \"b\":1.10,\"a\":2}",
            "null",
            "NULL",
        ]
        .map(str::to_owned),
    );
    all
}

async fn read_all(fixture: &Fixture, kind: Kind) -> Vec<Value> {
    let select = format!("SELECT id, v FROM edge_{kind:?} ORDER BY id");
    let mut rows = fixture.fetch(&select).await;
    rows.iter_mut().map(|row| kind.read(row)).collect()
}

/// Says which differs, without printing the long ones.
fn same(found: &[Value], written: &[Value], place: &str) {
    assert_eq!(found.len(), written.len(), "{place}");
    for (at, (found, written)) in found.iter().zip(written).enumerate() {
        let short = |value: &Value| format!("{value:?}").chars().take(80).collect::<String>();
        assert!(
            found == written,
            "{place}, number {at}: {} became {}",
            short(written),
            short(found)
        );
    }
}

on_every_database! {
    async fn edge_values_of_every_type_come_back_the_same_on_every_path(fixture: Fixture) {
        for kind in KINDS {
            let place = |path: &str| format!("{kind:?} {path} on {}", fixture.db.dialect());
            let column = kind.column_on(&fixture).await;
            let table =
                format!("CREATE TABLE edge_{kind:?} (id BIGINT NOT NULL PRIMARY KEY, v {column})");
            fixture.execute(&table).await.unwrap();
            let values = kind.values();
            let rows: Vec<Vec<Value>> = (0_i64..)
                .zip(&values)
                .map(|(id, value)| vec![id.into(), value.clone()])
                .collect();
            let plain = format!("INSERT INTO edge_{kind:?} (id, v) VALUES (:id, :v)");
            let plain = fixture.statement(&plain);
            let many = format!(
                "INSERT INTO edge_{kind:?} (id, v) {{{{rows id:int, v:{}}}}}",
                kind.marker()
            );
            let many = fixture.statement(&many);
            let clear = format!("DELETE FROM edge_{kind:?}");
            for row in &rows {
                let named = [("id", row[0].clone()), ("v", row[1].clone())];
                let done = fixture.db.execute(&plain, &named).await;
                assert_eq!(done, Ok(1), "{}", place("alone"));
            }
            same(&read_all(&fixture, kind).await, &values, &place("alone"));
            for (statement, path) in [(&plain, "in a batch"), (&many, "as rows")] {
                fixture.execute(&clear).await.unwrap();
                let done = fixture.db.batch(one_step(statement, rows.clone())).await;
                assert_eq!(done, Ok(vec![rows.len() as u64]), "{}", place(path));
                same(&read_all(&fixture, kind).await, &values, &place(path));
            }
            fixture.execute(&clear).await.unwrap();
            let first = fixture.db.batch(one_step(&many, rows[..1].to_vec())).await;
            assert_eq!(first, Ok(vec![1]), "{}", place("as one row"));
            same(
                &read_all(&fixture, kind).await,
                &values[..1],
                &place("as one row"),
            );
        }
        fixture.end().await;
    }

    async fn edge_values_are_found_again_in_lists(fixture: Fixture) {
        for kind in [
            Kind::Int,
            Kind::Large,
            Kind::Text,
            Kind::Bytes,
            Kind::Uuid,
            Kind::Time,
        ] {
            let dialect = fixture.db.dialect();
            let column = kind.column_on(&fixture).await;
            let table =
                format!("CREATE TABLE edge_{kind:?} (id BIGINT NOT NULL PRIMARY KEY, v {column})");
            fixture.execute(&table).await.unwrap();
            // The long ones are no keys that anybody looks for.
            let mut values = kind.values();
            values.retain(|value| match value {
                Value::Text(v) if ignores_the_end(&fixture) => {
                    v.len() < 1_000 && !v.ends_with([' ', '\n'])
                }
                Value::Text(v) => v.len() < 1_000,
                Value::Bytes(v) if ignores_the_end(&fixture) => {
                    v.len() < 1_000 && v.last() != Some(&0)
                }
                Value::Bytes(v) => v.len() < 1_000,
                _ => true,
            });
            let insert = format!(
                "INSERT INTO edge_{kind:?} (id, v) {{{{rows id:int, v:{}}}}}",
                kind.marker()
            );
            let rows = (0_i64..)
                .zip(&values)
                .map(|(id, value)| vec![id.into(), value.clone()])
                .collect();
            let insert = one_step(&fixture.statement(&insert), rows);
            fixture.db.batch(insert).await.unwrap();
            let select = format!(
                "SELECT id FROM edge_{kind:?} WHERE v {{{{in :list:{}}}}} ORDER BY id",
                kind.marker()
            );
            let select = statement(&fixture.db, &select);
            for (at, value) in values.iter().enumerate() {
                let list = Value::List(vec![value.clone()]);
                let rows = fixture.db.fetch_all(&select, &[("list", list)]).await;
                let ids: Vec<i64> = rows.unwrap().iter().map(|r| r.get("id").unwrap()).collect();
                // NULL is equal to nothing.
                let wanted = if *value == Value::Null {
                    vec![]
                } else {
                    vec![i64::try_from(at).unwrap()]
                };
                assert_eq!(ids, wanted, "{value:?} on {dialect}");
            }
            let all = values.iter().filter(|value| **value != Value::Null);
            let all: Vec<Value> = all.cloned().collect();
            let count = all.len();
            let list = [("list", Value::List(all))];
            let found = fixture.db.fetch_all(&select, &list).await.unwrap();
            assert_eq!(found.len(), count, "{kind:?} on {dialect}");
        }
        fixture.end().await;
    }

    async fn case_accents_and_trailing_spaces_make_other_keys(fixture: Fixture) {
        let text = match fixture.db.dialect() {
            Dialect::Sqlite | Dialect::Postgres => "TEXT",
            Dialect::Mysql => "VARCHAR(100)",
            Dialect::Mssql => "NVARCHAR(100)",
        };
        let key = format!("{text} {}", exact(&fixture).await);
        fixture
            .execute(&format!(
                "CREATE TABLE named (name {key} NOT NULL PRIMARY KEY)"
            ))
            .await
            .unwrap();
        let mut keys = vec![
            "a", "A", "á", "a\u{301}", "a ", " a", "ß", "ss", "ı", "i", "I", "",
        ];
        if ignores_the_end(&fixture) {
            keys.retain(|key| !key.ends_with(' '));
        }
        let insert = fixture.statement("INSERT INTO named (name) VALUES (:name)");
        let rows = keys.iter().map(|&key| vec![key.into()]).collect();
        let done = fixture.db.batch(one_step(&insert, rows)).await;
        assert_eq!(done, Ok(vec![keys.len() as u64]), "{}", fixture.url);
        let select = fixture.statement("SELECT name FROM named WHERE name = :name");
        for key in keys {
            let found = fixture.db.fetch_all(&select, &[("name", key.into())]).await;
            let found = found.unwrap();
            assert_eq!(found.len(), 1, "{key:?} on {}", fixture.url);
            assert_eq!(found[0].get::<String>("name").as_deref(), Ok(key));
            let again = fixture.db.execute(&insert, &[("name", key.into())]).await;
            assert_eq!(again.unwrap_err().class, Class::Unique);
        }
        fixture.end().await;
    }

    async fn ids_sort_as_they_were_made(fixture: Fixture) {
        let fixture = fixture.with_items().await;
        let mut rows: Vec<Vec<Value>> = (0..500).map(item).collect();
        rows.reverse();
        let insert = fixture.statement(INSERT);
        fixture.db.batch(one_step(&insert, rows)).await.unwrap();
        let rows = fixture.fetch("SELECT n FROM item ORDER BY id").await;
        let order: Vec<i64> = rows.iter().map(|row| row.get("n").unwrap()).collect();
        assert_eq!(order, (0..500).collect::<Vec<_>>(), "{}", fixture.url);
        fixture.end().await;
    }

    async fn lists_and_rows_of_any_length_are_one_statement(fixture: Fixture) {
        let fixture = fixture.with_items().await;
        let insert = fixture.statement(INSERT);
        let mut n = 0;
        for count in [0, 1, 1_000, 5_000] {
            let rows: Vec<_> = (n..n + count).map(item).collect();
            let done = fixture.db.batch(one_step(&insert, rows)).await;
            assert_eq!(
                done,
                Ok(vec![u64::try_from(count).unwrap()]),
                "{}",
                fixture.url
            );
            n += count;
        }
        assert_eq!(fixture.count("item").await, n);
        let select = fixture.statement("SELECT n FROM item WHERE n {{in :list:int}}");
        for count in [0_i64, 1, 1_000, 10_000] {
            // Half of them are there.
            let list = Value::from_iter((0..count).map(|at| n - (count + 1) / 2 + at));
            let found = fixture.db.fetch_all(&select, &[("list", list)]).await;
            let there = found.unwrap().len();
            assert_eq!(
                there,
                usize::try_from((count + 1) / 2).unwrap(),
                "{count} on {}",
                fixture.url
            );
        }
        fixture.end().await;
    }

    async fn times_that_some_database_cannot_hold_are_refused_by_all(fixture: Fixture) {
        let column = Kind::Time.column(fixture.db.dialect());
        let table = format!("CREATE TABLE edge (id BIGINT NOT NULL PRIMARY KEY, v {column})");
        fixture.execute(&table).await.unwrap();
        let insert = fixture.statement("INSERT INTO edge (id, v) VALUES (:id, :v)");
        for time in [
            -62_135_596_800_000_001,
            253_402_300_800_000_000,
            i64::MAX,
            i64::MIN,
        ] {
            let named = [("id", 1.into()), ("v", Value::Time(time))];
            let error = fixture.db.execute(&insert, &named).await.unwrap_err();
            assert_eq!(error.class, Class::Other);
            assert!(
                error.message.contains("outside the years 1 to 9999"),
                "{error}"
            );
        }
        assert_eq!(fixture.count("edge").await, 0);
        fixture.end().await;
    }
}
