//! Evaluation: a walk over [`Node`] on borrowed JSON. Nothing is converted and nothing is copied
//! until something new must be built; every step is paid from the [`Budget`].
use std::{borrow::Cow, cmp::Ordering};

use serde_json::{Map, Value};

use super::{
    EvalError, Expr, Root, Scope,
    budget::{Budget, Stop, check_result},
    functions::{self, type_name},
    number::{Arith, Num, compare},
    path,
    tree::{Compare, Loop, LoopKind, Node},
};

/// A value, borrowed from the scope or the expression where possible.
pub(crate) type Found<'a> = Result<Cow<'a, Value>, Stop>;

/// What is visible at one place of the walk.
#[derive(Clone, Copy)]
pub(crate) struct Env<'a> {
    pub(crate) scope: &'a dyn Scope,
    pub(crate) budget: &'a Budget,
    /// Keys found at run time are named in errors unless secrets take part.
    pub(crate) secret: bool,
    local: Option<&'a Local<'a>>,
}

/// The variable of a loop, and those of the loops around it.
struct Local<'a> {
    value: &'a Value,
    outer: Option<&'a Local<'a>>,
}

pub(super) fn run<'a>(expr: &'a Expr, scope: &'a dyn Scope) -> Result<Cow<'a, Value>, EvalError> {
    run_within(expr, scope, &Budget::new())
}

/// As [`run`], paying from a budget shared with other expressions.
pub(super) fn run_within<'a>(
    expr: &'a Expr,
    scope: &'a dyn Scope,
    budget: &Budget,
) -> Result<Cow<'a, Value>, EvalError> {
    let failed = |stop: Stop| stop.of(expr.source());
    if let Node::Path(chain) = &expr.node {
        return path::read(chain, scope).map_err(failed);
    }
    let secret = expr
        .references()
        .iter()
        .any(|reference| reference.root == Root::Secrets);
    let env = Env {
        scope,
        budget,
        secret,
        local: None,
    };
    let value = eval(&expr.node, &env).map_err(failed)?;
    check_result(&value).map_err(|message| failed(Stop::Failed(message)))?;
    // The budget outlives the walk only, so what is borrowed must come from the scope: copy.
    Ok(Cow::Owned(value.into_owned()))
}

pub(crate) fn eval<'a>(node: &'a Node, env: &Env<'a>) -> Found<'a> {
    env.budget.spend(1)?;
    match node {
        Node::Literal(value) => Ok(Cow::Borrowed(value)),
        Node::Path(chain) => path::read(chain, env.scope),
        Node::Local { up, name } => local(env, *up, name),
        Node::Member { of, name } => path::member(eval(of, env)?, name),
        Node::Has { of, name } => path::has(of, name, env),
        Node::Index { of, index } => {
            let of = eval(of, env)?;
            path::index(of, &*eval(index, env)?, env)
        }
        Node::And(a, b) => decide(a, b, false, env),
        Node::Or(a, b) => decide(a, b, true, env),
        Node::Not(a) => boolean(a, "!", env).map(|value| owned(!value)),
        Node::Negate(a) => negate(a, env),
        Node::If { test, yes, no } => eval(if boolean(test, "?:", env)? { yes } else { no }, env),
        Node::Arith(op, a, b) => arithmetic(*op, a, b, env),
        Node::Compare(op, a, b) => comparison(*op, a, b, env),
        Node::In(a, b) => contained(a, b, env),
        Node::List(items) => {
            env.budget.build(2)?;
            let items = items.iter().map(|item| own(eval(item, env)?, env.budget));
            items
                .collect::<Result<Vec<_>, Stop>>()
                .map(|items| Cow::Owned(Value::Array(items)))
        }
        Node::Object(entries) => object(entries, env),
        Node::Loop(looped) => run_loop(looped, env),
        Node::Coalesce(choices) => coalesce(choices, env),
        Node::Call(function, args) => {
            let args = args
                .iter()
                .map(|arg| eval(arg, env))
                .collect::<Result<Vec<_>, _>>()?;
            functions::call(*function, args, env.budget)
        }
        Node::Matches { text, pattern } => {
            let text = eval(text, env)?;
            functions::text::matches(&text, pattern, env.budget)
        }
    }
}

