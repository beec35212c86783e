//! What each reducer does, and the laws that keep a run's state independent of how writes are cut.
#![expect(clippy::unwrap_used, reason = "tests")]
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};

use super::{Reducer, Type};

fn fold(reducer: Reducer, current: &Value, writes: &[Value]) -> Result<Value, String> {
    let mut value = current.clone();
    for write in writes {
        reducer.fold(&mut value, write.clone())?;
    }
    Ok(value)
}

fn gives(reducer: Reducer, current: &Value, write: &Value, wanted: &Value) {
    let got = fold(reducer, current, std::slice::from_ref(write)).unwrap();
    assert_eq!(&got, wanted, "{} {current} {write}", reducer.name());
}

#[test]
fn every_reducer_has_a_name_that_leads_back_to_it() {
    for reducer in Reducer::ALL {
        assert_eq!(Reducer::from_name(reducer.name()), Some(reducer));
    }
    assert_eq!(Reducer::from_name("concat"), None);
    assert_eq!(Reducer::default(), Reducer::Replace);
}

#[test]
fn a_key_never_written_is_the_neutral_element() {
    gives(Reducer::Replace, &json!(null), &json!(1), &json!(1));
    gives(Reducer::Append, &json!(null), &json!("a"), &json!(["a"]));
    gives(Reducer::Append, &json!(null), &json!([]), &json!([]));
    gives(
        Reducer::Merge,
        &json!(null),
        &json!({"a": 1}),
        &json!({"a": 1}),
    );
    gives(Reducer::Add, &json!(null), &json!(2), &json!(2));
    gives(Reducer::Min, &json!(null), &json!(2), &json!(2));
    gives(Reducer::Max, &json!(null), &json!(-2), &json!(-2));
    gives(Reducer::Union, &json!(null), &json!([1, 1]), &json!([1]));
    gives(
        Reducer::Messages,
        &json!(null),
        &json!({"id": 1}),
        &json!([{"id": 1}]),
    );
}

#[test]
fn append_joins_lists_and_adds_anything_else_as_one_element() {
    let list = json!([1]);
    gives(Reducer::Append, &list, &json!([2, 3]), &json!([1, 2, 3]));
    gives(Reducer::Append, &list, &json!([[2]]), &json!([1, [2]]));
    gives(
        Reducer::Append,
        &list,
        &json!({"a": 1}),
        &json!([1, {"a": 1}]),
    );
    gives(Reducer::Append, &list, &json!(null), &json!([1, null]));
}

#[test]
fn merge_is_deep_and_null_and_lists_replace() {
    let old = json!({"a": {"x": 1, "y": {"z": 2}}, "b": [1], "c": {"d": 1}});
    let patch = json!({"a": {"y": {"w": 3}}, "b": [2], "c": null, "e": {}});
    let new = json!({"a": {"x": 1, "y": {"z": 2, "w": 3}}, "b": [2], "c": null, "e": {}});
    gives(Reducer::Merge, &old, &patch, &new);
}

#[test]
fn numbers_stay_integers_until_a_double_takes_part() {
    gives(Reducer::Add, &json!(1), &json!(2), &json!(3));
    gives(Reducer::Add, &json!(1), &json!(0.5), &json!(1.5));
    gives(
        Reducer::Add,
        &json!(i64::MAX),
        &json!(1),
        &json!(9_223_372_036_854_775_808_u64),
    );
    gives(Reducer::Min, &json!(1), &json!(0.5), &json!(0.5));
    gives(Reducer::Max, &json!(1), &json!(1.0), &json!(1));
    gives(
        Reducer::Max,
        &json!(9_007_199_254_740_992.0),
        &json!(9_007_199_254_740_993_i64),
        &json!(9_007_199_254_740_993_i64),
    );
    assert!(fold(Reducer::Add, &json!(u64::MAX), &[json!(1)]).is_err());
    assert!(fold(Reducer::Add, &json!(f64::MAX), &[json!(f64::MAX)]).is_err());
}

#[test]
fn union_keeps_the_first_of_equal_values_in_order() {
    gives(
        Reducer::Union,
        &json!([3, 1]),
        &json!([1, 2, 3, 2]),
        &json!([3, 1, 2]),
    );
    gives(
        Reducer::Union,
        &json!([1]),
        &json!([9, 8, 1, 9, 7, {"a": 1}, {"a": 1}]),
        &json!([1, 9, 8, 7, {"a": 1}]),
    );
    gives(Reducer::Union, &json!(["a"]), &json!("a"), &json!(["a"]));
}

