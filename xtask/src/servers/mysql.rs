//! MariaDB and Oracle's MySQL: a data folder made once a version, and a server on a copy of it.
//! They are found on the machine, or unpacked from packages of Debian.

use std::ffi::OsString;
use std::io::Read;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::debian::Tree;
use super::unprivileged::Owner;
use super::watched::{Plan, Watched};
use super::{Server, Wishes, cache, version_of};
use crate::process::{capture, human, on_path};

/// The database that is there from the beginning.
const DATABASE: &str = "runstone";

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Make {
    Mariadb,
    Mysql,
}

impl Make {
    fn name(self) -> &'static str {
        match self {
            Self::Mariadb => "MariaDB",
            Self::Mysql => "MySQL",
        }
    }
}

/// A server's program and what belongs to it.
struct Programs {
    make: Make,
    /// What begins its command line.
    daemon: Vec<OsString>,
    /// Its `share` and the rest are below this.
    base: PathBuf,
    version: String,
}

pub(super) fn start(make: Make, wishes: &Wishes) -> Result<Server> {
    let programs = Programs::find_or_fetch(make)?;
    let begin = Instant::now();
    let owner = Owner::find()?;
    let prepared = programs.prepare(owner)?;
    let watched = Watched::start(&Plan {
        name: make.name(),
        owner,
        prepared: &prepared,
        stop: "KILL",
        within: wishes.within.as_deref(),
        line: &|folder, port| {
            let mut line = programs.line(folder, port);
            line.extend(wishes.settings.iter().map(OsString::from));
            line
        },
        ready: &|_, port| greets(port),
    })?;
    let (name, version, port) = (make.name(), programs.version, watched.port);
    let time = human(begin.elapsed());
    eprintln!("{name} {version} on port {port}, ready in {time}");
    let scheme = match make {
        Make::Mariadb => "mariadb",
        Make::Mysql => "mysql",
    };
    Ok(Server {
        version,
        url: format!("{scheme}://root@127.0.0.1:{port}/{DATABASE}"),
        watched,
    })
}

impl Programs {
    fn find_or_fetch(make: Make) -> Result<Self> {
        if let Some(found) = Self::find(make)? {
            return Ok(found);
        }
        // MySQL is in no release of Debian but the one that is never finished.
        let (tree, below) = match make {
            Make::Mariadb => (
                Tree::of("bookworm", "mariadb-server-core")?,
                "usr/sbin/mariadbd",
            ),
            Make::Mysql => (Tree::of("sid", "mysql-server-core")?, "usr/sbin/mysqld"),
        };
        Self::new(make, tree.program(below)?, tree.path("usr"))
    }

    /// What the machine has. A `mysqld` may be MariaDB's, which says so.
    fn find(make: Make) -> Result<Option<Self>> {
        let name = match make {
            Make::Mariadb => "mariadbd",
            Make::Mysql => "mysqld",
        };
        let system = Path::new("/usr/sbin").join(name);
        let Some(file) = on_path(name).or_else(|| system.is_file().then_some(system)) else {
            return Ok(None);
        };
        let file = file.canonicalize()?;
        let base = file.ancestors().nth(2).unwrap_or(Path::new("/usr"));
        let said = capture(Command::new(&file).args(["--no-defaults", "--version"]))?;
        if make == Make::Mysql && said.contains("MariaDB") {
            return Ok(None);
        }
        Self::new(make, vec![file.clone().into()], base.to_owned()).map(Some)
    }

    fn new(make: Make, daemon: Vec<OsString>, base: PathBuf) -> Result<Self> {
        let mut command = Command::new(&daemon[0]);
        command
            .args(&daemon[1..])
            .args(["--no-defaults", "--version"]);
        let said = capture(&mut command)?;
        Ok(Self {
            make,
            daemon,
            base,
            version: version_of(&said)?,
        })
    }

