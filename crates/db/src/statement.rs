//! One SQL statement, rendered from its neutral text into one dialect, once at start. Knows its
//! parameters by name and whether it writes; never sees a value.
mod leg;
mod template;
pub(crate) mod tsql;

use crate::{
    dialect::{self, Count, Dialect, Marker, Place},
    token::{Broken, Token, Tokens},
};
pub use leg::{Direction, Leg};
use std::sync::Arc;
pub(crate) use template::{ListForm, Piece, Rows, Template};
use tsql::Conflict;

/// A statement ready for one dialect. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    name: Arc<str>,
    sql: Arc<str>,
    /// The text for an execution with one row; differs only where `{{rows …}}` is an array.
    sql_one_row: Arc<str>,
    params: Arc<[String]>,
    writes: bool,
    rows: bool,
    counts: bool,
    inserts_all: bool,
    conditional: bool,
    upserts: bool,
    /// The text in pieces, for the dialects whose text depends on the number of values.
    template: Option<Arc<Template>>,
    /// SQL Server: the statements that stand for it, executed in this order.
    script: Arc<[Template]>,
}

/// A neutral text that cannot be rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("statement {statement}, line {line}: {problem}")]
pub struct RenderError {
    /// The statement's name.
    pub statement: String,
    /// The line of its text, from 1.
    pub line: usize,
    /// What is wrong and what is right.
    pub problem: String,
}

impl Statement {
    /// Renders `neutral_sql` for `dialect`. Comments are left out.
    ///
    /// # Errors
    /// Something is opened and never closed, a marker is unknown or malformed, a parameter is
    /// positional, or there is more than one statement.
    pub fn render(name: &str, neutral_sql: &str, dialect: Dialect) -> Result<Self, RenderError> {
        Self::render_as(name, neutral_sql, dialect, None)
    }

    /// Renders the statement of a list for one of its pages.
    ///
    /// # Errors
    /// As with [`Self::render`].
    pub fn render_page(
        name: &str,
        neutral_sql: &str,
        dialect: Dialect,
        leg: Leg,
    ) -> Result<Self, RenderError> {
        Self::render_as(name, neutral_sql, dialect, Some(leg))
    }

    fn render_as(
        name: &str,
        text: &str,
        dialect: Dialect,
        leg: Option<Leg>,
    ) -> Result<Self, RenderError> {
        let mut statement = Self::rendered(name, text, Renderer::new(dialect, leg, false))?;
        statement.sql_one_row = if statement.rows {
            Self::rendered(name, text, Renderer::new(dialect, leg, true))?.sql
        } else {
            Arc::clone(&statement.sql)
        };
        Ok(statement)
    }

    fn rendered(name: &str, text: &str, mut renderer: Renderer) -> Result<Self, RenderError> {
        let error = |line, problem| RenderError {
            statement: name.to_owned(),
            line,
            problem,
        };
        let mut tokens = Tokens::new(text);
        loop {
            let offset = tokens.offset();
            let Some(token) = tokens.next() else { break };
            let token =
                token.map_err(|Broken { line, problem }| error(line, problem.to_owned()))?;
            renderer
                .take(token)
                .map_err(|problem| error(1 + text[..offset].matches('\n').count(), problem))?;
        }
        renderer.finish(name).map_err(|problem| error(1, problem))
    }

    /// Its name, as in `run.claim`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn name_arc(&self) -> &Arc<str> {
        &self.name
    }

    /// The text that the database gets.
    #[must_use]
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// The text for one row, whose parameters are plain values and no arrays.
    pub(crate) fn sql_one_row(&self) -> &str {
        &self.sql_one_row
    }

    /// The names of its parameters, in the order of their first appearance.
    #[must_use]
    pub fn params(&self) -> &[String] {
        &self.params
    }

    /// Whether it changes data.
    #[must_use]
    pub fn writes(&self) -> bool {
        self.writes
    }

    /// Whether it has a `{{rows …}}` marker: PostgreSQL executes it once for all rows.
    #[must_use]
    pub fn rows(&self) -> bool {
        self.rows
    }

    /// Whether the number of rows it changed means anything.
    pub(crate) fn counts(&self) -> bool {
        self.counts
    }

    /// Whether it adds exactly one row for each of its rows, or fails.
    pub(crate) fn inserts_all(&self) -> bool {
        self.inserts_all
    }

    /// Whether each of its rows is there afterwards, added or changed: `{{upsert …}}`.
    pub(crate) fn upserts(&self) -> bool {
        self.upserts
    }

    /// SQL Server: the statements that stand for it, in pieces.
    pub(crate) fn script(&self) -> &[Template] {
        &self.script
    }

    /// Whether a row that it adds may meet one that is there, without failing.
    pub(crate) fn inserts_on_conflict(&self) -> bool {
        self.conditional
    }

    /// The text in pieces, where the number of values decides it.
    pub(crate) fn template(&self) -> Option<&Template> {
        self.template.as_deref()
    }
}

