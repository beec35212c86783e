//! Finds what was left to be filled in. Looks at prose and headings only: code may say TODO.
use super::language::Language;

/// The first characters of a placeholder in brackets.
const OPENINGS: [&str; 8] = [
    "insert ",
    "your ",
    "enter ",
    "add ",
    "describe ",
    "name of ",
    "tbd",
    "todo",
];

/// The placeholders of `text`, as written.
pub(super) fn find(text: &str, language: Language) -> Vec<String> {
    let mut found = words(text, language);
    found.extend(between(text, "{{", "}}"));
    for inside in between(text, "[", "]")
        .into_iter()
        .chain(between(text, "<", ">"))
    {
        let lower = inside[1..inside.len() - 1].trim_start().to_lowercase();
        if OPENINGS.iter().any(|opening| lower.starts_with(opening)) {
            found.push(inside);
        }
    }
    if text.to_lowercase().contains("lorem ipsum") {
        found.push("lorem ipsum".to_owned());
    }
    found
}

fn words(text: &str, language: Language) -> Vec<String> {
    let plain = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for (at, word) in text
        .split(|c| !plain(c))
        .map(|word| (offset(text, word), word))
    {
        let is_one = match word {
            "TBD" | "TBA" | "FIXME" | "XXX" => true,
            "TODO" if language.todo_is_a_word() => text[at + word.len()..].starts_with(':'),
            "TODO" => true,
            _ => false,
        };
        // Those in brackets are found by them.
        let bracketed = text[..at].ends_with(['[', '<']);
        if is_one && !bracketed {
            found.push(word.to_owned());
        }
    }
    found
}

/// Where `part`, a slice of `text`, begins.
fn offset(text: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize)
}

/// What stands between the marks, with them; on one line and not long.
fn between(text: &str, open: &str, close: &str) -> Vec<String> {
    const LONGEST: usize = 120;
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(open) {
        rest = &rest[at..];
        // Only so far: a text full of openings must not be searched to its end for each.
        let near = &rest[..rest.floor_char_boundary(LONGEST)];
        let end = near.find(close).map(|end| end + close.len());
        match end {
            Some(end) if end > open.len() + close.len() => {
                found.push(rest[..end].to_owned());
                rest = &rest[end..];
            }
            _ => rest = &rest[open.len()..],
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_open_is_found() {
        for (text, found) in [
            ("TODO: say why", vec!["TODO"]),
            (
                "Costs are TBD, owner [insert name].",
                vec!["TBD", "[insert name]"],
            ),
            (
                "Dear {{customer}}, <your name>",
                vec!["{{customer}}", "<your name>"],
            ),
            ("Lorem ipsum dolor", vec!["lorem ipsum"]),
            ("[TODO]", vec!["[TODO]"]),
            ("Todo list, methodology, [1], a < b > c, mastodon", vec![]),
            ("{{}} {{ {", vec![]),
        ] {
            assert_eq!(find(text, Language::English), found, "{text}");
        }
    }

    #[test]
    fn a_spanish_todo_is_a_word() {
        assert!(find("TODO EL TEXTO", Language::Spanish).is_empty());
        assert_eq!(find("TODO: falta", Language::Spanish), ["TODO"]);
    }
}
