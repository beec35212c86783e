//! `runstone serve` and what it shares with `runstone dev`: settings, store, engine and server put
//! together, and taken apart in an order that loses nothing.
use std::{path::PathBuf, sync::Arc, time::Duration};

use runstone_db::masked;
use runstone_engine::{Clock as _, Engine, Options, RealIds, Registry, SystemClock, loops::Loops};
use runstone_nodes::{Builtin, http::PolicyError};
use runstone_server::{
    Parts, Server,
    config::{self, Loaded, Settings, Sources},
};
use runstone_store::SqlStore;

use crate::{
    args::{DbArgs, ServeArgs},
    exit::Exit,
    handles,
    open::{self, Purpose},
    print,
    signals::Signals,
    trouble::Trouble,
};

pub(super) async fn run(args: ServeArgs) -> anyhow::Result<Exit> {
    let file = args.config.clone();
    let loaded = load(file, flags(&args), Vec::new())?;
    if args.print_config {
        print::out(&loaded.print())?;
        return Ok(Exit::Ok);
    }
    let settings = loaded.settings;
    runstone_server::init_logs(&settings.log);
    let up = Up::open(settings, "runstone serve").await?;
    up.refuse_without_auth().await?;
    let server = up.start().await?;
    print::out(&format!(
        "listening on http://{}\n",
        server.server.address()
    ))?;
    server.until_asked_to_stop().await?;
    Ok(Exit::Ok)
}

fn flags(args: &ServeArgs) -> Vec<(&'static str, String, &'static str)> {
    let listen = args
        .listen
        .clone()
        .map(|value| ("server.listen", value, "listen"));
    let db = args.db.clone().map(|value| ("database.url", value, "db"));
    listen.into_iter().chain(db).collect()
}

/// The settings, or everything that is wrong with them.
pub(super) fn load(
    file: Option<PathBuf>,
    flags: Vec<(&'static str, String, &'static str)>,
    defaults: Vec<(&'static str, &'static str)>,
) -> Result<Loaded, Trouble> {
    let (mut environment, mut unreadable) = (Vec::new(), Vec::new());
    for (name, value) in std::env::vars_os() {
        match (name.into_string(), value.into_string()) {
            (Ok(name), Ok(value)) => environment.push((name, value)),
            (Ok(name), Err(_)) if name.starts_with("RUNSTONE_") => unreadable.push(name),
            // Not ours.
            (Ok(_) | Err(_), _) => {}
        }
    }
    let sources = Sources {
        file,
        environment,
        unreadable,
        flags,
        defaults,
    };
    config::load(&sources).map_err(|troubles| {
        let count = print::count(troubles.len() as u64, "setting");
        Trouble::at("configuration", format!("{count} cannot be used"))
            .details(troubles.iter().map(ToString::to_string).collect())
            .mend("docs/config.md lists every setting; nothing was started")
    })
}

/// What a server is made of, before it answers.
pub(super) struct Up {
    settings: Settings,
    store: Arc<SqlStore>,
    registry: Registry,
}

/// A server that answers, with its engine.
pub(super) struct Running {
    pub(super) server: Server,
    engine: Engine,
    loops: Loops,
    store: Arc<SqlStore>,
    drain: Duration,
}

impl Up {
    /// Opens the database and makes sure of everything that can be wrong before listening.
    pub(super) async fn open(settings: Settings, who: &str) -> Result<Self, Trouble> {
        let http = settings.http_allow.parse();
        let http =
            http.map_err(|error: PolicyError| Trouble::at("http.allow", error.to_string()))?;
        let mut registry = Registry::new();
        registry.extend(runstone_nodes::builtin(Builtin {
            http,
            workspace: PathBuf::new(),
            confine: true,
            log: None,
        }));
        let db = DbArgs {
            url: settings.database_url.clone(),
        };
        let store = open::store(&db, Purpose::Execute, who).await;
        let store = store.map_err(|error| open::trouble(&db, error))?;
        Ok(Self {
            settings,
            store,
            registry,
        })
    }

    /// A server that anybody can use is never started by accident.
    async fn refuse_without_auth(&self) -> anyhow::Result<()> {
        let now = SystemClock.now();
        if self.settings.auth.oidc.is_some() || self.store.has_usable_key(now).await? {
            return Ok(());
        }
        self.store.close().await;
        let place = masked(&self.settings.database_url);
        let reason = "there is no key and no issuer: nobody could use this server";
        let mend = format!(
            "make a key with `runstone keys create --name first --role admin --db {place}`, or set \
             auth.oidc_issuer; to try things out, use `runstone dev`"
        );
        Err(Trouble::at(place, reason).mend(mend).into())
    }

    /// Starts executing and answering.
    pub(super) async fn start(self) -> anyhow::Result<Running> {
        handles::take_all();
        let lease = Duration::from_millis(self.settings.lease_ms);
        let options = Options {
            lease,
            heartbeat: lease / 5,
            max_live: self.settings.max_live_runs,
            park: Some(open::PARK),
            alone: self.settings.database_url.starts_with("sqlite:"),
            ..Options::default()
        };
        let engine = Engine::new(Arc::clone(&self.store) as _, self.registry, options);
        let drain = Duration::from_millis(self.settings.drain_ms);
        let server = Server::start(Parts {
            engine: engine.clone(),
            store: Arc::clone(&self.store),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RealIds),
            settings: self.settings,
        })
        .await;
        let server = match server {
            Ok(server) => server,
            Err(error) => {
                self.store.close().await;
                let mend = "choose another address with --listen, or stop what listens there";
                return Err(Trouble::at("server.listen", error.to_string())
                    .mend(mend)
                    .into());
            }
        };
        let loops = Loops::start(&engine, true);
        Ok(Running {
            server,
            engine,
            loops,
            store: self.store,
            drain,
        })
    }
}

impl Running {
    /// Answers until SIGTERM or Ctrl-C; then steps under way are finished or parked, answers go out,
    /// and whatever this server owned is free for others.
    pub(super) async fn until_asked_to_stop(self) -> anyhow::Result<()> {
        let mut signals = Signals::listen()?;
        signals.stop().await;
        let (released, ()) = tokio::join!(self.engine.drain(self.drain), self.server.stop());
        self.loops.join().await;
        self.store.close().await;
        released?;
        Ok(())
    }
}
