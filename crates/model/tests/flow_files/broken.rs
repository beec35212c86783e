//! Broken flow files and what people are told about them: all problems of a file at once, each with
//! line, column, path, code, reason and mend.
use runstone_model::flow::Flow;

use crate::kinds::TestKinds;

/// The files, each after a line `=== name`; what follows `---` is put behind a valid head.
const FILES: &str = include_str!("broken.txt");

fn told(text: &str) -> String {
    match Flow::parse(text, &TestKinds) {
        Ok(flow) => {
            let warnings: String = flow
                .warnings
                .iter()
                .map(|w| format!("warning {w}\n"))
                .collect();
            format!("valid\n{warnings}")
        }
        Err(problems) => problems.render(),
    }
}

#[test]
fn each_broken_file_is_explained() {
    let mut report = String::new();
    for file in FILES.split("=== ").skip(1) {
        let (name, text) = file.split_once('\n').unwrap();
        report += &format!("=== {name}\n{text}--- told\n{}\n", told(text));
    }
    insta::assert_snapshot!("broken_files", report);
}

#[test]
fn every_code_is_explained_in_the_documents() {
    let documents = include_str!("../../../../docs/errors.md");
    let mut codes = std::collections::BTreeSet::new();
    for file in FILES.split("=== ").skip(1) {
        let (_, text) = file.split_once('\n').unwrap();
        match Flow::parse(text, &TestKinds) {
            Ok(flow) => codes.extend(flow.warnings.iter().map(|w| w.code)),
            Err(problems) => codes.extend(problems.0.iter().map(|p| p.code)),
        }
    }
    assert!(codes.len() > 25, "the files show most codes: {codes:?}");
    for code in codes {
        assert!(
            documents.contains(&format!("| `{code}` |")),
            "docs/errors.md lacks `{code}`"
        );
    }
}
