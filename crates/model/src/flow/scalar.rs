//! One YAML scalar: its style, and what an unquoted text stands for (YAML 1.2 core schema). Knows
//! nothing of documents.
use std::borrow::Cow;

use saphyr_parser::{ScalarStyle, Tag};
use serde_json::Number;

use super::{
    doc::{Content, Doc, Style},
    yaml::{problem, unknown_tag},
};
use crate::problem::{Place, Problem};

pub(super) fn is_block(style: Style) -> bool {
    matches!(style, Style::Literal | Style::Folded)
}

pub(super) fn written(style: ScalarStyle) -> Style {
    match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::SingleQuoted => Style::Single,
        ScalarStyle::DoubleQuoted => Style::Double,
        ScalarStyle::Literal => Style::Literal,
        ScalarStyle::Folded => Style::Folded,
    }
}

pub(super) fn scalar(
    at: Place,
    text: Cow<'_, str>,
    style: Style,
    tag: Option<&Tag>,
) -> Result<Doc, Problem> {
    let as_text = match tag {
        None => style != Style::Plain,
        Some(tag) if tag.is_yaml_core_schema() && tag.suffix == "str" => true,
        Some(tag) => return Err(unknown_tag(at, tag)),
    };
    if as_text {
        return Ok(Doc {
            at,
            content: Content::Text(text.into_owned(), style),
        });
    }
    let content = match plain(&text) {
        Some(content) => content,
        None if is_special_float(&text) => {
            let message = format!("`{text}` is a number that JSON does not have");
            return Err(problem(
                "bad_value",
                at,
                message,
                "use a finite number, or quote it",
            ));
        }
        None => Content::Text(text.into_owned(), style),
    };
    Ok(Doc { at, content })
}

/// Whether an unquoted text is read as that text and nothing else.
pub(super) fn is_text(text: &str) -> bool {
    plain(text).is_none() && !is_special_float(text)
}

/// What an unquoted text stands for (YAML 1.2 core schema); `None`: just the text.
fn plain(text: &str) -> Option<Content> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Some(Content::Null),
        "true" | "True" | "TRUE" => return Some(Content::Bool(true)),
        "false" | "False" | "FALSE" => return Some(Content::Bool(false)),
        _ => {}
    }
    let radix = text.get(..2).and_then(|prefix| match prefix {
        "0x" => u64::from_str_radix(&text[2..], 16).ok(),
        "0o" => u64::from_str_radix(&text[2..], 8).ok(),
        _ => None,
    });
    if let Some(number) = radix {
        return Some(Content::Number(number.into()));
    }
    if !is_decimal(text) {
        return None;
    }
    let whole = text.strip_prefix('+').unwrap_or(text);
    if let Ok(number) = whole.parse::<i64>() {
        return Some(Content::Number(number.into()));
    }
    if let Ok(number) = whole.parse::<u64>() {
        return Some(Content::Number(number.into()));
    }
    whole
        .parse::<f64>()
        .ok()
        .and_then(Number::from_f64)
        .map(Content::Number)
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_decimal(text: &str) -> bool {
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match body.find(['e', 'E']) {
        Some(at) => (&body[..at], Some(&body[at + 1..])),
        None => (body, None),
    };
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let mantissa_ok = match mantissa.split_once('.') {
        Some((whole, fraction)) => {
            digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty())
        }
        None => !mantissa.is_empty() && digits(mantissa),
    };
    let exponent_ok = exponent.is_none_or(|e| {
        let e = e.strip_prefix(['-', '+']).unwrap_or(e);
        !e.is_empty() && digits(e)
    });
    mantissa_ok && exponent_ok
}

fn is_special_float(text: &str) -> bool {
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    matches!(body, ".inf" | ".Inf" | ".INF")
        || matches!(text, ".nan" | ".NaN" | ".NAN")
        || is_decimal(text)
}