fn owned<'a>(value: impl Into<Value>) -> Cow<'a, Value> {
    Cow::Owned(value.into())
}

/// The value to keep in something new; a copy is paid for.
pub(crate) fn own(value: Cow<'_, Value>, budget: &Budget) -> Result<Value, Stop> {
    match value {
        Cow::Owned(value) => Ok(value),
        Cow::Borrowed(value) => {
            budget.copy(value)?;
            Ok(value.clone())
        }
    }
}

fn local<'a>(env: &Env<'a>, up: usize, name: &str) -> Found<'a> {
    let mut here = env.local;
    for _ in 0..up {
        here = here.and_then(|local| local.outer);
    }
    here.map(|local| Cow::Borrowed(local.value))
        .ok_or_else(|| Stop::Failed(format!("`{name}` has no value here")))
}

fn boolean<'a>(node: &'a Node, operator: &str, env: &Env<'a>) -> Result<bool, Stop> {
    match eval(node, env)?.as_ref() {
        Value::Bool(value) => Ok(*value),
        other => Err(Stop::Failed(format!(
            "`{operator}` needs true or false, but this is {}",
            type_name(other)
        ))),
    }
}

/// `&&` (decided by false) and `||` (decided by true). As in CEL, a side that fails does not
/// matter when the other side decides.
fn decide<'a>(a: &'a Node, b: &'a Node, decisive: bool, env: &Env<'a>) -> Found<'a> {
    let operator = if decisive { "||" } else { "&&" };
    let first = match boolean(a, operator, env) {
        Ok(value) if value == decisive => return Ok(owned(decisive)),
        Err(stop @ Stop::Spent(_)) => return Err(stop),
        first => first,
    };
    let second = boolean(b, operator, env);
    if matches!(second, Ok(value) if value == decisive) {
        return Ok(owned(decisive));
    }
    if matches!(second, Err(Stop::Spent(_))) {
        return second.map(owned);
    }
    first.and(second).map(owned)
}

fn negate<'a>(node: &'a Node, env: &Env<'a>) -> Found<'a> {
    let value = eval(node, env)?;
    match value.as_ref() {
        Value::Number(number) => Ok(Cow::Owned(
            match Num::of(number) {
                Num::Int(int) => Num::Int(int.checked_neg().ok_or_else(|| {
                    Stop::Failed("`-` goes beyond the range of 64-bit integers".to_owned())
                })?),
                Num::Double(double) => Num::Double(-double),
            }
            .json()?,
        )),
        other => Err(Stop::Failed(format!(
            "`-` needs a number, not {}",
            type_name(other)
        ))),
    }
}

fn arithmetic<'a>(op: Arith, a: &'a Node, b: &'a Node, env: &Env<'a>) -> Found<'a> {
    let (a, b) = (eval(a, env)?, eval(b, env)?);
    match (a.as_ref(), b.as_ref()) {
        (Value::Number(a), Value::Number(b)) => {
            Ok(Cow::Owned(op.apply(Num::of(a), Num::of(b))?.json()?))
        }
        (Value::String(_), Value::String(more)) if op == Arith::Add => {
            env.budget.build(more.len())?;
            let Value::String(mut text) = own(a, env.budget)? else {
                return Err(unfit(op));
            };
            text.push_str(more);
            Ok(owned(text))
        }
        (Value::Array(_), Value::Array(_)) if op == Arith::Add => {
            let Value::Array(mut items) = own(a, env.budget)? else {
                return Err(unfit(op));
            };
            let Value::Array(more) = own(b, env.budget)? else {
                return Err(unfit(op));
            };
            items.extend(more);
            Ok(owned(items))
        }
        (left, right) => {
            let text = left.is_string() || right.is_string();
            let hint = if text && op == Arith::Add {
                "; turn it into text with string(…)"
            } else {
                ""
            };
            Err(Stop::Failed(format!(
                "`{}` does not work on {} and {}{hint}",
                op.symbol(),
                type_name(left),
                type_name(right)
            )))
        }
    }
}

