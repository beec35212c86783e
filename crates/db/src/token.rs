//! Cuts SQL text into tokens, so that `:name` and `{{marker}}` are found only where they are code:
//! never in strings, quoted identifiers, comments, `::` casts or array slices.

/// One piece of SQL text. Joined together, the pieces are the text again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    Space(&'a str),
    /// A keyword, a bare identifier or a number.
    Word(&'a str),
    /// A string, a dollar-quoted string or a quoted identifier, with its quotes.
    Quoted(&'a str),
    /// A `--` or `/* */` comment.
    Comment(&'a str),
    /// `:name`, without the colon.
    Param(&'a str),
    /// What stands between `{{` and `}}`.
    Marker(&'a str),
    /// One character of anything else, or `::`.
    Symbol(&'a str),
}

/// Text that cannot be cut: something was opened and not closed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub(crate) struct Broken {
    pub(crate) line: usize,
    pub(crate) problem: &'static str,
}

/// Iterates over the tokens of a text; ends after the first error.
pub(crate) struct Tokens<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Tokens<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The offset of the next token.
    pub(crate) fn offset(&self) -> usize {
        self.at
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// The first offset from `from` on whose byte is not as `wanted`.
    fn skip(&self, from: usize, wanted: impl Fn(u8) -> bool) -> usize {
        self.text.as_bytes()[from..]
            .iter()
            .position(|&b| !wanted(b))
            .map_or(self.text.len(), |n| from + n)
    }

    fn find(&self, from: usize, needle: &str) -> Option<usize> {
        self.text.get(from..)?.find(needle).map(|n| from + n)
    }

    /// The offset behind a quoted piece that opens at `open`.
    fn quoted(&self, open: usize, backslash: bool) -> Option<usize> {
        let quote = self.byte(open)?;
        let mut at = open + 1;
        loop {
            match self.byte(at)? {
                b'\\' if backslash => at += 2,
                b if b == quote && self.byte(at + 1) == Some(quote) => at += 2,
                b if b == quote => return Some(at + 1),
                _ => at += 1,
            }
        }
    }

    /// The offset behind a `/* */` comment that opens at `open`; they nest, as in the standard.
    fn comment(&self, open: usize) -> Option<usize> {
        let (mut at, mut depth) = (open + 2, 1_u32);
        while depth > 0 {
            match (self.byte(at)?, self.byte(at + 1)) {
                (b'*', Some(b'/')) => (at, depth) = (at + 2, depth - 1),
                (b'/', Some(b'*')) => (at, depth) = (at + 2, depth + 1),
                _ => at += 1,
            }
        }
        Some(at)
    }

    /// The end of the opening `$tag$` of a dollar-quoted string, if there is one at `open`.
    fn dollar_tag(&self, open: usize) -> Option<usize> {
        if self.byte(open + 1)?.is_ascii_digit() {
            return None;
        }
        let end = self.skip(open + 1, |b| is_word(b) && b != b'$');
        (self.byte(end) == Some(b'$')).then_some(end + 1)
    }

    fn broken(&self, at: usize, problem: &'static str) -> Broken {
        let line = 1 + self.text.as_bytes()[..at]
            .iter()
            .filter(|&&b| b == b'\n')
            .count();
        Broken { line, problem }
    }

    fn cut(&self) -> Result<(Token<'a>, usize), Broken> {
        let (text, at) = (self.text, self.at);
        let closed = |end: Option<usize>, problem| end.ok_or_else(|| self.broken(at, problem));
        let first = self.byte(at).unwrap_or_default();
        let second = self.byte(at + 1);
        Ok(match (first, second) {
            (b, _) if b.is_ascii_whitespace() => {
                let end = self.skip(at, |b| b.is_ascii_whitespace());
                (Token::Space(&text[at..end]), end)
            }
            (b'-', Some(b'-')) => {
                let end = self.find(at, "\n").unwrap_or(text.len());
                (Token::Comment(&text[at..end]), end)
            }
            (b'/', Some(b'*')) => {
                let end = closed(self.comment(at), "this comment is never closed with `*/`")?;
                (Token::Comment(&text[at..end]), end)
            }
            (b'\'', _) => {
                let end = closed(self.quoted(at, false), "this string is never closed")?;
                (Token::Quoted(&text[at..end]), end)
            }
            (b'"' | b'`', _) => {
                let end = closed(self.quoted(at, false), "this identifier is never closed")?;
                (Token::Quoted(&text[at..end]), end)
            }
            (b'e' | b'E', Some(b'\'')) => {
                let end = closed(self.quoted(at + 1, true), "this string is never closed")?;
                (Token::Quoted(&text[at..end]), end)
            }
            (b'$', _) => self.dollar(at)?,
            (b'{', Some(b'{')) => {
                let end = closed(self.find(at + 2, "}}"), "this marker is never closed")?;
                (Token::Marker(&text[at + 2..end]), end + 2)
            }
            (b':', Some(b':')) => (Token::Symbol(&text[at..at + 2]), at + 2),
            (b':', Some(b)) if starts_name(b) && !self.after_word(at) => {
                let end = self.skip(at + 1, |b| is_word(b) && b != b'$');
                (Token::Param(&text[at + 1..end]), end)
            }
            (b, _) if is_word(b) => {
                let end = self.skip(at, is_word);
                (Token::Word(&text[at..end]), end)
            }
            _ => (Token::Symbol(&text[at..=at]), at + 1),
        })
    }

    fn dollar(&self, at: usize) -> Result<(Token<'a>, usize), Broken> {
        let Some(body) = self.dollar_tag(at) else {
            return Ok((Token::Symbol(&self.text[at..=at]), at + 1));
        };
        let tag = &self.text[at..body];
        let close = self
            .find(body, tag)
            .ok_or_else(|| self.broken(at, "this dollar-quoted string is never closed"))?;
        let end = close + tag.len();
        Ok((Token::Quoted(&self.text[at..end]), end))
    }

    /// Whether a colon at `at` stands in an array slice (`[lo:hi]`) and opens no parameter.
    fn after_word(&self, at: usize) -> bool {
        at.checked_sub(1)
            .and_then(|before| self.byte(before))
            .is_some_and(is_word)
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Result<Token<'a>, Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.text.len() {
            return None;
        }
        match self.cut() {
            Ok((token, end)) => {
                self.at = end;
                Some(Ok(token))
            }
            Err(broken) => {
                self.at = self.text.len();
                Some(Err(broken))
            }
        }
    }
}

/// Bytes above ASCII count as letters, as in both databases; so every cut is between characters.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..)
}

fn starts_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'_' | 0x80..)
}

#[cfg(test)]
mod tests;
