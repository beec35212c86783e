//! The accept loop: connections with limits on headers and time, and an end that lets answers under
//! way go out.
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, extract::Request};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};
use tokio_io_timeout::TimeoutWriter;
use tower::ServiceExt as _;

use super::{gate::Address, verb};
use crate::{config::LimitSettings, routes};

/// How many headers a request may have.
const MOST_HEADERS: usize = 100;
/// How long to wait after `accept` failed: it may be out of file handles.
const PAUSE: Duration = Duration::from_millis(50);

/// Serves `router` on `listener` until `stop`, then lets what is under way end, at most `patience`;
/// connections that take longer are closed.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: LimitSettings,
    mut stop: watch::Receiver<bool>,
    patience: Duration,
) {
    let graceful = GracefulShutdown::new();
    let (open, cut) = watch::channel(());
    let room = Arc::new(Semaphore::new(limits.connections));
    loop {
        let permit = tokio::select! {
            permit = Arc::clone(&room).acquire_owned() => permit,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let (Ok(permit), Ok((stream, from))) = (permit, accepted) else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        // Small answers must not wait for more of them.
        let _ = stream.set_nodelay(true);
        let held = (permit, cut.clone());
        connection(stream, from, router.clone(), &limits, &graceful, held);
    }
    drop(listener);
    let _ = tokio::time::timeout(patience, graceful.shutdown()).await;
    drop(open); // cuts what is left
}

fn connection(
    stream: TcpStream,
    from: SocketAddr,
    router: Router,
    limits: &LimitSettings,
    graceful: &GracefulShutdown,
    (permit, mut cut): (OwnedSemaphorePermit, watch::Receiver<()>),
) {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(limits.header_timeout_ms))
        .max_buf_size(limits.header_bytes.max(8192))
        .max_headers(MOST_HEADERS)
        .half_close(false);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
        .max_concurrent_streams(250)
        .keep_alive_interval(Duration::from_secs(20));
    let asked = Arc::new(AtomicBool::new(false));
    let asks = Arc::clone(&asked);
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        asks.store(true, Ordering::Relaxed);
        let router = router.clone();
        async move {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Address(from));
            match verb::rewrite(request.uri(), routes::paths()) {
                Some(uri) => *request.uri_mut() = uri,
                None => *request.uri_mut() = axum::http::Uri::from_static("/~"),
            }
            router.oneshot(request).await
        }
    });
    let mut stream = TimeoutWriter::new(stream);
    stream.set_timeout(Some(Duration::from_millis(limits.write_timeout_ms)));
    let serving = builder
        .serve_connection_with_upgrades(TokioIo::new(Box::pin(stream)), service)
        .into_owned();
    let serving = graceful.watch(serving);
    let silence = Duration::from_millis(limits.header_timeout_ms);
    // Before the first bytes tell which HTTP it is, no timer of hyper's runs.
    let silent = async move {
        tokio::time::sleep(silence).await;
        if asked.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    };
    tokio::spawn(async move {
        let _permit = permit;
        tokio::select! {
            ended = serving => if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended");
            },
            () = silent => tracing::debug!(%from, "a connection that asked nothing is closed"),
            _ = cut.changed() => tracing::debug!(%from, "a connection took too long to end"),
        }
    });
}
