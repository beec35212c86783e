//! A run's input: from a file, from stdin or from the command line, single values set on top,
//! checked against the flow.
use std::{io::Read as _, path::Path};

use runstone_model::{flow::Flow, limits::MAX_INPUT_BYTES};
use serde_json::{Map, Value};

use super::flow::{bytes, too_large};
use crate::trouble::Trouble;

/// The input that `--input` and `--set` describe, with the flow's defaults, fit for the flow.
pub(crate) fn input(flow: &Flow, from: Option<&str>, sets: &[String]) -> Result<Value, Trouble> {
    let mut value = from.map_or(Ok(Value::Null), given)?;
    for set in sets {
        set_one(&mut value, set)?;
    }
    flow.check_input(value).map_err(|problems| {
        let details = problems.iter().map(ToString::to_string).collect();
        Trouble::at(
            "",
            format!("the input does not fit the flow `{}`", flow.name),
        )
        .details(details)
        .mend("pass the input with --input or --set; the schema is under `input:` in the flow")
    })
}

fn given(from: &str) -> Result<Value, Trouble> {
    if from == "-" {
        // Memory that is not written costs nothing; growing step by step would cost three times.
        let mut read = Vec::with_capacity(MAX_INPUT_BYTES + 2);
        let most = u64::try_from(MAX_INPUT_BYTES)
            .unwrap_or(u64::MAX)
            .saturating_add(1);
        let done = std::io::stdin().lock().take(most).read_to_end(&mut read);
        done.map_err(|error| Trouble::at("stdin", format!("cannot be read: {error}")))?;
        if read.len() > MAX_INPUT_BYTES {
            return Err(too_large("stdin", MAX_INPUT_BYTES));
        }
        return json("stdin", &read);
    }
    if from.trim_start().starts_with(['{', '[', '"']) {
        return json("--input", from.as_bytes());
    }
    let path = Path::new(from);
    if !path.exists()
        && let Ok(value) = serde_json::from_str(from)
    {
        return Ok(value);
    }
    let read = bytes(path, MAX_INPUT_BYTES, "an input file").map_err(|trouble| {
        if trouble.mend.is_empty() {
            trouble.mend("--input takes a JSON file, JSON itself, or - for stdin")
        } else {
            trouble
        }
    })?;
    json(from, &read)
}

fn json(place: &str, text: &[u8]) -> Result<Value, Trouble> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    serde_json::from_slice(text).map_err(|error| {
        let place = match error.line() {
            0 => place.to_owned(),
            line => format!("{place}:{line}:{}", error.column()),
        };
        // The position is in the place already.
        let reason = error.to_string();
        let reason = reason
            .split(" at line ")
            .next()
            .unwrap_or_default()
            .to_owned();
        Trouble::at(place, format!("not JSON: {reason}")).mend("an input is one JSON value")
    })
}

/// Puts `a.b=value` into `input`.
fn set_one(input: &mut Value, set: &str) -> Result<(), Trouble> {
    let place = |key: &str| format!("--set {key}");
    let Some((key, text)) = set.split_once('=') else {
        return Err(Trouble::at(place(set), "there is no `=` in it").mend("write --set key=value"));
    };
    if key.split('.').any(str::is_empty) {
        return Err(Trouble::at(place(key), "a name is empty")
            .mend("write --set key=value; dots nest: --set a.b=1"));
    }
    if input.is_null() {
        *input = Value::Object(Map::new());
    }
    let mut at = input;
    for name in key.split('.') {
        let Value::Object(map) = at else {
            return Err(Trouble::at(
                place(key),
                "what it goes into is not an object",
            ));
        };
        at = map.entry(name).or_insert_with(|| Value::Object(Map::new()));
    }
    *at = serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use serde_json::json;

    use super::*;

    fn all(sets: &[&str]) -> Result<Value, Trouble> {
        let mut input = Value::Null;
        for set in sets {
            set_one(&mut input, set)?;
        }
        Ok(input)
    }

    #[test]
    fn set_reads_json_and_takes_the_rest_as_text() {
        let input = all(&[
            "a=1",
            "b=true",
            "c=hello world",
            "d=[1,2]",
            "e=\"7\"",
            "f=",
            "g=x=y",
        ]);
        let want = json!({"a": 1, "b": true, "c": "hello world", "d": [1, 2], "e": "7", "f": "",
            "g": "x=y"});
        assert_eq!(input.unwrap(), want);
    }

    #[test]
    fn set_nests_at_dots_and_the_later_one_wins() {
        let input = all(&["a.b.c=1", "a.b.d=2", "a.b.c=3"]);
        assert_eq!(input.unwrap(), json!({"a": {"b": {"c": 3, "d": 2}}}));
    }

    #[test]
    fn set_refuses_what_it_cannot_place() {
        assert!(all(&["a"]).is_err());
        assert!(all(&["=1"]).is_err());
        assert!(all(&["a..b=1"]).is_err());
        assert!(all(&["a=1", "a.b=2"]).is_err());
    }

    #[test]
    fn inline_json_is_told_from_a_file_name() {
        assert_eq!(given(" {\"a\": 1}").unwrap(), json!({"a": 1}));
        assert_eq!(given("null").unwrap(), Value::Null);
        let trouble = given("{\"a\": }").unwrap_err();
        assert_eq!(trouble.place, "--input:1:7");
        assert_eq!(
            given("nowhere.json").unwrap_err().reason,
            "there is no such file"
        );
    }
}
