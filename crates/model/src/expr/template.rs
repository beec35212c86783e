//! Templates: JSON whose texts may hold `${{ expression }}`. Compiled once; a part without any
//! expression is a constant.
use serde_json::{Map, Value};

use super::{
    EvalError, Expr, ParseError, Reference, Root, Scope,
    budget::{Budget, Stop, check_result},
    error_at,
    eval::run_within,
    scan,
    tree::Node,
};

const OPEN: &str = "${{";

/// A JSON value with expressions in it, compiled.
#[derive(Debug)]
pub struct Template {
    part: Part,
}

#[derive(Debug)]
enum Part {
    Constant(Value),
    /// A text that is one expression and nothing else: the value keeps its type.
    Whole(Expr),
    Text(Vec<Piece>),
    List(Vec<Part>),
    Object(Vec<(String, Part)>),
}

#[derive(Debug)]
enum Piece {
    Text(String),
    Expr(Expr),
}

impl Template {
    /// Compiles every text in `value`. Names of object members are taken as they are.
    ///
    /// # Errors
    /// All problems, each with the path inside `value` (`headers.x`, `items[2]`).
    pub fn compile(value: &Value) -> Result<Self, Vec<ParseError>> {
        let mut problems = Vec::new();
        let part = compile(value, &mut String::new(), &mut problems);
        if problems.is_empty() {
            Ok(Self { part })
        } else {
            Err(problems)
        }
    }

    /// A template that is always `value`, `${{` in it included.
    #[must_use]
    pub fn constant(value: Value) -> Self {
        Self {
            part: Part::Constant(value),
        }
    }

    /// The value, with every expression in its place.
    ///
    /// # Errors
    /// That of the first expression that fails.
    pub fn eval(&self, scope: &dyn Scope) -> Result<Value, EvalError> {
        match &self.part {
            Part::Constant(value) => Ok(value.clone()),
            Part::Whole(expr) => expr.eval(scope),
            part => {
                let budget = Budget::new();
                let value = eval(part, scope, &budget)?;
                check_result(&value).map_err(template_error)?;
                Ok(value)
            }
        }
    }

    /// What its expressions read, each once.
    #[must_use]
    pub fn references(&self) -> Vec<Reference> {
        let mut found = Vec::new();
        collect(&self.part, &mut found);
        found
    }

    /// Whether there is no expression in it.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        matches!(self.part, Part::Constant(_))
    }

    /// The members behind `result` when the template is exactly `${{ result }}` or
    /// `${{ result.a.b }}`; such a template can be answered by moving a part of the result.
    #[must_use]
    pub fn as_result_path(&self) -> Option<&[String]> {
        match &self.part {
            Part::Whole(Expr {
                node: Node::Path(path),
                ..
            }) if path.root == Root::Result => Some(&path.members),
            _ => None,
        }
    }
}

fn compile(value: &Value, path: &mut String, problems: &mut Vec<ParseError>) -> Part {
    let here = path.len();
    let part = match value {
        Value::String(text) => match compile_text(text) {
            Ok(part) => part,
            Err(mut problem) => {
                for one in &mut problem.more {
                    one.path.clone_from(path);
                }
                problem.path.clone_from(path);
                problems.push(problem);
                Part::Constant(Value::Null)
            }
        },
        Value::Array(items) => {
            let mut parts = Vec::with_capacity(items.len());
            for (place, item) in items.iter().enumerate() {
                path.push_str(&format!("[{place}]"));
                parts.push(compile(item, path, problems));
                path.truncate(here);
            }
            Part::List(parts)
        }
        Value::Object(fields) => {
            let mut parts = Vec::with_capacity(fields.len());
            for (name, field) in fields {
                if here > 0 {
                    path.push('.');
                }
                path.push_str(name);
                parts.push((name.clone(), compile(field, path, problems)));
                path.truncate(here);
            }
            Part::Object(parts)
        }
        scalar => Part::Constant(scalar.clone()),
    };
    let constant = match &part {
        Part::List(parts) => parts.iter().all(|part| matches!(part, Part::Constant(_))),
        Part::Object(parts) => parts
            .iter()
            .all(|(_, part)| matches!(part, Part::Constant(_))),
        Part::Constant(_) | Part::Whole(_) | Part::Text(_) => false,
    };
    // Texts inside were unescaped, so the constant is put together anew.
    if constant {
        Part::Constant(constant_of(part))
    } else {
        part
    }
}

