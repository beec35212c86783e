//! From text to [`Expr`]: the first look, then a plain member chain is done, and everything else
//! goes through the CEL parser. The only file that knows the parser and its messages.
use std::{panic::resume_unwind, sync::LazyLock, thread};

use cel::Env;

use super::{
    Expr, ParseError, Reference, Root, error_at, lower,
    scan::{self, Kind, Token},
    tree::{Node, Path},
};
use crate::limits::MAX_EXPR_BYTES;

/// No macros and no optional values: loops and `has` reach us as the calls they are written as.
static CEL: LazyLock<Env> = LazyLock::new(|| Env::default().with_optional_support(false));

/// Trees up to this depth, with at most one bracket inside another, fit on any stack.
const SHALLOW: usize = 16;
const PARSER_STACK_BYTES: usize = 32 << 20;

impl Expr {
    /// Reads an expression.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place and a way to mend it: syntax, an unknown name
    /// or function, a wrong number of arguments, or a cap.
    pub fn parse(source: &str) -> Result<Self, ParseError> {
        if source.len() > MAX_EXPR_BYTES {
            return Err(error_at(
                source,
                MAX_EXPR_BYTES,
                format!("the expression is longer than {MAX_EXPR_BYTES} bytes"),
                "split it: compute a part in an earlier `set` node",
            ));
        }
        let scanned = scan::whole(source)?;
        let tokens = &scanned.tokens;
        if tokens.is_empty() {
            return Err(error_at(
                source,
                0,
                "the expression is empty",
                "write one, e.g. `true`",
            ));
        }
        if let Some(path) = member_chain(tokens) {
            let member = path.members.first().cloned();
            let references = vec![Reference {
                root: path.root,
                member,
            }];
            return Ok(Self {
                source: source.into(),
                node: Node::Path(path),
                references,
            });
        }
        let (node, references) = if scanned.brackets <= 1 && scanned.depth <= SHALLOW {
            parse(source)?
        } else {
            parse_deep(source)?
        };
        Ok(Self {
            source: source.into(),
            node,
            references,
        })
    }
}

fn parse(source: &str) -> Result<(Node, Vec<Reference>), ParseError> {
    let (tree, places) = CEL
        .parser()
        .parse_with_source_info(source)
        .map_err(|errors| syntax_error(source, &errors))?;
    lower::lower(source, &tree, &places)
}

/// The generated CEL parser takes up to 0.3 MiB of stack per bracket, and the caller may have only
/// two in all: it gets a stack of its own, large enough for what [`scan`] lets through.
fn parse_deep(source: &str) -> Result<(Node, Vec<Reference>), ParseError> {
    thread::scope(|scope| {
        let reader = thread::Builder::new().stack_size(PARSER_STACK_BYTES);
        match reader.spawn_scoped(scope, || parse(source)) {
            Ok(reader) => reader.join().unwrap_or_else(|panic| resume_unwind(panic)),
            Err(_) => {
                let mend = "try again, or use fewer brackets";
                let message = "there is no memory to read the expression";
                Err(error_at(source, 0, message, mend))
            }
        }
    })
}

/// `root.a.b` and nothing else: by far the most frequent expression, and needs no parser.
fn member_chain(tokens: &[Token<'_>]) -> Option<Path> {
    let root = Root::from_name(tokens.first()?.text)?;
    let mut members = Vec::with_capacity(tokens.len() / 2);
    for pair in tokens[1..].chunks(2) {
        let [dot, name] = pair else { return None };
        let plain =
            name.kind == Kind::Name && !matches!(name.text, "in" | "true" | "false" | "null");
        if dot.text != "." || !plain {
            return None;
        }
        members.push(name.text.to_owned());
    }
    Some(Path { root, members })
}

fn syntax_error(source: &str, errors: &cel::ParseErrors) -> ParseError {
    let Some(first) = errors.errors.first() else {
        return error_at(source, 0, "the expression cannot be read", MEND);
    };
    let byte = byte_of(source, first.pos);
    let message = first.msg.trim_start_matches("Syntax error: ");
    let quoted = message.split('\'').nth(1).unwrap_or_default();
    let (message, mend) = if quoted == "<EOF>" {
        (
            "the expression ends too early".to_owned(),
            "write the missing part at the end",
        )
    } else if let Some(name) = message.strip_prefix("reserved identifier: ") {
        (format!("`{name}` is a reserved word"), "use another name")
    } else if message.starts_with("invalid int") || message.starts_with("invalid uint") {
        let range = "an integer must fit into 64 bits; write a double, e.g. `1e20`";
        ("this number is too large".to_owned(), range)
    } else if message.starts_with("invalid string literal") || is_bad_text(message, quoted) {
        let escapes =
            "known escapes are \\n \\t \\\\ \\\" \\' \\xHH \\uHHHH; r\"…\" takes all as it is";
        ("this text has a wrong escape".to_owned(), escapes)
    } else if message.starts_with("invalid double") {
        (
            "this number cannot be read".to_owned(),
            "write it like `1.5` or `1e9`",
        )
    } else if message.starts_with("unsupported syntax") {
        let mend = "use has(x.y), or coalesce(x.y, default)";
        (format!("`{quoted}` is not supported"), mend)
    } else if quoted.is_empty() {
        ("the expression cannot be read here".to_owned(), MEND)
    } else {
        (format!("`{quoted}` does not fit here"), MEND)
    };
    error_at(source, byte, message, mend)
}

/// The lexer gives up at an escape it does not know.
fn is_bad_text(message: &str, quoted: &str) -> bool {
    message.starts_with("token recognition error") && quoted.contains('\\')
}

const MEND: &str =
    "an expression looks like `state.score < input.threshold && size(results.a) > 0`";

/// The byte of a line and column, both from 1, as the CEL parser counts them.
fn byte_of(source: &str, (line, column): (isize, isize)) -> usize {
    let line = usize::try_from(line - 1).unwrap_or_default();
    let column = usize::try_from(column - 1).unwrap_or_default();
    let start: usize = source.split_inclusive('\n').take(line).map(str::len).sum();
    let in_line = source[start..].char_indices().nth(column);
    start + in_line.map_or(source.len() - start, |(byte, _)| byte)
}
