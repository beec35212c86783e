//! The flows that other engines get wrong, run by the real binary on every database: the output,
//! the starts of every node and the stored run are the same everywhere, whichever branch is slow.
#![expect(clippy::unwrap_used, reason = "tests")]
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    process::{Command, Output},
};

use runstone_testkit::{on_every_database, servers::Fresh};
use serde_json::{Value, json};

/// A flow whose nodes log their name and visit, and what must come out of it.
struct Case {
    name: &'static str,
    nodes: &'static str,
    edges: &'static [&'static str],
    /// The names and visits, in the order in which they are folded.
    log: &'static str,
    /// Which nodes are slow, one a run.
    slow: &'static [&'static str],
}

const CASES: [Case; 7] = [
    Case {
        name: "diamond",
        nodes: "a b c d",
        edges: &["a -> b -> d", "a -> c -> d"],
        log: "a1 b1 c1 d1",
        slow: &["b", "c"],
    },
    Case {
        name: "asymmetric_branches",
        nodes: "a b b2 c d",
        edges: &["a -> b -> b2 -> d", "a -> c -> d"],
        log: "a1 b1 c1 b21 d1",
        slow: &["b", "c"],
    },
    Case {
        name: "side_not_taken",
        nodes: "a b c d",
        edges: &[
            "{from: a, to: b, when: 'size(input.slow) > 0'}",
            "{from: a, to: c, else: true}",
            "b -> d",
            "c -> d",
        ],
        log: "a1 b1 d1",
        slow: &["b"],
    },
    Case {
        name: "nested_loop",
        nodes: "outer inner tail",
        edges: &[
            "outer -> inner",
            "{from: inner, to: inner, when: 'true', max: 2}",
            "{from: inner, to: tail, else: true}",
            "{from: tail, to: outer, when: 'true', max: 1}",
            "{from: tail, to: end, else: true}",
        ],
        log: "outer1 inner1 inner2 inner3 tail1 outer2 inner4 inner5 inner6 tail2",
        slow: &["none"],
    },
    Case {
        name: "loop_in_a_branch",
        nodes: "a l m c d",
        edges: &[
            "a -> l -> m",
            "{from: m, to: l, when: 'visits.m < 3'}",
            "{from: m, to: d, else: true}",
            "a -> c -> d",
        ],
        log: "a1 l1 c1 m1 l2 m2 l3 m3 d1",
        slow: &["m", "c"],
    },
    Case {
        name: "two_loops_sharing_a_node",
        nodes: "hub left right",
        edges: &[
            "{from: hub, to: left, when: 'visits.left < 2'}",
            "{from: hub, to: right, when: 'visits.left >= 2 && visits.right < 3'}",
            "{from: hub, to: end, else: true}",
            "left -> hub",
            "right -> hub",
        ],
        log: "hub1 left1 hub2 left2 hub3 right1 hub4 right2 hub5 right3 hub6",
        slow: &["none"],
    },
    Case {
        name: "failing_node",
        nodes: "a b broken",
        edges: &["a -> b", "a -> broken"],
        log: "",
        slow: &["b"],
    },
];

impl Case {
    fn flow(&self) -> String {
        let mut text = format!(
            "runstone: 1\nname: {}\ninput: {{type: object, required: [slow], properties: {{slow: \
             {{type: string}}}}}}\nstate: {{log: {{type: array, reducer: append, default: []}}}}\n\
             output: {{log: '${{{{ state.log }}}}'}}\nstart: {}\nnodes:\n",
            self.name,
            self.nodes.split(' ').next().unwrap(),
        );
        for node in self.nodes.split(' ') {
            let line = if node == "broken" {
                "{uses: assert, with: {that: false, message: nothing holds}}".to_owned()
            } else {
                format!(
                    "{{uses: sleep, with: {{for: \"${{{{ input.slow == '{node}' ? '60ms' : '1ms' \
                     }}}}\"}}, out: {{log: \"{node}${{{{ string(visits.{node}) }}}}\"}}}}"
                )
            };
            writeln!(text, "  {node}: {line}").unwrap();
        }
        text += "edges:\n";
        for edge in self.edges {
            writeln!(text, "  - {edge}").unwrap();
        }
        text
    }

    fn check(&self, fresh: &Fresh) {
        let file = fresh.folder().join(format!("{}.yaml", self.name));
        std::fs::write(&file, self.flow()).unwrap();
        for slow in self.slow {
            let place = format!("{} on {}, {slow} slow", self.name, fresh.database().name());
            let slow = format!("slow={slow}");
            let file = file.to_str().unwrap();
            let ran = runstone(fresh, &["run", file, "--json", "--set", &slow]);
            let code = ran.status.code();
            let ended = json_of(&ran, &place);
            let shown = runstone(fresh, &["show", "last", "--steps", "--json"]);
            let shown = json_of(&shown, &place);
            for field in ["run_id", "status", "output", "error"] {
                assert_eq!(
                    ended[field], shown[field],
                    "{place}: what is stored of {field}"
                );
            }
            if self.name == "failing_node" {
                assert_eq!(code, Some(1), "{place}");
                failed(&ended, &place);
                continue;
            }
            assert_eq!(code, Some(0), "{place}: {ended}");
            assert_eq!(ended["status"], "completed", "{place}");
            let log: Vec<&str> = self.log.split(' ').collect();
            assert_eq!(ended["output"], json!({"log": log}), "{place}");
            assert_eq!(starts(&shown), self.starts(), "{place}");
        }
    }

    /// How often each node starts, by the log.
    fn starts(&self) -> BTreeMap<String, u64> {
        let mut starts = BTreeMap::new();
        for node in self.nodes.split(' ') {
            let visits = self.log.split(' ').filter(|entry| {
                let visit = entry.strip_prefix(node);
                visit.is_some_and(|visit| visit.len() == 1)
            });
            match visits.count() as u64 {
                0 => None,
                count => starts.insert(node.to_owned(), count),
            };
        }
        starts
    }
}

fn failed(ended: &Value, place: &str) {
    assert_eq!(ended["status"], "failed", "{place}");
    assert_eq!(ended["output"], Value::Null, "{place}");
    let error = &ended["error"];
    assert_eq!(error["node"], "broken", "{place}: {error}");
    let said = error["message"].as_str().unwrap();
    assert!(said.contains("nothing holds"), "{place}: {said}");
}

fn starts(shown: &Value) -> BTreeMap<String, u64> {
    let mut starts = BTreeMap::new();
    for step in shown["steps"].as_array().unwrap() {
        *starts
            .entry(step["node"].as_str().unwrap().to_owned())
            .or_default() += 1;
    }
    starts
}

fn runstone(fresh: &Fresh, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runstone"));
    command.args(args).args(["--db", fresh.url()]);
    command.current_dir(fresh.folder()).output().unwrap()
}

fn json_of(output: &Output, place: &str) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{place}: {error}: {output:?}"))
}

on_every_database! {
    async fn the_seven_flows_mean_the_same(fresh: &Fresh) {
        for case in &CASES {
            case.check(fresh);
        }
    }
}
