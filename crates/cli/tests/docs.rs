//! Holds the documentation true: commands of README.md and docs/guide.md are run and their output
//! compared, every limit is named with its value, the picture is the one the program draws, and
//! links lead somewhere. How blocks are marked is in `docs/page.rs`.
#![expect(clippy::unwrap_used, reason = "tests")]
#[path = "docs/embed.rs"]
mod embed;
#[path = "docs/links.rs"]
mod links;
#[path = "docs/page.rs"]
mod page;
#[path = "docs/shell.rs"]
mod shell;

use std::path::{Path, PathBuf};

use page::Page;
use runstone_testkit::servers::{Fresh, TestDatabase};
use shell::Shell;

fn root() -> PathBuf {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder.ancestors().nth(2).unwrap().to_owned()
}

fn read(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap()
}

#[test]
fn the_commands_of_the_readme_do_what_it_says() {
    let page = Page::read(&read("README.md"));
    assert!(Shell::new(None).play(&page, false) >= 2);
}

#[test]
fn the_commands_of_the_guide_do_what_it_says() {
    let page = Page::read(&read("docs/guide.md"));
    assert!(Shell::new(None).play(&page, false) >= 15);
}

#[test]
fn the_commands_about_backups_do_what_the_page_says() {
    let page = Page::read(&read("docs/backup.md"));
    assert!(Shell::new(None).play(&page, false) >= 5);
}

#[test]
fn the_commands_of_operations_do_what_it_says() {
    let page = Page::read(&read("docs/operations.md"));
    assert!(Shell::new(None).play(&page, false) >= 5);
}

#[tokio::test]
async fn the_postgres_commands_of_the_guide_do_what_it_says() {
    let Some(fresh) = Fresh::on(TestDatabase::Postgres).await else {
        return;
    };
    let page = Page::read(&read("docs/guide.md"));
    assert_eq!(Shell::new(Some(fresh.url())).play(&page, true), 2);
}

#[test]
fn the_guide_shows_the_program_that_is_tested() {
    let page = Page::read(&read("docs/guide.md"));
    let source = read("crates/cli/tests/docs/embed.rs");
    let program = source.split_once('\n').unwrap().1;
    let program = program.split("\n#[tokio::test]").next().unwrap();
    let shown = page.file("embed.rs").unwrap();
    assert_eq!(
        shown, program,
        "copy crates/cli/tests/docs/embed.rs into the page"
    );
}

#[test]
fn the_picture_is_the_one_the_program_draws() {
    let shell = Shell::new(None);
    let drawn = shell.run("runstone graph examples/code_review/flow.yaml --format svg");
    assert_eq!(drawn.code, 0);
    let kept = read("docs/code_review.svg");
    assert_eq!(drawn.text.trim_end(), kept.trim_end(), "draw it again");
}

/// `16 << 20` as `16 MiB`, `10_000` as `10,000`: how the page writes a limit.
fn shown(value: &str) -> String {
    if let Some((count, shift)) = value.split_once(" << ") {
        let unit = if shift == "20" { "MiB" } else { "KiB" };
        return format!("{count} {unit}");
    }
    let digits = value.replace('_', "");
    let groups = digits.as_bytes().rchunks(3).rev();
    let groups = groups.map(|group| std::str::from_utf8(group).unwrap());
    groups.collect::<Vec<_>>().join(",")
}

#[test]
fn the_page_of_limits_has_every_limit_with_its_value() {
    let page = read("docs/limits.md");
    let source = read("crates/model/src/limits.rs");
    let mut count = 0;
    for line in source.lines().filter(|line| line.starts_with("pub const ")) {
        let (name, value) = line["pub const ".len()..].split_once(':').unwrap();
        let value = value.split_once(" = ").unwrap().1.trim_end_matches(';');
        let row = page.lines().find(|row| row.contains(&format!("`{name}`")));
        let row = row.unwrap_or_else(|| panic!("docs/limits.md does not name {name}"));
        let value = shown(value);
        assert!(
            row.contains(&format!("| {value} |")),
            "{name} is {value}, the page says: {row}"
        );
        count += 1;
    }
    assert!(count >= 14, "only {count} limits were found in the source");
}

#[test]
fn links_lead_to_files_and_headings_that_are_there() {
    let wrong = links::wrong(&root());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
