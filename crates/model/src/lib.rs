//! The pure heart of Runstone: flow definitions, expressions, reducers, graph analysis and the run
//! state machine. Nothing here does IO, reads a clock, draws a random number or awaits.
pub mod expr;
pub mod failure;
pub mod flow;
pub mod graph;
pub mod ids;
pub mod limits;
pub mod problem;
pub mod reducer;
pub mod run;
pub mod time;
