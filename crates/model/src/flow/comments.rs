//! Finds the comments of a YAML text: the parser drops them, but says where the scalars are, and a
//! `#` after a blank and outside every scalar begins a comment.
use super::{doc::Style, yaml::Scalar};
use crate::problem::Place;

/// One comment.
#[derive(Debug)]
pub(super) struct Comment {
    pub(super) place: Place,
    /// From the `#` on, without blanks at the end.
    pub(super) text: String,
    /// Whether nothing else stands on its line.
    pub(super) alone: bool,
}

/// The comments of a file, in order.
#[derive(Debug, Default)]
pub(super) struct Comments(Vec<Comment>);

impl Comments {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Comment> {
        self.0.iter()
    }
}

/// The comments of `text`, whose scalars stand at the character ranges `scalars`.
pub(super) fn find(text: &str, scalars: &[Scalar]) -> Comments {
    let chars: Vec<char> = text.chars().collect();
    let mut scalars = scalars.iter().peekable();
    let mut found = Vec::new();
    let (mut line, mut line_start) = (1_u32, 0);
    let mut only_blanks = true;
    let mut at = 0;
    while at < chars.len() {
        while scalars.next_if(|scalar| scalar.start < at).is_some() {}
        let mut end = at;
        while end == at
            && let Some(scalar) = scalars.next_if(|scalar| scalar.start == at)
        {
            end = end_of(&chars, scalar);
        }
        if end > at {
            for (i, c) in chars.iter().enumerate().take(end).skip(at) {
                if *c == '\n' {
                    (line, line_start) = (line + 1, i + 1);
                }
            }
            // A block scalar ends where its last line does.
            only_blanks = end == line_start;
            at = end;
            continue;
        }
        let after_blank = at == 0 || chars[at - 1].is_whitespace();
        match chars[at] {
            '#' if after_blank => {
                let end = chars[at..]
                    .iter()
                    .position(|c| *c == '\n')
                    .map_or(chars.len(), |n| at + n);
                let column = u32::try_from(at - line_start + 1).unwrap_or(u32::MAX);
                let text: String = chars[at..end].iter().collect();
                let text = text.trim_end().to_owned();
                found.push(Comment {
                    place: Place { line, column },
                    text,
                    alone: only_blanks,
                });
                at = end;
                continue;
            }
            '\n' => {
                (line, line_start) = (line + 1, at + 1);
                only_blanks = true;
            }
            c if c.is_whitespace() => {}
            _ => only_blanks = false,
        }
        at += 1;
    }
    Comments(found)
}

/// Where a scalar ends. For quoted ones the parser's end lies behind what follows on the line.
fn end_of(chars: &[char], scalar: &Scalar) -> usize {
    let quote = match scalar.style {
        Style::Single => '\'',
        Style::Double => '"',
        Style::Plain | Style::Literal | Style::Folded | Style::Unplaced => {
            return scalar.end.min(chars.len());
        }
    };
    let mut at = scalar.start + 1;
    while let Some(c) = chars.get(at) {
        let doubled = *c == '\'' && quote == '\'' && chars.get(at + 1) == Some(&'\'');
        if (*c == '\\' && quote == '"') || doubled {
            at += 2;
        } else if *c == quote {
            return at + 1;
        } else {
            at += 1;
        }
    }
    chars.len()
}
