//! A first look at an expression's text: tokens, brackets, quotes and nesting. It refuses what the
//! CEL parser must never see (deep nesting, odd characters) and finds where `}}` ends a template.
use super::{ParseError, error_at};

/// Operators and brackets that may stand inside one another: bounds the parser's recursion.
const MAX_NESTING: usize = 100;
/// Brackets inside brackets.
const MAX_BRACKETS: usize = 24;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Name,
    Number,
    Text,
    Symbol,
}

/// A token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'s> {
    pub(crate) kind: Kind,
    pub(crate) text: &'s str,
}

/// What the first look found out about a whole expression.
pub(crate) struct Scanned<'s> {
    pub(crate) tokens: Vec<Token<'s>>,
    /// Brackets inside one another.
    pub(crate) brackets: usize,
    /// A bound on the depth of its tree.
    pub(crate) depth: usize,
}

/// Looks through a whole expression.
pub(crate) fn whole(source: &str) -> Result<Scanned<'_>, ParseError> {
    let (scanned, _) = scan(source, 0, false)?;
    Ok(scanned)
}

/// For a text with `${{` just before byte `from`: the byte where the closing `}}` starts.
pub(crate) fn closing(text: &str, from: usize) -> Result<usize, ParseError> {
    let (_, end) = scan(text, from, true)?;
    Ok(end)
}

/// One open bracket, with a bound on how deep the tree inside it can be: every operator of one
/// part (between commas) may stand above the deepest bracket of that part.
#[derive(Default)]
struct Level {
    close: char,
    at: usize,
    operators: usize,
    deepest_bracket: usize,
    /// The largest bound of a part so far.
    bound: usize,
}

struct Nesting<'s> {
    source: &'s str,
    levels: Vec<Level>,
    most_levels: usize,
    base: Level,
}

impl<'s> Nesting<'s> {
    fn new(source: &'s str) -> Self {
        Self {
            source,
            levels: Vec::new(),
            most_levels: 0,
            base: Level::default(),
        }
    }

    fn scanned<'t>(&self, tokens: Vec<Token<'t>>) -> Scanned<'t> {
        Scanned {
            tokens,
            brackets: self.most_levels,
            depth: self.base.bound,
        }
    }

    fn top(&mut self) -> &mut Level {
        self.levels.last_mut().unwrap_or(&mut self.base)
    }

    /// One more operator, or a bracket that `inside` levels of tree stand in.
    fn deeper(&mut self, operators: usize, inside: usize, at: usize) -> Result<(), ParseError> {
        let source = self.source;
        let top = self.top();
        top.operators += operators;
        top.deepest_bracket = top.deepest_bracket.max(inside);
        top.bound = top.bound.max(top.operators + top.deepest_bracket);
        if top.bound > MAX_NESTING {
            return Err(error_at(
                source,
                at,
                format!("the expression nests more than {MAX_NESTING} operators in one another"),
                "split it: compute a part in an earlier `set` node",
            ));
        }
        Ok(())
    }

    fn comma(&mut self) {
        let top = self.top();
        top.operators = 0;
        top.deepest_bracket = 0;
    }

    fn open(&mut self, bracket: char, at: usize) -> Result<(), ParseError> {
        if self.levels.len() >= MAX_BRACKETS {
            return Err(error_at(
                self.source,
                at,
                format!("more than {MAX_BRACKETS} brackets inside one another"),
                "split the expression: compute a part in an earlier `set` node",
            ));
        }
        let close = match bracket {
            '(' => ')',
            '[' => ']',
            _ => '}',
        };
        self.levels.push(Level {
            close,
            at,
            ..Level::default()
        });
        self.most_levels = self.most_levels.max(self.levels.len());
        Ok(())
    }

    fn close(&mut self, bracket: char, at: usize) -> Result<(), ParseError> {
        match self.levels.pop() {
            Some(level) if level.close == bracket => self.deeper(1, level.bound + 1, at),
            Some(level) => Err(error_at(
                self.source,
                at,
                format!("`{bracket}` closes a bracket that wants `{}`", level.close),
                "close brackets in the order they were opened",
            )),
            None => Err(error_at(
                self.source,
                at,
                format!("`{bracket}` closes a bracket that was never opened"),
                "remove it, or open the bracket before it",
            )),
        }
    }
}

fn scan(source: &str, from: usize, template: bool) -> Result<(Scanned<'_>, usize), ParseError> {
    let mut nesting = Nesting::new(source);
    let mut tokens: Vec<Token<'_>> = Vec::new();
    let mut at = from;
    while let Some(first) = source[at..].chars().next() {
        if first.is_ascii_whitespace() {
            at += 1;
            continue;
        }
        if template && nesting.levels.is_empty() && source[at..].starts_with("}}") {
            return Ok((nesting.scanned(tokens), at));
        }
        if source[at..].starts_with("//") {
            // CEL would take the rest for a comment, and `a // 2` for `a`.
            let mend = "`/` between integers drops the fraction; comments go into the flow file";
            return Err(error_at(
                source,
                at,
                "`//` is not part of the language",
                mend,
            ));
        }
        let token = token_at(source, at, first, tokens.last())?;
        if token.kind == Kind::Symbol {
            match first {
                '(' | '[' | '{' => nesting.open(first, at)?,
                ')' | ']' | '}' => nesting.close(first, at)?,
                ',' => nesting.comma(),
                _ => nesting.deeper(1, 0, at)?,
            }
        }
        at += token.text.len();
        tokens.push(token);
    }
    if let Some(level) = nesting.levels.pop() {
        return Err(error_at(
            source,
            level.at,
            "this bracket is never closed",
            &format!("add `{}`", level.close),
        ));
    }
    if template {
        let start = from.saturating_sub(3);
        return Err(error_at(
            source,
            start,
            "`${{` without its `}}`",
            "close it with `}}`, or write `$${{` for the characters themselves",
        ));
    }
    Ok((nesting.scanned(tokens), at))
}

