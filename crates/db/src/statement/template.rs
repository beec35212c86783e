//! A statement whose text depends on how many values it gets: MySQL has neither arrays nor numbered
//! placeholders, so lists and row sources are written out at execution, and parameters repeated.
//! Knows texts and positions; the values stay with the driver.
use crate::dialect::ColumnType;

/// A text in pieces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Template {
    pieces: Vec<Piece>,
}

/// One piece; numbers are positions of parameters, from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(String),
    Value(usize),
    List(usize, ColumnType),
    Rows(Rows),
}

/// A row source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rows {
    /// Name, position and type of each column.
    pub(crate) columns: Vec<(String, usize, ColumnType)>,
    /// Whether it is a derived table and not what an INSERT takes.
    pub(crate) nested: bool,
}

impl Template {
    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    pub(crate) fn text(&mut self, text: &str) {
        match self.pieces.last_mut() {
            Some(Piece::Text(last)) => last.push_str(text),
            _ => self.pieces.push(Piece::Text(text.to_owned())),
        }
    }

    pub(crate) fn push(&mut self, piece: Piece) {
        self.pieces.push(piece);
    }

    /// The text for `rows` rows; `list` answers how many items the list at a position has.
    pub(crate) fn write(&self, rows: usize, mut list: impl FnMut(usize) -> usize) -> String {
        let mut sql = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => sql.push_str(text),
                Piece::Value(_) => sql.push('?'),
                Piece::List(at, _) => match list(*at) {
                    // `IN (NULL)` is unknown, and so is its opposite.
                    0 => sql.push_str("IN (SELECT NULL FROM DUAL WHERE FALSE)"),
                    items => {
                        sql.push_str("IN (?");
                        sql.push_str(&", ?".repeat(items - 1));
                        sql.push(')');
                    }
                },
                Piece::Rows(source) => source.write(rows, &mut sql),
            }
        }
        sql.truncate(sql.trim_end().len());
        sql
    }
}

impl Rows {
    fn write(&self, rows: usize, sql: &mut String) {
        if !self.nested {
            let row = format!("({})", vec!["?"; self.columns.len()].join(", "));
            sql.push_str("VALUES ");
            sql.push_str(&vec![row; rows.max(1)].join(", "));
            return;
        }
        let columns = self.columns.iter();
        let first: Vec<String> = columns
            .clone()
            .map(|(name, _, of)| format!("{} AS {name}", of.mysql_value()))
            .collect();
        sql.push_str("SELECT ");
        sql.push_str(&first.join(", "));
        let next: Vec<&str> = columns.map(|(_, _, of)| of.mysql_value()).collect();
        let next = format!(" UNION ALL SELECT {}", next.join(", "));
        sql.push_str(&next.repeat(rows.max(1) - 1));
    }
}
