//! Redis, where it is configured: what several servers count and remember together. Nothing depends
//! on it: when it is away callers are told so at once and do without, until it answers again.
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use redis::{
    AsyncCommands as _, Client, RedisResult, Script,
    aio::{ConnectionManager, ConnectionManagerConfig},
};

use crate::{App, config::RedisSettings, metrics::Counter};

/// How long a caller waits for an answer before Redis counts as away.
const PATIENCE: Duration = Duration::from_millis(250);
/// How often one that is away is asked whether it is back.
const PROBE: Duration = Duration::from_millis(500);

/// One bucket that fills at a steady rate. Redis' own clock counts, so that servers whose clocks
/// differ share it. Arguments: a second's share, what fits in, how many to take.
const BUCKET: &str = r"
local rate, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local bucket = redis.call('HMGET', KEYS[1], 'left', 'at')
local left, at = tonumber(bucket[1]) or burst, tonumber(bucket[2]) or now
left = math.min(burst, left + math.max(0, now - at) * rate)
local allowed = 0
if left >= math.max(cost, 1) then
  allowed = 1
  left = left - cost
end
redis.call('HSET', KEYS[1], 'left', string.format('%.6f', left), 'at', string.format('%.6f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil(burst / rate * 1000) + 1000)
return {allowed, string.format('%.6f', left)}
";

/// A connection that makes itself anew, and what is known of it.
pub(crate) struct Redis {
    connection: ConnectionManager,
    prefix: String,
    bucket: Script,
    away: AtomicBool,
    /// Questions that got no good answer.
    pub(crate) errors: Counter,
}

/// A bucket after something was taken from it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bucket {
    /// Whether there was enough.
    pub(crate) allowed: bool,
    /// What is left.
    pub(crate) left: f64,
}

impl Redis {
    /// Connects when it is first asked.
    ///
    /// # Errors
    /// The URL cannot be understood; says so without repeating it.
    pub(crate) fn new(settings: &RedisSettings) -> Result<Self, String> {
        let wrong = |_| "redis.url cannot be understood".to_owned();
        let client = Client::open(settings.url.as_str()).map_err(wrong)?;
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_connection_timeout(Some(PATIENCE * 4))
            .set_response_timeout(Some(PATIENCE * 4));
        let connection = ConnectionManager::new_lazy_with_config(client, config).map_err(wrong)?;
        Ok(Self {
            connection,
            prefix: settings.prefix.clone(),
            bucket: Script::new(BUCKET),
            away: AtomicBool::new(false),
            errors: Counter::default(),
        })
    }

    /// Starts looking whether it is back, when it is away; ends when the server stops.
    pub(crate) fn start(app: &App) {
        let Some(redis) = app.redis.clone() else {
            return;
        };
        let mut stopping = app.stopping.subscribe();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = tokio::time::sleep(PROBE) => {}
                    _ = stopping.wait_for(|stopping| *stopping) => return,
                }
                if redis.is_away() {
                    // The first question after a loss only makes the connection anew.
                    let _ = redis.ping().await;
                }
            }
        });
    }

    /// Whether it did not answer when it was last asked.
    pub(crate) fn is_away(&self) -> bool {
        self.away.load(Ordering::Relaxed)
    }

    /// Asks for a sign of life, also one that is away.
    pub(crate) async fn ping(&self) -> Result<(), String> {
        let mut connection = self.connection.clone();
        self.answer(async move { connection.ping::<()>().await })
            .await
    }

    /// What `question` answers; None at once when Redis is away, and when it does not answer.
    pub(crate) async fn ask<T>(&self, question: impl Future<Output = RedisResult<T>>) -> Option<T> {
        if self.is_away() {
            return None;
        }
        self.answer(question).await.ok()
    }

    async fn answer<T>(&self, question: impl Future<Output = RedisResult<T>>) -> Result<T, String> {
        let answered = tokio::time::timeout(PATIENCE, question).await;
        let why = match answered {
            Ok(Ok(value)) => {
                if self.away.swap(false, Ordering::Relaxed) {
                    tracing::info!("Redis answers again");
                }
                return Ok(value);
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {PATIENCE:?}"),
        };
        self.errors.add(1);
        if !self.away.swap(true, Ordering::Relaxed) {
            let why = why.as_str();
            tracing::warn!(
                why,
                "Redis is away: each server counts and keeps reports for itself"
            );
        }
        Err(why)
    }

    /// What questions are asked over.
    pub(crate) fn connection(&self) -> ConnectionManager {
        self.connection.clone()
    }

    /// A key of ours.
    pub(crate) fn key(&self, parts: &[&str]) -> String {
        let mut key = self.prefix.clone();
        for part in parts {
            key.push(':');
            key.push_str(part);
        }
        key
    }

    /// Takes `cost` from a bucket that all servers share; None when Redis is away.
    pub(crate) async fn take(
        &self,
        name: &str,
        of: &str,
        (per_second, burst): (f64, f64),
        cost: u32,
    ) -> Option<Bucket> {
        let key = self.key(&["rate", name, of]);
        let mut connection = self.connection.clone();
        let mut call = self.bucket.prepare_invoke();
        call.key(key).arg(per_second).arg(burst).arg(cost);
        let answered = async move { call.invoke_async(&mut connection).await };
        let (allowed, left): (u8, String) = self.ask(answered).await?;
        let (allowed, left) = (allowed == 1, left.parse().ok()?);
        Some(Bucket { allowed, left })
    }
}

/// The connection as configured, if it is.
pub(crate) fn connect(settings: Option<&RedisSettings>) -> Result<Option<Arc<Redis>>, String> {
    let redis = settings.map(Redis::new).transpose()?;
    Ok(redis.map(Arc::new))
}
