//! Reading members, keys and elements of JSON, and saying what is there when something is not.
use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{
    Root, Scope,
    budget::Stop,
    eval::{Env, Found, eval},
    functions::type_name,
    number::Num,
    tree::{Node, Path},
};
use crate::problem::nearest;

/// Names listed in an error before "…".
const LISTED: usize = 8;

/// Follows a chain of members from its root. The first member is asked of the scope, so a scope
/// need not have the whole root at hand.
pub(super) fn read<'a>(path: &'a Path, scope: &'a dyn Scope) -> Found<'a> {
    let (first, rest) = match path.members.split_first() {
        Some((first, rest)) => (Some(first.as_str()), rest),
        None => (None, &[][..]),
    };
    let Some(mut value) = scope.get(path.root, first) else {
        return Err(absent(path.root, first, scope));
    };
    for (place, name) in rest.iter().enumerate() {
        value = step(value, name).map_err(|holder| {
            let mut shown = format!("`{}", path.root.name());
            for member in &path.members[..=place] {
                shown.push('.');
                shown.push_str(member);
            }
            shown.push('`');
            no_member(&shown, &holder, name, path.root == Root::Secrets)
        })?;
    }
    Ok(value)
}

/// The member, or the value that does not have it.
fn step<'a>(value: Cow<'a, Value>, name: &str) -> Result<Cow<'a, Value>, Cow<'a, Value>> {
    match value {
        Cow::Borrowed(holder) => holder
            .get(name)
            .map(Cow::Borrowed)
            .ok_or(Cow::Borrowed(holder)),
        Cow::Owned(Value::Object(mut fields)) => match fields.remove(name) {
            Some(member) => Ok(Cow::Owned(member)),
            None => Err(Cow::Owned(Value::Object(fields))),
        },
        other => Err(other),
    }
}

pub(super) fn member<'a>(value: Cow<'a, Value>, name: &str) -> Found<'a> {
    step(value, name).map_err(|holder| no_member("this value", &holder, name, false))
}

/// Whether the member is there; false too when what should hold it is missing or null.
pub(super) fn has<'a>(of: &'a Node, name: &str, env: &Env<'a>) -> Found<'a> {
    let found = match of {
        Node::Path(path) if path.members.is_empty() => {
            return Ok(Cow::Owned(Value::Bool(
                env.scope.get(path.root, Some(name)).is_some(),
            )));
        }
        of => eval(of, env),
    };
    let present = match found {
        Ok(holder) => match holder.as_ref() {
            Value::Object(fields) => fields.contains_key(name),
            Value::Null => false,
            other => {
                let found = type_name(other);
                return Err(Stop::Failed(format!(
                    "`has` looks into maps, but this is {found}"
                )));
            }
        },
        Err(Stop::Missing(_) | Stop::NoSecret(_)) => false,
        Err(stop) => return Err(stop),
    };
    Ok(Cow::Owned(Value::Bool(present)))
}

/// `of[index]`: an element of a list or a field of a map.
pub(super) fn index<'a>(of: Cow<'a, Value>, index: &Value, env: &Env<'a>) -> Found<'a> {
    if let Value::Array(items) = of.as_ref() {
        let place = place(index)?;
        let size = items.len();
        let element = match of {
            Cow::Borrowed(list) => list.get(place).map(Cow::Borrowed),
            Cow::Owned(Value::Array(mut items)) if place < size => {
                Some(Cow::Owned(items.swap_remove(place)))
            }
            Cow::Owned(_) => None,
        };
        return element.ok_or_else(|| {
            Stop::Missing(format!(
                "there is no element {place} in a list of {size} (from 0)"
            ))
        });
    }
    if !of.is_object() {
        let kind = type_name(&of);
        let message = format!("this value is {kind}, so nothing can be taken out with `[…]`");
        return Err(if of.is_null() {
            Stop::Missing(message)
        } else {
            Stop::Failed(message)
        });
    }
    let Some(name) = key(index) else {
        let kind = type_name(index);
        return Err(Stop::Failed(format!(
            "a map is asked by text, not by {kind}"
        )));
    };
    step(of, &name).map_err(|holder| no_member("this map", &holder, &name, env.secret))
}

fn place(index: &Value) -> Result<usize, Stop> {
    let whole = match index {
        Value::Number(number) => match Num::of(number) {
            Num::Int(int) => Some(int),
            #[expect(clippy::cast_possible_truncation, reason = "whole and far below 2^63")]
            Num::Double(x) if x.fract() == 0.0 && x.abs() < 1e15 => Some(x as i64),
            Num::Double(_) => None,
        },
        _ => None,
    };
    let Some(whole) = whole else {
        let kind = type_name(index);
        return Err(Stop::Failed(format!(
            "a list is asked by a whole number, not by {kind}"
        )));
    };
    usize::try_from(whole).map_err(|_| {
        Stop::Missing(format!(
            "there is no element {whole}; elements count from 0"
        ))
    })
}

/// The text under which JSON keeps a key; numbers and booleans are written out.
pub(super) fn key(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) if !number.is_f64() => Some(Cow::Owned(number.to_string())),
        Value::Bool(value) => Some(Cow::Borrowed(if *value { "true" } else { "false" })),
        _ => None,
    }
}

fn absent(root: Root, member: Option<&str>, scope: &dyn Scope) -> Stop {
    match (member, scope.get(root, None)) {
        (Some(name), _) if root == Root::Secrets => Stop::NoSecret(name.to_owned()),
        (Some(name), Some(holder)) => {
            no_member(&format!("`{}`", root.name()), &holder, name, false)
        }
        _ => Stop::Missing(format!("`{}` has no value here", root.name())),
    }
}

fn no_member(shown: &str, holder: &Value, name: &str, secret: bool) -> Stop {
    let Value::Object(fields) = holder else {
        let kind = type_name(holder);
        return if holder.is_null() {
            Stop::Missing(format!("{shown} is null, so it has no member `{name}`"))
        } else {
            Stop::Failed(format!("{shown} is {kind}, so it has no member `{name}`"))
        };
    };
    if secret {
        return Stop::Missing(format!("{shown} has no such member"));
    }
    Stop::Missing(format!(
        "{shown} has no member `{name}`; {}",
        listed(fields, name)
    ))
}

fn listed(fields: &Map<String, Value>, name: &str) -> String {
    if fields.is_empty() {
        return "it is empty".to_owned();
    }
    // Two short names are near to each other by chance.
    if name.len() > 2
        && let Some(near) = nearest(name, fields.keys().map(String::as_str))
    {
        return format!("did you mean `{near}`?");
    }
    let names: Vec<&str> = fields.keys().take(LISTED).map(String::as_str).collect();
    let more = if fields.len() > LISTED { ", …" } else { "" };
    format!("it has {}{more}", names.join(", "))
}
