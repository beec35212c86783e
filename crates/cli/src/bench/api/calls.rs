//! What is asked of the server, and what must come back. Each call is one request with one answer.
use std::cell::Cell;

use anyhow::{Context as _, bail, ensure};
use clap::ValueEnum;
use runstone_engine::{Ids as _, RealIds};
use serde_json::{Value, json};

use super::{
    super::{Scenario, flows},
    wire::{Connection, Head, Target},
};

const PROJECTS: &str = "/api/v1/projects";
/// The project that every database has.
pub(super) const DEFAULT: &str = "00000000-0000-7000-8000-000000000001";
/// Items of a page.
const PAGE: usize = 50;
/// Pages that are looked at before measuring: the calls choose among what is on them.
const PAGES: usize = 200;
/// Projects that must be there for pages to be full.
const FEWEST: usize = 1_000;
/// Steps of a started run.
const STEPS: usize = 3;
/// One answer of so many is read as a whole; of the others only status and length.
const SAMPLE: u64 = 64;

/// What to ask a server for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Call {
    /// Pages of 50 projects, anywhere in the list
    List,
    /// One project
    Get,
    /// Make a project
    Create,
    /// Of ten: six get, three list, one create
    Mix,
    /// Pages of 50 runs: of all, by status, by flow
    Runs,
    /// Make a document of 2 KiB
    Document,
    /// Start a run of 3 steps and wait for its end
    Start,
    /// Runs that are watched to their end: --concurrency watchers of --runs runs
    Watch,
}

impl Call {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Get => "get",
            Self::Create => "create",
            Self::Mix => "mix",
            Self::Runs => "runs",
            Self::Document => "document",
            Self::Start => "start",
            Self::Watch => "watch",
        }
    }

    fn is_about_projects(self) -> bool {
        matches!(self, Self::List | Self::Get | Self::Create | Self::Mix)
    }
}

/// What the calls choose among.
#[derive(Debug, Default)]
pub(super) struct Ground {
    /// Of full pages.
    cursors: Vec<String>,
    projects: Vec<String>,
    /// Part of every name that this process gives, with the number of those so far.
    tag: String,
    named: Cell<u64>,
}

/// One request.
pub(super) struct Ask {
    kind: Call,
    pub(super) bytes: Vec<u8>,
    /// The name that was given to what is made.
    name: String,
}

/// One lane's own choice among what may be asked.
pub(super) struct Asker<'a> {
    pub(super) target: &'a Target,
    pub(super) ground: &'a Ground,
    pub(super) call: Call,
    count: u64,
    seed: u64,
}

/// Makes sure that there is something to ask for, and looks around.
pub(super) async fn prepare(target: &Target, call: Call) -> anyhow::Result<Ground> {
    let mut ground = Ground {
        tag: RealIds.next().simple().to_string(),
        ..Ground::default()
    };
    let mut connection = target.connect().await?;
    if call.is_about_projects() {
        look_around(target, &mut connection, &mut ground).await?;
        let missing = FEWEST.saturating_sub(ground.projects.len());
        if missing > 0 {
            for _ in 0..missing {
                let request = target.post(PROJECTS, &project(&ground.name()));
                let head = connection.call(&request).await?;
                ensure!(head.status == 201, "{}", told(&connection, head));
            }
            look_around(target, &mut connection, &mut ground).await?;
        }
    }
    if matches!(call, Call::Start | Call::Runs) {
        put_flow(
            target,
            &mut connection,
            &flows::flow(Scenario::Chain, STEPS),
        )
        .await?;
    }
    Ok(ground)
}

/// Stores a flow in the default project.
pub(super) async fn put_flow(
    target: &Target,
    connection: &mut Connection,
    flow: &Value,
) -> anyhow::Result<()> {
    let path = format!("{PROJECTS}/{DEFAULT}/flows");
    let body = json!({ "definition": flow }).to_string();
    let head = connection.call(&target.post(&path, &body)).await?;
    ensure!(
        matches!(head.status, 200 | 201),
        "{}",
        told(connection, head)
    );
    Ok(())
}

async fn look_around(
    target: &Target,
    connection: &mut Connection,
    ground: &mut Ground,
) -> anyhow::Result<()> {
    ground.cursors.clear();
    ground.projects.clear();
    let mut path = format!("{PROJECTS}?limit={PAGE}");
    let mut cursor = String::new();
    for _ in 0..PAGES {
        let head = connection.call(&target.get(&path)).await?;
        ensure!(head.status == 200, "{}", told(connection, head));
        let page: Value = serde_json::from_slice(connection.body(head))?;
        let items = page["items"].as_array().context("a page has no items")?;
        if items.len() == PAGE {
            ground.cursors.push(cursor);
        }
        let ids = items.iter().filter_map(|item| item["id"].as_str());
        ground.projects.extend(ids.map(str::to_owned));
        let Some(next) = page["next_cursor"].as_str() else {
            break;
        };
        cursor = next.to_owned();
        path = format!("{PROJECTS}?limit={PAGE}&cursor={cursor}");
    }
    Ok(())
}

