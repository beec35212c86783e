//! Cuts a migration file into statements, so that an error names its line, and because not every
//! database takes several statements at once.
use crate::{
    dialect::Dialect,
    token::{Broken, Token, Tokens},
};

/// One statement of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    /// The line it starts on, from 1.
    pub(super) line: usize,
    /// Its text, without the semicolon.
    pub(super) sql: &'a str,
}

pub(super) fn statements(text: &str, dialect: Dialect) -> Result<Vec<Piece<'_>>, Broken> {
    let mut pieces = Vec::new();
    let mut tokens = Tokens::new(text);
    let mut open = Open::default();
    loop {
        let at = tokens.offset();
        let Some(token) = tokens.next() else { break };
        match token? {
            Token::Space(_) | Token::Comment(_) => {}
            Token::Symbol(";") if !open.in_trigger(dialect) => {
                pieces.extend(open.start.map(|start| piece(text, start, at)));
                open = Open::default();
            }
            Token::Symbol(";") => open.semicolon = true,
            Token::Word(word) => {
                open.start.get_or_insert(at);
                open.word(word);
            }
            Token::Symbol(_) | Token::Quoted(_) | Token::Param(_) | Token::Marker(_) => {
                open.start.get_or_insert(at);
                (open.semicolon, open.ended) = (false, false);
            }
        }
    }
    pieces.extend(open.start.map(|start| piece(text, start, text.len())));
    Ok(pieces)
}

fn piece(text: &str, start: usize, end: usize) -> Piece<'_> {
    Piece {
        line: 1 + text[..start].matches('\n').count(),
        sql: text[start..end].trim_end(),
    }
}

/// The statement being read.
#[derive(Default)]
struct Open {
    start: Option<usize>,
    words: usize,
    creates: bool,
    trigger: bool,
    /// The last token was a semicolon.
    semicolon: bool,
    /// The last words were `; END`: a `CASE … END` is none.
    ended: bool,
}

impl Open {
    fn word(&mut self, word: &str) {
        self.words += 1;
        self.creates |= self.words == 1 && word.eq_ignore_ascii_case("create");
        // CREATE [TEMP] TRIGGER
        self.trigger |= self.creates && self.words <= 3 && word.eq_ignore_ascii_case("trigger");
        self.ended = self.semicolon && word.eq_ignore_ascii_case("end");
        self.semicolon = false;
    }

    /// SQLite's triggers hold statements with semicolons of their own, up to `END;`.
    fn in_trigger(&self, dialect: Dialect) -> bool {
        dialect == Dialect::Sqlite && self.trigger && !self.ended
    }
}
