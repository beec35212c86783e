//! Errors of handlers, and how those of the layers below become one. What a person outside may read
//! is in the problem; what only the log may have is beside it.
use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use runstone_api::{Code, FieldError, Problem};

/// What a handler answers.
pub type Answer<T = Response> = Result<T, Fault>;

/// Why a request failed.
#[derive(Clone, Debug)]
pub struct Fault(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    problem: Problem,
    headers: Vec<(HeaderName, HeaderValue)>,
    cause: Option<String>,
}

/// A problem on its way out; the outermost layer writes it with the trace id.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) problem: Problem,
    pub(crate) cause: Option<String>,
}

impl Fault {
    /// The problem `code`, and what happened here in plain words.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            problem: Problem::new(code, detail),
            headers: Vec::new(),
            cause: None,
        }))
    }

    /// There is no such thing.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("there is no such {what}"))
    }

    /// Something went wrong here; `cause` is for the log.
    #[must_use]
    pub fn internal(cause: impl Into<String>) -> Self {
        let detail = "the server's log says more under this trace id";
        let mut fault = Self::new(Code::Internal, detail);
        fault.0.cause = Some(cause.into());
        fault
    }

    /// Whether it is the caller's: the same request would fail again.
    #[must_use]
    pub fn is_the_callers(&self) -> bool {
        (400..500).contains(&self.0.problem.status)
    }

    /// With every field that is wrong.
    #[must_use]
    pub fn errors(mut self, errors: Vec<FieldError>) -> Self {
        self.0.problem.errors = errors;
        self
    }

    /// With the present version.
    #[must_use]
    pub fn version(mut self, version: i64) -> Self {
        self.0.problem.version = Some(version);
        self
    }

    /// With the time after which it may be tried again, in seconds.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        self.header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// With a cause for the log.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// As it travels, for answers that hold several; `trace_id` is that of the request.
    #[must_use]
    pub fn into_problem(mut self, trace_id: &str) -> Problem {
        self.log(Some(trace_id));
        trace_id.clone_into(&mut self.0.problem.trace_id);
        self.0.problem
    }

    /// Tells the log its cause, where no answer does.
    pub fn log(&self, trace_id: Option<&str>) {
        if let Some(cause) = &self.0.cause {
            let code = &self.0.problem.code;
            tracing::error!(trace_id, code, cause, "a part of the work failed");
        }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let Inner {
            problem,
            headers,
            cause,
        } = *self.0;
        let status = StatusCode::from_u16(problem.status);
        let mut response = status
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            .into_response();
        response.headers_mut().extend(headers);
        response.extensions_mut().insert(Pending { problem, cause });
        response
    }
}

impl From<runstone_store::Error> for Fault {
    fn from(error: runstone_store::Error) -> Self {
        use runstone_store::Error;
        match error {
            Error::Unavailable(cause) => {
                Self::new(Code::Unavailable, "the database does not answer now")
                    .retry_after(1)
                    .cause(cause)
            }
            Error::Fenced | Error::Corrupt { .. } | Error::Damaged(_) | Error::Other(_) => {
                Self::internal(error.to_string())
            }
        }
    }
}

impl From<runstone_db::Error> for Fault {
    fn from(error: runstone_db::Error) -> Self {
        runstone_store::Error::from(error).into()
    }
}

impl From<runstone_engine::Error> for Fault {
    fn from(error: runstone_engine::Error) -> Self {
        use runstone_engine::Error;
        match error {
            Error::Store(error) => error.into(),
            Error::NoSuchRun(_) => Self::not_found("run"),
            Error::AlreadyEnded(..) | Error::NotEnded(_) | Error::OwnedElsewhere(_) => {
                Self::new(Code::Conflict, error.to_string())
            }
            Error::Stopping => {
                Self::new(Code::ShuttingDown, "the server is stopping").retry_after(1)
            }
            Error::Unreadable { .. } => Self::internal(error.to_string()),
        }
    }
}
