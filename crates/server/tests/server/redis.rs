//! What servers share through Redis, and that nothing fails while it is away. A real one, which the
//! tests kill and start again.
use std::{
    io::{BufRead as _, BufReader, Lines, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::harness::{DEFAULT, Service};

/// `cargo xtask test` names itself here: it can start a server that a test may kill.
const XTASK_VAR: &str = "RUNSTONE_TEST_XTASK";

/// A Redis of a test's own.
pub(crate) struct Redis {
    xtask: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    pub(crate) url: String,
}

impl Redis {
    /// None, said aloud, where it cannot be had.
    pub(crate) fn start() -> Option<Self> {
        let Some(xtask) = std::env::var_os(XTASK_VAR) else {
            eprintln!("SKIPPED: {XTASK_VAR} is not set (`cargo xtask test` sets it)");
            return None;
        };
        let mut xtask = Command::new(xtask)
            .args(["server", "redis"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let orders = xtask.stdin.take().unwrap();
        let mut answers = BufReader::new(xtask.stdout.take().unwrap()).lines();
        let Some(Ok(url)) = answers.next() else {
            eprintln!("SKIPPED: there is no Redis to test with");
            let _ = xtask.wait();
            return None;
        };
        Some(Self {
            xtask,
            orders,
            answers,
            url,
        })
    }

    /// `kill` or `start`; waits until it is done.
    pub(crate) fn order(&mut self, order: &str) {
        writeln!(self.orders, "{order}").unwrap();
        let answer = self.answers.next().unwrap().unwrap();
        assert_eq!(answer, order, "xtask could not {order} Redis");
    }

    pub(crate) fn end(self) {
        let Self {
            mut xtask, orders, ..
        } = self;
        drop(orders);
        assert!(xtask.wait().unwrap().success());
    }
}

async fn health(service: &Service) -> Value {
    let said = service.send(service.request("GET", "/health")).await;
    said.ok(200)
}

/// Waits until health says that Redis is so.
pub(crate) async fn until_redis_is(service: &Service, wanted: &str) -> Value {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let health = health(service).await;
        if health["checks"]["redis"]["status"] == wanted {
            return health;
        }
        assert!(Instant::now() < until, "{health}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Tries a wrong key; answers the status.
async fn wrong_key(service: &Service) -> u16 {
    let path = format!("/projects/{DEFAULT}");
    let said = service.call("rs_x", "GET", &path, None).await;
    said.status.as_u16()
}

#[tokio::test]
async fn kill_limits_are_shared_through_redis_and_kept_in_memory_while_it_is_away() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let settings = [
        ("redis.url", redis.url.as_str()),
        ("rate.failures_per_address_per_min", "3"),
    ];
    let (one, other) = (
        Service::with(&settings).await,
        Service::with(&settings).await,
    );
    assert_eq!(until_redis_is(&one, "healthy").await["status"], "healthy");
    // Three in all, not three each.
    assert_eq!(wrong_key(&one).await, 401);
    assert_eq!(wrong_key(&other).await, 401);
    assert_eq!(wrong_key(&one).await, 401);
    assert_eq!(wrong_key(&other).await, 429);
    assert_eq!(wrong_key(&one).await, 429);

    redis.order("kill");
    // Nothing fails; each counts for itself now.
    for service in [&one, &other] {
        for _ in 0..3 {
            assert_eq!(wrong_key(service).await, 401);
        }
        assert_eq!(wrong_key(service).await, 429);
        let health = until_redis_is(service, "degraded").await;
        assert_eq!(health["status"], "degraded", "{health}");
    }

    redis.order("start");
    until_redis_is(&one, "healthy").await;
    until_redis_is(&other, "healthy").await;
    // It keeps nothing, so counting begins anew, together.
    let mut refused = 0;
    for service in [&one, &other, &one, &other, &one] {
        refused += u32::from(wrong_key(service).await == 429);
    }
    assert_eq!(refused, 2);
    one.stop().await;
    other.stop().await;
    redis.end();
}

#[tokio::test]
async fn a_redis_that_was_never_there_keeps_no_server_from_starting() {
    // Nobody listens on port 1.
    let service = Service::with(&[
        ("redis.url", "redis://127.0.0.1:1"),
        ("rate.per_address_per_s", "100"),
    ])
    .await;
    let said = service.get(&format!("/projects/{DEFAULT}")).await;
    said.ok(200);
    assert_eq!(said.header("ratelimit-limit"), "100");
    let health = until_redis_is(&service, "degraded").await;
    assert_eq!(health["status"], "degraded");
    service.stop().await;
}
