//! `log`: a line for people. It is the step's result, so it is in the journal; a program that wants
//! it at once gives a [`Sink`]. Nothing is written to a stream from here.
use std::{fmt, sync::Arc};

use futures::future::{self, BoxFuture, FutureExt};
use runstone_engine::node::{Context, Node, NodeError, Outcome, Spec};
use runstone_model::ids::RunId;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::with;

/// Takes each line as it is logged; it must not block.
pub type Sink = Arc<dyn Fn(&Line) + Send + Sync>;

/// One logged line.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The run it belongs to.
    pub run: RunId,
    /// The node that logged it.
    pub node: Arc<str>,
    /// How much it matters.
    pub level: Level,
    /// The text.
    pub message: String,
    /// Details by name.
    pub fields: Map<String, Value>,
}

/// How much a line matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// For whoever builds the flow.
    Debug,
    /// The normal course.
    #[default]
    Info,
    /// Odd, but the run goes on.
    Warn,
    /// Wrong.
    Error,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        })
    }
}

/// The kind `log`.
#[derive(Clone, Default)]
pub struct Log {
    sink: Option<Sink>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct With {
    message: String,
    #[serde(default)]
    level: Level,
    #[serde(default)]
    fields: Map<String, Value>,
}

impl Log {
    /// With a place for the lines to go besides the result.
    #[must_use]
    pub fn new(sink: Option<Sink>) -> Self {
        Self { sink }
    }

    fn write(&self, ctx: Context, with: Value) -> Result<Outcome, NodeError> {
        let With {
            message,
            level,
            fields,
        } = with::read("log", with)?;
        if let Some(sink) = &self.sink {
            sink(&Line {
                run: ctx.run,
                node: ctx.node,
                level,
                message: message.clone(),
                fields,
            });
        }
        Ok(Value::String(message).into())
    }
}

impl Node for Log {
    fn spec(&self) -> Spec {
        Spec {
            name: "log",
            summary: "Logs a line; the message is its result",
            with: json!({
                "type": "object",
                "properties": {
                    "message": {"type": "string", "description": "The text"},
                    "level": {
                        "enum": ["debug", "info", "warn", "error"],
                        "default": "info",
                        "description": "How much it matters",
                    },
                    "fields": {"type": "object", "description": "Details by name"},
                },
                "required": ["message"],
                "additionalProperties": false,
            }),
            result: json!({"type": "string"}),
            side_effects: false,
            instant: true,
        }
    }

    fn run<'a>(&'a self, ctx: Context, with: Value) -> BoxFuture<'a, Result<Outcome, NodeError>> {
        future::ready(self.write(ctx, with)).boxed()
    }
}
