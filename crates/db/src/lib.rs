//! The database layer: one seam over several SQL databases. Named parameters, values, rows, pools,
//! transactions, error classes, retries and migrations; knows nothing of flows or runs.
pub mod value;
