//! The second level: reports in Redis, and the generation of each project there, which every write
//! on any server replaces by a new one. Never relied on: without an answer callers do without.
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use redis::Script;
use runstone_model::{ids::ProjectId, time::Timestamp};

use super::{ReportKey, shelf::Kept};
use crate::redis::Redis;

/// Answers a project's generation, made up when there is none, and the report when it is of that
/// generation and the caller's own is not. Generations are never numbers that are counted up: after
/// a loss of everything they would come again.
/// Keys: the generation, the report. Arguments: a new generation, how long one lasts, the caller's.
const LOOK: &str = r"
local now = redis.call('GET', KEYS[1])
if not now then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return {ARGV[1], false, 0}
end
if now == ARGV[3] then return {now, false, 0} end
local kept = redis.call('HMGET', KEYS[2], 'generation', 'body')
if kept[1] ~= now then return {now, false, 0} end
return {now, kept[2], redis.call('PTTL', KEYS[2])}
";

/// Keeps a report, unless its project has been written in since.
/// Keys: the generation, the report. Arguments: the report's generation, its body, for how long.
const KEEP: &str = r"
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('HSET', KEYS[2], 'generation', ARGV[1], 'body', ARGV[2])
  redis.call('PEXPIRE', KEYS[2], ARGV[3])
end
return 0
";

/// The largest report that goes to Redis.
const LARGEST: usize = 1 << 20;
/// How many lifetimes of a report a generation lasts. Any number does: a new one voids what is kept.
const LASTS: u32 = 1000;

#[derive(Debug)]
pub(super) struct Shared {
    look: Script,
    keep: Script,
    /// Until when what Redis has may lack a write of this server.
    distrusted: Mutex<Option<Instant>>,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            look: Script::new(LOOK),
            keep: Script::new(KEEP),
            distrusted: Mutex::new(None),
        }
    }
}

/// What Redis knows.
pub(super) struct Looked {
    /// The project's generation.
    pub(super) generation: String,
    /// The report, unless the caller's own is good; and its age.
    pub(super) report: Option<(Bytes, Duration)>,
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn generation(redis: &Redis, project: ProjectId) -> String {
    redis.key(&["report", &project.to_string(), "generation"])
}

fn place(redis: &Redis, key: ReportKey) -> String {
    let of = blake3::Hash::from(key.of).to_hex();
    redis.key(&["report", &key.project.to_string(), &of])
}

impl Shared {
    /// None when Redis is away, and when it may lack a write of this server: whatever other servers
    /// kept without knowing of that write is too old afterwards.
    pub(super) async fn look(
        &self,
        redis: &Redis,
        key: ReportKey,
        held: Option<&str>,
        fresh: &str,
        lifetime: Duration,
    ) -> Option<Looked> {
        {
            let mut distrusted = self.distrusted();
            match *distrusted {
                Some(until) if Instant::now() < until => return None,
                _ => *distrusted = None,
            }
        }
        let mut call = self.look.prepare_invoke();
        call.key(generation(redis, key.project))
            .key(place(redis, key))
            .arg(fresh)
            .arg(ms(lifetime * LASTS))
            .arg(held.unwrap_or_default());
        let mut connection = redis.connection();
        let answered = async move { call.invoke_async(&mut connection).await };
        let (generation, body, left_ms): (String, Option<Vec<u8>>, i64) =
            redis.ask(answered).await?;
        let left = u64::try_from(left_ms).ok().map(Duration::from_millis);
        let age = left.map(|left| lifetime.saturating_sub(left));
        let age = age.filter(|age| *age < lifetime);
        Some(Looked {
            generation,
            report: body.map(Bytes::from).zip(age),
        })
    }

    /// Gives a report to the other servers.
    pub(super) async fn keep(
        &self,
        redis: &Redis,
        key: ReportKey,
        kept: &Kept,
        now: Timestamp,
        lifetime: Duration,
    ) {
        let age = kept.age(now, lifetime).unwrap_or(lifetime);
        let left = lifetime - age;
        let Some(of) = &kept.standing.everywhere else {
            return;
        };
        if left.as_millis() == 0 || kept.body.len() > LARGEST {
            return;
        }
        let mut call = self.keep.prepare_invoke();
        call.key(generation(redis, key.project))
            .key(place(redis, key))
            .arg(of)
            .arg(&kept.body[..])
            .arg(ms(left));
        let mut connection = redis.connection();
        let answered = async move { call.invoke_async::<u8>(&mut connection).await };
        let _ = redis.ask(answered).await; // the next one computes it then
    }

    /// Replaces a project's generation: what is kept of it anywhere is void.
    pub(super) async fn raise(
        &self,
        redis: &Redis,
        project: ProjectId,
        fresh: &str,
        lifetime: Duration,
    ) {
        let mut connection = redis.connection();
        let mut set = redis::cmd("SET");
        set.arg(generation(redis, project))
            .arg(fresh)
            .arg("PX")
            .arg(ms(lifetime * LASTS));
        let answered = async move { set.query_async::<()>(&mut connection).await };
        if redis.ask(answered).await.is_none() {
            *self.distrusted() = Some(Instant::now() + lifetime);
        }
    }

    fn distrusted(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.distrusted
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
