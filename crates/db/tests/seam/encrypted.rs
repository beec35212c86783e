//! TLS to a real PostgreSQL that the test starts itself, with a CA made for the test: who is
//! trusted, who is not, and what is said then.
use crate::fixture::statement;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use runstone_db::{Class, Database, Error, Options};
use std::{
    fs,
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Lines of `pg_hba.conf`: encrypted or not at all, with a password for one user.
const ALLOWED: &str = "hostssl all asked all scram-sha-256\nhostssl all all all trust\n";

/// A server with `ssl = on`. Stopped when dropped.
struct Server {
    process: Child,
    port: u16,
    folder: TempDir,
}

/// Where `initdb` and `postgres` are.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let debian = debian.flatten().map(|version| version.path().join("bin"));
    std::env::split_paths(&path)
        .chain(debian)
        .find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
}

/// PostgreSQL does not run as root: then somebody without rights does it.
fn as_nobody(command: &mut Command, folder: &Path) -> bool {
    let id = |args: &[&str]| -> Option<u32> {
        let output = Command::new("id").args(args).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    command.current_dir(folder).stdin(Stdio::null());
    if id(&["-u"]) != Some(0) {
        return true;
    }
    let (Some(user), Some(group)) = (id(&["-u", "postgres"]), id(&["-g", "postgres"])) else {
        return false;
    };
    for entry in fs::read_dir(folder).unwrap().flatten() {
        std::os::unix::fs::chown(entry.path(), Some(user), Some(group)).unwrap();
    }
    std::os::unix::fs::chown(folder, Some(user), Some(group)).unwrap();
    command.uid(user).gid(group);
    true
}

impl Server {
    async fn start(certificate: &str, key: &str) -> Option<Self> {
        let Some(programs) = programs() else {
            eprintln!("SKIPPED: no initdb and postgres on this machine");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            fs::write(folder.path().join(name), text).unwrap();
            let only_owner = fs::Permissions::from_mode(0o600);
            fs::set_permissions(folder.path().join(name), only_owner).unwrap();
        };
        file("server.crt", certificate);
        file("server.key", key);
        file("hba.conf", ALLOWED);
        let data = folder.path().join("data");
        let mut initdb = Command::new(programs.join("initdb"));
        initdb.arg("-D").arg(&data);
        initdb.args(["-U", "runstone", "--auth=trust", "--encoding=UTF8"]);
        initdb.args(["--locale=C.UTF-8", "--no-sync"]);
        if !as_nobody(&mut initdb, folder.path()) {
            eprintln!("SKIPPED: PostgreSQL refuses root and there is no user `postgres`");
            return None;
        }
        let made = initdb.output().unwrap();
        assert!(made.status.success(), "{made:?}");
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let mut postgres = Command::new(programs.join("postgres"));
        postgres.arg("-D").arg(&data);
        postgres.args(["-p", &port.to_string(), "-h", "127.0.0.1"]);
        let path = |name: &str| folder.path().join(name).display().to_string();
        for setting in [
            "ssl=on".to_owned(),
            format!("ssl_cert_file={}", path("server.crt")),
            format!("ssl_key_file={}", path("server.key")),
            format!("hba_file={}", path("hba.conf")),
            "unix_socket_directories=".to_owned(),
            "fsync=off".to_owned(),
        ] {
            postgres.args(["-c", &setting]);
        }
        postgres.stdout(Stdio::null()).stderr(Stdio::null());
        as_nobody(&mut postgres, folder.path());
        let server = Self {
            process: postgres.spawn().unwrap(),
            port,
            folder,
        };
        let began = Instant::now();
        while let Err(error) = server.connect("127.0.0.1", "sslmode=require").await {
            assert!(began.elapsed() < Duration::from_secs(30), "{error}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Some(server)
    }

    /// Connects, and says whether the connection is encrypted.
    async fn connect(&self, host: &str, query: &str) -> Result<bool, Error> {
        self.connect_as("runstone", host, query).await
    }

    async fn connect_as(&self, user: &str, host: &str, query: &str) -> Result<bool, Error> {
        let url = format!("postgres://{user}@{host}:{}/postgres?{query}", self.port);
        let db = Database::connect(&url, Options::default()).await?;
        let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        let rows = db.fetch_all(&statement(&db, sql), &[]).await?;
        db.close().await;
        rows[0].get("ssl")
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    fn plain(&self, error: &Error) -> String {
        let folder = self.folder.path().display().to_string();
        error
            .message
            .replace(&folder, "[folder]")
            .replace(&self.port.to_string(), "[port]")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let process = self.process.id().to_string();
        let asked = Command::new("kill").args(["-INT", &process]).status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
    }
}

pub(crate) fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_is_trusted_as_far_as_the_url_says() {
    let (ours, theirs) = (authority("ours"), authority("theirs"));
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &ours).unwrap().pem();
    let Some(server) = Server::start(&certificate, &key.serialize_pem()).await else {
        return;
    };
    let root = format!("sslrootcert={}", server.file("ours.pem", &ours.pem()));
    let wrong = format!("sslrootcert={}", server.file("theirs.pem", &theirs.pem()));
    let itself = format!("sslrootcert={}", server.file("itself.pem", &certificate));
    let garbage = format!(
        "sslrootcert={}",
        server.file("garbage.pem", "no certificate")
    );

    for (host, query) in [
        ("localhost", "sslmode=prefer".to_owned()),
        ("127.0.0.1", "pool_size=2".to_owned()),
        ("127.0.0.1", "sslmode=require".to_owned()),
        ("localhost", root.clone()),
        ("localhost", format!("sslmode=verify-full&{root}")),
        ("127.0.0.1", format!("sslmode=verify-ca&{root}")),
        ("127.0.0.1", format!("sslmode=require&{root}")),
        ("localhost", format!("sslmode=verify-full&{itself}")),
    ] {
        assert_eq!(server.connect(host, &query).await, Ok(true), "{query}");
    }
    let mut said = Vec::new();
    for (host, query) in [
        ("127.0.0.1", format!("sslmode=verify-full&{root}")),
        ("localhost", format!("sslmode=verify-full&{wrong}")),
        ("localhost", format!("sslmode=verify-ca&{wrong}")),
        ("localhost", format!("sslmode=require&{wrong}")),
        ("localhost", format!("sslmode=verify-full&{garbage}")),
        ("127.0.0.1", "sslmode=disable".to_owned()),
    ] {
        let error = server.connect(host, &query).await.unwrap_err();
        assert_eq!(error.class, Class::Unavailable, "{error}");
        said.push(server.plain(&error));
    }
    insta::assert_snapshot!(said.join("\n"));

    // The machine's own authorities know nothing of ours.
    let error = server.connect("localhost", "sslmode=verify-full").await;
    assert!(error.unwrap_err().message.contains("CA"));

    let url = format!("postgres://runstone@localhost:{}/postgres", server.port);
    let admin = Database::connect(&url, Options::default()).await.unwrap();
    let create = statement(&admin, "CREATE ROLE asked LOGIN PASSWORD 'se:cr/et'");
    admin.execute(&create, &[]).await.unwrap();
    let right = server.connect_as("asked:se%3Acr%2Fet", "localhost", &root);
    assert_eq!(right.await, Ok(true));
    let denied = server
        .connect_as("asked:not%20it", "localhost", &root)
        .await;
    let denied = denied.unwrap_err();
    assert!(denied.message.contains("correct the user or the password"));
    assert!(!denied.message.contains("not it"), "{denied}");
    admin.close().await;
}

#[tokio::test]
async fn a_postgres_without_tls_is_refused_where_tls_is_wanted() {
    let Ok(base) = std::env::var(crate::fixture::POSTGRES) else {
        eprintln!("SKIPPED ({} is not set)", crate::fixture::POSTGRES);
        return;
    };
    let joint = if base.contains('?') { '&' } else { '?' };
    for mode in ["require", "verify-ca", "verify-full"] {
        let url = format!("{base}{joint}sslmode={mode}");
        match Database::connect(&url, Options::default()).await {
            Ok(db) => {
                let on = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
                let rows = db.fetch_all(&statement(&db, on), &[]).await.unwrap();
                assert_eq!(rows[0].get("ssl"), Ok(true), "{mode}");
            }
            Err(error) => assert!(
                error.message.contains(&format!(
                    "the server does not offer TLS, which `sslmode={mode}` asks for"
                )) || error.message.contains("CA"),
                "{error}"
            ),
        }
    }
}
