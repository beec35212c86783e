//! Colours, where the stream is a terminal that wants them: not with NO_COLOR, not on `dumb`.
use std::io::IsTerminal;

use runstone_model::run::Status;

/// Paints or does not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint(bool);

impl Paint {
    /// For stdout.
    pub(crate) fn stdout() -> Self {
        Self(std::io::stdout().is_terminal() && wanted())
    }

    /// For stderr.
    pub(crate) fn stderr() -> Self {
        Self(std::io::stderr().is_terminal() && wanted())
    }

    /// Never.
    pub(crate) fn never() -> Self {
        Self(false)
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.0 {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    /// Good.
    pub(crate) fn green(self, text: &str) -> String {
        self.with("32", text)
    }

    /// Wrong.
    pub(crate) fn red(self, text: &str) -> String {
        self.with("31", text)
    }

    /// Odd.
    pub(crate) fn yellow(self, text: &str) -> String {
        self.with("33", text)
    }

    /// Beside the point.
    pub(crate) fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    /// The point.
    pub(crate) fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    /// A status with its mark.
    pub(crate) fn status(self, status: Status) -> String {
        let text = format!("{} {}", mark(status), status.name());
        match status {
            Status::Completed => self.green(&text),
            Status::Failed => self.red(&text),
            Status::Cancelled => self.yellow(&text),
            Status::Pending | Status::Running | Status::Waiting | Status::Paused => text,
        }
    }
}

/// The mark of a status.
fn mark(status: Status) -> char {
    match status {
        Status::Pending => '·',
        Status::Running => '▸',
        Status::Waiting | Status::Paused => '…',
        Status::Completed => '✓',
        Status::Failed => '✗',
        Status::Cancelled => '■',
    }
}

fn wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) && !dumb()
}

/// Whether the terminal can do nothing but print lines.
pub(crate) fn dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}
