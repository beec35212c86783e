//! Every cap in one place: what is refused, and at which size. Each is named in the error that
//! refuses and in `docs/limits.md`.

/// Nodes in one flow.
pub const MAX_NODES: usize = 10_000;
/// Edges in one flow.
pub const MAX_EDGES: usize = 50_000;
/// Bytes of a flow file.
pub const MAX_FLOW_BYTES: usize = 8 << 20;
/// Values in a flow file, aliases written out.
pub const MAX_FLOW_VALUES: usize = 1_000_000;
/// Nesting of a flow file, an input or a result.
pub const MAX_DEPTH: usize = 64;
/// Bytes of a run's input, as JSON.
pub const MAX_INPUT_BYTES: usize = 16 << 20;
/// Bytes of one step's result, as JSON.
pub const MAX_RESULT_BYTES: usize = 16 << 20;
/// Bytes of one expression's source text.
pub const MAX_EXPR_BYTES: usize = 4096;
/// Bytes of one text that holds expressions.
pub const MAX_TEMPLATE_BYTES: usize = 64 << 10;
/// Items of one `for_each`.
pub const MAX_ITEMS: usize = 100_000;
/// Steps of one run when the flow does not say.
pub const DEFAULT_STEPS: u64 = 10_000;
/// The most steps a flow may ask for.
pub const MAX_STEPS: u64 = 1_000_000;
/// Values larger than this, as JSON, are stored once as a compressed blob.
pub const INLINE_BYTES: usize = 64 << 10;
/// Items of a `for_each` that run at the same time when the flow does not say.
pub const DEFAULT_PARALLEL: u32 = 10;
