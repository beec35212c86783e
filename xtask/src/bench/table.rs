//! The table that a person reads.

use super::bars::{Bar, Row};

const HEADS: [&str; 7] = [
    "bar", "what", "measured", "must", "aim", "verdict", "figures",
];

pub(super) fn text(rows: &[Row], notes: &[String]) -> String {
    let mut lines: Vec<[String; 7]> = vec![HEADS.map(str::to_owned)];
    lines.extend(rows.iter().map(line));
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
    let widths: Vec<usize> = (0..HEADS.len())
        .map(|column| width(column).unwrap_or(0))
        .collect();
    let mut text = String::new();
    for line in &lines {
        let cells =
            line.iter()
                .zip(&widths)
                .enumerate()
                .map(|(column, (cell, &width))| match column {
                    2..=4 => format!("{cell:>width$}"),
                    _ => format!("{cell:width$}"),
                });
        text += cells.collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
    }
    for note in notes {
        text += &format!("\n* {note}");
    }
    text + "\n"
}

fn line(row: &Row) -> [String; 7] {
    let (sign, must, aim) = match row.bar {
        Some(Bar::AtLeast { must, aim }) => ("≥ ", must.to_string(), aim.to_string()),
        Some(Bar::AtMost { must, aim }) => ("≤ ", must.to_string(), aim.to_string()),
        None => ("", String::new(), String::new()),
    };
    let (measured, detail) = match &row.measured {
        Ok(value) if *value >= 1000.0 => (format!("{value:.0}"), row.detail.clone()),
        Ok(value) => (format!("{value:.2}"), row.detail.clone()),
        Err(why) => ("–".to_owned(), why.clone()),
    };
    [
        row.id.to_owned(),
        row.what.clone(),
        measured,
        format!("{sign}{must}"),
        format!("{sign}{aim}"),
        row.verdict().to_owned(),
        detail,
    ]
}
