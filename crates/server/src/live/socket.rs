//! Events over a WebSocket: one JSON text for each entry. Pings tell whether the other end is there.
use std::time::{Duration, Instant};

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use tokio::sync::mpsc;

use super::feed::Event;

/// How often the other end is pinged.
const PING: Duration = Duration::from_secs(15);
/// How long it may be silent.
const SILENCE: Duration = Duration::from_secs(45);

/// Sends what comes through `events` until the run ends, the other end goes, or falls silent.
pub(crate) async fn follow(mut socket: WebSocket, mut events: mpsc::Receiver<Event>) {
    let mut ping = tokio::time::interval(PING);
    let mut heard = Instant::now();
    let code = loop {
        tokio::select! {
            event = events.recv() => {
                let Some(event) = event else { break close_code::NORMAL };
                let text = Message::Text((&*event.data).into());
                if socket.send(text).await.is_err() {
                    return;
                }
            }
            said = socket.recv() => match said {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                // Whatever it says, it is there.
                Some(Ok(_)) => heard = Instant::now(),
            },
            _ = ping.tick() => {
                if heard.elapsed() > SILENCE {
                    break close_code::AWAY;
                }
                if socket.send(Message::Ping(Vec::new().into())).await.is_err() {
                    return;
                }
            }
        }
    };
    let frame = CloseFrame {
        code,
        reason: "".into(),
    };
    // The other end may have gone meanwhile.
    let _ = socket.send(Message::Close(Some(frame))).await;
}
