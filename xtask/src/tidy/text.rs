//! Every tracked file: no registry's address, no path of somebody's machine.

use super::{Findings, Source};

/// In parts, so that this file does not find itself. Lock files name the registry's index.
const HOSTS: [&str; 6] = [
    concat!("index.", "crates.io"),
    concat!("static.", "crates.io"),
    concat!("registry.", "npmjs.org"),
    concat!("pypi", ".org"),
    concat!("files.python", "hosted.org"),
    concat!("deb.", "debian.org"),
];
/// Folders in which people and machines keep their checkouts.
const HOMES: [&str; 4] = [
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
    concat!("/wo", "rk/"),
];

pub(super) fn check(sources: &[Source], findings: &mut Findings) {
    for Source { path, text } in sources {
        for (index, line) in text.lines().enumerate() {
            let place = || format!("{path}:{}", index + 1);
            if let Some(host) = HOSTS.iter().find(|host| line.contains(**host)) {
                findings.problem(place(), format!("names the registry host {host}"));
            }
            if let Some(home) = HOMES.iter().find(|home| starts_a_path(line, home)) {
                findings.problem(
                    place(),
                    format!("names a folder below {home} of one machine"),
                );
            }
        }
    }
}

/// `/x/` at the start of a path, not in the middle of one (`docs/x/`) and not after a host.
fn starts_a_path(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "._-/}*>~".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let mut findings = Findings::default();
        let source = Source {
            path: "a.md".to_owned(),
            text: text.to_owned(),
        };
        check(&[source], &mut findings);
        findings.problems
    }

    #[test]
    fn a_registry_host_is_found_with_its_line() {
        let text = format!("fine\nget it from https://{}/x\n", HOSTS[2]);
        assert_eq!(
            problems(&text),
            [format!("a.md:2: names the registry host {}", HOSTS[2])]
        );
    }

    #[test]
    fn a_path_of_one_machine_is_found_and_a_relative_one_is_not() {
        for home in HOMES {
            assert_eq!(problems(&format!("see {home}someone/x")).len(), 1);
            assert!(problems(&format!("see docs{home}x and http://host{home}x")).is_empty());
        }
    }
}
