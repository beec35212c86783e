//! Graph analysis of a flow.
#[derive(Debug)]
pub struct Graph;
