//! What a command is given: flow files, inputs, run ids. Refuses early and says why.
pub(crate) mod flow;
pub(crate) mod input;
pub(crate) mod run_id;