/// What the server said, for an error.
pub(super) fn told(connection: &Connection, head: Head) -> String {
    let body = String::from_utf8_lossy(connection.body(head));
    let short: String = body.chars().take(300).collect();
    format!("answered {}: {short}", head.status)
}

fn project(name: &str) -> String {
    json!({
        "name": name,
        "description": "What reviews of code are asked, found and answered. ".repeat(6),
        "settings": { "team": "reviews", "colour": "blue" },
        "quotas": { "active_runs": 100 },
    })
    .to_string()
}

fn document(name: &str) -> String {
    let paragraph = "The van comes on Monday morning. We carry the boxes, then the tables. ";
    let section = format!("\n## What happens\n\n{}\n", paragraph.repeat(7));
    json!({
        "type": "plan", "language": "en", "title": name,
        "body": format!("# {name}\n{}", section.repeat(4)),
    })
    .to_string()
}

impl Ground {
    /// A name that nothing has yet.
    fn name(&self) -> String {
        let number = self.named.replace(self.named.get() + 1);
        format!("bench-{}-{number}", self.tag)
    }
}

impl<'a> Asker<'a> {
    pub(super) fn new(target: &'a Target, ground: &'a Ground, call: Call, lane: usize) -> Self {
        let seed = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(lane as u64 + 1);
        Self {
            target,
            ground,
            call,
            count: 0,
            seed,
        }
    }

    /// Below `end`.
    fn any(&mut self, end: usize) -> usize {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        usize::try_from(self.seed >> 16).unwrap_or(0) % end.max(1)
    }

    pub(super) fn next(&mut self) -> Ask {
        self.count += 1;
        let kind = match self.call {
            Call::Mix => match self.any(10) {
                0..6 => Call::Get,
                6..9 => Call::List,
                _ => Call::Create,
            },
            other => other,
        };
        let mut name = String::new();
        let target = self.target;
        let bytes = match kind {
            Call::List | Call::Mix => {
                let at = self.any(self.ground.cursors.len());
                let cursor = self.ground.cursors.get(at).map_or("", String::as_str);
                let more = if cursor.is_empty() { "" } else { "&cursor=" };
                target.get(&format!("{PROJECTS}?limit={PAGE}{more}{cursor}"))
            }
            Call::Get => {
                let at = self.any(self.ground.projects.len());
                let id = self.ground.projects.get(at).map_or(DEFAULT, String::as_str);
                target.get(&format!("{PROJECTS}/{id}"))
            }
            Call::Create => {
                name = self.ground.name();
                target.post(PROJECTS, &project(&name))
            }
            Call::Document => {
                name = self.ground.name();
                let path = format!("{PROJECTS}/{DEFAULT}/documents");
                target.post(&path, &document(&name))
            }
            Call::Runs => {
                let filter = ["", "&status=completed", "&flow=bench_chain"][self.any(3)];
                target.get(&format!("{PROJECTS}/{DEFAULT}/runs?limit={PAGE}{filter}"))
            }
            Call::Start | Call::Watch => {
                let body =
                    json!({ "flow": "bench_chain", "input": { "value": flows::value(256) } });
                let path = format!("{PROJECTS}/{DEFAULT}/runs?wait=30s");
                target.post(&path, &body.to_string())
            }
        };
        Ask { kind, bytes, name }
    }

    /// Whether the answer is the one that was asked for.
    pub(super) fn check(
        &self,
        ask: &Ask,
        connection: &Connection,
        head: Head,
    ) -> anyhow::Result<()> {
        let wanted = match ask.kind {
            Call::Create | Call::Document => 201,
            Call::List | Call::Get | Call::Mix | Call::Runs | Call::Start | Call::Watch => 200,
        };
        if head.status != wanted {
            bail!("{}", told(connection, head));
        }
        // A run is looked at whenever one ended: it may have failed.
        if ask.kind != Call::Start && self.count % SAMPLE != 1 {
            return Ok(());
        }
        let body: Value = serde_json::from_slice(connection.body(head))?;
        let right = match ask.kind {
            Call::List | Call::Mix => items(&body) == PAGE,
            // There may be few of them yet.
            Call::Runs => body["items"].is_array(),
            Call::Get => body["id"].is_string() && body["created_at"].is_string(),
            Call::Create => body["name"] == ask.name.as_str(),
            Call::Document => body["title"] == ask.name.as_str(),
            Call::Start | Call::Watch => body["output"]["n"] == json!(STEPS),
        };
        ensure!(right, "wrong answer: {}", told(connection, head));
        Ok(())
    }
}

fn items(page: &Value) -> usize {
    page["items"].as_array().map_or(0, Vec::len)
}