struct Renderer {
    dialect: Dialect,
    leg: Option<Leg>,
    one_row: bool,
    sql: String,
    params: Vec<String>,
    /// Parameters outside of `{{rows …}}`.
    plain_params: bool,
    rows: bool,
    conditional: bool,
    upserts: bool,
    template: Template,
    /// How many pieces the table and the columns of an INSERT are.
    head: Option<usize>,
    conflict: Option<(usize, Conflict)>,
    words: Words,
    depth: u32,
    ended: bool,
}

/// What the bare words say about a statement.
#[derive(Default)]
struct Words {
    first: String,
    previous: String,
    /// The table after `INSERT INTO`, as written.
    into: String,
    changes: bool,
    inserts_values: bool,
    selects: bool,
}

impl Words {
    fn take(&mut self, written: &str) {
        let word = written.to_ascii_uppercase();
        match word.as_str() {
            "INSERT" | "DELETE" | "MERGE" => self.changes = true,
            // Elsewhere it is a function.
            "REPLACE" if self.first.is_empty() => self.changes = true,
            // `FOR UPDATE` and `FOR NO KEY UPDATE` only lock; `DO UPDATE` is in an INSERT anyway.
            "UPDATE" if !matches!(self.previous.as_str(), "FOR" | "KEY") => self.changes = true,
            "VALUES" => self.inserts_values = true,
            "SELECT" => self.selects = true,
            _ => {}
        }
        if self.first.is_empty() {
            self.first.clone_from(&word);
        }
        if self.previous == "INTO" && self.into.is_empty() {
            written.clone_into(&mut self.into);
        }
        self.previous = word;
    }

    fn writes(&self) -> bool {
        match self.first.as_str() {
            "SELECT" | "VALUES" | "EXPLAIN" | "SHOW" | "TABLE" => false,
            "WITH" => self.changes,
            _ => true,
        }
    }
}

impl Renderer {
    fn new(dialect: Dialect, leg: Option<Leg>, one_row: bool) -> Self {
        Self {
            dialect,
            leg,
            one_row,
            sql: String::new(),
            params: Vec::new(),
            plain_params: false,
            rows: false,
            conditional: false,
            upserts: false,
            template: Template::default(),
            head: None,
            conflict: None,
            words: Words::default(),
            depth: 0,
            ended: false,
        }
    }

    fn number(params: &mut Vec<String>, name: &str) -> usize {
        if let Some(at) = params.iter().position(|known| known == name) {
            return at + 1;
        }
        params.push(name.to_owned());
        params.len()
    }

    fn take(&mut self, token: Token<'_>) -> Result<(), String> {
        if self.ended && !matches!(token, Token::Space(_) | Token::Comment(_)) {
            return Err("a file holds one statement; put the next one into its own".to_owned());
        }
        match token {
            Token::Comment(_) => self.space(),
            Token::Space(text) => {
                if !self.sql.is_empty() {
                    self.push(text);
                }
            }
            Token::Symbol(";") => self.ended = true,
            Token::Symbol("$") => {
                return Err("positional parameters are not portable; write `:name`".to_owned());
            }
            Token::Symbol(text) => self.symbol(text),
            Token::Quoted(text) => self.push(text),
            Token::Word(word) => {
                let conditional = ["conflict", "replace", "duplicate", "ignore"];
                self.conditional |= conditional.iter().any(|c| word.eq_ignore_ascii_case(c));
                self.words.take(word);
                if self.dialect == Dialect::Mssql && tsql::is_taken(word) {
                    self.push(&format!("[{word}]"));
                } else {
                    self.push(word);
                }
            }
            Token::Param(name) => {
                self.plain_params = true;
                let number = Self::number(&mut self.params, dialect::name(name)?);
                self.sql.push_str(&self.dialect.placeholder(number));
                self.template.push(Piece::Value(number - 1));
            }
            Token::Marker(text) => match self.leg.and_then(|leg| leg.written(text)) {
                Some(neutral) => self.take_all(&neutral?)?,
                None => self.marker(&Marker::parse(text)?)?,
            },
        }
        Ok(())
    }

