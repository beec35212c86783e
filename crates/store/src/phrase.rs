//! Searching for a phrase, the same on every database: texts are stored a second time in lower case,
//! and the phrase becomes a LIKE pattern that matches it literally.

/// The escape of the patterns; every statement with LIKE names it.
const ESCAPE: char = '!';

/// `text` as it is searched in.
pub(crate) fn folded(text: &str) -> String {
    text.to_lowercase()
}

/// The pattern that finds `phrase` anywhere.
pub(crate) fn pattern(phrase: &str) -> String {
    let mut pattern = String::with_capacity(phrase.len() + 2);
    pattern.push('%');
    for c in folded(phrase).chars() {
        // SQL Server knows sets in brackets besides.
        if matches!(c, '%' | '_' | '[' | ESCAPE) {
            pattern.push(ESCAPE);
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_stands_for_itself() {
        assert_eq!(pattern("50 %_[Ä]!"), "%50 !%!_![ä]!!%");
    }
}
