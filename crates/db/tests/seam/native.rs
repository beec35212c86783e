//! PostgreSQL's own types in other people's tables, as values.
use crate::fixture::{Fixture, one_step};
use runstone_db::{Class, Decimal, Value};

#[tokio::test]
async fn postgres_numerics_are_exact() {
    let Some(fixture) = Fixture::postgres().await else {
        return;
    };
    let one = |text: &str| Value::Decimal(Decimal::from_str_exact(text).unwrap());
    for (sql, wanted) in [
        ("0", Value::Int(0)),
        ("0.0", one("0.0")),
        ("9223372036854775807", Value::Int(i64::MAX)),
        ("-9223372036854775808", Value::Int(i64::MIN)),
        ("9223372036854775808", one("9223372036854775808")),
        ("0.00010000", one("0.00010000")),
        ("-12345678.90009", one("-12345678.90009")),
        ("100000000.5", one("100000000.5")),
        (
            "79228162514264337593543950335",
            one("79228162514264337593543950335"),
        ),
        // More digits than a decimal has, but only zeros.
        ("1.1000000000000000000000000000000000", one("1.1")),
        (
            "79228162514264337593543950336",
            Value::from("79228162514264337593543950336"),
        ),
        (
            "-0.123456789012345678901234567890123",
            Value::from("-0.123456789012345678901234567890123"),
        ),
    ] {
        let rows = fixture
            .fetch(&format!("SELECT CAST('{sql}' AS NUMERIC) AS v"))
            .await;
        assert_eq!(rows[0].get::<Value>("v"), Ok(wanted), "{sql}");
    }
    let nan = fixture.statement("SELECT CAST('NaN' AS NUMERIC) AS v");
    let error = fixture.db.fetch_all(&nan, &[]).await.unwrap_err();
    assert!(error.message.contains("no finite number"), "{error}");
    fixture
        .execute("CREATE TABLE narrow (v NUMERIC(5, 2))")
        .await
        .unwrap();
    let insert = fixture.statement("INSERT INTO narrow (v) VALUES (:v)");
    for fits in [one("999.99"), one("-0.10"), Value::Int(7), Value::Null] {
        let done = fixture.db.execute(&insert, &[("v", fits)]).await;
        assert_eq!(done, Ok(1));
    }
    let large = [("v", one("1000"))];
    let error = fixture.db.execute(&insert, &large).await.unwrap_err();
    assert_eq!(error.class, Class::Other);
    assert!(error.message.contains("precision 5, scale 2"), "{error}");
    fixture.end().await;
}

#[tokio::test]
async fn postgres_timestamps_are_microseconds_in_utc() {
    let Some(fixture) = Fixture::postgres().await else {
        return;
    };
    for (sql, wanted) in [
        ("TIMESTAMPTZ '2000-01-01 00:00:00+00'", 946_684_800_000_000),
        ("TIMESTAMPTZ '1970-01-01 02:00:00.000001+02'", 1),
        ("TIMESTAMP '1969-12-31 23:59:59.999999'", -1),
        ("TIMESTAMPTZ 'infinity'", i64::MAX),
        ("TIMESTAMP '-infinity'", i64::MIN),
    ] {
        let rows = fixture.fetch(&format!("SELECT {sql} AS v")).await;
        assert_eq!(rows[0].get::<Value>("v"), Ok(Value::Time(wanted)), "{sql}");
        assert_eq!(rows[0].get::<i64>("v"), Ok(wanted));
    }
    fixture
        .execute("CREATE TABLE moments (id BIGINT, a TIMESTAMP, b TIMESTAMPTZ, c BIGINT)")
        .await
        .unwrap();
    let insert = fixture.statement("INSERT INTO moments {{rows id:int, a:time, b:time, c:int}}");
    let now = Value::Time(1_700_000_000_123_456);
    let row = |id: i64| vec![id.into(), now.clone(), now.clone(), now.clone()];
    let batch = one_step(&insert, vec![row(1), row(2)]);
    fixture.db.batch(batch).await.unwrap();
    fixture
        .db
        .batch(one_step(&insert, vec![row(3)]))
        .await
        .unwrap();
    let rows = fixture
        .fetch("SELECT a, b, c FROM moments ORDER BY id")
        .await;
    for row in rows {
        let c = Value::Int(1_700_000_000_123_456);
        assert_eq!(row.into_values(), [now.clone(), now.clone(), c]);
    }
    fixture.end().await;
}

#[tokio::test]
async fn postgres_json_is_text() {
    let Some(fixture) = Fixture::postgres().await else {
        return;
    };
    fixture
        .execute("CREATE TABLE notes (a JSON, b JSONB)")
        .await
        .unwrap();
    let insert = fixture.statement("INSERT INTO notes (a, b) VALUES (:a, :b)");
    let text = "{\"b\": 9223372036854775807,  \"a\": [1.10, \"\u{1F980}\"]}";
    let named = [("a", text.into()), ("b", text.into())];
    assert_eq!(fixture.db.execute(&insert, &named).await, Ok(1));
    let rows = fixture.fetch("SELECT a, b FROM notes").await;
    assert_eq!(rows[0].get::<String>("a").as_deref(), Ok(text));
    let sorted = "{\"a\": [1.10, \"\u{1F980}\"], \"b\": 9223372036854775807}";
    assert_eq!(rows[0].get::<String>("b").as_deref(), Ok(sorted));
    fixture.end().await;
}