    fn command(&self, data: &Path) -> Vec<OsString> {
        let mut line = self.daemon.clone();
        line.push("--no-defaults".into());
        for (name, path) in [("basedir", self.base.as_path()), ("datadir", data)] {
            line.push(setting(name, path));
        }
        line.push(setting("plugin-dir", &self.base.join("lib/mysql/plugin")));
        if self.make == Make::Mysql {
            // Its own default is a folder of the system.
            line.push("--secure-file-priv=NULL".into());
        }
        line
    }

    /// A data folder as its own tools leave it, with one empty database.
    fn prepare(&self, owner: Owner) -> Result<PathBuf> {
        let key = format!("data-{}-{}", self.make.name().to_lowercase(), self.version);
        let made = cache::once(&key, |draft| {
            owner.take(draft)?;
            let data = draft.join("data");
            std::fs::create_dir(&data)?;
            owner.take(&data)?;
            let first = format!("CREATE DATABASE {DATABASE};\n");
            let (more, text) = match self.make {
                Make::Mysql => ("--initialize-insecure", first),
                Make::Mariadb => ("--bootstrap", self.system_tables()? + &first),
            };
            let file = draft.join("first.sql");
            std::fs::write(&file, text)?;
            let mut line = self.command(&data);
            line.push(setting("tmpdir", draft));
            let mut command = Command::new("sh");
            // Bootstrapping reads its standard input, initializing a file.
            command.args(["-c", r#"input=$1; shift; exec "$@" <"$input""#, "sh"]);
            command.arg(&file).args(line).arg(more);
            match self.make {
                Make::Mysql => command.arg(setting("init-file", &file)),
                Make::Mariadb => command.args(["--max-allowed-packet=8M", "--log-warnings=0"]),
            };
            owner.finish(&mut command, draft)
        })?;
        Ok(made.join("data"))
    }

    /// What `mariadb-install-db` feeds its server with: root without a password, no test database.
    fn system_tables(&self) -> Result<String> {
        let mut text =
            "CREATE DATABASE IF NOT EXISTS mysql;\nUSE mysql;\nSET @auth_root_socket=NULL;\n"
                .to_owned();
        for name in [
            "mysql_system_tables",
            "mysql_performance_tables",
            "mysql_system_tables_data",
            "fill_help_tables",
            "maria_add_gis_sp_bootstrap",
            "mysql_sys_schema",
        ] {
            let newer = name.replacen("mysql_", "mariadb_", 1);
            let folder = self.base.join("share/mysql");
            let file = [newer.as_str(), name]
                .map(|name| folder.join(format!("{name}.sql")))
                .into_iter()
                .find(|file| file.is_file());
            let file = file.with_context(|| format!("no {name}.sql in {}", folder.display()))?;
            text += &std::fs::read_to_string(file)?;
            text.push('\n');
        }
        // The first of them are somebody without a name.
        Ok(text + "DELETE FROM global_priv WHERE User = '';\n")
    }

    fn line(&self, folder: &Path, port: u16) -> Vec<OsString> {
        let mut line = self.command(&folder.join("data"));
        line.push(format!("--port={port}").into());
        line.push(setting("socket", &folder.join("s.sock")));
        line.push(setting("pid-file", &folder.join("pid")));
        // A server that starts empties the folder that it shares with others.
        line.push(setting("tmpdir", folder));
        let settings = [
            "--bind-address=127.0.0.1",
            "--max-connections=400",
            // Tests break connections off in great numbers.
            "--max-connect-errors=1000000",
        ];
        line.extend(settings.map(OsString::from));
        if self.make == Make::Mysql {
            // Nobody replicates it; MariaDB has no binary log by default.
            line.extend(["--skip-log-bin", "--mysqlx=OFF"].map(OsString::from));
        }
        line
    }
}

fn setting(name: &str, path: &Path) -> OsString {
    let mut text = OsString::from(format!("--{name}="));
    text.push(path);
    text
}

/// A server that takes connections speaks first: a packet that begins with its protocol, 10.
fn greets(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
        return false;
    };
    let mut head = [0; 5];
    let read = stream
        .set_read_timeout(Some(Duration::from_secs(1)))
        .and_then(|()| stream.read_exact(&mut head));
    read.is_ok() && head[4] == 10
}
