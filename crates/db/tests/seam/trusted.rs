//! TLS to real MySQL and MariaDB servers that the test starts itself, with a CA made for the test:
//! who is trusted, who is not, and what is said then.
use crate::{encrypted::authority, fixture::statement};
use rcgen::{CertificateParams, KeyPair};
use runstone_db::{Class, Database, Error, Options};
use runstone_testkit::{
    on_databases,
    servers::{Fixture, Own, TestDatabase},
};
use std::{fs, os::unix::fs::PermissionsExt as _};
use tempfile::TempDir;

/// A server whose certificate is made out for `localhost`, and the files of those who may have
/// signed it.
struct Secure {
    database: TestDatabase,
    server: Own,
    folder: TempDir,
}

impl Fixture for Secure {
    async fn open(database: TestDatabase) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        // The server may run as another user.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let (ours, theirs) = (authority("ours"), authority("theirs"));
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &ours).unwrap().pem();
        for (name, text) in [
            ("server.crt", certificate),
            ("server.key", key.serialize_pem()),
            ("ours.pem", ours.pem()),
            ("theirs.pem", theirs.pem()),
            ("garbage.pem", "no certificate".to_owned()),
        ] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let path = |name: &str| folder.path().join(name).display().to_string();
        let settings = [
            format!("--ssl-ca={}", path("ours.pem")),
            format!("--ssl-cert={}", path("server.crt")),
            format!("--ssl-key={}", path("server.key")),
        ];
        let server = Own::start(database, None, &settings)?;
        Some(Self {
            database,
            server,
            folder,
        })
    }
}

impl Secure {
    fn root(&self, name: &str) -> String {
        let path = self.folder.path().join(format!("{name}.pem"));
        format!("sslrootcert={}", path.display())
    }

    fn url(&self, user: &str, host: &str, query: &str) -> String {
        let (scheme, rest) = self.server.url().split_once("://").unwrap();
        let (_, rest) = rest.split_once('@').unwrap();
        let rest = rest.replace("127.0.0.1", host);
        format!("{scheme}://{user}@{rest}?{query}")
    }

    /// Connects, and says whether the connection is encrypted.
    async fn connect(&self, host: &str, query: &str) -> Result<bool, Error> {
        self.connect_as("root", host, query).await
    }

    async fn connect_as(&self, user: &str, host: &str, query: &str) -> Result<bool, Error> {
        encrypted(&self.url(user, host, query)).await
    }

    fn plain(&self, error: &Error) -> String {
        let url = self.server.url();
        let port = url.rsplit_once(':').unwrap().1.split('/').next().unwrap();
        let folder = self.folder.path().display().to_string();
        error
            .message
            .replace(&folder, "[folder]")
            .replace(port, "[port]")
            .replace(url.split_once(':').unwrap().0, "[scheme]")
    }
}

async fn encrypted(url: &str) -> Result<bool, Error> {
    let db = Database::connect(url, Options::default()).await?;
    let cipher = statement(&db, "SHOW SESSION STATUS LIKE 'Ssl_cipher'");
    let rows = db.fetch_all(&cipher, &[]).await?;
    db.close().await;
    let cipher: String = rows[0].get("Value")?;
    Ok(!cipher.is_empty())
}

on_databases! {
    [mariadb Mariadb, mysql Mysql]

    async fn it_is_trusted_as_far_as_the_url_says(secure: Secure) {
        let (ours, theirs) = (secure.root("ours"), secure.root("theirs"));
        for (host, query) in [
            ("localhost", "sslmode=prefer".to_owned()),
            ("127.0.0.1", "pool_size=2".to_owned()),
            ("127.0.0.1", "sslmode=require".to_owned()),
            ("localhost", ours.clone()),
            ("localhost", format!("sslmode=verify-full&{ours}")),
            ("localhost", format!("sslmode=verify-ca&{ours}")),
            // The chain is checked, the name is not.
            ("127.0.0.1", format!("sslmode=verify-ca&{ours}")),
            ("127.0.0.1", format!("sslmode=require&{ours}")),
        ] {
            assert_eq!(secure.connect(host, &query).await, Ok(true), "{host} {query}");
        }
        assert_eq!(secure.connect("localhost", "sslmode=disable").await, Ok(false));
        let mut said = Vec::new();
        for (host, query) in [
            ("127.0.0.1", format!("sslmode=verify-full&{ours}")),
            ("127.0.0.1", ours.clone()),
            ("localhost", format!("sslmode=verify-full&{theirs}")),
            ("127.0.0.1", format!("sslmode=verify-ca&{theirs}")),
            ("localhost", format!("sslmode=require&{theirs}")),
            ("localhost", format!("sslmode=verify-full&{}", secure.root("garbage"))),
            ("localhost", format!("sslmode=verify-full&{}", secure.root("absent"))),
        ] {
            let error = secure.connect(host, &query).await.unwrap_err();
            assert_eq!(error.class, Class::Unavailable, "{error}");
            said.push(secure.plain(&error));
        }
        insta::assert_snapshot!(said.join("\n"));
        // The machine's own authorities know nothing of ours.
        let error = secure.connect("localhost", "sslmode=verify-full").await;
        assert!(error.unwrap_err().message.contains("CA"));
    }

    async fn a_password_is_taken_encrypted_and_told_to_nobody(secure: Secure) {
        let ours = secure.root("ours");
        let admin = secure.url("root", "localhost", &ours);
        let admin = Database::connect(&admin, Options::default()).await.unwrap();
        // Who is not encrypted is not let in.
        let create = "CREATE USER asked IDENTIFIED BY 'se:cr/et' REQUIRE SSL";
        admin.execute(&statement(&admin, create), &[]).await.unwrap();
        let grant = "GRANT ALL ON *.* TO asked";
        admin.execute(&statement(&admin, grant), &[]).await.unwrap();
        admin.close().await;
        let right = secure.connect_as("asked:se%3Acr%2Fet", "localhost", &ours);
        assert_eq!(right.await, Ok(true));
        for (login, query) in [
            ("asked:not%20it", ours.clone()),
            ("asked:se%3Acr%2Fet", "sslmode=disable".to_owned()),
            ("asked:se%3Acr%2Fet", secure.root("theirs")),
        ] {
            let denied = secure.connect_as(login, "localhost", &query).await.unwrap_err();
            for secret in ["not it", "not%20it", "se:cr/et", "se%3Acr%2Fet"] {
                assert!(!denied.message.contains(secret), "{denied}");
            }
        }
    }

    async fn one_without_tls_is_refused_where_tls_is_wanted(secure: Secure) {
        let off: &[String] = match secure.database {
            TestDatabase::Mysql => &["--tls-version=".to_owned()],
            _ => &[],
        };
        let server = Own::start(secure.database, None, off).unwrap();
        let url = server.url();
        assert_eq!(encrypted(url).await, Ok(false), "`prefer` does without");
        for query in [
            "sslmode=require".to_owned(),
            "sslmode=verify-full".to_owned(),
            format!("sslmode=verify-ca&{}", secure.root("ours")),
        ] {
            let error = encrypted(&format!("{url}?{query}")).await.unwrap_err();
            assert_eq!(error.class, Class::Unavailable);
            let mode = query.split(['=', '&']).nth(1).unwrap();
            for word in ["the server offers no TLS", "sslmode=disable", mode] {
                assert!(error.message.contains(word), "{word}: {error}");
            }
        }
    }
}