fn constant_of(part: Part) -> Value {
    match part {
        Part::Constant(value) => value,
        Part::List(parts) => Value::Array(parts.into_iter().map(constant_of).collect()),
        Part::Object(parts) => Value::Object(
            parts
                .into_iter()
                .map(|(name, part)| (name, constant_of(part)))
                .collect(),
        ),
        Part::Whole(_) | Part::Text(_) => Value::Null,
    }
}

fn compile_text(text: &str) -> Result<Part, ParseError> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut at = 0;
    while let Some(found) = text[at..].find(OPEN) {
        let open = at + found;
        let start = open + OPEN.len();
        if text[at..open].ends_with('$') {
            plain.push_str(&text[at..open - 1]);
            plain.push_str(OPEN);
            at = start;
            continue;
        }
        let end = scan::closing(text, start)?;
        let expr = parse_inside(text, start, end)?;
        let next = end + 2;
        if open == 0 && next == text.len() {
            return Ok(Part::Whole(expr));
        }
        plain.push_str(&text[at..open]);
        if !plain.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut plain)));
        }
        pieces.push(Piece::Expr(expr));
        at = next;
    }
    plain.push_str(&text[at..]);
    if pieces.is_empty() {
        return Ok(Part::Constant(Value::String(plain)));
    }
    if !plain.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    Ok(Part::Text(pieces))
}

fn parse_inside(text: &str, start: usize, end: usize) -> Result<Expr, ParseError> {
    let inside = &text[start..end];
    let trimmed = inside.trim();
    let skipped = start + (inside.len() - inside.trim_start().len());
    Expr::parse(trimmed).map_err(|mut error| {
        let before = error_at(text, skipped, "", "").offset;
        error.offset += before;
        for more in &mut error.more {
            more.offset += before;
        }
        error
    })
}

fn collect(part: &Part, found: &mut Vec<Reference>) {
    let mut add = |expr: &Expr| {
        for reference in expr.references() {
            if !found.contains(reference) {
                found.push(reference.clone());
            }
        }
    };
    match part {
        Part::Constant(_) => {}
        Part::Whole(expr) => add(expr),
        Part::Text(pieces) => {
            for piece in pieces {
                if let Piece::Expr(expr) = piece {
                    add(expr);
                }
            }
        }
        Part::List(parts) => parts.iter().for_each(|part| collect(part, found)),
        Part::Object(parts) => parts.iter().for_each(|(_, part)| collect(part, found)),
    }
}

fn eval(part: &Part, scope: &dyn Scope, budget: &Budget) -> Result<Value, EvalError> {
    match part {
        Part::Constant(value) => Ok(value.clone()),
        Part::Whole(expr) => {
            let value = run_within(expr, scope, budget)?;
            if expr.is_path() {
                budget.copy(&value).map_err(|stop| stopped(expr, stop))?;
            }
            Ok(value.into_owned())
        }
        Part::Text(pieces) => text(pieces, scope, budget).map(Value::String),
        Part::List(parts) => {
            let items = parts.iter().map(|part| eval(part, scope, budget));
            items.collect::<Result<Vec<_>, _>>().map(Value::Array)
        }
        Part::Object(parts) => {
            let fields = parts
                .iter()
                .map(|(name, part)| Ok((name.clone(), eval(part, scope, budget)?)));
            fields
                .collect::<Result<Map<_, _>, EvalError>>()
                .map(Value::Object)
        }
    }
}

fn text(pieces: &[Piece], scope: &dyn Scope, budget: &Budget) -> Result<String, EvalError> {
    let mut whole = String::new();
    for piece in pieces {
        let expr = match piece {
            Piece::Text(text) => {
                whole.push_str(text);
                continue;
            }
            Piece::Expr(expr) => expr,
        };
        let value = run_within(expr, scope, budget)?;
        budget.copy(&value).map_err(|stop| stopped(expr, stop))?;
        match value.as_ref() {
            Value::Null => {}
            Value::String(text) => whole.push_str(text),
            other => whole.push_str(&other.to_string()),
        }
    }
    Ok(whole)
}

fn stopped(expr: &Expr, stop: Stop) -> EvalError {
    stop.of(expr.source())
}

fn template_error(message: String) -> EvalError {
    Stop::Failed(message).of("the value as a whole")
}
