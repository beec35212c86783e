//! Whether the links of a text are sound, as far as the text itself can tell: nothing is fetched.
use super::{
    Finding,
    outline::{Link, Outline},
    score, share,
};

/// The share of sound links as a score; none without links.
pub(super) fn of(outline: &Outline, findings: &mut Vec<Finding>) -> Option<f64> {
    let all = outline.links.len() + outline.bare_urls.len();
    if all == 0 {
        return None;
    }
    let mut sound = 0;
    for link in &outline.links {
        match fault(link, outline) {
            None => sound += 1,
            Some((code, message)) => findings.push(Finding::new(code, link.line, message)),
        }
    }
    for bare in &outline.bare_urls {
        let message = format!("`{}` is no link; write [words]({})", bare.text, bare.text);
        findings.push(Finding::new("bare_url", bare.line, message));
    }
    Some(score(100.0 * share(sound, all)))
}

fn fault(link: &Link, outline: &Outline) -> Option<(&'static str, String)> {
    let target = link.target.trim();
    if target.is_empty() || target == "#" {
        let message = format!("the link `{}` leads nowhere", link.text.trim());
        return Some(("empty_link", message));
    }
    if link.text.trim().is_empty() {
        let message = format!("the link to `{target}` has no words to click on");
        return Some(("link_without_text", message));
    }
    let anchor = decoded(target.strip_prefix('#')?);
    if outline.anchors.contains(&anchor) || outline.anchors.contains(&anchor.to_lowercase()) {
        return None;
    }
    let message = format!("there is no heading `#{anchor}` in this text");
    Some(("broken_anchor", message))
}

/// Percent-decoded as far as it is UTF-8.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        // A sign is a number's too, and no digit.
        let hex = tail
            .get(..2)
            .filter(|hex| hex.iter().all(u8::is_ascii_hexdigit));
        let hex = hex.and_then(|hex| std::str::from_utf8(hex).ok());
        let byte = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match byte {
            Some(byte) if first == b'%' => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn only_two_digits_are_a_byte() {
        assert_eq!(decoded("a%20b%C3%A9"), "a bé");
        assert_eq!(decoded("c%+1%-2% 3%4"), "c%+1%-2% 3%4");
    }
}
