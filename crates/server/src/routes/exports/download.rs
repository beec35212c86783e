//! Downloads: the pieces of an archive as one stream, from any byte to any byte.
use std::ops::Range;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use futures::stream;
use runstone_api::Code;
use runstone_model::ids::{ExportId, ProjectId};
use runstone_store::export::{CHUNK_BYTES, Export, ExportStatus};

use super::present;
use crate::{Answer, App, Fault, Params, Scope, http::unchanged::Known};

/// What of the archive is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Whole,
    Bytes(Range<u64>),
    /// Nothing of it is there.
    Outside,
}

/// Reads a `Range` header. Several ranges, and what is no range, count as none: the whole is sent,
/// as the standard allows.
fn part(header: Option<&str>, length: u64) -> Part {
    let Some(range) = header.and_then(|text| text.trim().strip_prefix("bytes=")) else {
        return Part::Whole;
    };
    let Some((first, last)) = range.split_once('-') else {
        return Part::Whole;
    };
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        // More digits than fit are beyond every end.
        digits.then(|| text.parse::<u64>().unwrap_or(u64::MAX))
    };
    let range = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(length),
        (Some(first), None) if last.is_empty() => first..length,
        (None, Some(tail)) if first.is_empty() => length.saturating_sub(tail)..length,
        _ => return Part::Whole,
    };
    if range.start < range.end {
        Part::Bytes(range)
    } else {
        Part::Outside
    }
}

pub(super) async fn download(
    State(app): State<App>,
    scope: Scope,
    params: Params,
    method: Method,
    headers: HeaderMap,
) -> Answer {
    let export = present(&app, &scope, &params).await?;
    let etag = ready(&export)?;
    let length = u64::try_from(export.bytes).unwrap_or(0);
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
    };
    // A part of another archive is of no use.
    let same = text(header::IF_RANGE).is_none_or(|wanted| wanted == etag);
    let range = text(header::RANGE).filter(|_| same);
    let (status, range) = match part(range, length) {
        Part::Whole => (StatusCode::OK, 0..length),
        Part::Bytes(range) => (StatusCode::PARTIAL_CONTENT, range),
        Part::Outside => {
            let detail = format!("the archive has {length} bytes");
            let fault = Fault::new(Code::RangeNotSatisfiable, detail);
            return Err(match HeaderValue::try_from(format!("bytes */{length}")) {
                Ok(value) => fault.header(header::CONTENT_RANGE, value),
                Err(_) => fault,
            });
        }
    };
    // Who has it already is told so, which is no download.
    let known = Known::in_headers(&headers).has(&etag);
    let counted = range.start == 0 && method == Method::GET && !known;
    if counted
        && !app
            .store
            .count_download(scope.id(), export.id, app.now())
            .await?
    {
        return Err(gone());
    }
    let mut response = Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/zip")
        .header(header::CONTENT_LENGTH, range.end - range.start)
        .header(header::ACCEPT_RANGES, "bytes")
        .header(header::ETAG, etag)
        .header(
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"export-{}.zip\"", export.id),
        );
    if status == StatusCode::PARTIAL_CONTENT {
        let text = format!("bytes {}-{}/{length}", range.start, range.end - 1);
        response = response.header(header::CONTENT_RANGE, text);
    }
    let body = if method == Method::HEAD {
        Body::empty()
    } else {
        body(app, scope.id(), export.id, range)
    };
    response
        .body(body)
        .map_err(|error| Fault::internal(error.to_string()))
}

/// The archive's ETag, if it can be downloaded.
fn ready(export: &Export) -> Answer<String> {
    let refuse = |detail: &str| Err(Fault::new(Code::Conflict, detail));
    match export.status {
        ExportStatus::Ready => {
            let sha256 = export.sha256.as_deref().unwrap_or_default();
            Ok(format!("\"{sha256}\""))
        }
        ExportStatus::Pending | ExportStatus::Running => {
            refuse("the archive is being built; read the export again until it is `ready`")
        }
        ExportStatus::Failed => refuse("the archive could not be built; ask for a new one"),
        ExportStatus::Expired => Err(gone()),
    }
}

fn gone() -> Fault {
    Fault::new(
        Code::NotFound,
        "the archive's day is over; ask for a new one",
    )
}

/// The bytes of `range`, piece by piece as they are taken.
fn body(app: App, project: ProjectId, export: ExportId, range: Range<u64>) -> Body {
    let pieces = stream::try_unfold(range, move |range| {
        let app = app.clone();
        async move {
            if range.is_empty() {
                return Ok(None);
            }
            let piece_bytes = CHUNK_BYTES as u64;
            let seq = range.start / piece_bytes;
            let found = app
                .store
                .export_chunk(
                    project,
                    export,
                    i64::try_from(seq).unwrap_or(i64::MAX),
                    app.now(),
                )
                .await
                .map_err(|error| error.to_string())?;
            let piece = Bytes::from(found.ok_or("the archive's day is over")?);
            let from = range.start % piece_bytes;
            let to = (range.end - seq * piece_bytes).min(piece.len() as u64);
            if from >= to {
                return Err("the archive ends early".to_owned());
            }
            let [from_at, to_at] = [from, to].map(|at| usize::try_from(at).unwrap_or(usize::MAX));
            let next = range.start + (to - from)..range.end;
            Ok::<_, String>(Some((piece.slice(from_at..to_at), next)))
        }
    });
    Body::from_stream(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_read_as_the_standard_says() {
        for (header, found) in [
            ("bytes=0-0", Part::Bytes(0..1)),
            ("bytes=0-99", Part::Bytes(0..10)),
            ("bytes=3-", Part::Bytes(3..10)),
            ("bytes=-4", Part::Bytes(6..10)),
            ("bytes=-99", Part::Bytes(0..10)),
            ("bytes=-0", Part::Outside),
            ("bytes=10-", Part::Outside),
            ("bytes=99999999999999999999999-", Part::Outside),
            ("bytes=0-99999999999999999999999", Part::Bytes(0..10)),
            ("bytes=5-2", Part::Whole),
            ("bytes=0-1,4-5", Part::Whole),
            ("bytes=-", Part::Whole),
            ("bytes=a-b", Part::Whole),
            ("bytes=+1-2", Part::Whole),
            ("items=0-1", Part::Whole),
            ("", Part::Whole),
        ] {
            assert_eq!(part(Some(header), 10), found, "{header}");
        }
        assert_eq!(part(None, 10), Part::Whole);
        assert_eq!(part(Some("bytes=0-"), 0), Part::Outside);
    }
}
