//! Events over a WebSocket: one JSON text for each entry. Pings tell whether the other end is there;
//! one that does not take what is sent is cut off.
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use tokio::{sync::mpsc, time::Instant};

use super::feed::Event;
use crate::{App, config::LimitSettings};

/// An end that was silent for so many pings is gone.
const SILENT_PINGS: u32 = 3;

/// Sends what comes through `events` until the run ends, the other end goes, falls silent, or takes
/// nothing for long. Without events there is nothing left to tell.
pub(crate) async fn follow(app: &App, socket: WebSocket, events: Option<mpsc::Receiver<Event>>) {
    let limits = &app.settings.limits;
    if let Cut::Slow = send(limits, socket, events).await {
        app.metrics.cut_off.add(1);
    }
}

/// How it ended.
enum Cut {
    /// As it should, or the other end went.
    No,
    /// The other end took nothing for too long.
    Slow,
}

async fn send(
    limits: &LimitSettings,
    mut socket: WebSocket,
    events: Option<mpsc::Receiver<Event>>,
) -> Cut {
    // What was told last is the run's end, or else the watcher may come back.
    let mut told_all = events.is_none();
    let mut events = events.unwrap_or_else(|| mpsc::channel(1).1);
    let pause = Duration::from_millis(limits.heartbeat_ms);
    let patience = Duration::from_millis(limits.slow_watcher_ms);
    let mut ping = tokio::time::interval(pause);
    let mut heard = Instant::now();
    let code = loop {
        let message = tokio::select! {
            event = events.recv() => match event {
                Some(event) => {
                    told_all = event.last;
                    Message::Text((&*event.data).into())
                }
                None if told_all => break close_code::NORMAL,
                None => break close_code::AWAY,
            },
            said = socket.recv() => match said {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Cut::No,
                // Whatever it says, it is there.
                Some(Ok(_)) => {
                    heard = Instant::now();
                    continue;
                }
            },
            _ = ping.tick() => {
                if heard.elapsed() > pause * SILENT_PINGS {
                    break close_code::AWAY;
                }
                Message::Ping(Vec::new().into())
            }
        };
        match tokio::time::timeout(patience, socket.send(message)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Cut::No,
            Err(_) => return Cut::Slow,
        }
    };
    let frame = CloseFrame {
        code,
        reason: "".into(),
    };
    // The other end may have gone meanwhile, or not take this either.
    let _ = tokio::time::timeout(patience, socket.send(Message::Close(Some(frame)))).await;
    Cut::No
}
