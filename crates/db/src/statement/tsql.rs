//! T-SQL of a statement: the INSERTs with `{{upsert}}` or `{{insert_or_nothing}}`, which SQL Server
//! has no clause for, become one or two plain statements (no MERGE: it is known for its races).
//! Knows texts and positions; the values stay with the driver.
use super::template::{Piece, Rows, Template};
use crate::dialect::{ColumnType, Marker};

/// Order and equality by code point, whatever the database's own collation is.
pub(crate) const COLLATION: &str = "Latin1_General_100_BIN2";
/// Names of columns that T-SQL has another use for; in capitals they are meant as T-SQL means them.
const TAKEN: [&str; 1] = ["output"];
/// No row that is looked for may appear between looking and inserting.
const LOCK: &str = "WITH (UPDLOCK, HOLDLOCK)";

/// What an INSERT does about rows that are there already.
#[derive(Clone, Debug)]
pub(super) struct Conflict {
    pub(super) keys: Vec<String>,
    /// The columns to change; none: the row is left alone.
    pub(super) columns: Option<Vec<String>>,
}

impl Conflict {
    /// What a marker says, if it is one of the two.
    pub(super) fn of(marker: &Marker<'_>) -> Option<Self> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        match marker {
            Marker::Upsert { keys, columns } => Some(Self {
                keys: owned(keys),
                columns: Some(owned(columns)),
            }),
            Marker::InsertOrNothing { keys } => Some(Self {
                keys: owned(keys),
                columns: None,
            }),
            Marker::Limit(_) | Marker::SkipLocked | Marker::In { .. } | Marker::Rows(_) => None,
        }
    }
}

/// A value whose text the driver writes: a placeholder, or NULL.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wanted {
    /// One value.
    Value(usize),
    /// A list as one JSON text; empty when an item cannot be written so.
    List(usize),
    /// A list as placeholders with commas between; empty for an empty list.
    Items(usize),
    /// All rows as one JSON text: an array of arrays.
    Rows,
}

/// Whether a bare word must be quoted to be a name.
pub(super) fn is_taken(word: &str) -> bool {
    TAKEN.contains(&word)
}

/// Writes `template`; with `json` a row source is read out of one JSON text.
pub(crate) fn write(
    template: &Template,
    json: bool,
    sql: &mut String,
    place: &mut dyn FnMut(Wanted) -> String,
) {
    for piece in template.pieces() {
        match piece {
            Piece::Text(text) => sql.push_str(text),
            Piece::Value(at) => sql.push_str(&place(Wanted::Value(*at))),
            Piece::List(at, of) => sql.push_str(&list(*at, *of, place)),
            Piece::Rows(rows) if json => sql.push_str(&from_json(rows, &place(Wanted::Rows))),
            Piece::Rows(rows) => sql.push_str(&values(rows, place)),
        }
    }
    sql.truncate(sql.trim_end().len());
}

/// The text for reading: what the server gets, with a number for each parameter.
pub(super) fn shown(script: &[Template], json: bool, params: usize) -> String {
    let mut sql = String::new();
    let json = json && rows_fit_json(script);
    for part in script {
        if !sql.is_empty() {
            sql.push_str(";\n");
        }
        write(part, json, &mut sql, &mut |wanted| match wanted {
            Wanted::Value(at) | Wanted::List(at) | Wanted::Items(at) => format!("@P{}", at + 1),
            // With a row source every parameter is one of its columns.
            Wanted::Rows => format!("@P{}", params.min(1)),
        });
    }
    sql
}

/// Whether rows with these columns may travel as JSON: the others would lose digits or grow.
pub(crate) fn rows_fit_json(script: &[Template]) -> bool {
    let mut pieces = script.iter().flat_map(Template::pieces);
    pieces.all(|piece| match piece {
        Piece::Rows(rows) => {
            let mut columns = rows.columns.iter();
            columns.all(|(name, _, of)| of.mssql_json(name).is_some())
        }
        Piece::Text(_) | Piece::Value(_) | Piece::List(..) => true,
    })
}

fn list(at: usize, of: ColumnType, place: &mut dyn FnMut(Wanted) -> String) -> String {
    if let Some((item, raw)) = of.mssql_json("item") {
        let list = place(Wanted::List(at));
        if !list.is_empty() {
            return format!("IN (SELECT {item} FROM OPENJSON({list}) WITH ([item] {raw} '$'))");
        }
    }
    match place(Wanted::Items(at)) {
        items if items.is_empty() => "IN (SELECT NULL WHERE 1 = 0)".to_owned(),
        items => format!("IN ({items})"),
    }
}

