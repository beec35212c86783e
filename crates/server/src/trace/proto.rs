//! Spans in OTLP's protobuf, as opentelemetry/proto/collector/trace/v1/trace_service.proto has it.
//! Writing it takes three forms of field, so there is no code generator behind it.
use super::{SpanBytes, TraceBytes};

/// A value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Text(String),
    Int(i64),
    Bool(bool),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Int(number.into())
    }
}

impl From<bool> for Value {
    fn from(yes: bool) -> Self {
        Self::Bool(yes)
    }
}

/// A span's part in its trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Work inside of the program.
    Internal = 1,
    /// A request that somebody sent.
    Server = 2,
}

/// What happened from one time to another.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Span {
    pub(crate) trace: TraceBytes,
    pub(crate) id: SpanBytes,
    pub(crate) parent: Option<SpanBytes>,
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// Nanoseconds since 1970.
    pub(crate) begin: u64,
    /// Nanoseconds since 1970.
    pub(crate) end: u64,
    pub(crate) attributes: Vec<(&'static str, Value)>,
    /// Why it failed, if it did.
    pub(crate) error: Option<String>,
}

/// A message being written.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn number(&mut self, field: u32, value: u64) {
        self.varint(u64::from(field) << 3);
        self.varint(value);
    }

    fn fixed(&mut self, field: u32, value: u64) {
        self.varint(u64::from(field) << 3 | 1);
        self.0.extend(value.to_le_bytes());
    }

    fn bytes(&mut self, field: u32, value: &[u8]) {
        self.varint(u64::from(field) << 3 | 2);
        self.varint(value.len() as u64);
        self.0.extend(value);
    }

    fn message(&mut self, field: u32, write: impl FnOnce(&mut Self)) {
        let mut inner = Self::default();
        write(&mut inner);
        self.bytes(field, &inner.0);
    }

    fn attribute(&mut self, field: u32, name: &str, value: &Value) {
        self.message(field, |pair| {
            pair.bytes(1, name.as_bytes());
            pair.message(2, |any| match value {
                Value::Text(text) => any.bytes(1, text.as_bytes()),
                Value::Bool(yes) => any.number(2, u64::from(*yes)),
                Value::Int(number) => any.number(3, number.cast_unsigned()),
            });
        });
    }

    fn span(&mut self, field: u32, span: &Span) {
        self.message(field, |message| {
            message.bytes(1, &span.trace);
            message.bytes(2, &span.id);
            if let Some(parent) = &span.parent {
                message.bytes(4, parent);
            }
            message.bytes(5, span.name.as_bytes());
            message.number(6, span.kind as u64);
            message.fixed(7, span.begin);
            message.fixed(8, span.end);
            for (name, value) in &span.attributes {
                message.attribute(9, name, value);
            }
            if let Some(error) = &span.error {
                message.message(15, |status| {
                    status.bytes(2, error.as_bytes());
                    status.number(3, 2);
                });
            }
        });
    }
}

/// A request that hands `spans` over, made by the program that `resource` tells of.
pub(super) fn request(resource: &[(&str, Value)], spans: &[Span]) -> Vec<u8> {
    let mut request = Message::default();
    request.message(1, |of_resource| {
        of_resource.message(1, |about| {
            for (name, value) in resource {
                about.attribute(1, name, value);
            }
        });
        of_resource.message(2, |of_scope| {
            of_scope.message(1, |scope| {
                scope.bytes(1, b"runstone");
                scope.bytes(2, crate::VERSION.as_bytes());
            });
            for span in spans {
                of_scope.span(2, span);
            }
        });
    });
    request.0
}