#[test]
fn messages_are_replaced_by_id_and_appended_without() {
    let old = json!([{"id": "a", "t": 1}, {"t": 2}, {"id": "b", "t": 3}]);
    let write = json!([{"id": "b", "t": 4}, {"t": 2}, {"id": "c"}, {"id": "a"}, {"id": null}]);
    let new =
        json!([{"id": "a"}, {"t": 2}, {"id": "b", "t": 4}, {"t": 2}, {"id": "c"}, {"id": null}]);
    gives(Reducer::Messages, &old, &write, &new);
    gives(
        Reducer::Messages,
        &old,
        &json!({"id": "a"}),
        &json!([{"id": "a"}, {"t": 2}, {"id": "b", "t": 3}]),
    );
    gives(
        Reducer::Messages,
        &json!([]),
        &json!([{"id": 1}, {"id": 1, "t": 2}]),
        &json!([{"id": 1, "t": 2}]),
    );
}

#[test]
fn a_write_that_does_not_fit_says_why_and_changes_nothing() {
    for (reducer, current, write, why) in [
        (
            Reducer::Append,
            json!("x"),
            json!(1),
            "needs a list to add to, but the key holds string",
        ),
        (
            Reducer::Merge,
            json!({}),
            json!([1]),
            "takes an object, not array",
        ),
        (
            Reducer::Merge,
            json!([1]),
            json!({}),
            "but the key holds array",
        ),
        (
            Reducer::Add,
            json!(1),
            json!("2"),
            "takes a number, not string",
        ),
        (
            Reducer::Add,
            json!("1"),
            json!(2),
            "but the key holds string",
        ),
        (Reducer::Add, json!(1), json!(null), "not null"),
        (
            Reducer::Min,
            json!(1),
            json!(true),
            "`min` takes a number, not boolean",
        ),
        (
            Reducer::Max,
            json!([]),
            json!(1),
            "`max` compares numbers, but the key holds array",
        ),
        (
            Reducer::Union,
            json!(1),
            json!([1]),
            "but the key holds integer",
        ),
        (
            Reducer::Messages,
            json!([]),
            json!([{}, "hello"]),
            "takes objects",
        ),
        (
            Reducer::Messages,
            json!(null),
            json!("hello"),
            "takes objects",
        ),
    ] {
        let mut value = current.clone();
        let error = reducer.fold(&mut value, write).unwrap_err();
        assert!(error.contains(why), "{}: {error}", reducer.name());
        assert_eq!(value, current, "{}", reducer.name());
    }
}

#[test]
fn a_type_admits_its_kind_and_null_only_when_it_says_so() {
    let all = [
        (json!(null), vec!["null"]),
        (json!(true), vec!["boolean"]),
        (json!(1), vec!["integer", "number"]),
        (json!(2.0), vec!["integer", "number"]),
        (json!(u64::MAX), vec!["integer", "number"]),
        (json!(2.5), vec!["number"]),
        (json!("a"), vec!["string"]),
        (json!([]), vec!["array"]),
        (json!({}), vec!["object"]),
    ];
    for (value, admitting) in &all {
        for name in Type::NAMES {
            let ty = Type::from_name(name).unwrap();
            let admits = name == "any" || admitting.contains(&name);
            assert_eq!(ty.check(value).is_ok(), admits, "{name} {value}");
        }
    }
    let optional = Type::from_value(&json!(["number", "null"])).unwrap();
    assert!(optional.check(&json!(null)).is_ok());
    assert_eq!(
        optional.check(&json!("x")).unwrap_err(),
        "declared as number or null, but this is string"
    );
    assert_eq!(Type::default(), Type::Any);
}

#[test]
fn a_type_is_read_from_a_name_or_a_list_of_names() {
    assert_eq!(Type::from_value(&json!("array")), Ok(Type::Array));
    assert_eq!(
        Type::from_value(&json!(["string", null])),
        Ok(Type::OneOf(vec![Type::String, Type::Null]))
    );
    for wrong in [
        json!("list"),
        json!([]),
        json!(["x"]),
        json!(1),
        json!([["array"]]),
        json!({}),
    ] {
        let error = Type::from_value(&wrong).unwrap_err();
        assert!(error.contains("integer, boolean, null"), "{wrong}: {error}");
    }
}

