//! From the CEL syntax tree to [`Node`]: names become roots and loop variables, calls become known
//! functions, literal patterns are compiled. Everything that can be refused early is refused here.
use cel::common::ast::{
    CallExpr, EntryExpr, Expr as Ast, IdedExpr, LiteralValue, MapExpr, SourceInfo, operators,
};
use serde_json::Value;

use super::{
    ParseError, Reference, Root, error_at,
    functions::{self, Function},
    number::Arith,
    tree::{Compare, Loop, LoopKind, Node, Path},
};
use crate::problem::nearest;

/// Loops inside loops.
const MAX_LOOPS: usize = 3;
/// Literal patterns in one expression: compiling one may take milliseconds.
const MAX_PATTERNS: usize = 16;
/// CEL's names of types, usable as `type(x) == int`.
const TYPES: [&str; 8] = [
    "null_type",
    "bool",
    "int",
    "uint",
    "double",
    "string",
    "list",
    "map",
];

pub(crate) fn lower(
    source: &str,
    tree: &IdedExpr,
    places: &SourceInfo,
) -> Result<(Node, Vec<Reference>), ParseError> {
    let mut lowering = Lowering {
        source,
        places,
        variables: Vec::new(),
        references: Vec::new(),
        patterns: 0,
        unknown: Vec::new(),
    };
    let node = lowering.node(tree);
    let mut errors = lowering.unknown;
    errors.extend(node.as_ref().err().cloned());
    errors.sort_by_key(|error| error.offset);
    let mut errors = errors.into_iter();
    match errors.next() {
        Some(mut first) => {
            first.more = errors.collect();
            Err(first)
        }
        None => node.map(|node| (node, lowering.references)),
    }
}

struct Lowering<'s> {
    source: &'s str,
    places: &'s SourceInfo,
    variables: Vec<String>,
    references: Vec<Reference>,
    patterns: usize,
    /// Names that do not exist: reading goes on after them, to tell of all of them at once.
    unknown: Vec<ParseError>,
}

