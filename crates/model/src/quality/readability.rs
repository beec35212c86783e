//! Formulas of readability, each with its source. The language decides which one: most constants
//! were fitted to one language and mean nothing in another.
use serde::{Deserialize, Serialize};

use super::{language::Language, number, rounded, score, words::Counts};

/// Below so many words a formula's value says little: all were fitted to samples of about 100.
const ENOUGH_WORDS: usize = 100;

/// How easy a text is to read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Readability {
    /// From 0 (very hard) to 100 (very easy).
    pub score: f64,
    /// The formula that gave it.
    pub formula: Formula,
    /// The formula's own value, which may lie outside of 0 to 100.
    pub value: f64,
    /// English only: Flesch–Kincaid, the school year in the United States that can read it.
    pub flesch_kincaid_grade: Option<f64>,
    /// English only: Gunning's fog index, the years of schooling needed.
    pub gunning_fog: Option<f64>,
    /// Whether the text has the 100 words that the formulas were made for.
    pub enough_words: bool,
}

/// A named formula.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Formula {
    /// English. R. Flesch, "A new readability yardstick", Journal of Applied Psychology 32 (1948),
    /// 221–233: 206.835 − 1.015 w − 84.6 s, with w words a sentence and s syllables a word.
    FleschReadingEase,
    /// German. T. Amstad, "Wie verständlich sind unsere Zeitungen?", Zürich 1978: 180 − w − 58.5 s.
    Amstad,
    /// Spanish. J. Fernández Huerta, "Medidas sencillas de lecturabilidad", Consigna 214 (1959),
    /// 29–32: 206.84 − 60 s − 1.02 w.
    FernandezHuerta,
    /// French. L. Kandel and A. Moles, "Application de l'indice de Flesch à la langue française",
    /// Cahiers d'Études de Radio-Télévision 19 (1958), 253–274: 207 − 1.015 w − 73.6 s.
    KandelMoles,
    /// Italian. P. Lucisano and M. E. Piemontese, "GULPEASE", Scuola e città 3 (1988), 110–124:
    /// 89 + (300 sentences − 10 letters) / words.
    Gulpease,
    /// Dutch. W. H. Douma, "De leesbaarheid van landbouwbladen", Wageningen 1960:
    /// 206.835 − 0.93 w − 77 s.
    Douma,
    /// Russian. I. V. Oborneva, "Автоматизированная оценка сложности учебных текстов", Moscow 2006:
    /// 206.835 − 1.3 w − 60.1 s.
    Oborneva,
    /// Any other language with spaces between words. C.-H. Björnsson, "Läsbarhet", Stockholm 1968:
    /// w + the percentage of words of more than six letters. 20 is very easy, 60 very hard; the
    /// score is 100 − 2.5 (LIX − 20).
    Lix,
}

/// The readability of what was counted.
pub(super) fn of(counts: &Counts, language: Language) -> Option<Readability> {
    if !counts.has_words() {
        return None;
    }
    let (formula, value) = measured(counts, language);
    let eased = match formula {
        Formula::Lix => 100.0 - 2.5 * (value - 20.0),
        _ => value,
    };
    let english = language == Language::English;
    Some(Readability {
        score: score(eased),
        formula,
        value: rounded(value),
        flesch_kincaid_grade: english.then(|| rounded(flesch_kincaid_grade(counts))),
        gunning_fog: english.then(|| rounded(gunning_fog(counts))),
        enough_words: counts.words >= ENOUGH_WORDS,
    })
}

fn measured(counts: &Counts, language: Language) -> (Formula, f64) {
    let (w, s) = (words_a_sentence(counts), syllables_a_word(counts));
    match language {
        Language::English => (Formula::FleschReadingEase, 206.835 - 1.015 * w - 84.6 * s),
        Language::German => (Formula::Amstad, 180.0 - w - 58.5 * s),
        Language::Spanish => (Formula::FernandezHuerta, 206.84 - 60.0 * s - 1.02 * w),
        Language::French => (Formula::KandelMoles, 207.0 - 1.015 * w - 73.6 * s),
        Language::Dutch => (Formula::Douma, 206.835 - 0.93 * w - 77.0 * s),
        Language::Russian => (Formula::Oborneva, 206.835 - 1.3 * w - 60.1 * s),
        Language::Italian => (Formula::Gulpease, gulpease(counts)),
        Language::Portuguese | Language::Other => (Formula::Lix, lix(counts)),
    }
}

/// J. P. Kincaid, R. P. Fishburne, R. L. Rogers, B. S. Chissom, "Derivation of new readability
/// formulas", Research Branch Report 8-75, Millington 1975: 0.39 w + 11.8 s − 15.59.
fn flesch_kincaid_grade(counts: &Counts) -> f64 {
    0.39 * words_a_sentence(counts) + 11.8 * syllables_a_word(counts) - 15.59
}

/// R. Gunning, "The technique of clear writing", New York 1952: 0.4 (w + the percentage of words of
/// three syllables and more). Names cannot be told from other words and are counted.
fn gunning_fog(counts: &Counts) -> f64 {
    0.4 * (words_a_sentence(counts) + percent(counts.hard_words, counts.words))
}

fn gulpease(counts: &Counts) -> f64 {
    let (sentences, letters) = (number(counts.sentences), number(counts.letters));
    89.0 + (300.0 * sentences - 10.0 * letters) / number(counts.words.max(1))
}

fn lix(counts: &Counts) -> f64 {
    words_a_sentence(counts) + percent(counts.long_words, counts.words)
}

fn words_a_sentence(counts: &Counts) -> f64 {
    number(counts.words) / number(counts.sentences.max(1))
}

fn syllables_a_word(counts: &Counts) -> f64 {
    number(counts.syllables) / number(counts.words.max(1))
}

fn percent(part: usize, whole: usize) -> f64 {
    100.0 * number(part) / number(whole.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 100 words, 5 sentences, 150 syllables, 470 letters, 20 long words, 10 hard words.
    const SAMPLE: Counts = Counts {
        sentences: 5,
        words: 100,
        syllables: 150,
        letters: 470,
        long_words: 20,
        hard_words: 10,
        unspaced: 0,
        headings: 0,
        links: 0,
    };

    /// Computed by hand from the published formulas.
    #[test]
    fn each_language_has_its_published_formula() {
        for (tag, formula, value) in [
            ("en", Formula::FleschReadingEase, 59.6),
            ("en-GB", Formula::FleschReadingEase, 59.6),
            ("de", Formula::Amstad, 72.3),
            ("es", Formula::FernandezHuerta, 96.4),
            ("fr", Formula::KandelMoles, 76.3),
            ("it", Formula::Gulpease, 57.0),
            ("nl", Formula::Douma, 72.7),
            ("ru", Formula::Oborneva, 90.7),
            ("pl", Formula::Lix, 40.0),
            ("", Formula::Lix, 40.0),
        ] {
            let found = of(&SAMPLE, Language::of(tag)).map(|r| (r.formula, r.value));
            assert_eq!(found, Some((formula, value)), "{tag}");
        }
    }

    #[test]
    fn english_has_a_grade_and_a_fog_index_too() {
        let found = of(&SAMPLE, Language::English);
        let found = found.map(|r| (r.flesch_kincaid_grade, r.gunning_fog));
        assert_eq!(found, Some((Some(9.9), Some(12.0))));
    }

    #[test]
    fn lix_is_turned_round() {
        let score = |tag| of(&SAMPLE, Language::of(tag)).map(|r| r.score);
        assert_eq!(score("sv"), Some(50.0));
    }
}
