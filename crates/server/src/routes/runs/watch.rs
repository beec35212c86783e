//! Watching a run, as server-sent events or over a WebSocket.
use std::time::Duration;

use axum::{
    extract::{
        State,
        ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use runstone_api::{Code, FieldError, runs::Watch};
use runstone_store::RunRecord;
use tokio::sync::mpsc;

use super::find;
use crate::{
    Answer, App, Fault, Params, Query, Scope,
    live::{feed::Event, pump, socket, sse},
};

/// The longest message that a watcher may send; none is expected.
const LONGEST: usize = 4096;

/// Follows a run from `after` on; None when it has ended before that. What all its
/// watchers share begins at the journal's end, whatever place this one names.
async fn follow(
    app: &App,
    record: &RunRecord,
    after: u64,
) -> Answer<Option<mpsc::Receiver<Event>>> {
    let heads = app.store.journal_heads(&[record.id]).await?;
    let head = heads.first().map_or(0, |(_, head)| *head);
    // The newest entry is read: it tells whether another can come.
    let before = head.saturating_sub(1);
    let feed = app.hub.feed(record.project, record.id, before);
    feed.catch_up(app, head).await?;
    if record.status.is_final() && after >= feed.head() {
        return Ok(None);
    }
    pump::start(app, feed, after).map(Some)
}

pub(super) async fn events(
    State(app): State<App>,
    scope: Scope,
    params: Params,
    headers: HeaderMap,
    Query(query): Query<Watch>,
) -> Answer {
    let after = match headers.get("last-event-id") {
        None => query.after.unwrap_or(0),
        Some(value) => {
            let read = value.to_str().ok().and_then(|text| text.parse().ok());
            read.filter(|seq| i64::try_from(*seq).is_ok())
                .ok_or_else(|| {
                    let error = FieldError::new("Last-Event-ID", "must be a place in the journal");
                    Fault::new(Code::InvalidHeader, "`Last-Event-ID` is none of our ids")
                        .errors(vec![error])
                })?
        }
    };
    let record = find(&app, &scope, &params).await?;
    Ok(match follow(&app, &record, after).await? {
        Some(events) => {
            let heartbeat = Duration::from_millis(app.settings.limits.heartbeat_ms);
            sse::response(events, heartbeat)
        }
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

pub(super) async fn live(
    State(app): State<App>,
    scope: Scope,
    params: Params,
    Query(query): Query<Watch>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Answer<Response> {
    let record = find(&app, &scope, &params).await?;
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(_) => {
            let names = [(header::UPGRADE, "websocket")];
            return Ok((StatusCode::UPGRADE_REQUIRED, names).into_response());
        }
    };
    let events = follow(&app, &record, query.after.unwrap_or(0)).await?;
    Ok(upgrade
        .max_message_size(LONGEST)
        .on_upgrade(move |websocket| async move { socket::follow(&app, websocket, events).await }))
}