impl Lowering<'_> {
    fn error(&self, at: &IdedExpr, message: impl Into<String>, mend: &str) -> ParseError {
        error_at(self.source, self.byte(at), message, mend)
    }

    /// The parser places a call at its bracket: step back to the name.
    fn byte(&self, at: &IdedExpr) -> usize {
        let place = self.places.offset_for(at.id);
        let start = place.map_or(0, |(start, _)| start as usize);
        let byte = self
            .source
            .char_indices()
            .nth(start)
            .map_or(0, |(byte, _)| byte);
        match &at.expr {
            Ast::Call(call) if self.source[..byte].ends_with(&call.func_name) => {
                byte - call.func_name.len()
            }
            _ => byte,
        }
    }

    fn boxed(&mut self, expr: &IdedExpr) -> Result<Box<Node>, ParseError> {
        self.node(expr).map(Box::new)
    }

    fn node(&mut self, expr: &IdedExpr) -> Result<Node, ParseError> {
        if let Some(path) = self.path(expr) {
            self.refer(path.root, path.members.first().cloned());
            return Ok(Node::Path(path));
        }
        match &expr.expr {
            Ast::Literal(literal) => self.literal(expr, literal),
            Ast::Ident(name) => Ok(self.name(expr, name).unwrap_or_else(|error| {
                self.unknown.push(error);
                Node::Literal(Value::Null)
            })),
            Ast::Select(select) => Ok(Node::Member {
                of: self.boxed(&select.operand)?,
                name: select.field.clone(),
            }),
            Ast::Call(call) => self.call(expr, call),
            Ast::List(list) => list
                .elements
                .iter()
                .map(|item| self.node(item))
                .collect::<Result<_, _>>()
                .map(Node::List),
            Ast::Map(map) => self.object(expr, map),
            Ast::Struct(_) => Err(self.error(
                expr,
                "there are no message types here",
                "write an object with quoted names: `{\"name\": value}`",
            )),
            Ast::Comprehension(_) | Ast::Unspecified => {
                Err(self.error(expr, "the expression cannot be read here", "simplify it"))
            }
        }
    }

    /// `root.a.b`, also written `root["a"].b`, unless the root is hidden by a loop variable.
    fn path(&self, expr: &IdedExpr) -> Option<Path> {
        let mut members = Vec::new();
        let mut here = expr;
        loop {
            match &here.expr {
                Ast::Ident(name) if !self.variables.contains(name) => {
                    members.reverse();
                    return Some(Path {
                        root: Root::from_name(name)?,
                        members,
                    });
                }
                _ => {
                    let (operand, name) = member(here)?;
                    members.push(name.to_owned());
                    here = operand;
                }
            }
        }
    }

    fn refer(&mut self, root: Root, member: Option<String>) {
        let reference = Reference { root, member };
        if !self.references.contains(&reference) {
            self.references.push(reference);
        }
    }

    fn literal(&self, at: &IdedExpr, literal: &LiteralValue) -> Result<Node, ParseError> {
        Ok(Node::Literal(match literal {
            LiteralValue::Boolean(value) => Value::Bool(*value.inner()),
            LiteralValue::Int(value) => Value::from(*value.inner()),
            LiteralValue::UInt(value) => Value::from(*value.inner()),
            LiteralValue::Double(value) => Value::from(*value.inner()),
            LiteralValue::String(value) => Value::from(value.inner()),
            LiteralValue::Null => Value::Null,
            LiteralValue::Bytes(_) => {
                return Err(self.error(
                    at,
                    "there are no bytes in JSON",
                    "write text, without `b`",
                ));
            }
        }))
    }

    fn name(&self, at: &IdedExpr, name: &str) -> Result<Node, ParseError> {
        if let Some(up) = self
            .variables
            .iter()
            .rev()
            .position(|variable| variable == name)
        {
            return Ok(Node::Local {
                up,
                name: name.to_owned(),
            });
        }
        if TYPES.contains(&name) {
            return Ok(Node::Literal(Value::from(name)));
        }
        let known = Root::ALL.map(Root::name);
        let variables = self.variables.iter().map(String::as_str);
        let before = self.source[..self.byte(at)].trim_end();
        let mend = if let Some(near) = nearest(name, variables.chain(known)) {
            format!("did you mean `{near}`?")
        } else if before.ends_with('-') {
            format!("a name with `-` is written in brackets: `results[\"…-{name}\"]`")
        } else {
            format!(
                "names in scope are {}; text goes between quotes",
                known.join(", ")
            )
        };
        Err(self.error(at, format!("there is no name `{name}`"), &mend))
    }

    fn object(&mut self, at: &IdedExpr, map: &MapExpr) -> Result<Node, ParseError> {
        let mut entries = Vec::with_capacity(map.entries.len());
        for entry in &map.entries {
            let EntryExpr::MapEntry(entry) = &entry.expr else {
                return Err(self.error(
                    at,
                    "this object cannot be read",
                    "write `{\"name\": value}`",
                ));
            };
            if let Ast::Ident(name) = &entry.key.expr
                && self.name(&entry.key, name).is_err()
                && Root::from_name(name).is_none()
            {
                let message = format!("the name `{name}` in the object is not quoted");
                return Err(self.error(&entry.key, message, &format!("write `\"{name}\"`")));
            }
            entries.push((self.node(&entry.key)?, self.node(&entry.value)?));
        }
        Ok(Node::Object(entries))
    }

    fn call(&mut self, at: &IdedExpr, call: &CallExpr) -> Result<Node, ParseError> {
        if let Some(node) = self.operator(call)? {
            return Ok(node);
        }
        let name = call.func_name.as_str();
        match (&call.target, LoopKind::from_name(name)) {
            _ if name == "has" => self.has(at, call),
            (Some(over), Some(kind)) => self.looped(at, kind, over, &call.args),
            (None, Some(_)) => Err(self.error(
                at,
                format!("`{name}` is called on a list"),
                &format!("write `list.{name}(x, …)`"),
            )),
            (_, None) => self.function(at, call),
        }
    }

    fn operator(&mut self, call: &CallExpr) -> Result<Option<Node>, ParseError> {
        let node = match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::LOGICAL_AND, [a, b]) => Node::And(self.boxed(a)?, self.boxed(b)?),
            (operators::LOGICAL_OR, [a, b]) => Node::Or(self.boxed(a)?, self.boxed(b)?),
            (operators::LOGICAL_NOT, [a]) => Node::Not(self.boxed(a)?),
            (operators::NEGATE, [a]) => Node::Negate(self.boxed(a)?),
            (operators::CONDITIONAL, [test, yes, no]) => Node::If {
                test: self.boxed(test)?,
                yes: self.boxed(yes)?,
                no: self.boxed(no)?,
            },
            (operators::IN, [a, b]) => Node::In(self.boxed(a)?, self.boxed(b)?),
            (operators::INDEX, [of, index]) => Node::Index {
                of: self.boxed(of)?,
                index: self.boxed(index)?,
            },
            (name, [a, b]) => match (arith(name), compare(name)) {
                (Some(op), _) => Node::Arith(op, self.boxed(a)?, self.boxed(b)?),
                (_, Some(op)) => Node::Compare(op, self.boxed(a)?, self.boxed(b)?),
                (None, None) => return Ok(None),
            },
            _ => return Ok(None),
        };
        Ok(Some(node))
    }

    fn has(&mut self, at: &IdedExpr, call: &CallExpr) -> Result<Node, ParseError> {
        let wanted = match (&call.target, call.args.as_slice()) {
            (None, [one]) => member(one).map(|(of, name)| (one, of, name)),
            _ => None,
        };
        let Some((whole, of, name)) = wanted else {
            return Err(self.error(
                at,
                "`has` takes one member",
                "write `has(state.score)` or `has(results[\"a-b\"])`",
            ));
        };
        let name = name.to_owned();
        let of = match (self.path(whole), self.path(of)) {
            (Some(path), Some(parent)) => {
                self.refer(path.root, path.members.first().cloned());
                Box::new(Node::Path(parent))
            }
            _ => self.boxed(of)?,
        };
        Ok(Node::Has { of, name })
    }

    fn looped(
        &mut self,
        at: &IdedExpr,
        kind: LoopKind,
        over: &IdedExpr,
        args: &[IdedExpr],
    ) -> Result<Node, ParseError> {
        let name = kind.name();
        let (variable, filter, body) = match args {
            [variable, body] => (variable, None, body),
            [variable, filter, body] if kind == LoopKind::Map => (variable, Some(filter), body),
            _ => {
                let mend = format!("write `list.{name}(x, …)` with a name and an expression");
                return Err(self.error(
                    at,
                    format!("`{name}` with a wrong number of parts"),
                    &mend,
                ));
            }
        };
        let Ast::Ident(variable) = &variable.expr else {
            let mend = format!("write `list.{name}(x, …)`, where `x` stands for each item");
            return Err(self.error(variable, format!("`{name}` wants a name first"), &mend));
        };
        if self.variables.len() >= MAX_LOOPS {
            return Err(self.error(
                at,
                format!("more than {MAX_LOOPS} loops inside one another"),
                "split it: compute a part in an earlier `set` node",
            ));
        }
        let over = self.node(over)?;
        self.variables.push(variable.clone());
        let filter = filter.map(|filter| self.node(filter)).transpose();
        let body = self.node(body);
        self.variables.pop();
        Ok(Node::Loop(Box::new(Loop {
            kind,
            over,
            filter: filter?,
            body: body?,
        })))
    }

    fn function(&mut self, at: &IdedExpr, call: &CallExpr) -> Result<Node, ParseError> {
        let name = call.func_name.as_str();
        let Some((function, least, most)) = Function::from_name(name) else {
            let known = Function::names().chain(LoopKind::NAMES).chain(["has"]);
            let mend = match nearest(name, known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!(
                    "the functions are has, {}, {}",
                    LoopKind::NAMES.join(", "),
                    Function::names().collect::<Vec<_>>().join(", ")
                ),
            };
            let error = self.error(at, format!("there is no function `{name}`"), &mend);
            self.unknown.push(error);
            let inside = call.target.as_deref().into_iter().chain(&call.args);
            inside
                .map(|arg| self.node(arg))
                .collect::<Result<Vec<_>, _>>()?;
            return Ok(Node::Literal(Value::Null));
        };
        let given = call.args.len() + usize::from(call.target.is_some());
        if given < least || given > most {
            let wanted = match most {
                usize::MAX => format!("at least {least}"),
                most if most == least => format!("{least}"),
                most => format!("{least} to {most}"),
            };
            let mend = format!("see `{name}` in the list of functions");
            let message = format!("`{name}` takes {wanted} argument(s), not {given}");
            return Err(self.error(at, message, &mend));
        }
        let target = call.target.as_deref().into_iter();
        let args: Vec<Node> = target
            .chain(&call.args)
            .map(|arg| self.node(arg))
            .collect::<Result<_, _>>()?;
        self.with_pattern(at, function, args)
    }

    fn with_pattern(
        &mut self,
        at: &IdedExpr,
        function: Function,
        mut args: Vec<Node>,
    ) -> Result<Node, ParseError> {
        if function == Function::Coalesce {
            return Ok(Node::Coalesce(args));
        }
        if let (Function::Matches, [_, Node::Literal(Value::String(pattern))]) =
            (function, args.as_slice())
        {
            self.patterns += 1;
            if self.patterns > MAX_PATTERNS {
                let mend = "split it: compute a part in an earlier `set` node";
                return Err(self.error(at, format!("more than {MAX_PATTERNS} patterns"), mend));
            }
            let pattern = functions::text::compile(pattern).map_err(|message| {
                self.error(
                    at,
                    message,
                    "patterns are regular expressions of the RE2 kind",
                )
            })?;
            return Ok(Node::Matches {
                text: Box::new(args.swap_remove(0)),
                pattern,
            });
        }
        Ok(Node::Call(function, args))
    }
}

