//! The program does on every database what its output says, and leaves nothing behind.
#![expect(clippy::unwrap_used, reason = "tests")]
use runstone_testkit::{on_every_database, servers::Fresh};
use std::process::Command;

fn run(url: &str) -> String {
    let done = Command::new(env!("CARGO_BIN_EXE_database-example"))
        .arg(url)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{}: {said}", done.status);
    String::from_utf8(done.stdout).unwrap()
}

on_every_database! {
    fn the_shop_sells_what_it_has_and_no_more(db: &Fresh) {
        // Twice, because the first run must leave an empty database.
        for _ in 0..2 {
            let said = run(db.url());
            let lines: Vec<&str> = said.lines().collect();
            assert_eq!(
                lines[1..7],
                [
                    "migrated up: [1]",
                    "stocked: 3 titles",
                    "on the shelf: [(\"Dune\", 3), (\"Emma\", 1)]",
                    "sold one Emma, 0 left",
                    "another Emma: `Emma` is out of stock; nothing was sold",
                    "sold so far: 1",
                ]
            );
            assert!(lines[7].starts_with("pool: PoolStats"), "{said}");
            assert_eq!(lines[8], "migrated down: [1]");
        }
    }
}
