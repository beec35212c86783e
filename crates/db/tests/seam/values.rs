//! What goes in comes out the same, from every database and on every path.
use crate::fixture::{Fixture, one_step, statement};
use runstone_db::{Class, Dialect, Value};
use runstone_testkit::on_every_database;
use uuid::Uuid;

type Read = (
    i64,
    Option<bool>,
    Option<i64>,
    Option<f64>,
    Option<String>,
    Option<Vec<u8>>,
    Option<Uuid>,
);

fn edges() -> Vec<Read> {
    let long = "é".repeat(100_000);
    let bytes: Vec<u8> = (0..=255).collect();
    vec![
        (0, None, None, None, None, None, None),
        (
            1,
            Some(true),
            Some(i64::MAX),
            Some(f64::MAX),
            Some(long),
            Some(bytes),
            Some(Uuid::max()),
        ),
        (
            2,
            Some(false),
            Some(i64::MIN),
            Some(f64::MIN_POSITIVE),
            Some(String::new()),
            Some(vec![]),
            Some(Uuid::nil()),
        ),
        (
            3,
            Some(true),
            Some(0),
            Some(f64::MIN),
            Some("'; DROP TABLE edge; -- :x $1 ?1".to_owned()),
            Some(vec![0]),
            None,
        ),
        (
            4,
            None,
            Some(-1),
            Some(0.1 + 0.2),
            Some("\u{1F980}\u{202e}\r\n\t\u{1}".to_owned()),
            None,
            Some(Uuid::from_u128(7 << 64)),
        ),
        (
            5,
            Some(false),
            None,
            Some(3.0),
            Some("{\"a\":[1,2]}".to_owned()),
            Some(vec![0xff; 70_000]),
            None,
        ),
    ]
}

fn row(edge: &Read) -> Vec<Value> {
    let (id, b, i, f, t, y, u) = edge.clone();
    vec![
        id.into(),
        b.into(),
        i.into(),
        f.into(),
        t.into(),
        y.into(),
        u.into(),
    ]
}

async fn with_edges(fixture: &Fixture) {
    let sql = fixture.native([
        "CREATE TABLE edge (id INTEGER PRIMARY KEY, b INTEGER, i INTEGER, f REAL, t TEXT, y BLOB, u BLOB)",
        "CREATE TABLE edge (id BIGINT PRIMARY KEY, b BOOLEAN, i BIGINT, f FLOAT8, t TEXT, y BYTEA, u UUID)",
        "CREATE TABLE edge (id BIGINT PRIMARY KEY, b TINYINT(1), i BIGINT, f DOUBLE, t LONGTEXT, y LONGBLOB, u BINARY(16))",
        "CREATE TABLE edge (id BIGINT PRIMARY KEY, b BIT, i BIGINT, f FLOAT, t NVARCHAR(MAX), y VARBINARY(MAX), u BINARY(16))",
    ]);
    fixture.execute(sql).await.unwrap();
}

async fn read_back(fixture: &Fixture) -> Vec<Read> {
    let rows = fixture.fetch("SELECT * FROM edge ORDER BY id").await;
    rows.into_iter()
        .map(|mut row| {
            (
                row.get("id").unwrap(),
                row.get("b").unwrap(),
                row.get("i").unwrap(),
                row.get("f").unwrap(),
                row.take("t").unwrap(),
                row.take("y").unwrap(),
                row.get("u").unwrap(),
            )
        })
        .collect()
}

/// Compares without printing the long ones.
async fn came_back(fixture: &Fixture, path: &str) {
    let found = read_back(fixture).await;
    assert_eq!(found.len(), edges().len(), "{path}");
    for (found, wanted) in found.into_iter().zip(edges()) {
        let short = format!("{found:?}").chars().take(99).collect::<String>();
        assert!(found == wanted, "{path}, {}: {short}", fixture.url);
    }
}

const PLAIN: &str = "INSERT INTO edge (id, b, i, f, t, y, u) VALUES (:id, :b, :i, :f, :t, :y, :u)";
const ROWS: &str = "INSERT INTO edge (id, b, i, f, t, y, u)
    {{rows id:int, b:bool, i:int, f:float, t:text, y:bytes, u:uuid}}";

