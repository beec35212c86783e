//! TLS to a server that speaks SQL Server's protocol: who is trusted, who is not, and what is said
//! then. Its CA cannot be ours: RUNSTONE_TEST_MSSQL_CA names the file, whose server is `localhost`.
use crate::{encrypted::authority, fixture::statement};
use runstone_db::{Class, Database, Error, Options};
use runstone_testkit::servers::TestDatabase;
use std::fs;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

const CA: &str = "RUNSTONE_TEST_MSSQL_CA";

/// User, password and port, with another host and other options.
fn url(base: &str, host: &str, query: &str) -> String {
    let place = base.split('?').next().unwrap();
    let at = place.rfind('@').unwrap() + 1;
    let colon = at + place[at..].find(':').unwrap();
    format!("{}{host}{}?{query}", &place[..at], &place[colon..])
}

async fn connect(url: &str) -> Result<(), Error> {
    let options = Options {
        pool_size: 1,
        ..Options::default()
    };
    let db = Database::connect(url, options).await?;
    db.fetch_all(&statement(&db, "SELECT 1 AS n"), &[]).await?;
    db.close().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mssql_is_trusted_as_far_as_the_url_says() {
    let Some(base) = TestDatabase::Mssql.url() else {
        return;
    };
    let Ok(ca) = std::env::var(CA) else {
        eprintln!("SKIPPED: {CA} is not set");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        format!("sslrootcert={}", path.display())
    };
    let ours = format!("sslrootcert={ca}");
    let theirs = file("theirs.pem", &authority("theirs").pem());
    let garbage = file("garbage.pem", "no certificate");
    for (host, query) in [
        ("localhost", ours.clone()),
        ("localhost", format!("sslmode=verify-full&{ours}")),
        ("localhost", format!("encrypt=true&ca={ca}")),
        (
            "127.0.0.1",
            format!("sslmode=verify-full&{ours}&host_name_in_certificate=localhost"),
        ),
        ("127.0.0.1", "sslmode=require".to_owned()),
        ("127.0.0.1", "sslmode=prefer".to_owned()),
    ] {
        let url = url(&base, host, &query);
        assert_eq!(connect(&url).await, Ok(()), "{host} {query}");
    }
    let mut said = Vec::new();
    for (host, query) in [
        (
            "localhost",
            format!("{ours}&host_name_in_certificate=other.test"),
        ),
        ("localhost", format!("sslmode=verify-full&{theirs}")),
        ("localhost", "sslmode=verify-full".to_owned()),
        ("localhost", format!("sslmode=verify-full&{garbage}")),
        ("localhost", format!("sslmode=verify-ca&{ours}")),
        ("localhost", format!("sslmode=require&{ours}")),
    ] {
        let error = connect(&url(&base, host, &query)).await.unwrap_err();
        assert_eq!(error.class, Class::Unavailable, "{error}");
        let message = error.message.replace(&ca, "[ca]");
        let message = message.replace(&folder.path().display().to_string(), "[folder]");
        // The URL is the reader's own server; the words are ours.
        let words = message.split_once("cannot connect to ");
        let words = words.map_or(message.as_str(), |(_, rest)| rest);
        said.push(words.split_once(": ").unwrap().1.to_owned());
        let login = base.split("://").nth(1).unwrap().split('@').next().unwrap();
        if let Some((_, password)) = login.split_once(':') {
            assert!(!error.message.contains(&format!(":{password}@")), "{error}");
        }
    }
    insta::assert_snapshot!(said.join("\n"));
}

/// Answers the first packet as a server does that has no certificate.
async fn without_tls(listener: TcpListener) {
    // Version, then encryption: "not supported".
    const ANSWER: [u8; 26] = [
        4, 1, 0, 26, 0, 0, 1, 0, 0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 255, 16, 0, 0, 0, 0, 0, 2,
    ];
    while let Ok((mut stream, _)) = listener.accept().await {
        let mut asked = [0; 512];
        let _ = stream.read(&mut asked).await;
        let _ = stream.write_all(&ANSWER).await;
        let _ = stream.read(&mut asked).await;
    }
}

#[tokio::test]
async fn an_mssql_without_tls_is_refused_where_tls_is_wanted() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(without_tls(listener));
    for query in ["", "sslmode=require", "encrypt=true", "sslmode=verify-full"] {
        let url = format!("mssql://u:secret@127.0.0.1:{port}/db?{query}");
        let error = connect(&url).await.unwrap_err();
        assert_eq!(error.class, Class::Unavailable);
        assert!(error.message.contains("TLS"), "{error}");
        assert!(error.message.contains("encrypt=false"), "{error}");
        assert!(!error.message.contains("secret"), "{error}");
    }
    server.abort();
}
