//! A server of one test's own, which may be killed and started again, or set as no other is.
//! `cargo xtask test` names itself to the tests; it knows how to start one.

use std::{
    io::{BufRead as _, BufReader, Lines, Write as _},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use super::TestDatabase;

/// The variable in which `cargo xtask test` names itself.
const XTASK_VAR: &str = "RUNSTONE_TEST_XTASK";

/// A server of one test's own; stopped, and its folder removed, when it is dropped.
#[derive(Debug)]
pub struct Own {
    url: String,
    xtask: Child,
    /// None once it is told to end.
    orders: Option<ChildStdin>,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Own {
    /// Starts one with more arguments for its program, its folder within another where that is
    /// said. None, said aloud, where there is nobody to start it or it cannot be had.
    #[must_use]
    pub fn start(kind: TestDatabase, within: Option<&Path>, settings: &[String]) -> Option<Self> {
        let name = kind.name();
        if let Some(why) = kind.not_chosen() {
            eprintln!("SKIPPED: {why}");
            return None;
        }
        let Some(xtask) = std::env::var_os(XTASK_VAR) else {
            eprintln!("SKIPPED: {XTASK_VAR} is not set (`cargo xtask test` sets it)");
            return None;
        };
        let mut command = Command::new(xtask);
        command.args(["server", name]);
        if let Some(folder) = within {
            command.arg("--in").arg(folder);
        }
        command.args(settings);
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut xtask = spawned.unwrap_or_else(|error| panic!("no {XTASK_VAR}: {error}"));
        let orders = xtask.stdin.take();
        let answers = xtask.stdout.take().map(|out| BufReader::new(out).lines());
        if let Some(mut answers) = answers
            && let Some(Ok(url)) = answers.next()
        {
            return Some(Self {
                url,
                xtask,
                orders,
                answers,
            });
        }
        eprintln!("SKIPPED: there is no {name} server for one test alone");
        let _ = xtask.wait(); // it has said why
        None
    }

    /// A database in which others, or schemas, may be made.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Kills it, as a power cut would.
    ///
    /// # Panics
    /// That cannot be done.
    pub fn kill(&mut self) {
        self.order("kill");
    }

    /// Starts it again on what the kill left, and waits until it takes connections.
    ///
    /// # Panics
    /// It does not start.
    pub fn start_again(&mut self) {
        self.order("start");
    }

    fn order(&mut self, order: &str) {
        let sent = self
            .orders
            .as_mut()
            .map(|orders| writeln!(orders, "{order}"));
        let answer = self.answers.next().and_then(Result::ok);
        assert!(
            matches!(sent, Some(Ok(()))) && answer.as_deref() == Some(order),
            "xtask could not {order} the server"
        );
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // Its input ends: it stops the server and removes the folder.
        drop(self.orders.take());
        let _ = self.xtask.wait(); // it is ours, and ends
    }
}
