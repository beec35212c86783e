//! What the server gets for a statement and its values.
#![expect(clippy::unwrap_used, reason = "tests")]
use super::*;
use crate::Dialect;
use proptest::prelude::*;
use uuid::Uuid;

fn of(text: &str) -> Statement {
    Statement::render("test.one", text, Dialect::Mysql).unwrap()
}

fn written(statement: &Statement, rows: &[Vec<Value>]) -> String {
    let mut sql = String::new();
    text(statement, rows, &mut sql).unwrap();
    sql
}

#[test]
fn parameters_are_repeated_where_they_stand_again() {
    let calls = calls(
        &of("SELECT :b, :a, :b {{limit :a}}"),
        &[vec![1.into(), 2.into()]],
    )
    .unwrap();
    assert_eq!(calls[0].sql, "SELECT ?, ?, ? LIMIT ?");
    let params = [1, 2, 1, 2].map(Native::Int);
    assert_eq!(calls[0].params, params);
}

#[test]
fn lists_are_filled_up_to_a_power_of_two_with_their_last_item() {
    let statement = of("SELECT 1 WHERE a {{in :l:int}} AND b = :b");
    for (list, sql, params) in [
        (vec![], "IN (SELECT NULL FROM DUAL WHERE FALSE)", vec![]),
        (vec![7], "IN (?)", vec![7]),
        (vec![1, 2, 3], "IN (?, ?, ?, ?)", vec![1, 2, 3, 3]),
    ] {
        let row = vec![Value::from_iter(list.clone()), 9.into()];
        let calls = calls(&statement, std::slice::from_ref(&row)).unwrap();
        assert_eq!(calls[0].sql, format!("SELECT 1 WHERE a {sql} AND b = ?"));
        let wanted: Vec<Native> = params.into_iter().chain([9]).map(Native::Int).collect();
        assert_eq!(calls[0].params, wanted);
    }
    let held = Value::from_iter(0..10_000_i64);
    let looked_up = calls(&statement, &[vec![held, 9.into()]]).unwrap();
    assert_eq!(looked_up[0].params.len(), 16_384 + 1);
    let longer = Value::from_iter(0..40_000_i64);
    let calls = calls(&statement, &[vec![longer, 9.into()]]).unwrap();
    assert_eq!(calls[0].params.len(), 2);
    assert!(calls[0].sql.contains("JSON_TABLE(?, "), "{}", calls[0].sql);
}

#[test]
fn rows_travel_in_few_lengths() {
    let statement = of("INSERT INTO t (a, b) {{rows a:int, b:text}}");
    let rows: Vec<Vec<Value>> = (0..11_i64).map(|n| vec![n.into(), "x".into()]).collect();
    let calls = calls(&statement, &rows).unwrap();
    let lengths: Vec<usize> = calls.iter().map(|call| call.rows).collect();
    assert_eq!(lengths, [8, 3]);
    assert_eq!(
        calls[1].sql,
        "INSERT INTO t (a, b)\n VALUES (?, ?), (?, ?), (?, ?)".replace('\n', "")
    );
}

#[test]
fn a_row_source_within_parentheses_is_a_derived_table() {
    let statement = of("UPDATE t JOIN ({{rows a:int, b:uuid}}) n ON t.b = n.b SET t.a = n.a");
    let rows = [
        vec![1.into(), Uuid::nil().into()],
        vec![2.into(), Uuid::max().into()],
    ];
    assert_eq!(
        calls(&statement, &rows).unwrap()[0].sql,
        "UPDATE t JOIN (SELECT CAST(? AS SIGNED) AS a, CAST(? AS BINARY(16)) AS b \
         UNION ALL SELECT CAST(? AS SIGNED), CAST(? AS BINARY(16))) n ON t.b = n.b SET t.a = n.a"
    );
    assert_eq!(
        written(&statement, &rows),
        "UPDATE t JOIN (SELECT 1 AS a,x'00000000000000000000000000000000' AS b \
         UNION ALL SELECT 2,x'ffffffffffffffffffffffffffffffff') n ON t.b = n.b SET t.a = n.a"
    );
}

#[test]
fn values_written_out() {
    let statement = of("SELECT :a");
    for (value, wanted) in [
        (Value::Null, "NULL"),
        (true.into(), "1"),
        (i64::MIN.into(), "-9223372036854775808"),
        ((0.1 + 0.2).into(), "3.0000000000000004e-1"),
        ("it's a \\ '' b".into(), "'it''s a \\ '''' b'"),
        ("".into(), "''"),
        (vec![0_u8, 255].into(), "x'00ff'"),
        (Value::Time(-1), "TIMESTAMP'1969-12-31 23:59:59.999999'"),
    ] {
        assert_eq!(
            written(&statement, &[vec![value]]),
            format!("SELECT {wanted}")
        );
    }
    let mut sql = String::new();
    assert!(text(&statement, &[vec![f64::NAN.into()]], &mut sql).is_err());
    assert!(text(&statement, &[vec![f64::INFINITY.into()]], &mut sql).is_err());
    assert!(text(&statement, &[vec![Value::List(vec![])]], &mut sql).is_err());
}

proptest! {
    /// Without backslash escapes a string ends at the first quote that is not doubled.
    #[test]
    fn no_text_gets_out_of_its_quotes(value in "['\\\\a\n;]*|\\PC*") {
        let sql = written(&of("SELECT :a"), &[vec![value.clone().into()]]);
        let inner = sql.strip_prefix("SELECT '").and_then(|s| s.strip_suffix('\'')).unwrap();
        prop_assert!(!inner.replace("''", "").contains('\''));
        prop_assert_eq!(inner.replace("''", "'"), value);
    }
}
