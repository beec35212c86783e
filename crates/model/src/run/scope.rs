//! What expressions see of a run.
use std::{borrow::Cow, fmt::Write as _};

use serde_json::{Value, json};

use super::{clock::Clock, state::RunState, view::View};
use crate::{
    expr::{Root, Scope},
    failure::Failure,
    ids::RunId,
    time::Timestamp,
};

/// What `run.*` says.
#[derive(Clone, Debug, PartialEq)]
pub struct RunInfo {
    /// `run.id`.
    pub id: RunId,
    /// `run.version`: the flow version's number.
    pub version: u32,
    /// `run.started_at`, there as RFC 3339 text in UTC.
    pub created_at: Timestamp,
}

/// Gives secrets by name; they are only ever in the `with` of a step, never journaled.
pub trait Secrets: Send + Sync {
    /// The secret, when there is one of that name.
    fn get(&self, name: &str) -> Option<String>;

    /// How to set the secret of that name, as in `set the environment variable X`.
    fn mend(&self, _name: &str) -> Option<String> {
        None
    }
}

/// What one step's expressions see.
pub(super) struct StepScope<'a> {
    pub(super) run: &'a RunState,
    pub(super) view: &'a View,
    /// The step's past, itself included; without one: all of the run.
    pub(super) clock: Option<&'a Clock>,
    pub(super) error: Option<&'a Failure>,
    pub(super) item: Option<(u32, &'a Value)>,
    pub(super) result: Option<&'a Value>,
    pub(super) secrets: Option<&'a dyn Secrets>,
}

impl<'a> StepScope<'a> {
    pub(super) fn new(run: &'a RunState, view: &'a View) -> Self {
        Self {
            run,
            view,
            clock: None,
            error: None,
            item: None,
            result: None,
            secrets: None,
        }
    }

    fn visits(&self, node: usize) -> u64 {
        let ports = self.run.ports.all(node);
        let count = |port: u32| match self.clock {
            Some(clock) => clock.get(port, &self.run.trunk.clock),
            None => self.run.starts.get(port as usize).copied().unwrap_or(0),
        };
        ports.map(|port| u64::from(count(port))).sum()
    }

    fn run_info(&self) -> Value {
        let info = &self.run.info;
        json!({
            "id": info.id.to_string(),
            "flow": self.run.flow.name,
            "version": info.version,
            "started_at": info.created_at.rfc3339(),
        })
    }

    fn by_node(&self, member: Option<&str>, of: impl Fn(usize) -> Option<Value>) -> Option<Value> {
        let nodes = &self.run.flow.nodes;
        match member {
            Some(name) => of(nodes.iter().position(|node| node.name == name)?),
            None => {
                let all = nodes.iter().enumerate();
                let all = all.filter_map(|(at, node)| Some((node.name.clone(), of(at)?)));
                Some(Value::Object(all.collect()))
            }
        }
    }
}

fn member_of<'v>(value: &'v Value, member: Option<&str>) -> Option<Cow<'v, Value>> {
    match member {
        Some(name) => value.get(name).map(Cow::Borrowed),
        None => Some(Cow::Borrowed(value)),
    }
}

fn owned(value: Value, member: Option<&str>) -> Option<Cow<'static, Value>> {
    match member {
        Some(name) => value.get(name).cloned().map(Cow::Owned),
        None => Some(Cow::Owned(value)),
    }
}

impl Scope for StepScope<'_> {
    fn get(&self, root: Root, member: Option<&str>) -> Option<Cow<'_, Value>> {
        match root {
            Root::Input => member_of(&self.run.input, member),
            Root::State => match member {
                Some(name) => {
                    let at = self
                        .run
                        .flow
                        .state
                        .iter()
                        .position(|key| key.name == name)?;
                    self.view.state.get(at).map(|value| Cow::Borrowed(&**value))
                }
                None => Some(Cow::Owned(self.view.state_json(&self.run.flow))),
            },
            Root::Results => match member {
                Some(name) => {
                    let at = self
                        .run
                        .flow
                        .nodes
                        .iter()
                        .position(|node| node.name == name)?;
                    let value = self.view.results.get(at)?.as_ref()?;
                    Some(Cow::Borrowed(&**value))
                }
                None => self
                    .by_node(None, |at| {
                        self.view
                            .results
                            .get(at)?
                            .as_ref()
                            .map(|value| Value::clone(value))
                    })
                    .map(Cow::Owned),
            },
            Root::Visits => self
                .by_node(member, |at| Some(self.visits(at).into()))
                .map(Cow::Owned),
            Root::Run => owned(self.run_info(), member),
            Root::Item => self.item.and_then(|(_, value)| member_of(value, member)),
            Root::Index => match member {
                Some(_) => None,
                None => self.item.map(|(index, _)| Cow::Owned(index.into())),
            },
            Root::Error => {
                let value = serde_json::to_value(self.error?).ok()?;
                owned(value, member)
            }
            Root::Secrets => self
                .secrets?
                .get(member?)
                .map(|secret| Cow::Owned(Value::String(secret))),
            Root::Result => self.result.and_then(|value| member_of(value, member)),
        }
    }
}

/// A short form of a value for messages.
pub(super) fn brief(value: &Value) -> String {
    let mut text = String::new();
    let _ = write!(text, "{value}");
    if text.chars().count() > 80 {
        text = text.chars().take(77).collect::<String>() + "...";
    }
    text
}
