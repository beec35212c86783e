//! Columns that line up. A cell's width is counted in characters, colours left out.

/// How a column is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// A table with a heading.
pub(crate) struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Row>,
}

enum Row {
    Cells(Vec<String>),
    /// A line of its own between rows.
    Line(String),
}

impl Table {
    /// With these columns.
    pub(crate) fn new(columns: &[(&'static str, Align)]) -> Self {
        Self {
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row with a cell for each column.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(Row::Cells(cells));
    }

    /// Adds a line that belongs to the row above.
    pub(crate) fn line(&mut self, line: String) {
        self.rows.push(Row::Line(line));
    }

    /// The table, a line for each row.
    pub(crate) fn render(&self) -> String {
        let mut widths: Vec<usize> = self.columns.iter().map(|(name, _)| width(name)).collect();
        for row in &self.rows {
            let Row::Cells(cells) = row else { continue };
            for (widest, cell) in widths.iter_mut().zip(cells) {
                *widest = (*widest).max(width(cell));
            }
        }
        let heading: Vec<String> = self
            .columns
            .iter()
            .map(|(name, _)| (*name).to_owned())
            .collect();
        let mut out = self.set(&heading, &widths);
        for row in &self.rows {
            match row {
                Row::Cells(cells) => out.push_str(&self.set(cells, &widths)),
                Row::Line(line) => {
                    out.push_str(line);
                    out.push('\n');
                }
            }
        }
        out
    }

    fn set(&self, cells: &[String], widths: &[usize]) -> String {
        let mut line = String::new();
        for ((cell, room), (_, align)) in cells.iter().zip(widths).zip(&self.columns) {
            let space = " ".repeat(room.saturating_sub(width(cell)));
            match align {
                Align::Left => line.extend([cell, &*space]),
                Align::Right => line.extend([&*space, cell]),
            }
            line.push_str("  ");
        }
        line.truncate(line.trim_end().len());
        line.push('\n');
        line
    }
}

/// Characters shown, escape sequences for colours left out.
fn width(cell: &str) -> usize {
    let mut shown = 0;
    let mut chars = cell.chars();
    while let Some(c) = chars.next() {
        if c == '\x1b' {
            chars.by_ref().find(|c| *c == 'm');
        } else {
            shown += 1;
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_whatever_their_colours() {
        let mut table = Table::new(&[("name", Align::Left), ("steps", Align::Right)]);
        table.row(vec!["\x1b[32mé\x1b[0m".to_owned(), "7".to_owned()]);
        table.row(vec!["longer".to_owned(), "1234567".to_owned()]);
        table.line("  a remark".to_owned());
        let want = "name      steps\n\
                    \x1b[32mé\x1b[0m             7\n\
                    longer  1234567\n  a remark\n";
        assert_eq!(table.render(), want);
    }
}
