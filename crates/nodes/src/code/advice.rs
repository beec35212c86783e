//! What to change for each rule, and why: fixed text with the issue's own numbers in it.
use super::{issue::Issue, rules::Rule};

/// Advice for one issue.
#[derive(Debug, PartialEq)]
pub(super) struct Advice {
    /// What to do, in a few words.
    pub(super) title: String,
    /// How to do it.
    pub(super) change: String,
    /// What for.
    pub(super) why: &'static str,
}

/// The advice for an issue.
pub(super) fn advice(issue: &Issue) -> Advice {
    let name = issue.function.as_deref().unwrap_or("this file");
    let value = issue.value.unwrap_or(0);
    let limit = issue.limit.unwrap_or(0);
    let over = value.saturating_sub(limit);
    let (title, change) = match issue.rule {
        Rule::TooComplex => (
            format!("Split `{name}` up"),
            format!(
                "Move at least {over} of its {} decisions into functions of their own, each with \
                 a name that says what it decides; start with the longest branch.",
                value.saturating_sub(1)
            ),
        ),
        Rule::TooLong => (
            format!("Shorten `{name}`"),
            format!(
                "Move at least {over} of its {value} lines out, one step of the work at a time."
            ),
        ),
        Rule::TooManyParameters => (
            format!("Give `{name}` fewer parameters"),
            format!(
                "Put those of the {value} that belong together into one object, so that at most \
                 {limit} are left."
            ),
        ),
        Rule::DeepNesting => (
            format!("Flatten `{name}`"),
            format!(
                "Return early for the cases that end the work, and move the inner loop out: from \
                 {value} levels to at most {limit}."
            ),
        ),
        _ => fixed(issue.rule, name),
    };
    Advice {
        title,
        change,
        why: why(issue.rule),
    }
}

fn fixed(rule: Rule, name: &str) -> (String, String) {
    let (title, change) = match rule {
        Rule::MissingDoc => (
            "Document",
            "Say in one line what it does, then what it gives, and \
                                          when it fails.",
        ),
        Rule::BareExcept => (
            "Catch named errors in",
            "Name the exceptions this line can expect \
                              and handle; let the others pass.",
        ),
        Rule::BroadExcept => (
            "Catch narrower errors in",
            "Replace `Exception` by the classes \
                               that are expected, or raise again after noting it.",
        ),
        Rule::MutableDefault => (
            "Make the default None in",
            "Default to None and create the \
                                  value inside the function.",
        ),
        Rule::DynamicCode => (
            "Take eval and exec out of",
            "Parse the text (ast.literal_eval, \
                               json.loads) or look the action up in a dict.",
        ),
        Rule::NoneComparison => (
            "Compare by identity in",
            "Write `is None` or `is not None`.",
        ),
        Rule::Unwrap => (
            "Handle the missing case in",
            "Return the error with `?`, or give a \
                          default with `unwrap_or…`.",
        ),
        Rule::Panic => (
            "Return an error from",
            "Return a Result (or Option) and let the caller \
                         decide.",
        ),
        Rule::DebugLeft => (
            "Take debug output out of",
            "Delete it, or write it to the program's \
                             log with a level.",
        ),
        Rule::Todo => (
            "Settle the open note in",
            "Do it now, or file it where it is tracked and \
                        delete the comment.",
        ),
        Rule::SyntaxError => (
            "Mend the syntax of",
            "Correct the first line the parser does not \
                               know; what follows cannot be reviewed before.",
        ),
        Rule::TooComplex | Rule::TooLong | Rule::TooManyParameters | Rule::DeepNesting => {
            ("Simplify", "Do less in one place.")
        }
    };
    (format!("{title} `{name}`"), change.to_owned())
}

fn why(rule: Rule) -> &'static str {
    match rule {
        Rule::TooComplex => {
            "each decision is a path that a test must take and a reader must follow"
        }
        Rule::TooLong => "a function that does not fit on a screen is read in pieces",
        Rule::TooManyParameters => "long lists of arguments get mixed up by the callers",
        Rule::DeepNesting => "each level is a condition the reader must keep in mind",
        Rule::MissingDoc => "a caller has to read the body to know what to expect",
        Rule::BareExcept => "it also catches a stop by the user and the end of the program",
        Rule::BroadExcept => "it hides mistakes that have nothing to do with this line",
        Rule::MutableDefault => "the value is made once and shared by all calls",
        Rule::DynamicCode => "whoever controls the text controls the program",
        Rule::NoneComparison => "a class may define `==` to answer something else",
        Rule::Unwrap => "it ends the whole program on the first input that is not as hoped",
        Rule::Panic => "the caller cannot do anything about it",
        Rule::DebugLeft => "it mixes with the program's real output and may show private data",
        Rule::Todo => "notes in the code are forgotten",
        Rule::SyntaxError => "code that does not parse does not run",
    }
}