#[tokio::test]
async fn narrow_columns_take_what_fits_and_refuse_the_rest() {
    let Some(fixture) = Fixture::postgres().await else {
        return;
    };
    fixture
        .execute("CREATE TABLE narrow (a SMALLINT, b INT, c JSONB, d VARCHAR(9))")
        .await
        .unwrap();
    let insert = fixture.statement("INSERT INTO narrow (a, b, c, d) VALUES (:a, :b, :c, :d)");
    let rows = |a: i64| vec![vec![a.into(), 7.into(), "{\"k\":1}".into(), "text".into()]];
    assert_eq!(
        fixture.db.batch(one_step(&insert, rows(5))).await,
        Ok(vec![1])
    );
    let error = fixture
        .db
        .batch(one_step(&insert, rows(40_000)))
        .await
        .unwrap_err();
    assert_eq!(error.message, "40000 does not fit into int2");
    let row = fixture
        .fetch("SELECT a, b, c, d FROM narrow")
        .await
        .remove(0);
    assert_eq!(
        row.into_values(),
        [
            5_i64.into(),
            7.into(),
            "{\"k\": 1}".into(),
            Value::from("text")
        ]
    );
    // `sum` over 64-bit integers answers a numeric.
    let sums = fixture
        .fetch("SELECT sum(n) AS n, sum(n) * -1 AS m, sum(n) / 8 AS q FROM (VALUES (9223372036854775800::int8), (4)) v (n)")
        .await;
    assert_eq!(sums[0].get::<i64>("n"), Ok(9_223_372_036_854_775_804));
    assert_eq!(sums[0].get::<i64>("m"), Ok(-9_223_372_036_854_775_804));
    assert_eq!(sums[0].get::<f64>("q"), Ok(1_152_921_504_606_846_975.5));
    fixture.end().await;
}