fn unfit(op: Arith) -> Stop {
    Stop::Failed(format!("`{}` does not work on these", op.symbol()))
}

fn comparison<'a>(op: Compare, a: &'a Node, b: &'a Node, env: &Env<'a>) -> Found<'a> {
    let (a, b) = (eval(a, env)?, eval(b, env)?);
    let symbol = match op {
        Compare::Equal => return Ok(owned(equal(&a, &b, env.budget)?)),
        Compare::NotEqual => return Ok(owned(!equal(&a, &b, env.budget)?)),
        Compare::Less => "<",
        Compare::LessOrEqual => "<=",
        Compare::Greater => ">",
        Compare::GreaterOrEqual => ">=",
    };
    let Some(order) = order(&a, &b, env.budget)? else {
        let hint = if a.is_null() || b.is_null() {
            "; test it first with `!= null`"
        } else {
            ""
        };
        return Err(Stop::Failed(format!(
            "`{symbol}` cannot compare {} with {}{hint}",
            type_name(&a),
            type_name(&b)
        )));
    };
    Ok(owned(match op {
        Compare::Less => order.is_lt(),
        Compare::LessOrEqual => order.is_le(),
        Compare::Greater => order.is_gt(),
        Compare::GreaterOrEqual | Compare::Equal | Compare::NotEqual => order.is_ge(),
    }))
}

/// Numbers, texts and booleans have an order among themselves; nothing else has.
pub(crate) fn order(a: &Value, b: &Value, budget: &Budget) -> Result<Option<Ordering>, Stop> {
    Ok(match (a, b) {
        (Value::Number(a), Value::Number(b)) => Some(compare(a, b)),
        (Value::String(a), Value::String(b)) => {
            budget.read(a.len().min(b.len()))?;
            Some(a.cmp(b))
        }
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        _ => None,
    })
}

/// Equality at every depth; `1 == 1.0`, and values of different types are not equal.
pub(crate) fn equal(a: &Value, b: &Value, budget: &Budget) -> Result<bool, Stop> {
    budget.spend(1)?;
    Ok(match (a, b) {
        (Value::Number(a), Value::Number(b)) => compare(a, b).is_eq(),
        (Value::String(a), Value::String(b)) => {
            budget.read(a.len().min(b.len()))?;
            a == b
        }
        (Value::Array(a), Value::Array(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for (a, b) in a.iter().zip(b) {
                if !equal(a, b, budget)? {
                    return Ok(false);
                }
            }
            true
        }
        (Value::Object(a), Value::Object(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for ((a_name, a), (b_name, b)) in a.iter().zip(b) {
                if a_name != b_name || !equal(a, b, budget)? {
                    return Ok(false);
                }
            }
            true
        }
        (a, b) => a == b,
    })
}

fn contained<'a>(a: &'a Node, b: &'a Node, env: &Env<'a>) -> Found<'a> {
    let (wanted, holder) = (eval(a, env)?, eval(b, env)?);
    match holder.as_ref() {
        Value::Array(items) => {
            for item in items {
                if equal(&wanted, item, env.budget)? {
                    return Ok(owned(true));
                }
            }
            Ok(owned(false))
        }
        Value::Object(fields) => Ok(owned(
            path::key(&wanted).is_some_and(|key| fields.contains_key(&*key)),
        )),
        other => Err(Stop::Failed(format!(
            "`in` needs a list or a map on its right, not {}; for text use a.contains(b)",
            type_name(other)
        ))),
    }
}

