//! `template`: text from a Jinja template. The template sees only `values`; it has no loader, a fuel
//! limit on its work and a cap on its output, and an undefined name is an error, never an empty text.
use std::io::{self, Write};

use futures::future::{self, BoxFuture, FutureExt};
use minijinja::{Environment, ErrorKind, UndefinedBehavior, syntax::SyntaxConfig};
use runstone_engine::node::{Context, Node, NodeError, Outcome, Spec};
use runstone_model::failure::Class;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::with;

/// Work one rendering may do, in instructions of the template engine.
pub const FUEL: u64 = 500_000;
/// Bytes of text one rendering may give.
pub const MAX_OUTPUT_BYTES: usize = 4 << 20;
/// Bytes of a template.
pub const MAX_TEMPLATE_BYTES: usize = 256 << 10;

/// The kind `template`.
#[derive(Debug)]
pub struct Template {
    env: Environment<'static>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct With {
    text: String,
    #[serde(default)]
    values: Map<String, Value>,
}

impl Default for Template {
    fn default() -> Self {
        let mut env = Environment::new();
        env.set_fuel(Some(FUEL));
        env.set_recursion_limit(100);
        env.set_undefined_behavior(UndefinedBehavior::Strict);
        // A line that holds only a tag leaves no empty line. (Fails only for odd delimiters.)
        if let Ok(syntax) = SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()
        {
            env.set_syntax(syntax);
        }
        env.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        Self { env }
    }
}

impl Template {
    fn render(&self, with: Value) -> Result<Outcome, NodeError> {
        let With { text, values } = with::read("template", with)?;
        if text.len() > MAX_TEMPLATE_BYTES {
            return Err(too_much(format!(
                "the template has {} bytes, more than {MAX_TEMPLATE_BYTES}; put the data into \
                 `values` and loop over it",
                text.len()
            )));
        }
        let mut output = Capped(Vec::new());
        self.env
            .template_from_named_str("text", &text)
            .and_then(|template| {
                template
                    .render_captured_to(visible(values), &mut output)
                    .map(drop)
            })
            .map_err(|error| explain(&error))?;
        String::from_utf8(output.0)
            .map(|text| Value::String(text).into())
            .map_err(|_| with::invalid("the template gave bytes that are not text"))
    }
}

/// The values as the template engine has them. Their depth is bounded by the JSON reader's.
fn visible(values: Map<String, Value>) -> minijinja::Value {
    fn convert(value: Value) -> minijinja::Value {
        match value {
            Value::Null => minijinja::Value::from(()),
            Value::Bool(flag) => flag.into(),
            Value::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(integer), _) => integer.into(),
                (None, Some(integer)) => integer.into(),
                (None, None) => number.as_f64().unwrap_or(f64::NAN).into(),
            },
            Value::String(text) => text.into(),
            Value::Array(items) => items.into_iter().map(convert).collect::<Vec<_>>().into(),
            Value::Object(map) => visible(map),
        }
    }
    minijinja::Value::from_pairs(
        values
            .into_iter()
            .map(|(name, value)| (name, convert(value))),
    )
}

/// A buffer that refuses to grow past the cap.
struct Capped(Vec<u8>);

impl Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_OUTPUT_BYTES {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                "too much output",
            ));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn too_much(message: String) -> NodeError {
    let mut error = NodeError::new(Class::Resource, message);
    error.retryable = Some(false);
    error
}

fn explain(error: &minijinja::Error) -> NodeError {
    let line = error
        .line()
        .map(|line| format!(", line {line}"))
        .unwrap_or_default();
    match error.kind() {
        ErrorKind::OutOfFuel => too_much(format!(
            "the template{line} does more work than allowed ({FUEL} instructions); loop over less"
        )),
        ErrorKind::WriteFailure => too_much(format!(
            "the template{line} gives more than {MAX_OUTPUT_BYTES} bytes of text; split it up"
        )),
        ErrorKind::UndefinedError => with::invalid(format!(
            "the template{line} uses a name that `values` does not have{}; add it or write \
             `name | default('')`",
            error
                .detail()
                .map(|detail| format!(" ({detail})"))
                .unwrap_or_default()
        )),
        kind => with::invalid(format!(
            "the template{line} cannot be rendered: {kind}{}",
            error
                .detail()
                .map(|detail| format!(": {detail}"))
                .unwrap_or_default()
        )),
    }
}

impl Node for Template {
    fn spec(&self) -> Spec {
        Spec {
            name: "template",
            summary: "Renders a Jinja template to a text",
            with: json!({
                "type": "object",
                "properties": {
                    "text": {"type": "string", "description": "The template"},
                    "values": {"type": "object", "description": "What the template can see"},
                },
                "required": ["text"],
                "additionalProperties": false,
            }),
            result: json!({"type": "string"}),
            side_effects: false,
            instant: true,
        }
    }

    fn run<'a>(&'a self, _ctx: Context, with: Value) -> BoxFuture<'a, Result<Outcome, NodeError>> {
        future::ready(self.render(with)).boxed()
    }
}
