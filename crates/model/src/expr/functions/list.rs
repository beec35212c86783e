//! Functions on lists and maps. Whatever they visit or copy is paid from the budget first.
use std::{borrow::Cow, cmp::Ordering, collections::HashSet};

use serde_json::{Map, Value};

use super::{Args, Function, owned, type_name};
use crate::expr::{
    budget::{Budget, Stop},
    eval::{Found, order, own},
    number::{Arith, Num},
};

/// `min` and `max` of a list, or of the arguments.
pub(super) fn extreme<'a>(args: Args<'a>, budget: &Budget) -> Found<'a> {
    let name = args.function.name();
    let wanted = if args.function == Function::Min {
        Ordering::Less
    } else {
        Ordering::Greater
    };
    let mut best: Option<Cow<'a, Value>> = None;
    for value in items(args)? {
        budget.spend(1)?;
        let Some(so_far) = &best else {
            best = Some(value);
            continue;
        };
        match order(&value, so_far, budget)? {
            Some(order) if order == wanted => best = Some(value),
            Some(_) => {}
            None => {
                let (a, b) = (type_name(&value), type_name(so_far));
                return Err(Stop::Failed(format!(
                    "`{name}` cannot compare {a} with {b}"
                )));
            }
        }
    }
    match best {
        Some(value) if value.is_number() || value.is_string() || value.is_boolean() => Ok(value),
        Some(value) => Err(Stop::Failed(format!(
            "`{name}` cannot order {}",
            type_name(&value)
        ))),
        None => Err(Stop::Missing(format!("an empty list has no {name}"))),
    }
}

/// A single list stands for its items.
fn items(args: Args<'_>) -> Result<Vec<Cow<'_, Value>>, Stop> {
    if args.values.len() > 1 {
        return Ok(args.values);
    }
    match args.take() {
        Cow::Borrowed(Value::Array(items)) => Ok(items.iter().map(Cow::Borrowed).collect()),
        Cow::Owned(Value::Array(items)) => Ok(items.into_iter().map(Cow::Owned).collect()),
        one => Ok(vec![one]),
    }
}

pub(super) fn sum<'a>(args: &Args<'a>, budget: &Budget) -> Found<'a> {
    let mut sum = Num::Int(0);
    for value in args.list(0)? {
        budget.spend(1)?;
        let Value::Number(number) = value else {
            return Err(Stop::Failed(format!(
                "`sum` adds numbers, not {}",
                type_name(value)
            )));
        };
        sum = Arith::Add.apply(sum, Num::of(number))?;
    }
    Ok(Cow::Owned(sum.json()?))
}

/// Sorts numbers, texts or booleans, or maps by one of their members; equal items keep their order.
pub(super) fn sort<'a>(args: Args<'a>, budget: &Budget) -> Found<'a> {
    let by = match args.given(1) {
        Some(_) => Some(args.text(1)?.to_owned()),
        None => None,
    };
    args.list(0)?;
    let Value::Array(items) = own(args.take(), budget)? else {
        return Err(Stop::Failed("`sort` needs a list".to_owned()));
    };
    let key = |item: &Value| match &by {
        Some(name) => item
            .get(name.as_str())
            .cloned()
            .ok_or_else(|| Stop::Missing(format!("`sort`: an item has no member `{name}`"))),
        None => Ok(item.clone()),
    };
    let mut keyed = Vec::with_capacity(items.len());
    for item in items {
        let key = key(&item)?;
        budget.copy(&key)?;
        keyed.push((key, item));
    }
    budget.spend(keyed.len() as u64 * u64::from(keyed.len().max(1).ilog2() + 1))?;
    let mut failed = None;
    keyed.sort_by(|(a, _), (b, _)| match order(a, b, budget) {
        Ok(Some(order)) => order,
        Ok(None) => {
            let message = format!(
                "`sort` cannot compare {} with {}",
                type_name(a),
                type_name(b)
            );
            failed.get_or_insert(Stop::Failed(message));
            Ordering::Equal
        }
        Err(stop) => {
            failed.get_or_insert(stop);
            Ordering::Equal
        }
    });
    match failed {
        Some(stop) => Err(stop),
        None => Ok(owned(
            keyed.into_iter().map(|(_, item)| item).collect::<Vec<_>>(),
        )),
    }
}

pub(super) fn distinct<'a>(args: &Args<'a>, budget: &Budget) -> Found<'a> {
    let items = args.list(0)?;
    budget.copy(args.get(0))?;
    let mut seen: HashSet<&Value> = HashSet::with_capacity(items.len());
    let fresh = items
        .iter()
        .filter(|item| seen.insert(item))
        .cloned()
        .collect::<Vec<_>>();
    Ok(owned(fresh))
}

pub(super) fn flatten<'a>(args: &Args<'a>, budget: &Budget) -> Found<'a> {
    let items = args.list(0)?;
    budget.copy(args.get(0))?;
    let mut flat = Vec::with_capacity(items.len());
    for item in items {
        match item {
            Value::Array(inner) => flat.extend_from_slice(inner),
            other => flat.push(other.clone()),
        }
    }
    Ok(owned(flat))
}

/// A part of a list or text, from (inclusive) to (exclusive); negative places count from the end,
/// places outside are taken for the nearest end.
pub(super) fn slice<'a>(args: &Args<'a>, budget: &Budget) -> Found<'a> {
    let (from, to) = (whole(args, 1)?.unwrap_or(0), whole(args, 2)?);
    match args.get(0) {
        Value::Array(items) => {
            let (from, to) = bounds(from, to, items.len());
            let part = &items[from..to];
            for item in part {
                budget.copy(item)?;
            }
            Ok(owned(part.to_vec()))
        }
        Value::String(text) => {
            budget.build(text.len())?;
            let (from, to) = bounds(from, to, text.chars().count());
            Ok(owned(
                text.chars().skip(from).take(to - from).collect::<String>(),
            ))
        }
        _ => Err(args.unfit(0, "a list or text")),
    }
}

fn whole(args: &Args<'_>, place: usize) -> Result<Option<i64>, Stop> {
    match args.given(place) {
        None => Ok(None),
        Some(value) => value
            .as_i64()
            .map(Some)
            .ok_or_else(|| args.unfit(place, "whole numbers as places")),
    }
}

fn bounds(from: i64, to: Option<i64>, size: usize) -> (usize, usize) {
    let clamp = |place: i64| match usize::try_from(place) {
        Ok(place) => place.min(size),
        Err(_) => size.saturating_sub(usize::try_from(place.unsigned_abs()).unwrap_or(usize::MAX)),
    };
    let from = clamp(from);
    (from, to.map_or(size, clamp).max(from))
}

fn fields<'v>(args: &'v Args<'_>) -> Result<&'v Map<String, Value>, Stop> {
    args.get(0)
        .as_object()
        .ok_or_else(|| args.unfit(0, "a map"))
}

pub(super) fn keys<'a>(args: &Args<'a>, budget: &Budget) -> Found<'a> {
    let mut keys = Vec::new();
    for key in fields(args)?.keys() {
        budget.build(key.len() + 2)?;
        budget.spend(1)?;
        keys.push(Value::from(key.as_str()));
    }
    Ok(owned(keys))
}

pub(super) fn values<'a>(args: &Args<'a>, budget: &Budget) -> Found<'a> {
    let fields = fields(args)?;
    budget.copy(args.get(0))?;
    Ok(owned(fields.values().cloned().collect::<Vec<_>>()))
}
