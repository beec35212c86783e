//! The pure heart of Runstone: flow definitions, expressions, reducers, graph analysis, the run state
//! machine, and the scores and differences of documents. Nothing here does IO, reads a clock, draws a
//! random number or awaits.
pub mod diff;
pub mod expr;
pub mod failure;
pub mod flow;
pub mod graph;
pub mod histogram;
pub mod ids;
pub mod limits;
pub mod problem;
pub mod quality;
pub mod rank;
pub mod reducer;
pub mod run;
pub mod time;
