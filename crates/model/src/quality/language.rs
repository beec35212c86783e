//! Which language a text is in, as far as a formula or the counting of syllables depends on it.

/// A language with rules of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    English,
    German,
    Spanish,
    French,
    Italian,
    Dutch,
    Portuguese,
    Russian,
    /// Any other: only what needs no syllables is computed.
    Other,
}

impl Language {
    /// The language of a BCP 47 tag: its primary subtag decides.
    pub(super) fn of(tag: &str) -> Self {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        match primary.to_ascii_lowercase().as_str() {
            "en" => Self::English,
            "de" => Self::German,
            "es" => Self::Spanish,
            "fr" => Self::French,
            "it" => Self::Italian,
            "nl" => Self::Dutch,
            "pt" => Self::Portuguese,
            "ru" => Self::Russian,
            _ => Self::Other,
        }
    }

    /// Whether `TODO` is a word of the language and no placeholder by itself.
    pub(super) fn todo_is_a_word(self) -> bool {
        matches!(self, Self::Spanish | Self::Portuguese)
    }
}
