//! Cursors: the key of the last item of a page, opaque to clients. The list that made one and the
//! order it was in are named in it, so that a cursor of another one is refused instead of misread.
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};

/// The longest cursor that is looked at, in bytes.
const LONGEST: usize = 2048;

/// The cursor beyond the item with `key` in the list `list`, in the order `sort`.
#[must_use]
pub fn encode(list: &str, sort: &str, key: &str) -> String {
    BASE64.encode(format!("{list} {sort}\n{key}"))
}

/// The key in a cursor of `list` in the order `sort`; None when it is no such cursor.
#[must_use]
pub fn decode(list: &str, sort: &str, cursor: &str) -> Option<String> {
    if cursor.len() > LONGEST {
        return None;
    }
    let text = String::from_utf8(BASE64.decode(cursor).ok()?).ok()?;
    let rest = text.strip_prefix(list)?.strip_prefix(' ')?;
    let key = rest.strip_prefix(sort)?.strip_prefix('\n')?;
    (!key.contains('\0')).then(|| key.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_by_its_own_list_in_its_own_order_only() {
        let cursor = encode("runs", "-created_at", "a/b\nc ü");
        let read = decode("runs", "-created_at", &cursor);
        assert_eq!(read.as_deref(), Some("a/b\nc ü"));
        assert_eq!(decode("flows", "-created_at", &cursor), None);
        assert_eq!(decode("runs", "created_at", &cursor), None);
        let longest = "😀".repeat(255);
        let cursor = encode("members", "subject", &longest);
        assert_eq!(decode("members", "subject", &cursor), Some(longest));
        for wrong in ["", "%", "AAAA", "eA", &"A".repeat(5000)] {
            assert_eq!(decode("runs", "-created_at", wrong), None, "{wrong}");
        }
    }
}