    fn take_all(&mut self, neutral: &str) -> Result<(), String> {
        for token in Tokens::new(neutral) {
            self.take(token.map_err(|broken| broken.to_string())?)?;
        }
        Ok(())
    }

    fn symbol(&mut self, text: &str) {
        match text {
            "(" => self.depth += 1,
            ")" => self.depth = self.depth.saturating_sub(1),
            // `VALUES (…), (…)` adds several rows for one execution.
            "," if self.depth == 0 && self.words.inserts_values => self.conditional = true,
            _ => {}
        }
        self.push(text);
        let named = self.words.first == "INSERT" && !self.words.into.is_empty();
        if text == ")" && self.depth == 0 && named && self.head.is_none() {
            self.head = Some(self.template.cut());
        }
    }

    fn push(&mut self, text: &str) {
        self.sql.push_str(text);
        self.template.text(text);
    }

    fn marker(&mut self, marker: &Marker<'_>) -> Result<(), String> {
        match marker {
            Marker::Rows(_) if self.rows => {
                return Err("a statement has at most one `{{rows …}}`".to_owned());
            }
            Marker::Rows(_) => self.rows = true,
            Marker::Upsert { .. } => (self.conditional, self.upserts) = (true, true),
            Marker::InsertOrNothing { .. } => self.conditional = true,
            Marker::Limit(_) | Marker::In { .. } => self.plain_params = true,
            Marker::SkipLocked => {}
        }
        let place = Place {
            into: &self.words.into,
            nested: self.depth > 0,
        };
        let params = &mut self.params;
        let mut number = |name: &str| Self::number(params, name);
        let text = marker.render(self.dialect, self.one_row, place, &mut number);
        match marker {
            Marker::Limit(Count::Param(name)) => {
                let (before, after) = self.dialect.limit();
                self.template.text(before);
                self.template.push(Piece::Value(number(name) - 1));
                self.template.text(after);
            }
            Marker::Upsert { .. } | Marker::InsertOrNothing { .. }
                if self.dialect == Dialect::Mssql =>
            {
                let conflict = Conflict::of(marker);
                self.conflict = conflict.map(|conflict| (self.template.cut(), conflict));
            }
            Marker::In { param, of } => self.template.push(Piece::List(number(param) - 1, *of)),
            Marker::Rows(columns) => {
                let columns = columns.iter();
                self.template.push(Piece::Rows(Rows {
                    columns: columns
                        .map(|(name, of)| ((*name).to_owned(), number(name) - 1, *of))
                        .collect(),
                    nested: place.nested,
                }));
            }
            _ => self.template.text(&text),
        }
        self.sql.push_str(&text);
        Ok(())
    }

    /// A comment separates words as a space does.
    fn space(&mut self) {
        if !self.sql.is_empty() && !self.sql.ends_with(char::is_whitespace) {
            self.push(" ");
        }
    }

    fn finish(self, name: &str) -> Result<Statement, String> {
        let sql = self.sql.trim_end();
        if sql.is_empty() {
            return Err("there is no statement".to_owned());
        }
        if self.rows && self.plain_params {
            // PostgreSQL executes it once for all rows: another parameter would have one value
            // there and one for each row on SQLite.
            return Err("with `{{rows …}}` every parameter is one of its columns".to_owned());
        }
        let one_for_each = self.rows || (self.words.inserts_values && !self.words.selects);
        let mut script = Vec::new();
        if self.dialect == Dialect::Mssql {
            let template = self.template.clone();
            script = tsql::script(template, &self.words.into, self.head, self.conflict)?;
        }
        let sql = match self.dialect {
            Dialect::Mssql => tsql::shown(&script, !self.one_row, self.params.len()),
            Dialect::Sqlite | Dialect::Postgres | Dialect::Mysql => sql.to_owned(),
        };
        let sql: Arc<str> = sql.into();
        Ok(Statement {
            name: name.into(),
            sql: Arc::clone(&sql),
            sql_one_row: sql,
            params: self.params.into(),
            writes: self.words.writes(),
            rows: self.rows,
            counts: self.words.changes,
            inserts_all: self.words.first == "INSERT" && one_for_each && !self.conditional,
            conditional: self.conditional,
            upserts: self.upserts,
            template: (self.dialect == Dialect::Mysql).then(|| Arc::new(self.template)),
            script: script.into(),
        })
    }
}

#[cfg(test)]
mod tests;
