//! The functions of the language: their names, how many arguments they take, and who does the work.
//! Each can be called as `f(x, y)` and as `x.f(y)`. `coalesce` is evaluated in [`super::eval`].
mod convert;
mod list;
pub(crate) mod text;

use std::borrow::Cow;

use serde_json::Value;

use super::{
    budget::{Budget, Stop},
    eval::Found,
};

/// Every function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Abs,
    Bool,
    Ceil,
    Coalesce,
    Contains,
    Distinct,
    Double,
    Dyn,
    EndsWith,
    Flatten,
    Floor,
    FromJson,
    Int,
    Join,
    Keys,
    Lower,
    Matches,
    Max,
    Min,
    Replace,
    Round,
    Size,
    Slice,
    Sort,
    Split,
    StartsWith,
    String,
    Sum,
    ToJson,
    Trim,
    Type,
    Uint,
    Upper,
    Values,
}

/// Name, function, least and most arguments.
type Entry = (&'static str, Function, usize, usize);

const TABLE: [Entry; 34] = [
    ("abs", Function::Abs, 1, 1),
    ("bool", Function::Bool, 1, 1),
    ("ceil", Function::Ceil, 1, 1),
    ("coalesce", Function::Coalesce, 1, usize::MAX),
    ("contains", Function::Contains, 2, 2),
    ("distinct", Function::Distinct, 1, 1),
    ("double", Function::Double, 1, 1),
    ("dyn", Function::Dyn, 1, 1),
    ("endsWith", Function::EndsWith, 2, 2),
    ("flatten", Function::Flatten, 1, 1),
    ("floor", Function::Floor, 1, 1),
    ("from_json", Function::FromJson, 1, 1),
    ("int", Function::Int, 1, 1),
    ("join", Function::Join, 1, 2),
    ("keys", Function::Keys, 1, 1),
    ("lower", Function::Lower, 1, 1),
    ("matches", Function::Matches, 2, 2),
    ("max", Function::Max, 1, usize::MAX),
    ("min", Function::Min, 1, usize::MAX),
    ("replace", Function::Replace, 3, 3),
    ("round", Function::Round, 1, 2),
    ("size", Function::Size, 1, 1),
    ("slice", Function::Slice, 2, 3),
    ("sort", Function::Sort, 1, 2),
    ("split", Function::Split, 2, 2),
    ("startsWith", Function::StartsWith, 2, 2),
    ("string", Function::String, 1, 1),
    ("sum", Function::Sum, 1, 1),
    ("to_json", Function::ToJson, 1, 1),
    ("trim", Function::Trim, 1, 1),
    ("type", Function::Type, 1, 1),
    ("uint", Function::Uint, 1, 1),
    ("upper", Function::Upper, 1, 1),
    ("values", Function::Values, 1, 1),
];

impl Function {
    /// The function with the least and the most arguments it takes.
    pub(crate) fn from_name(name: &str) -> Option<(Self, usize, usize)> {
        let entry = TABLE.iter().find(|(known, ..)| *known == name);
        entry.map(|(_, function, least, most)| (*function, *least, *most))
    }

    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        TABLE.iter().map(|(name, ..)| *name)
    }

    pub(crate) fn name(self) -> &'static str {
        TABLE
            .iter()
            .find(|(_, function, ..)| *function == self)
            .map_or("?", |(name, ..)| *name)
    }
}

/// The arguments of one call. Their number was checked when the expression was read.
struct Args<'a> {
    function: Function,
    values: Vec<Cow<'a, Value>>,
}

impl<'a> Args<'a> {
    fn get(&self, place: usize) -> &Value {
        self.values.get(place).map_or(&Value::Null, AsRef::as_ref)
    }

    fn given(&self, place: usize) -> Option<&Value> {
        self.values.get(place).map(AsRef::as_ref)
    }