fn token_at<'s>(
    source: &'s str,
    at: usize,
    first: char,
    before: Option<&Token<'s>>,
) -> Result<Token<'s>, ParseError> {
    let rest = &source[at..];
    let token = |kind, len: usize| Token {
        kind,
        text: &rest[..len],
    };
    if first.is_ascii_alphabetic() || first == '_' {
        let len = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        if matches!(
            &rest[..len],
            "r" | "R" | "b" | "B" | "br" | "bR" | "Br" | "BR"
        ) && rest[len..].starts_with(['"', '\''])
        {
            return Ok(token(Kind::Text, text_len(source, at, len)?));
        }
        refuse_word(source, at, &rest[..len], before)?;
        return Ok(token(Kind::Name, len));
    }
    if first.is_ascii_digit() {
        let len = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.')
            .unwrap_or(rest.len());
        return Ok(token(Kind::Number, len));
    }
    if first == '"' || first == '\'' {
        return Ok(token(Kind::Text, text_len(source, at, 0)?));
    }
    Ok(token(Kind::Symbol, symbol_len(source, at, first)?))
}

/// Words of other languages, with what CEL writes instead.
fn refuse_word(
    source: &str,
    at: usize,
    word: &str,
    before: Option<&Token<'_>>,
) -> Result<(), ParseError> {
    if before.is_some_and(|token| token.text == ".") {
        if !matches!(word, "in" | "true" | "false" | "null") {
            return Ok(());
        }
        let message = format!("`.{word}`: this word cannot stand behind a dot");
        return Err(error_at(
            source,
            at,
            message,
            &format!("write `x[\"{word}\"]`"),
        ));
    }
    let instead = match word {
        "and" | "AND" => "&&",
        "or" | "OR" => "||",
        "not" | "NOT" => "!",
        "None" | "nil" | "undefined" | "NULL" => "null",
        "True" | "TRUE" => "true",
        "False" | "FALSE" => "false",
        _ => return Ok(()),
    };
    Err(error_at(
        source,
        at,
        format!("`{word}` is not a word of the language"),
        &format!("write `{instead}`"),
    ))
}

/// The length of a quoted text with its prefix of `prefix` bytes.
fn text_len(source: &str, at: usize, prefix: usize) -> Result<usize, ParseError> {
    let rest = &source[at..];
    let raw = rest[..prefix].contains(['r', 'R']);
    let body = &rest[prefix..];
    let quote = if body.starts_with('"') { '"' } else { '\'' };
    let triple = if quote == '"' { "\"\"\"" } else { "'''" };
    let (skip, many_lines) = if body.starts_with(triple) {
        (3, true)
    } else {
        (1, false)
    };
    let mut chars = body.char_indices().skip(skip);
    while let Some((here, c)) = chars.next() {
        match c {
            '\\' if !raw => {
                chars.next();
            }
            '\n' | '\r' if !many_lines => break,
            c if c == quote && !many_lines => return Ok(prefix + here + 1),
            c if c == quote && body[here..].starts_with(triple) => return Ok(prefix + here + 3),
            _ => {}
        }
    }
    Err(error_at(
        source,
        at,
        "this text is never closed",
        &format!(
            "add the closing `{}`",
            if many_lines { triple } else { &triple[..1] }
        ),
    ))
}

fn symbol_len(source: &str, at: usize, first: char) -> Result<usize, ParseError> {
    let rest = &source[at..];
    if ["==", "!=", "<=", ">=", "&&", "||"]
        .iter()
        .any(|two| rest.starts_with(two))
    {
        return Ok(2);
    }
    let mend = match first {
        '(' | ')' | '[' | ']' | '{' | '}' | '+' | '-' | '*' | '/' | '%' | '<' | '>' | '!' | '?'
        | ':' | '.' | ',' => return Ok(1),
        '=' => "write `==` to compare",
        '&' => "write `&&`",
        '|' => "write `||`; functions are called as `f(x)` or `x.f()`",
        '$' if rest.starts_with("${{") => "leave out `${{` and `}}`: this is already an expression",
        '`' => "write `x[\"name\"]` for a member whose name is not a plain word",
        _ => "remove it, or put text between quotes",
    };
    Err(error_at(
        source,
        at,
        format!("`{first}` is not part of the language"),
        mend,
    ))
}