on_every_database! {
    async fn edge_values_come_back_the_same_on_every_path(fixture: Fixture) {
        with_edges(&fixture).await;
        let (plain, rows) = (fixture.statement(PLAIN), fixture.statement(ROWS));
        let clear = fixture.statement("DELETE FROM edge");
        let all: Vec<Vec<Value>> = edges().iter().map(row).collect();

        for edge in edges() {
            let values = row(&edge);
            let named: Vec<(&str, Value)> = ["id", "b", "i", "f", "t", "y", "u"]
                .into_iter()
                .zip(values)
                .collect();
            assert_eq!(fixture.db.execute(&plain, &named).await, Ok(1));
        }
        came_back(&fixture, "one by one").await;
        assert_eq!(fixture.db.execute(&clear, &[]).await, Ok(6));

        for statement in [&plain, &rows] {
            let counts = fixture.db.batch(one_step(statement, all.clone())).await;
            assert_eq!(counts, Ok(vec![6]));
            came_back(&fixture, "all at once").await;
            fixture.db.execute(&clear, &[]).await.unwrap();
        }
        for values in &all {
            fixture
                .db
                .batch(one_step(&rows, vec![values.clone()]))
                .await
                .unwrap();
        }
        came_back(&fixture, "rows of one").await;
        fixture.end().await;
    }

    async fn infinite_numbers_come_back_or_are_refused(fixture: Fixture) {
        with_edges(&fixture).await;
        let plain = fixture.statement("INSERT INTO edge (id, f) VALUES (:id, :f)");
        let rows = fixture.statement("INSERT INTO edge (id, f) {{rows id:int, f:float}}");
        let has_them = matches!(fixture.db.dialect(), Dialect::Sqlite | Dialect::Postgres);
        for (id, f) in [(1, f64::INFINITY), (2, f64::NEG_INFINITY)] {
            let params = [("id", Value::from(id)), ("f", f.into())];
            let one = fixture.db.execute(&plain, &params).await;
            let several = vec![vec![(id + 2).into(), f.into()], vec![(id + 4).into(), f.into()]];
            let several = fixture.db.batch(one_step(&rows, several)).await;
            if has_them {
                assert_eq!((one, several), (Ok(1), Ok(vec![2])));
            } else {
                for error in [one.unwrap_err(), several.unwrap_err()] {
                    assert!(error.message.contains("infinite"), "{error}");
                }
            }
        }
        let found = fixture.fetch("SELECT f FROM edge WHERE id < 3 ORDER BY id").await;
        let found: Vec<f64> = found.iter().map(|row| row.get("f").unwrap()).collect();
        assert_eq!(found, if has_them { vec![f64::INFINITY, f64::NEG_INFINITY] } else { vec![] });
        fixture.end().await;
    }

    async fn what_would_not_come_back_the_same_is_refused(fixture: Fixture) {
        with_edges(&fixture).await;
        let insert = fixture.statement("INSERT INTO edge (id, f, t) VALUES (:id, :f, :t)");
        for (f, t) in [(f64::NAN, "fine"), (1.0, "a\0b")] {
            let params = [("id", Value::from(1)), ("f", f.into()), ("t", t.into())];
            let error = fixture.db.execute(&insert, &params).await.unwrap_err();
            assert_eq!(error.class, Class::Other);
            assert!(error.message.contains("cannot be stored"), "{error}");
        }
        assert_eq!(fixture.count("edge").await, 0);
        fixture.end().await;
    }

    async fn lists_of_each_type_are_looked_up(fixture: Fixture) {
        with_edges(&fixture).await;
        let rows = fixture.statement(ROWS);
        let all = edges().iter().map(row).collect();
        fixture.db.batch(one_step(&rows, all)).await.unwrap();
        // SQL Server ignores zero bytes at the end wherever it compares: none is like one of them.
        let zero = match fixture.db.dialect() {
            Dialect::Mssql => vec![2, 3],
            Dialect::Sqlite | Dialect::Postgres | Dialect::Mysql => vec![3],
        };
        for (column, of, list, found) in [
            ("id", "int", Value::from_iter([1_i64, 3, 99]), vec![1, 3]),
            (
                "u",
                "uuid",
                Value::from_iter([Uuid::nil(), Uuid::max()]),
                vec![1, 2],
            ),
            (
                "t",
                "text",
                Value::from_iter(["{\"a\":[1,2]}", "", "x"]),
                vec![2, 5],
            ),
            (
                "y",
                "bytes",
                Value::from_iter([vec![0_u8], vec![9]]),
                zero,
            ),
            ("b", "bool", Value::from_iter([true]), vec![1, 3]),
            ("f", "float", Value::from_iter([3.0, 0.1 + 0.2]), vec![4, 5]),
            ("id", "int", Value::List(Vec::new()), vec![]),
        ] {
            let text =
                format!("SELECT id FROM edge WHERE {column} {{{{in :list:{of}}}}} ORDER BY id");
            let select = statement(&fixture.db, &text);
            let rows = fixture
                .db
                .fetch_all(&select, &[("list", list)])
                .await
                .unwrap();
            let ids: Vec<i64> = rows.iter().map(|row| row.get("id").unwrap()).collect();
            assert_eq!(ids, found, "{column} on {}", fixture.url);
        }
        fixture.end().await;
    }

    async fn a_value_of_another_type_is_an_error_not_a_wrong_value(fixture: Fixture) {
        with_edges(&fixture).await;
        fixture
            .execute("INSERT INTO edge (id, i, t) VALUES (1, 300, 'x')")
            .await
            .unwrap();
        let mut row = fixture
            .fetch("SELECT id, i, t, u FROM edge")
            .await
            .remove(0);
        assert!(row.get::<u8>("i").is_err());
        assert!(row.get::<bool>("i").is_err());
        assert!(row.get::<i64>("t").is_err());
        assert!(row.get::<Uuid>("u").is_err(), "NULL is no UUID");
        let error = row.get::<i64>("nope").unwrap_err();
        assert_eq!(
            error.message,
            "the result has no column `nope`; it has id, i, t, u"
        );
        assert_eq!(row.take::<String>("t"), Ok("x".to_owned()));
        assert_eq!(
            row.take::<Option<String>>("t"),
            Ok(None),
            "it was moved out"
        );
        fixture.end().await;
    }

    async fn parameters_must_be_exactly_the_statements(fixture: Fixture) {
        let select = fixture.statement("SELECT CAST(:a AS BIGINT) AS a");
        let missing = fixture.db.fetch_all(&select, &[]).await.unwrap_err();
        assert_eq!(
            missing.to_string(),
            "the parameter `:a` has no value (statement test.one)"
        );
        let unknown = [("a", Value::from(1)), ("b", Value::from(1))];
        let unknown = fixture.db.fetch_all(&select, &unknown).await.unwrap_err();
        assert_eq!(
            unknown.to_string(),
            "the statement has no parameter `:b` (statement test.one)"
        );
        fixture.end().await;
    }
}
