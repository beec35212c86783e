//! Where parameters are, and where they are not.
#![expect(clippy::unwrap_used, reason = "tests")]
use super::{Token, Tokens};
use proptest::prelude::*;

fn params(text: &str) -> Vec<&str> {
    Tokens::new(text)
        .filter_map(|token| match token.unwrap() {
            Token::Param(name) => Some(name),
            _ => None,
        })
        .collect()
}

/// The text that a token was cut from.
fn text_of(token: Token<'_>) -> String {
    match token {
        Token::Param(name) => format!(":{name}"),
        Token::Marker(inner) => format!("{{{{{inner}}}}}"),
        Token::Space(t)
        | Token::Word(t)
        | Token::Quoted(t)
        | Token::Comment(t)
        | Token::Symbol(t) => t.to_owned(),
    }
}

#[test]
fn a_name_is_taken_whole() {
    assert_eq!(
        params(":mode = :mode_violation OR :mode2"),
        ["mode", "mode_violation", "mode2"]
    );
}

#[test]
fn strings_identifiers_and_comments_hold_no_parameters() {
    assert_eq!(
        params("'a :x' || 'it''s :y' || \"c :z\"\"d :w\" || :real"),
        ["real"]
    );
    assert_eq!(
        params("-- :x\n:real /* :y /* :z */ :w */ , E'\\' :v' , N':u'"),
        ["real"]
    );
    assert_eq!(params("$$ :x $$ $tag$ :y $$ :z $tag$ :real"), ["real"]);
}

#[test]
fn casts_slices_and_operators_are_no_parameters() {
    assert_eq!(
        params("x::text, :a::uuid, :b ::int, (:c)::int[]"),
        ["a", "b", "c"]
    );
    assert_eq!(params("l[1:2], l[lo:hi], l[:2], l[1:]"), Vec::<&str>::new());
    assert_eq!(
        params("j -> 'a' ->> :k, j #>> :p, j @> :o, a := 1"),
        ["k", "p", "o"]
    );
    assert_eq!(params("f$x$:no, t.$y"), Vec::<&str>::new());
}

#[test]
fn what_is_never_closed_is_an_error_with_its_line() {
    for text in [
        "\n'a",
        "\n\"a",
        "\n/* a /* */",
        "\n$x$ a $y$",
        "\n{{limit",
        "\nE'a\\'",
    ] {
        let error = Tokens::new(text).find_map(Result::err).expect(text);
        assert_eq!(error.line, 2, "{text}");
        assert_eq!(
            Tokens::new(text).skip_while(Result::is_ok).count(),
            1,
            "it ends there"
        );
    }
}

proptest! {
    #[test]
    fn no_text_panics_and_none_is_lost(text in "(\\PC|[ :'\"$\\[\\]{}/*\n;\\\\-])*") {
        let mut joined = String::new();
        for token in Tokens::new(&text) {
            match token {
                Ok(token) => joined.push_str(&text_of(token)),
                Err(broken) => {
                    prop_assert!(broken.line >= 1);
                    prop_assert!(text.starts_with(&joined));
                    return Ok(());
                }
            }
        }
        prop_assert_eq!(joined, text);
    }

    #[test]
    fn parameters_are_found_exactly(
        parts in prop::collection::vec(
            prop_oneof![
                "[a-z_][a-z0-9_]{0,8}".prop_map(|name| (format!(":{name}"), Some(name))),
                prop::sample::select(vec![
                    "'a :no'", "'it''s :no'", "\"q :no\"", "-- :no\n", "/* :no /* :no */ */",
                    "$$ :no $$", "$t$ :no $$ $t$", "x::no", "l[1:2]", "l[a:b]", "->>", "E'\\' :no'",
                    "SELECT", "é", "(", ")", ",", "12", "$x", "::", "{{limit :no}}", "a:no",
                ]).prop_map(|text| (text.to_owned(), None)),
            ],
            0..20,
        )
    ) {
        let text: Vec<&str> = parts.iter().map(|(text, _)| text.as_str()).collect();
        let wanted: Vec<&str> =
            parts.iter().filter_map(|(_, name)| name.as_deref()).collect();
        let text = text.join(" ");
        prop_assert_eq!(params(&text), wanted);
    }
}