fn small() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        (-5_i64..5).prop_map(Value::from),
        (-4_i32..4).prop_map(|n| json!(f64::from(n) / 2.0)),
        select(vec!["a", "b", "c"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 6, |inner| {
        let named = (select(vec!["id", "a", "b"]), inner.clone());
        prop_oneof![
            vec(inner, 0..8).prop_map(Value::Array),
            vec(named, 0..4).prop_map(|fields| {
                Value::Object(fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
            }),
        ]
    })
}

fn list() -> impl Strategy<Value = Value> {
    vec(small(), 0..12).prop_map(Value::Array)
}

fn messages() -> impl Strategy<Value = Value> {
    let message = (0..6, any::<u8>()).prop_map(|(id, text)| json!({"id": id, "t": text}));
    vec(message, 0..10).prop_map(Value::Array)
}

fn reducers() -> impl Strategy<Value = Reducer> {
    select(Reducer::ALL.to_vec())
}

proptest! {
    #[test]
    fn folding_anything_into_anything_never_panics(
        reducer in reducers(), current in small(), writes in vec(small(), 0..5),
    ) {
        let _ = fold(reducer, &current, &writes);
    }

    #[test]
    fn a_refused_write_changes_nothing(reducer in reducers(), current in small(), write in small()) {
        let mut value = current.clone();
        if reducer.fold(&mut value, write).is_err() {
            prop_assert_eq!(value, current);
        }
    }

    #[test]
    fn append_does_not_care_how_lists_are_cut(a in list(), b in list(), c in list()) {
        let mut joined = b.clone();
        Reducer::Append.fold(&mut joined, c.clone()).unwrap();
        prop_assert_eq!(fold(Reducer::Append, &a, &[b, c]), fold(Reducer::Append, &a, &[joined]));
    }

    #[test]
    fn union_twice_is_union_once_and_has_no_duplicates(a in list(), b in list()) {
        let once = fold(Reducer::Union, &json!(null), &[a.clone(), b.clone()]).unwrap();
        prop_assert_eq!(&fold(Reducer::Union, &once, std::slice::from_ref(&b)).unwrap(), &once);
        prop_assert_eq!(&fold(Reducer::Union, &once, std::slice::from_ref(&a)).unwrap(), &once);
        let items = once.as_array().unwrap();
        for (place, item) in items.iter().enumerate() {
            prop_assert!(!items[..place].contains(item));
        }
        for item in a.as_array().unwrap().iter().chain(b.as_array().unwrap()) {
            prop_assert!(items.contains(item));
        }
    }

    #[test]
    fn union_of_many_and_one_by_one_are_the_same(a in list(), b in list()) {
        let one_by_one: Vec<Value> =
            b.as_array().unwrap().iter().map(|item| json!([item])).collect();
        prop_assert_eq!(fold(Reducer::Union, &a, &[b]), fold(Reducer::Union, &a, &one_by_one));
    }

    #[test]
    fn the_order_of_added_integers_does_not_matter(
        a in any::<i64>(), b in any::<i64>(), current in any::<i64>(),
    ) {
        let (a, b, current) = (json!(a / 4), json!(b / 4), json!(current / 4));
        let one = fold(Reducer::Add, &current, &[a.clone(), b.clone()]);
        prop_assert!(one.as_ref().unwrap().is_i64() || one.as_ref().unwrap().is_u64());
        prop_assert_eq!(one, fold(Reducer::Add, &current, &[b, a]));
    }

    #[test]
    fn messages_twice_are_messages_once(a in messages(), b in messages()) {
        let once = fold(Reducer::Messages, &json!(null), &[a, b.clone()]).unwrap();
        prop_assert_eq!(&fold(Reducer::Messages, &once, &[b]).unwrap(), &once);
        let mut ids: Vec<_> =
            once.as_array().unwrap().iter().map(|m| m["id"].as_i64().unwrap()).collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        prop_assert_eq!(ids.len(), all);
    }

    #[test]
    fn messages_of_many_and_one_by_one_are_the_same(a in messages(), b in messages()) {
        let start = fold(Reducer::Messages, &json!(null), &[a]).unwrap();
        let one_by_one = b.as_array().unwrap().clone();
        prop_assert_eq!(
            fold(Reducer::Messages, &start, &[b]),
            fold(Reducer::Messages, &start, &one_by_one)
        );
    }

    #[test]
    fn min_and_max_do_not_care_about_order(numbers in vec(-9_i64..9, 1..6)) {
        let writes: Vec<Value> = numbers.iter().copied().map(Value::from).collect();
        let min = fold(Reducer::Min, &json!(null), &writes).unwrap();
        prop_assert_eq!(min, json!(numbers.iter().min().unwrap()));
        let max = fold(Reducer::Max, &json!(null), &writes).unwrap();
        prop_assert_eq!(max, json!(numbers.iter().max().unwrap()));
    }
}
