//! The `runstone` binary: parses the command line and calls the engine.
fn main() {}
