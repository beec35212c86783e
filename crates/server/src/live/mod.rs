//! Live events: whoever watches a run gets its journal from any place on, and then what is added,
//! without a gap and without a repetition. The journal is the truth; news only wake readers.
pub(crate) mod feed;
mod hub;
pub(crate) mod pump;
pub(crate) mod socket;
pub(crate) mod sse;
pub(crate) mod step;

pub(crate) use hub::Hub;
