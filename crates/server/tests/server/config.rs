//! The configuration: everything that is wrong in one report; sources in rising order; no secret
//! shown.
use std::{fs, path::PathBuf};

use runstone_server::config::{Sources, load};

fn sources(file: Option<PathBuf>, environment: &[(&str, &str)]) -> Sources {
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Sources {
        file,
        environment: environment.iter().map(pair).collect(),
        ..Sources::default()
    }
}

#[test]
fn everything_that_is_wrong_is_in_one_report() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runstone.toml");
    let text = "[server]\nlisten = \"nowhere\"\nlisten_on = \"x\"\n[database]\nurl = \"<your url>\"\n[limits]\nbody_bytes = 1\nwatchers = true\n[log]\nlevel = \"loud\"\n";
    fs::write(&file, text).unwrap();
    let environment = [
        ("RUNSTONE_LOG_FORMT", "json"),
        ("RUNSTONE_RATE_PER_KEY_PER_S", "-1"),
        ("RUNSTONE_AUTH_OIDC_AUDIENCE", "us"),
        ("RUNSTONE_SECRET_X", "s"),
        ("RUNSTONE_CONFIGX", "x"),
        ("RUNSTONE_BACKUP_PASSPHRAS", "x"),
        ("RUNSTONE_BACKUP_PASSPHRASE", "x"),
        ("PATH", "/bin"),
    ];
    let mut sources = sources(Some(file.clone()), &environment);
    sources.unreadable = vec!["RUNSTONE_DATABASE_URL".to_owned()];
    let troubles = load(&sources).unwrap_err();
    let told: Vec<String> = troubles
        .iter()
        .map(|trouble| {
            trouble
                .to_string()
                .replace(&file.display().to_string(), "FILE")
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn the_environment_goes_before_the_file_and_a_flag_before_both() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runstone.toml");
    fs::write(
        &file,
        "[server]\nlisten = \"127.0.0.1:1\"\n[limits]\nwatchers = 3\n[log]\nlevel = \"warn\"\n",
    )
    .unwrap();
    let mut sources = sources(
        Some(file.clone()),
        &[
            ("RUNSTONE_SERVER_LISTEN", "127.0.0.1:2"),
            ("RUNSTONE_LIMITS_WATCHERS", "4"),
            (
                "RUNSTONE_DATABASE_URL",
                "postgres://me:hunter2@127.0.0.1/db",
            ),
        ],
    );
    sources.flags = vec![("server.listen", "127.0.0.1:3".to_owned(), "listen")];
    let loaded = load(&sources).unwrap();
    assert_eq!(loaded.settings.listen.port(), 3);
    assert_eq!(loaded.settings.limits.watchers, 4);
    let printed = loaded.print().replace(&file.display().to_string(), "FILE");
    assert!(!printed.contains("hunter2"), "{printed}");
    insta::assert_snapshot!(printed);
}

#[test]
fn an_issuer_without_an_audience_is_refused() {
    let troubles = load(&sources(
        None,
        &[("RUNSTONE_AUTH_OIDC_ISSUER", "https://issuer.test")],
    ))
    .unwrap_err();
    assert_eq!(troubles.len(), 1);
    assert_eq!(troubles[0].key, "auth.oidc_audience");
}

#[test]
fn a_file_that_is_no_toml_or_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runstone.toml");
    let troubles = load(&sources(Some(file.clone()), &[])).unwrap_err();
    assert!(troubles[0].message.starts_with("cannot be read"));
    fs::write(&file, "[server]\nlisten = \n").unwrap();
    let troubles = load(&sources(Some(file), &[])).unwrap_err();
    assert_eq!(troubles[0].key, "line 2");
}
