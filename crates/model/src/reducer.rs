//! Reducers: how a write changes a state key, and the types that writes are checked against.
