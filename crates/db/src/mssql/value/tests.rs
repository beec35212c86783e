//! Forms of values that no server is needed for.
#![expect(clippy::unwrap_used, reason = "tests")]
use super::{cell, fits_json, list, parameter, rows};
use crate::{Value, dialect::ColumnType, statement::Rows};
use tiberius::{ColumnData, numeric::Numeric};

#[test]
fn rows_become_arrays_in_the_order_of_the_columns() {
    let source = Rows {
        columns: vec![
            ("n".to_owned(), 1, ColumnType::Int),
            ("t".to_owned(), 0, ColumnType::Text),
            ("u".to_owned(), 2, ColumnType::Uuid),
            ("b".to_owned(), 3, ColumnType::Bool),
        ],
        nested: false,
    };
    let row = |text: &str, n: i64| {
        vec![
            text.into(),
            n.into(),
            uuid::Uuid::from_u128(0x0102_0304_0506_0708_090a_0b0c_0d0e_0fff).into(),
            true.into(),
        ]
    };
    let json = rows(&[row("a\"\\~1🎈", i64::MIN), row("", 0)], &source).unwrap();
    assert_eq!(
        json,
        "[[-9223372036854775808,\"a~1~2~01🎈\",\"04030201-0605-0807-090A-0B0C0D0E0FFF\",1],\
         [0,\"\",\"04030201-0605-0807-090A-0B0C0D0E0FFF\",1]]"
    );
    assert!(!fits_json(&"a line\nand another".into()));
    let nulls = rows(&[vec![Value::Null; 4]], &source).unwrap();
    assert_eq!(nulls, "[[null,null,null,null]]");
    let wrong = rows(
        &[vec![1.into(), 1.into(), Value::Null, Value::Null]],
        &source,
    );
    assert_eq!(
        wrong.unwrap_err(),
        "column `t`: an integer is given where Text is wanted"
    );
}

#[test]
fn lists_become_arrays() {
    let of = |list: Value, of| super::list(&list, of).unwrap();
    assert_eq!(of(Value::from_iter([1_i64, -2]), ColumnType::Int), "[1,-2]");
    assert_eq!(of(Value::List(Vec::new()), ColumnType::Int), "[]");
    assert!(list(&Value::Int(1), ColumnType::Int).is_err());
}

#[test]
fn times_and_decimals_come_back_the_same() {
    for us in [-62_135_596_800_000_000, -1, 0, 1, 253_402_300_799_999_999] {
        let value = Value::Time(us);
        let data = parameter(&value).unwrap();
        let ColumnData::DateTime2(at) = data else {
            panic!("{data:?}")
        };
        assert_eq!(cell(ColumnData::DateTime2(at)), Ok(Value::Time(us)));
    }
    for (units, scale, wanted) in [
        (15_000_000_000, 10, Value::Decimal("1.5".parse().unwrap())),
        (
            123_456_789_012_345_678_905_000_000_000,
            10,
            Value::Decimal("12345678901234567890.5".parse().unwrap()),
        ),
        (i128::from(i64::MAX), 0, Value::Int(i64::MAX)),
        (-5, 3, Value::Decimal("-0.005".parse().unwrap())),
        (
            -12_345_678_901_234_567_890_123_456_789_012_345_678,
            37,
            Value::Text("-1.2345678901234567890123456789012345678".to_owned()),
        ),
    ] {
        let number = Numeric::new_with_scale(units, scale);
        assert_eq!(cell(ColumnData::Numeric(Some(number))), Ok(wanted));
    }
}

#[test]
fn what_the_server_cannot_keep_is_refused() {
    for value in [
        Value::Float(f64::INFINITY),
        Value::Float(f64::NAN),
        "a\0b".into(),
    ] {
        assert!(
            parameter(&value).unwrap_err().contains("cannot"),
            "{value:?}"
        );
    }
}
