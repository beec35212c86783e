//! Links of the documentation that lead nowhere: files that are not there, headings that no page
//! has. Other sites are not asked.
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use regex::Regex;

/// Every page: those of the root, of `docs/` and of the examples.
fn pages(root: &Path) -> Vec<PathBuf> {
    let folders = [
        "",
        "docs",
        "docs/adr",
        "examples/code_review",
        "bench/peers",
    ];
    let mut pages: Vec<PathBuf> = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(root.join(folder)).unwrap())
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "md"))
        .collect();
    pages.sort();
    pages
}

/// What is not code.
fn prose(text: &str) -> String {
    let mut code = false;
    let lines = text.lines().filter(|line| {
        let fence = line.starts_with("```");
        code ^= fence;
        !code && !fence
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The anchors of a page's headings, as GitHub makes them.
fn anchors(path: &Path) -> BTreeSet<String> {
    let text = prose(&std::fs::read_to_string(path).unwrap());
    let headings = text.lines().filter_map(|line| {
        let (marks, heading) = line.split_once(' ')?;
        marks.chars().all(|c| c == '#').then_some(heading)
    });
    let anchor = |heading: &str| {
        let kept = heading
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.collect::<String>().to_lowercase().replace(' ', "-")
    };
    headings.map(anchor).collect()
}

pub(crate) fn wrong(root: &Path) -> Vec<String> {
    static LINK: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\]\(([^)\s]+)\)").unwrap());
    let mut wrong = Vec::new();
    let mut count = 0;
    for page in pages(root) {
        let text = prose(&std::fs::read_to_string(&page).unwrap());
        for link in LINK.captures_iter(&text).map(|found| found[1].to_owned()) {
            if link.contains("://") {
                continue;
            }
            count += 1;
            let (file, heading) = link.split_once('#').unwrap_or((&link, ""));
            let target = match file {
                "" => page.clone(),
                file => page.parent().unwrap().join(file),
            };
            let there =
                target.exists() && (heading.is_empty() || anchors(&target).contains(heading));
            if !there {
                let page = page.strip_prefix(root).unwrap().display();
                wrong.push(format!("{page}: {link}"));
            }
        }
    }
    assert!(count > 30, "only {count} links were found");
    wrong
}