    /// The first argument itself.
    fn take(mut self) -> Cow<'a, Value> {
        if self.values.is_empty() {
            Cow::Owned(Value::Null)
        } else {
            self.values.swap_remove(0)
        }
    }

    fn unfit(&self, place: usize, wanted: &str) -> Stop {
        Stop::Failed(format!(
            "`{}` needs {wanted}, not {}",
            self.function.name(),
            type_name(self.get(place))
        ))
    }

    fn text(&self, place: usize) -> Result<&str, Stop> {
        self.get(place)
            .as_str()
            .ok_or_else(|| self.unfit(place, "text"))
    }

    fn list(&self, place: usize) -> Result<&Vec<Value>, Stop> {
        self.get(place)
            .as_array()
            .ok_or_else(|| self.unfit(place, "a list"))
    }
}

pub(crate) fn call<'a>(
    function: Function,
    values: Vec<Cow<'a, Value>>,
    budget: &Budget,
) -> Found<'a> {
    let args = Args { function, values };
    match function {
        Function::Dyn | Function::Coalesce => Ok(args.take()),
        Function::Type => Ok(owned(match args.get(0) {
            Value::Null => "null_type",
            other => type_name(other),
        })),
        Function::Size => size(&args, budget),
        Function::Contains => contains(&args, budget),
        Function::Min | Function::Max => list::extreme(args, budget),
        Function::Sum => list::sum(&args, budget),
        Function::Sort => list::sort(args, budget),
        Function::Distinct => list::distinct(&args, budget),
        Function::Flatten => list::flatten(&args, budget),
        Function::Slice => list::slice(&args, budget),
        Function::Keys => list::keys(&args, budget),
        Function::Values => list::values(&args, budget),
        Function::Join => text::join(&args, budget),
        Function::Split => text::split(&args, budget),
        Function::Replace => text::replace(&args, budget),
        Function::StartsWith | Function::EndsWith => text::edge(&args, budget),
        Function::Lower | Function::Upper | Function::Trim => text::changed(&args, budget),
        Function::Matches => {
            budget.spend(text::COMPILE_WORK)?;
            let pattern = text::compile(args.text(1)?)?;
            text::matches(args.get(0), &pattern, budget)
        }
        Function::String => convert::string(args, budget),
        Function::Int | Function::Uint => convert::int(&args),
        Function::Double => convert::double(&args),
        Function::Bool => convert::bool(&args),
        Function::FromJson => convert::from_json(&args, budget),
        Function::ToJson => convert::to_json(args.get(0), budget),
        Function::Round | Function::Floor | Function::Ceil => convert::rounded(&args),
        Function::Abs => convert::abs(&args),
    }
}

fn owned<'a>(value: impl Into<Value>) -> Cow<'a, Value> {
    Cow::Owned(value.into())
}

fn size<'a>(args: &Args<'a>, budget: &Budget) -> Found<'a> {
    let size = match args.get(0) {
        Value::String(text) => {
            budget.read(text.len())?;
            text.chars().count()
        }
        Value::Array(items) => items.len(),
        Value::Object(fields) => fields.len(),
        _ => return Err(args.unfit(0, "text, a list or a map")),
    };
    Ok(owned(size))
}

fn contains<'a>(args: &Args<'a>, budget: &Budget) -> Found<'a> {
    if let Value::Array(items) = args.get(0) {
        for item in items {
            if super::eval::equal(item, args.get(1), budget)? {
                return Ok(owned(true));
            }
        }
        return Ok(owned(false));
    }
    let (text, part) = (args.text(0)?, args.text(1)?);
    budget.read(text.len() + part.len())?;
    Ok(owned(text.contains(part)))
}

/// The name of a value's type as `type()` gives it; null is `null` in messages.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.as_i64().is_some() => "int",
        Value::Number(_) => "double",
        Value::String(_) => "string",
        Value::Array(_) => "list",
        Value::Object(_) => "map",
    }
}
