//! Searching for a phrase, the same on every database: texts are stored a second time in lower case,
//! and the phrase becomes a LIKE pattern that matches it literally. SQL Server's statements look for
//! the phrase itself.
use runstone_db::{Dialect, Value};

use crate::SqlStore;

/// The escape of the patterns; every statement with LIKE names it.
const ESCAPE: char = '!';

/// `text` as it is searched in.
pub(crate) fn folded(text: &str) -> String {
    text.to_lowercase()
}

/// What `dialect`'s statements find `phrase` anywhere with.
fn pattern(dialect: Dialect, phrase: &str) -> String {
    if dialect == Dialect::Mssql {
        return folded(phrase);
    }
    let mut pattern = String::with_capacity(phrase.len() + 2);
    pattern.push('%');
    for c in folded(phrase).chars() {
        if matches!(c, '%' | '_' | ESCAPE) {
            pattern.push(ESCAPE);
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

impl SqlStore {
    /// The parameter `pattern` for a phrase; an empty one finds everything.
    pub(crate) fn pattern(&self, phrase: &str) -> Value {
        match phrase {
            "" => "".into(),
            phrase => pattern(self.database().dialect(), phrase).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_stands_for_itself() {
        assert_eq!(pattern(Dialect::Mysql, "50 %_[Ä]!"), "%50 !%!_[ä]!!%");
        assert_eq!(pattern(Dialect::Mssql, "50 %_[Ä]!"), "50 %_[ä]!");
    }
}
