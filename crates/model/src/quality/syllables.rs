//! Syllables of a word, counted by its vowels: a vowel starts a syllable unless it is one sound with
//! the vowel before it. An estimate, as every count without a dictionary is.
use super::language::Language;

/// The syllables of `word` in `language`, at least 1; none where the language has no rules here.
pub(super) fn count(word: &str, language: Language) -> Option<usize> {
    let letters: Vec<char> = word
        .chars()
        .flat_map(char::to_lowercase)
        .filter(|c| !is_combining(*c))
        .collect();
    let vowels = match language {
        Language::English => "aeiouyáàâäéèêëíìîïóòôöúùûü",
        Language::German => "aeiouyäöüáàâéèêíîóôúû",
        Language::Spanish => "aeiouáéíóúü",
        Language::French => "aeiouyàâäéèêëîïôöùûüÿœæ",
        Language::Dutch => "aeiouyáàäéèëíïóöúü",
        Language::Russian => "аеёиоуыэюя",
        Language::Italian | Language::Portuguese | Language::Other => return None,
    };
    let vowel_at = |at: usize| vowels.contains(letters[at]) || is_spanish_y(&letters, at, language);
    let mut count = 0_usize;
    for at in 0..letters.len() {
        if vowel_at(at)
            && !(at > 0 && vowel_at(at - 1) && is_one_sound(letters[at - 1], letters[at], language))
        {
            count += 1;
        }
    }
    Some(
        count
            .saturating_sub(silent(&letters, count, language))
            .max(1),
    )
}

/// Accents that stand as characters of their own.
fn is_combining(c: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&c)
}

/// Spanish `y` is a vowel at the end of a word only: `rey`, `y`.
fn is_spanish_y(letters: &[char], at: usize, language: Language) -> bool {
    language == Language::Spanish && letters[at] == 'y' && at + 1 == letters.len()
}

/// Whether two vowels in a row belong to one syllable.
fn is_one_sound(first: char, second: char, language: Language) -> bool {
    match language {
        Language::English => true,
        Language::German => matches!(
            (first, second),
            ('a', 'i' | 'u' | 'a' | 'y')
                | ('e', 'i' | 'u' | 'e' | 'y')
                | ('ä' | 'o', 'u')
                | ('o', 'o' | 'i' | 'y')
                | ('i', 'e')
        ),
        // Two strong vowels, or a stressed weak one, are two syllables.
        Language::Spanish => {
            let strong = |c| matches!(c, 'a' | 'e' | 'o' | 'á' | 'é' | 'ó');
            let stressed = |c| matches!(c, 'í' | 'ú');
            let two = (strong(first) && strong(second)) || stressed(first) || stressed(second);
            !two
        }
        Language::French => first != 'é' && !matches!(second, 'ë' | 'ï' | 'ü'),
        Language::Dutch => !matches!(second, 'ë' | 'ï' | 'ö' | 'ü'),
        Language::Italian | Language::Portuguese | Language::Russian | Language::Other => false,
    }
}

/// Vowels at the end that are written and not spoken.
fn silent(letters: &[char], count: usize, language: Language) -> usize {
    if count < 2 {
        return 0;
    }
    let ends = |end: &str| {
        let end: Vec<char> = end.chars().collect();
        letters.ends_with(&end)
    };
    // The letter that many places before the end.
    let before = |back: usize| letters.len().checked_sub(back + 1).map(|at| letters[at]);
    // Beyond the beginning of the word there is a consonant.
    let consonant = |back: usize| before(back).is_none_or(|c| !"aeiouyéèêœ".contains(c));
    let one_of = |back: usize, set: &str| before(back).is_some_and(|c| set.contains(c));
    let mute = match language {
        Language::English if ends("e") => consonant(1) && !(ends("le") && consonant(2)),
        Language::English if ends("ed") => consonant(2) && !one_of(2, "td"),
        Language::English if ends("es") => {
            let hissing = one_of(2, "sxzcg") || (one_of(2, "h") && one_of(3, "cs"));
            let tables = one_of(2, "l") && consonant(3);
            consonant(2) && !hissing && !tables
        }
        Language::French if ends("e") => consonant(1),
        Language::French if ends("es") => consonant(2),
        _ => false,
    };
    usize::from(mute)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_words_have_their_syllables() {
        use Language::{Dutch, English, French, German, Russian, Spanish};
        for (language, words) in [
            (
                English,
                &[
                    ("the", 1),
                    ("make", 1),
                    ("makes", 1),
                    ("table", 2),
                    ("tables", 2),
                    ("wanted", 2),
                    ("walked", 1),
                    ("boxes", 2),
                    ("churches", 2),
                    ("readability", 5),
                    ("syllable", 3),
                    ("queue", 1),
                    ("rhythm", 1),
                    ("Document", 3),
                    ("see", 1),
                ][..],
            ),
            (
                German,
                &[
                    ("Haus", 1),
                    ("Häuser", 2),
                    ("bauen", 2),
                    ("treue", 2),
                    ("Straße", 2),
                    ("Donaudampfschifffahrt", 5),
                    ("See", 1),
                    ("Theater", 3),
                    ("Ei", 1),
                ][..],
            ),
            (
                Spanish,
                &[
                    ("casa", 2),
                    ("aéreo", 4),
                    ("día", 2),
                    ("bueno", 2),
                    ("rey", 1),
                    ("ya", 1),
                    ("lectura", 3),
                    ("país", 2),
                    ("queso", 2),
                ][..],
            ),
            (
                French,
                &[
                    ("maison", 2),
                    ("table", 1),
                    ("tables", 1),
                    ("théâtre", 2),
                    ("noël", 2),
                    ("le", 1),
                ][..],
            ),
            (Dutch, &[("nieuw", 1), ("zeeën", 2), ("huis", 1)][..]),
            (Russian, &[("молоко", 3), ("вода", 2), ("в", 1)][..]),
        ] {
            for (word, syllables) in words {
                assert_eq!(count(word, language), Some(*syllables), "{word}");
            }
        }
    }

    #[test]
    fn an_accent_of_its_own_changes_nothing() {
        assert_eq!(
            count("cafe\u{301}", Language::Spanish),
            count("café", Language::Spanish)
        );
    }

    #[test]
    fn without_rules_there_is_no_count() {
        assert_eq!(count("casa", Language::Italian), None);
    }
}