fn from_json(rows: &Rows, json: &str) -> String {
    let (mut items, mut columns) = (Vec::new(), Vec::new());
    for (index, (name, _, of)) in rows.columns.iter().enumerate() {
        // Rows of another type are not sent as JSON.
        let (item, raw) = of.mssql_json(name).unwrap_or_default();
        items.push(item);
        columns.push(format!("[{name}] {raw} '$[{index}]'"));
    }
    let (items, columns) = (items.join(", "), columns.join(", "));
    format!("SELECT {items} FROM OPENJSON({json}) WITH ({columns})")
}

fn values(rows: &Rows, place: &mut dyn FnMut(Wanted) -> String) -> String {
    let each: Vec<String> = rows
        .columns
        .iter()
        .map(|(_, at, of)| {
            let place = place(Wanted::Value(*at));
            match of.mssql() {
                // In a derived table nothing else says what type a NULL has.
                Some(of) if rows.nested => format!("CAST({place} AS {of})"),
                _ => place,
            }
        })
        .collect();
    format!("VALUES ({})", each.join(", "))
}

/// The statements that stand for `template`. For an INSERT with a conflict its pieces before `head`
/// name its table and columns, those from `at` on follow the marker.
pub(super) fn script(
    template: Template,
    table: &str,
    head: Option<usize>,
    conflict: Option<(usize, Conflict)>,
) -> Result<Vec<Template>, String> {
    let Some((at, conflict)) = conflict else {
        return Ok(vec![template]);
    };
    let head = head
        .filter(|head| *head <= at)
        .ok_or("on SQL Server an INSERT with this marker must name its columns")?;
    let (before, tail) = template.pieces().split_at(at);
    let (named, source) = before.split_at(head);
    let named: String = named
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.as_str(),
            Piece::Value(_) | Piece::List(..) | Piece::Rows(_) => "",
        })
        .collect();
    let insert = Insert {
        table,
        columns: columns_of(&named),
        named: named.trim(),
        source: Source::read(source),
        tail,
    };
    insert.check(&conflict)?;
    let mut parts = Vec::new();
    if let Some(columns) = &conflict.columns {
        parts.push(insert.update(&conflict.keys, columns));
    }
    parts.push(insert.insert(&conflict.keys));
    Ok(parts)
}

/// The names between the parentheses of `INSERT INTO t (a, b)`.
fn columns_of(named: &str) -> Vec<&str> {
    let start = named.find('(').map_or(named.len(), |at| at + 1);
    let end = named.rfind(')').unwrap_or(named.len());
    let names = named.get(start..end).unwrap_or_default().split(',');
    names
        .map(|name| name.trim().trim_matches(['[', ']']))
        .filter(|name| !name.is_empty())
        .collect()
}

/// An INSERT taken apart.
struct Insert<'a> {
    table: &'a str,
    columns: Vec<&'a str>,
    /// `INSERT INTO t (a, b)`
    named: &'a str,
    source: Source<'a>,
    tail: &'a [Piece],
}

/// Where the new rows come from.
enum Source<'a> {
    /// `VALUES` of one row: each column's expression. It is written where it is wanted, because in a
    /// derived table a parameter would get the database's collation, which may not fit the column's.
    Values(Vec<Vec<Piece>>),
    /// Anything else, as a derived table named `excluded`.
    Derived(&'a [Piece]),
}

impl<'a> Source<'a> {
    fn read(pieces: &'a [Piece]) -> Self {
        values_of(pieces).map_or(Self::Derived(pieces), Self::Values)
    }
}

/// The expressions of `VALUES (…)` with one row; none for anything else.
fn values_of(pieces: &[Piece]) -> Option<Vec<Vec<Piece>>> {
    let Some(Piece::Text(first)) = pieces.first() else {
        return None;
    };
    let first = first.trim_start();
    let (word, rest) = first.split_at_checked("VALUES".len())?;
    let rest = rest.trim_start().strip_prefix('(')?;
    if !word.eq_ignore_ascii_case("VALUES") {
        return None;
    }
    let mut found = vec![Template::default()];
    let (mut depth, mut quoted) = (1_u32, false);
    let texts = std::iter::once(Piece::Text(rest.to_owned())).chain(pieces[1..].iter().cloned());
    for piece in texts {
        let Piece::Text(text) = piece else {
            found.last_mut()?.push(piece);
            continue;
        };
        for c in text.chars() {
            match c {
                '\'' => quoted = !quoted,
                '(' if !quoted => depth += 1,
                ')' if !quoted => depth = depth.checked_sub(1)?,
                _ => {}
            }
            match (c, depth) {
                (',', 1) if !quoted => found.push(Template::default()),
                (c, 0) if c == ')' || c.is_whitespace() => {}
                // A second row, or something behind.
                (_, 0) => return None,
                (c, _) => found.last_mut()?.text(c.encode_utf8(&mut [0; 4])),
            }
        }
    }
    Some(found.iter().map(|one| one.pieces().to_vec()).collect())
}

