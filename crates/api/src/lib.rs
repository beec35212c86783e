//! What travels over HTTP.
