//! Reading a kind's `with` into its own type. The engine has checked it against the kind's schema
//! already; an embedding program may not have, so nothing is taken for granted.
use runstone_engine::node::NodeError;
use runstone_model::failure::Class;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads `with` of `kind`, naming the kind and the key in the error.
pub(crate) fn read<T: DeserializeOwned>(kind: &str, with: Value) -> Result<T, NodeError> {
    let with = if with.is_null() {
        Value::Object(serde_json::Map::new())
    } else {
        with
    };
    serde_json::from_value(with).map_err(|error| invalid(format!("`with` of `{kind}`: {error}")))
}

/// An error in what the flow asked for: another attempt would end the same.
pub(crate) fn invalid(message: impl Into<String>) -> NodeError {
    let mut error = NodeError::new(Class::Validation, message);
    error.retryable = Some(false);
    error
}
