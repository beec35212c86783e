//! Events as a stream of server-sent events: `id` is the place in the journal, so a browser that
//! lost its connection goes on where it was.
use std::{convert::Infallible, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use futures::stream;
use tokio::sync::mpsc;

use super::feed::Event;

fn text(event: &Event) -> String {
    // JSON on one line: no line of it can end the event.
    format!(
        "id: {}\nevent: {}\ndata: {}\n\n",
        event.seq, event.kind, event.data
    )
}

/// The stream of what comes through `events`. A comment is sent after a `heartbeat` without an event,
/// so that nobody between takes the connection for dead.
pub(crate) fn response(events: mpsc::Receiver<Event>, heartbeat: Duration) -> Response {
    let begin = Some("retry: 1000\n\n".to_owned());
    let stream = stream::unfold((events, begin), move |(mut events, begin)| async move {
        let chunk = match begin {
            Some(begin) => begin,
            None => match tokio::time::timeout(heartbeat, events.recv()).await {
                Ok(Some(event)) => text(&event),
                Ok(None) => return None,
                Err(_) => ": alive\n\n".to_owned(),
            },
        };
        Some((Ok::<_, Infallible>(Bytes::from(chunk)), (events, None)))
    });
    (
        [
            (
                header::CONTENT_TYPE,
                HeaderValue::from_static("text/event-stream"),
            ),
            (
                header::CACHE_CONTROL,
                HeaderValue::from_static("no-cache, no-transform"),
            ),
            // nginx would hold events back.
            (
                header::HeaderName::from_static("x-accel-buffering"),
                HeaderValue::from_static("no"),
            ),
        ],
        Body::from_stream(stream),
    )
        .into_response()
}
