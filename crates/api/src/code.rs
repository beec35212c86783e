//! The error codes: one stable name for each way in which a request fails, with its status and what
//! to do about it. `docs/api.md` and the OpenAPI document print this table.

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $status:literal, $title:literal, $mend:literal;)+) => {
        /// Why a request failed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = $mend] $name,)+ }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The stable name, in `code` and at the end of `type`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// The HTTP status.
            #[must_use]
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status,)+ }
            }

            /// A short sentence, the same for every occurrence.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }

            /// What the caller does about it.
            #[must_use]
            pub fn mend(self) -> &'static str {
                match self { $(Self::$name => $mend,)+ }
            }
        }
    };
}

codes! {
    MalformedJson = "malformed_json", 400, "The body is not JSON", "Send one JSON document in UTF-8; the detail names the place.";
    InvalidQuery = "invalid_query", 400, "A query parameter is wrong", "`errors` names every parameter.";
    InvalidHeader = "invalid_header", 400, "A header is wrong", "`errors` names the header.";
    InvalidBody = "invalid_body", 422, "The body does not fit", "`errors` names every field by its JSON pointer.";
    InvalidFlow = "invalid_flow", 422, "The flow has problems", "`errors` has every problem with its line and column; see docs/errors.md for the codes.";
    InvalidInput = "invalid_input", 422, "The input does not fit the flow", "`errors` names every field.";
    Unauthenticated = "unauthenticated", 401, "No valid key or token", "Send `Authorization: Bearer` with a key or a token that is not expired.";
    Forbidden = "forbidden", 403, "The role does not allow this", "Use a key of the role that the documentation names for this operation.";
    CrossSite = "cross_site", 403, "A page of another site asked", "A server without auth answers only pages of its own and programs.";
    NotFound = "not_found", 404, "There is no such thing", "Check the path and the id. What belongs to another project is not found either.";
    MethodNotAllowed = "method_not_allowed", 405, "The path does not know this method", "`Allow` lists the methods.";
    RequestTimeout = "request_timeout", 408, "The request took too long to arrive", "Send the request faster or in smaller parts.";
    Conflict = "conflict", 409, "It does not fit what is there", "The detail says what stands against it.";
    IdempotencyConflict = "idempotency_conflict", 409, "The idempotency key was used for another request", "Use a new key for another request.";
    TooLarge = "too_large", 413, "The body is too large", "The detail names the limit.";
    UnsupportedMediaType = "unsupported_media_type", 415, "The body is not application/json", "Send `Content-Type: application/json`.";
    RangeNotSatisfiable = "range_not_satisfiable", 416, "The archive has no such bytes", "`Content-Range` has the length; ask for a part of it.";
    StaleVersion = "stale_version", 412, "It was changed meanwhile", "Read it again; `version` is the present one; send its ETag in `If-Match`.";
    VersionRequired = "version_required", 428, "`If-Match` is missing", "Send the ETag that you read, so that nobody's change is lost.";
    RateLimited = "rate_limited", 429, "Too many requests", "Wait as long as `Retry-After` says.";
    QuotaExceeded = "quota_exceeded", 429, "The project's quota is used up", "The detail names the quota; wait, or have it raised.";
    Internal = "internal", 500, "Something went wrong here", "Report it with the trace id.";
    Unavailable = "unavailable", 503, "The database does not answer", "Try again after `Retry-After`.";
    Overloaded = "overloaded", 503, "Too many requests at the same time", "Try again after `Retry-After`.";
    ShuttingDown = "shutting_down", 503, "The server is stopping", "Try again; another server or the next start answers.";
    Timeout = "timeout", 504, "The answer took too long", "Ask for less, or try again.";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_has_its_own_name_and_an_error_status() {
        let names: BTreeSet<_> = Code::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        assert!(
            Code::ALL
                .iter()
                .all(|code| (400..600).contains(&code.status()))
        );
    }
}