/// `of.name` or `of["name"]`.
fn member(expr: &IdedExpr) -> Option<(&IdedExpr, &str)> {
    match &expr.expr {
        Ast::Select(select) if !select.test => Some((&select.operand, &select.field)),
        Ast::Call(call) if call.func_name == operators::INDEX => match call.args.as_slice() {
            [
                of,
                IdedExpr {
                    expr: Ast::Literal(LiteralValue::String(name)),
                    ..
                },
            ] => Some((of, name.inner())),
            _ => None,
        },
        _ => None,
    }
}

fn arith(name: &str) -> Option<Arith> {
    Some(match name {
        operators::ADD => Arith::Add,
        operators::SUBSTRACT => Arith::Sub,
        operators::MULTIPLY => Arith::Mul,
        operators::DIVIDE => Arith::Div,
        operators::MODULO => Arith::Rem,
        _ => return None,
    })
}

fn compare(name: &str) -> Option<Compare> {
    Some(match name {
        operators::EQUALS => Compare::Equal,
        operators::NOT_EQUALS => Compare::NotEqual,
        operators::LESS => Compare::Less,
        operators::LESS_EQUALS => Compare::LessOrEqual,
        operators::GREATER => Compare::Greater,
        operators::GREATER_EQUALS => Compare::GreaterOrEqual,
        _ => return None,
    })
}
