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

/// How a list is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListForm {
    /// So many placeholders.
    Items(usize),
    /// One placeholder for a JSON array.
    Json,
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

    /// Ends the last piece here; answers how many pieces there are so far.
    pub(super) fn cut(&mut self) -> usize {
        self.pieces.push(Piece::Text(String::new()));
        self.pieces.len() - 1
    }

    pub(crate) fn push(&mut self, piece: Piece) {
        self.pieces.push(piece);
    }

    /// The text for `rows` rows; `list` answers how the list at a position is written.
    pub(crate) fn write(&self, rows: usize, list: impl Fn(usize) -> ListForm) -> String {
        let mut sql = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => sql.push_str(text),
                Piece::Value(_) => sql.push('?'),
                Piece::List(at, of) => match list(*at) {
                    ListForm::Json => sql.push_str(&from_json(*of)),
                    // `IN (NULL)` is unknown, and so is its opposite.
                    ListForm::Items(0) => sql.push_str("IN (SELECT NULL FROM DUAL WHERE FALSE)"),
                    ListForm::Items(items) => {
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

/// Each server has the binary collation under its own name, and reads its own of the comments.
fn from_json(of: ColumnType) -> String {
    let text = "item /*!80017 COLLATE utf8mb4_0900_bin */ /*M!100202 COLLATE utf8mb4_nopad_bin */";
    let (item, raw) = match of {
        ColumnType::Uuid | ColumnType::Bytes => ("UNHEX(item)", "LONGTEXT"),
        ColumnType::Int | ColumnType::Bool => ("item", "BIGINT"),
        ColumnType::Float => ("item", "DOUBLE"),
        ColumnType::Decimal => ("item", "DECIMAL(65, 28)"),
        ColumnType::Time => ("item", "DATETIME(6)"),
        ColumnType::Text => (text, "LONGTEXT"),
    };
    format!("IN (SELECT {item} FROM JSON_TABLE(?, '$[*]' COLUMNS (item {raw} PATH '$')) AS listed)")
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
