//! What `log` nodes say, told between the start and the end of the step that said it, although it
//! arrives by another way than the news of steps.
use std::collections::BTreeMap;

use runstone_nodes::log::Line as Logged;
use tokio::sync::mpsc::UnboundedReceiver;

/// Lines that came, and the steps that are known to run.
pub(super) struct Logs {
    lines: UnboundedReceiver<Logged>,
    /// Lines of steps whose start has not been told yet.
    held: Vec<Logged>,
    /// Running steps by node.
    running: BTreeMap<String, u32>,
}

impl Logs {
    pub(super) fn new(lines: UnboundedReceiver<Logged>) -> Self {
        Self {
            lines,
            held: Vec::new(),
            running: BTreeMap::new(),
        }
    }

    /// The next line that can be told already; `None` when it has to wait, or there will be none.
    pub(super) async fn next(&mut self) -> Option<Logged> {
        let Some(line) = self.lines.recv().await else {
            return std::future::pending().await;
        };
        if self.running.contains_key(&*line.node) {
            return Some(line);
        }
        self.held.push(line);
        None
    }

    /// A step of `node` has been told to start: the lines that waited for it.
    pub(super) fn begun(&mut self, node: &str) -> Vec<Logged> {
        *self.running.entry(node.to_owned()).or_default() += 1;
        self.of(node)
    }

    /// A step of `node` is about to be told as over: its lines that are still on their way.
    pub(super) fn over(&mut self, node: &str) -> Vec<Logged> {
        let lines = self.of(node);
        if let Some(count) = self.running.get_mut(node) {
            *count -= 1;
            if *count == 0 {
                self.running.remove(node);
            }
        }
        lines
    }

    /// Everything that was not told.
    pub(super) fn rest(&mut self) -> Vec<Logged> {
        self.gather();
        std::mem::take(&mut self.held)
    }

    fn of(&mut self, node: &str) -> Vec<Logged> {
        self.gather();
        self.held
            .extract_if(.., |line| &*line.node == node)
            .collect()
    }

    fn gather(&mut self) {
        while let Ok(line) = self.lines.try_recv() {
            self.held.push(line);
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use runstone_model::ids::RunId;
    use tokio::sync::mpsc;

    fn line(node: &str) -> Logged {
        Logged {
            run: RunId(uuid::Uuid::nil()),
            node: node.into(),
            level: Default::default(),
            message: String::new(),
            fields: Default::default(),
        }
    }

    #[tokio::test]
    async fn a_line_waits_for_the_start_of_its_step_and_comes_before_its_end() {
        let (sender, lines) = mpsc::unbounded_channel();
        let mut logs = Logs::new(lines);
        sender.send(line("a")).unwrap();
        sender.send(line("b")).unwrap();
        assert_eq!(logs.next().await, None, "the start of a was not told yet");
        assert_eq!(logs.begun("a"), [line("a")]);
        sender.send(line("a")).unwrap();
        assert_eq!(logs.next().await, Some(line("a")));
        assert_eq!(logs.over("a"), []);
        assert_eq!(logs.rest(), [line("b")]);
    }
}