impl Insert<'_> {
    fn check(&self, conflict: &Conflict) -> Result<(), String> {
        let named = conflict
            .keys
            .iter()
            .chain(conflict.columns.iter().flatten());
        for name in named {
            if !self.columns.contains(&name.as_str()) {
                return Err(format!("the marker names `{name}`, which is not inserted"));
            }
        }
        match &self.source {
            Source::Values(values) if values.len() != self.columns.len() => Err(format!(
                "{} values for {} columns",
                values.len(),
                self.columns.len()
            )),
            Source::Values(_) if !self.tail.iter().all(is_blank) => {
                Err("on SQL Server nothing may follow this marker after VALUES".to_owned())
            }
            Source::Values(_) | Source::Derived(_) => Ok(()),
        }
    }

    /// Changes the rows that are there.
    fn update(&self, keys: &[String], columns: &[String]) -> Template {
        let mut out = Template::default();
        out.text(&format!("UPDATE {} {LOCK}\nSET ", self.table));
        for (index, column) in columns.iter().enumerate() {
            out.text(if index > 0 { ", " } else { "" });
            out.text(&format!("[{column}] = "));
            self.value(column, &mut out);
        }
        match &self.source {
            Source::Values(_) => {
                out.text("\nWHERE ");
                self.same(keys, self.table, &mut out);
            }
            Source::Derived(_) => {
                out.text(&format!("\nFROM {} INNER JOIN ", self.table));
                self.derived(&mut out);
                out.text(" ON ");
                self.same(keys, self.table, &mut out);
                for piece in self.tail {
                    append(&mut out, piece);
                }
            }
        }
        out
    }

    /// Adds those that are not.
    fn insert(&self, keys: &[String]) -> Template {
        let mut out = Template::default();
        out.text(&format!("{}\nSELECT ", self.named));
        for (index, column) in self.columns.iter().enumerate() {
            out.text(if index > 0 { ", " } else { "" });
            self.value(column, &mut out);
        }
        let mut once = "";
        if let Source::Derived(_) = self.source {
            // Of new rows with the same key one counts.
            out.text(&format!(
                "\nFROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY [{0}] ORDER BY [{1}]) AS nth FROM ",
                keys.join("], ["),
                keys.first().map_or("", String::as_str)
            ));
            self.derived(&mut out);
            out.text(") AS excluded");
            once = "excluded.nth = 1 AND ";
        }
        out.text(&format!(
            "\nWHERE {once}NOT EXISTS (SELECT 1 FROM {} AS present {LOCK} WHERE ",
            self.table
        ));
        self.same(keys, "present", &mut out);
        out.text(")");
        out
    }

    /// The new value of a column.
    fn value(&self, column: &str, out: &mut Template) {
        let at = self.columns.iter().position(|name| *name == column);
        match (&self.source, at) {
            (Source::Values(values), Some(at)) => {
                for (index, piece) in values[at].iter().enumerate() {
                    match piece {
                        Piece::Text(text) if index == 0 => out.text(text.trim_start()),
                        other => append(out, other),
                    }
                }
            }
            _ => out.text(&format!("excluded.[{column}]")),
        }
    }

    /// The conditions under which a row of `table` has the new row's key.
    fn same(&self, keys: &[String], table: &str, out: &mut Template) {
        for (index, key) in keys.iter().enumerate() {
            out.text(if index > 0 { " AND " } else { "" });
            out.text(&format!("{table}.[{key}] = "));
            self.value(key, out);
            if self.is_text(key) {
                out.text(&format!(" COLLATE {COLLATION}"));
            }
        }
    }

    /// Whether a column comes from a row source as text.
    fn is_text(&self, column: &str) -> bool {
        let Source::Derived(pieces) = self.source else {
            return false;
        };
        let at = self.columns.iter().position(|name| *name == column);
        pieces.iter().any(|piece| match (piece, at) {
            (Piece::Rows(rows), Some(at)) => {
                matches!(rows.columns.get(at), Some((_, _, ColumnType::Text)))
            }
            _ => false,
        })
    }

    fn derived(&self, out: &mut Template) {
        let Source::Derived(pieces) = self.source else {
            return;
        };
        out.text("(");
        let last = pieces.len().saturating_sub(1);
        for (index, piece) in pieces.iter().enumerate() {
            match piece {
                Piece::Text(text) => {
                    let text = if index == 0 { text.trim_start() } else { text };
                    out.text(if index == last { text.trim_end() } else { text });
                }
                Piece::Rows(rows) => out.push(Piece::Rows(Rows {
                    nested: true,
                    ..rows.clone()
                })),
                other => append(out, other),
            }
        }
        out.text(&format!(") AS excluded ([{}])", self.columns.join("], [")));
    }
}

fn append(out: &mut Template, piece: &Piece) {
    match piece {
        Piece::Text(text) => out.text(text),
        other => out.push(other.clone()),
    }
}

fn is_blank(piece: &Piece) -> bool {
    matches!(piece, Piece::Text(text) if text.trim().is_empty())
}
