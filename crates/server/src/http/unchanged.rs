//! Reads of what the caller has already: one place compares the answer's `ETag` with those in
//! `If-None-Match`, so that no handler does. Knows no route.
use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::Response,
};

/// The ETags that a reader has.
#[derive(Debug, Default)]
pub(crate) struct Known(Vec<HeaderValue>);

impl Known {
    /// Those in a request; a write has none.
    pub(crate) fn of(request: &Request) -> Self {
        if matches!(*request.method(), Method::GET | Method::HEAD) {
            Self::in_headers(request.headers())
        } else {
            Self::default()
        }
    }

    /// Those in the headers of a read.
    pub(crate) fn in_headers(headers: &HeaderMap) -> Self {
        let all = headers.get_all(header::IF_NONE_MATCH);
        Self(all.into_iter().cloned().collect())
    }

    /// Whether `etag` is one of them.
    pub(crate) fn has(&self, etag: &str) -> bool {
        let texts = self.0.iter().filter_map(|value| value.to_str().ok());
        let mut all = texts.flat_map(|text| text.split(',')).map(str::trim);
        all.any(|one| one == "*" || one.trim_start_matches("W/") == etag)
    }

    /// The answer, or only that it is the same.
    pub(crate) fn answer(&self, mut response: Response) -> Response {
        let good = matches!(
            response.status(),
            StatusCode::OK | StatusCode::PARTIAL_CONTENT
        );
        let etag = response.headers().get(header::ETAG);
        let etag = etag.and_then(|etag| etag.to_str().ok());
        if !good || !etag.is_some_and(|etag| self.has(etag)) {
            return response;
        }
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::empty();
        for name in [
            header::CONTENT_TYPE,
            header::CONTENT_LENGTH,
            header::CONTENT_RANGE,
            header::CONTENT_DISPOSITION,
        ] {
            response.headers_mut().remove(name);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(texts: &[&'static str]) -> Known {
        Known(
            texts
                .iter()
                .map(|text| HeaderValue::from_static(text))
                .collect(),
        )
    }

    #[test]
    fn any_of_several_etags_is_known_weak_or_not() {
        assert!(known(&["\"1\""]).has("\"1\""));
        assert!(known(&["\"0\" , W/\"1\"", "\"2\""]).has("\"1\""));
        assert!(known(&["*"]).has("\"7\""));
        for other in [&["\"11\""][..], &["1"], &[""], &[]] {
            assert!(!known(other).has("\"1\""), "{other:?}");
        }
    }
}
