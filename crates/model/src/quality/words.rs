//! Counts the sentences, words, letters and syllables of prose, by the boundaries of Unicode's
//! annex 29. Knows no Markdown.
use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation as _;

use super::{language::Language, syllables};

/// A word with more letters is a long one (Björnsson).
const LONG_LETTERS: usize = 6;
/// A word with so many syllables is a hard one (Gunning).
const HARD_SYLLABLES: usize = 3;

/// What a text consists of; code is not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Sentences that have a word; the end of a paragraph or list item ends one.
    pub sentences: usize,
    /// Words: runs of letters or digits.
    pub words: usize,
    /// Syllables, by rules of the language; 0 where it has none here.
    pub syllables: usize,
    /// Letters and digits.
    pub letters: usize,
    /// Words of more than six letters.
    pub long_words: usize,
    /// Words of three syllables and more, endings -es, -ed and -ing not counted.
    pub hard_words: usize,
    /// Letters of scripts that put no spaces between words.
    #[serde(skip)]
    pub(super) unspaced: usize,
    /// Headings.
    pub headings: usize,
    /// Links, bare addresses included.
    pub links: usize,
}

impl Counts {
    /// Adds one paragraph, list item or cell.
    pub(super) fn add(&mut self, text: &str, language: Language) {
        let spoken = |sentence: &&str| sentence.chars().any(char::is_alphanumeric);
        self.sentences += text.unicode_sentences().filter(spoken).count();
        for word in text.unicode_words() {
            self.words += 1;
            let letters = word.chars().filter(|c| c.is_alphanumeric()).count();
            self.letters += letters;
            self.long_words += usize::from(letters > LONG_LETTERS);
            self.unspaced += word.chars().filter(|c| is_unspaced(*c)).count();
            let Some(syllables) = syllables::count(word, language) else {
                continue;
            };
            self.syllables += syllables;
            if syllables >= HARD_SYLLABLES {
                let stem = stem(word);
                let left = syllables::count(stem, language).unwrap_or(0);
                self.hard_words += usize::from(left >= HARD_SYLLABLES);
            }
        }
    }

    /// Whether the words found are words: not so where a script puts no spaces between them.
    pub(super) fn has_words(&self) -> bool {
        self.words > 0 && self.sentences > 0 && self.unspaced * 2 < self.letters.max(1)
    }
}

/// Without the endings that Gunning does not count.
fn stem(word: &str) -> &str {
    ["ing", "es", "ed"]
        .iter()
        .find_map(|end| word.strip_suffix(end))
        .unwrap_or(word)
}

/// Thai, Lao, Myanmar, Khmer, kana and Han.
fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}