fn object<'a>(entries: &'a [(Node, Node)], env: &Env<'a>) -> Found<'a> {
    env.budget.build(2)?;
    let mut fields = Map::new();
    for (key, value) in entries {
        let key = eval(key, env)?;
        let Some(name) = path::key(&key) else {
            return Err(Stop::Failed(format!(
                "a map key cannot be {}",
                type_name(&key)
            )));
        };
        env.budget.build(name.len() + 4)?;
        let value = own(eval(value, env)?, env.budget)?;
        if fields.insert(name.into_owned(), value).is_some() {
            return Err(Stop::Failed("a map has the same key twice".to_owned()));
        }
    }
    Ok(Cow::Owned(Value::Object(fields)))
}

fn coalesce<'a>(choices: &'a [Node], env: &Env<'a>) -> Found<'a> {
    for choice in choices {
        match eval(choice, env) {
            Ok(value) if value.is_null() => {}
            Err(Stop::Missing(_) | Stop::NoSecret(_)) => {}
            found => return found,
        }
    }
    Ok(owned(Value::Null))
}

fn run_loop<'a>(looped: &'a Loop, env: &Env<'a>) -> Found<'a> {
    let over = eval(&looped.over, env)?;
    let keys: Vec<Value>;
    let items: &[Value] = match over.as_ref() {
        Value::Array(items) => items,
        Value::Object(fields) => {
            env.budget.spend(fields.len() as u64)?;
            keys = fields.keys().map(|key| Value::from(key.as_str())).collect();
            &keys
        }
        other => {
            return Err(Stop::Failed(format!(
                "`{}` goes over a list or a map, not {}",
                looped.kind.name(),
                type_name(other)
            )));
        }
    };
    match looped.kind {
        LoopKind::All => any(looped, items, false, env),
        LoopKind::Exists => any(looped, items, true, env),
        LoopKind::ExistsOne => {
            let mut count = 0_usize;
            each(items, env, |inner, _| {
                count += usize::from(boolean(&looped.body, "exists_one", inner)?);
                Ok(())
            })?;
            Ok(owned(count == 1))
        }
        LoopKind::Map | LoopKind::Filter => {
            env.budget.build(2)?;
            let mut result = Vec::new();
            each(items, env, |inner, item| {
                let filter = match looped.kind {
                    LoopKind::Filter => Some(&looped.body),
                    _ => looped.filter.as_ref(),
                };
                if let Some(filter) = filter
                    && !boolean(filter, looped.kind.name(), inner)?
                {
                    return Ok(());
                }
                let value = match looped.kind {
                    LoopKind::Filter => Cow::Borrowed(item),
                    _ => eval(&looped.body, inner)?,
                };
                result.push(own(value, inner.budget)?);
                Ok(())
            })?;
            Ok(Cow::Owned(Value::Array(result)))
        }
    }
}

/// Runs `body` with each item as the innermost variable.
fn each(
    items: &[Value],
    env: &Env<'_>,
    mut body: impl FnMut(&Env<'_>, &Value) -> Result<(), Stop>,
) -> Result<(), Stop> {
    for item in items {
        env.budget.spend(1)?;
        let local = Local {
            value: item,
            outer: env.local,
        };
        body(
            &Env {
                local: Some(&local),
                ..*env
            },
            item,
        )?;
    }
    Ok(())
}

/// `exists` (decided by true) and `all` (decided by false), failing only if no item decides.
fn any<'a>(looped: &'a Loop, items: &[Value], decisive: bool, env: &Env<'a>) -> Found<'a> {
    let mut failed = None;
    for item in items {
        env.budget.spend(1)?;
        let local = Local {
            value: item,
            outer: env.local,
        };
        match boolean(
            &looped.body,
            looped.kind.name(),
            &Env {
                local: Some(&local),
                ..*env
            },
        ) {
            Ok(value) if value == decisive => return Ok(owned(decisive)),
            Ok(_) => {}
            Err(stop @ Stop::Spent(_)) => return Err(stop),
            Err(stop) => failed = failed.or(Some(stop)),
        }
    }
    failed.map_or_else(|| Ok(owned(!decisive)), Err)
}
