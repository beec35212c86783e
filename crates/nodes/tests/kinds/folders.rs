//! `code.extract` on files and folders: order, limits, what is left out, and staying inside.
use std::{fs, path::Path};

use runstone_engine::node::NodeError;
use runstone_model::failure::Class;
use runstone_nodes::Builtin;
use serde_json::{Value, json};

use super::{context, kinds};

fn write(root: &Path, files: &[(&str, &[u8])]) {
    for (name, bytes) in files {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

async fn extract_in(root: &Path, confine: bool, path: &str) -> Result<Value, NodeError> {
    let options = Builtin {
        workspace: root.to_owned(),
        confine,
        ..Builtin::default()
    };
    let kind = kinds(options).remove("code.extract").unwrap();
    kind.run(context(), json!({"path": path}))
        .await
        .map(|outcome| outcome.result)
}

#[tokio::test]
async fn a_folder_is_read_in_order_and_what_is_left_out_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let large = vec![b'#'; (1 << 20) + 1];
    write(
        folder.path(),
        &[
            ("p/b.py", b"def b(): pass\n"),
            ("p/a/z.rs", b"fn z() {}\n"),
            ("p/a.rs", b"fn a() {}\n"),
            ("p/broken.py", b"def ok(): pass\ndef (\n"),
            ("p/empty.py", b""),
            ("p/readme.md", b"# hi"),
            ("p/large.py", &large),
            ("p/binary.py", b"a\0b"),
            ("p/latin.py", b"# caf\xe9"),
            ("p/.hidden/x.py", b"def x(): pass"),
            ("p/node_modules/x.py", b"def x(): pass"),
            ("p/env/pyvenv.cfg", b""),
            ("p/env/x.py", b"def x(): pass"),
        ],
    );
    #[cfg(unix)]
    std::os::unix::fs::symlink("b.py", folder.path().join("p/link.py")).unwrap();
    let found = extract_in(folder.path(), true, "p/").await.unwrap();
    let list = |name: &str, key: &str| -> Vec<String> {
        let all = found[name].as_array().unwrap();
        all.iter()
            .map(|one| one[key].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        list("files", "path"),
        ["p/a/z.rs", "p/a.rs", "p/b.py", "p/broken.py", "p/empty.py"]
    );
    assert_eq!(list("functions", "name"), ["z", "a", "b", "ok"]);
    assert_eq!(found["files"][3]["syntax_error_line"], 2);
    let skipped: Vec<_> = list("skipped", "path")
        .into_iter()
        .zip(list("skipped", "reason"))
        .collect();
    let expected = [
        ("p/binary.py", "binary, not text"),
        ("p/env", "a folder of built or foreign files"),
        ("p/large.py", "larger than 1024 KiB"),
        ("p/latin.py", "not UTF-8 (byte 5)"),
        #[cfg(unix)]
        ("p/link.py", "a link or no regular file"),
        ("p/node_modules", "a folder of built or foreign files"),
    ];
    assert_eq!(skipped, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    assert_eq!(found["other_files"], 1);
}

#[tokio::test]
async fn paths_that_hold_nothing_to_review_are_clear_errors() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        &[
            ("empty/readme.md", b""),
            ("bin.py", b"\0"),
            ("x.txt", b"x"),
            ("latin.py", b"\xff"),
        ],
    );
    fs::create_dir(folder.path().join("void")).unwrap();
    for (path, class, part) in [
        (
            "missing.py",
            Class::Configuration,
            "`missing.py` does not exist",
        ),
        ("void", Class::Validation, "holds no Python or Rust source"),
        ("empty", Class::Validation, "other files: 1"),
        ("bin.py", Class::Validation, "binary, not text"),
        ("latin.py", Class::Validation, "not UTF-8 (byte 0)"),
        ("x.txt", Class::Validation, "neither Python nor Rust"),
        ("a\0b.py", Class::Configuration, "cannot be opened"),
        ("x.txt/y.py", Class::Configuration, "x.txt/y.py"),
    ] {
        let error = extract_in(folder.path(), false, path).await.unwrap_err();
        assert_eq!(
            (error.class, error.retryable),
            (class, Some(false)),
            "{path}: {error}"
        );
        assert!(error.message.contains(part), "{path}: {error}");
    }
}

#[tokio::test]
async fn a_confined_workspace_is_not_left_by_dots_roots_or_links() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        &[
            ("in/a.py", b"def a(): pass"),
            ("out.py", b"def secret(): pass"),
        ],
    );
    let root = folder.path().join("in");
    let outside = folder.path().join("out.py");
    let mut paths = vec![
        "../out.py",
        "a/../../out.py",
        outside.to_str().unwrap(),
        "..",
    ];
    if cfg!(unix) {
        #[cfg(unix)]
        std::os::unix::fs::symlink("../out.py", root.join("link.py")).unwrap();
        paths.push("link.py");
    }
    for path in paths {
        let error = extract_in(&root, true, path).await.unwrap_err();
        assert_eq!(error.class, Class::Configuration, "{path}");
        assert!(!error.message.contains("secret"));
    }
    assert_eq!(
        extract_in(&root, true, "a.py").await.unwrap()["files"][0]["path"],
        "a.py"
    );
    assert_eq!(
        extract_in(&root, true, ".").await.unwrap()["files"][0]["path"],
        "a.py"
    );
    assert!(extract_in(&root, false, "../out.py").await.is_ok());
}

#[tokio::test]
async fn more_files_than_the_limit_are_skipped_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    for n in 0..2_300 {
        fs::write(folder.path().join(format!("f{n:04}.py")), "x = 1\n").unwrap();
    }
    let found = extract_in(folder.path(), false, ".").await.unwrap();
    assert_eq!(found["files"].as_array().unwrap().len(), 2_000);
    assert_eq!(found["skipped_count"], 300);
    assert_eq!(found["skipped"].as_array().unwrap().len(), 200);
    assert_eq!(
        found["skipped"][0],
        json!({"path": "f2000.py", "reason": "more than 2000 files"})
    );
}
