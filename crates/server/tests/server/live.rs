//! The WebSocket, with a real one at the other end: what was, then what comes, from any place on;
//! signs of life in both directions; who takes nothing is cut off and comes back where it was.
use std::time::{Duration, Instant};

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest as _, protocol::frame::coding::CloseCode},
};

use crate::harness::{AN_HOUR, DEFAULT, Service, rounds};

/// Nothing here may take longer.
const HANG: Duration = Duration::from_secs(60);

type Socket = WebSocketStream<TcpStream>;

async fn start(service: &Service) -> String {
    let runs = format!("/projects/{DEFAULT}/runs");
    let run = service.post(&runs, json!({ "flow": "rounds" })).await;
    run.ok(202)["id"].as_str().unwrap().to_owned()
}

/// Watches a run.
async fn watch(service: &Service, run: &str, query: &str) -> Socket {
    watch_by(service, run, query, TcpSocket::new_v4().unwrap()).await
}

async fn watch_by(service: &Service, run: &str, query: &str, socket: TcpSocket) -> Socket {
    let host = service.url.strip_prefix("http://").unwrap();
    let url = format!("ws://{host}/api/v1/projects/{DEFAULT}/runs/{run}/live{query}");
    let mut request = url.into_client_request().unwrap();
    let key = format!("Bearer {}", service.admin).parse().unwrap();
    request.headers_mut().insert("authorization", key);
    let stream = socket.connect(host.parse().unwrap()).await.unwrap();
    client_async(request, stream).await.unwrap().0
}

async fn next(socket: &mut Socket) -> Option<Message> {
    let message = tokio::time::timeout(HANG, socket.next()).await.unwrap();
    message.and_then(Result::ok)
}

/// The places of all entries until the socket is closed, and how it was.
async fn rest(socket: &mut Socket) -> (Vec<u64>, Option<CloseCode>) {
    let mut seen = Vec::new();
    loop {
        match next(socket).await {
            Some(Message::Text(text)) => {
                let entry: Value = serde_json::from_str(&text).unwrap();
                seen.push(entry["seq"].as_u64().unwrap());
            }
            Some(Message::Close(frame)) => return (seen, frame.map(|frame| frame.code)),
            Some(_) => {}
            None => return (seen, None),
        }
    }
}

/// Waits until `/metrics` says so.
async fn until(service: &Service, line: &str) {
    let began = Instant::now();
    loop {
        let request = service.request("GET", "/metrics");
        let said = service.send(request.bearer_auth(&service.admin)).await;
        if said.text.lines().any(|found| found == line) {
            return;
        }
        assert!(began.elapsed() < HANG, "no `{line}` in {}", said.text);
    }
}

#[tokio::test]
async fn a_socket_tells_what_was_and_then_what_comes() {
    let service = Service::with_keys().await;
    service.flow(DEFAULT, rounds(15, 20)).await;
    let run = start(&service).await;
    let mut first = watch(&service, &run, "").await;
    // Some of the run is over before the second begins to watch.
    let mut seen = Vec::new();
    while seen.len() < 5 {
        if let Some(Message::Text(text)) = next(&mut first).await {
            let entry: Value = serde_json::from_str(&text).unwrap();
            seen.push(entry["seq"].as_u64().unwrap());
        }
    }
    let mut second = watch(&service, &run, "").await;
    let mut third = watch(&service, &run, "?after=7").await;
    let all: Vec<u64> = (1..=31).collect();
    let (one, two, three) = tokio::join!(rest(&mut first), rest(&mut second), rest(&mut third));
    seen.extend(one.0);
    assert_eq!((seen, one.1), (all.clone(), Some(CloseCode::Normal)));
    assert_eq!(two, (all.clone(), Some(CloseCode::Normal)));
    assert_eq!(three, (all[7..].to_vec(), Some(CloseCode::Normal)));
    // After its end: the whole journal, its last entry, nothing.
    for (query, expected) in [("", &all[..]), ("?after=30", &[31]), ("?after=31", &[])] {
        let mut late = watch(&service, &run, query).await;
        assert_eq!(
            rest(&mut late).await,
            (expected.to_vec(), Some(CloseCode::Normal))
        );
    }
    service.stop().await;
}

#[tokio::test]
async fn pings_are_answered_and_who_answers_none_is_cut_off() {
    let service = Service::with(&[("limits.heartbeat_ms", "100")]).await;
    service.flow(DEFAULT, rounds(1, AN_HOUR)).await;
    let run = start(&service).await;
    let mut socket = watch(&service, &run, "").await;
    socket.send(Message::Ping("hello".into())).await.unwrap();
    let (mut pings, mut pong) = (0, false);
    // Much longer than who is silent stays.
    while pings < 10 || !pong {
        match next(&mut socket).await.unwrap() {
            Message::Ping(_) => pings += 1,
            Message::Pong(said) => pong = said == "hello",
            Message::Text(_) => {}
            other => panic!("{other:?}"),
        }
    }
    // It does not read any more, so it answers no ping.
    until(&service, "runstone_watchers 0").await;
    // Its late pongs find nobody, which may hide the farewell.
    let (_, how) = rest(&mut socket).await;
    assert!(matches!(how, None | Some(CloseCode::Away)), "{how:?}");
    service.stop().await;
}

#[tokio::test]
async fn slow_who_takes_nothing_is_cut_off_and_goes_on_where_it_was() {
    let service = Service::with(&[("limits.slow_watcher_ms", "200")]).await;
    let text = "x".repeat(14_000);
    let flow = json!({
        "runstone": 1, "name": "rounds", "start": "fill",
        "nodes": { "fill": { "uses": "template", "with": { "text": text } } },
        "edges": [
            { "from": "fill", "to": "fill", "when": "visits.fill < 800" },
            { "from": "fill", "to": "end", "else": true },
        ],
    });
    service.flow(DEFAULT, flow).await;
    let run = start(&service).await;
    // The operating system keeps as little for it as it can.
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut slow = watch_by(&service, &run, "", socket).await;
    until(&service, "runstone_watchers_cut_off_total 1").await;
    until(&service, "runstone_watchers 0").await;
    let (mut seen, how) = rest(&mut slow).await;
    assert_eq!(how, None, "it did not take a farewell either");
    let last = seen.last().copied().unwrap_or(0);
    assert!(last < 801, "it has it all: this shows nothing");
    let mut again = watch(&service, &run, &format!("?after={last}")).await;
    let (rest, how) = rest(&mut again).await;
    seen.extend(rest);
    assert_eq!(how, Some(CloseCode::Normal));
    assert_eq!(
        seen,
        (1..=801).collect::<Vec<u64>>(),
        "no gap, and nothing twice"
    );
    service.stop().await;
}

#[tokio::test]
async fn a_server_that_stops_tells_its_watchers_to_come_back() {
    let service = Service::with_keys().await;
    service.flow(DEFAULT, rounds(1, AN_HOUR)).await;
    let run = start(&service).await;
    let mut socket = watch(&service, &run, "").await;
    let (how, ()) = tokio::join!(rest(&mut socket), service.stop());
    assert_eq!(how.1, Some(CloseCode::Away));
}
