//! `http`: one request to another system. Guards against requests to private addresses, caps time
//! and size, follows redirects itself so that each hop is checked, and keeps secrets out of errors.
mod answer;
mod date;
mod expect;
mod guard;
mod policy;
mod request;

use std::{error::Error, fmt, sync::OnceLock, time::Duration};

use futures::future::{BoxFuture, FutureExt};
use reqwest::{Client, Response, header::LOCATION, redirect};
use runstone_engine::node::{Context, Node, NodeError, Outcome, Spec};
use runstone_model::{failure::Class, limits::MAX_RESULT_BYTES};
use serde_json::{Value, json};

pub use self::policy::{Policy, PolicyError};
use self::{
    guard::{Guard, Lookup, Refused},
    request::{Request, With},
};
use crate::{span, with};

/// Time for the whole exchange when the flow does not say.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// The most time a flow may ask for.
pub const MAX_TIMEOUT: Duration = Duration::from_secs(600);
/// Bytes of an answer when the flow does not say.
pub const DEFAULT_BYTES: usize = 8 << 20;
/// Redirects that are followed when the flow does not say, and the most it may ask for.
pub const MAX_REDIRECTS: u8 = 5;

/// The kind `http`.
pub struct Http {
    guard: Guard,
    /// Built at the first request: reading the system's certificates takes longer than most starts.
    client: OnceLock<Result<Client, String>>,
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").finish_non_exhaustive()
    }
}

impl Http {
    /// With an allow-list for private addresses.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self::with_lookup(policy, guard::system())
    }

    fn with_lookup(policy: Policy, lookup: Lookup) -> Self {
        Self {
            guard: Guard::new(policy, lookup),
            client: OnceLock::new(),
        }
    }

    fn client(&self) -> Result<&Client, NodeError> {
        let built = self.client.get_or_init(|| {
            Client::builder()
                .dns_resolver(self.guard.clone())
                .redirect(redirect::Policy::none())
                // A proxy would resolve names out of the guard's sight.
                .no_proxy()
                .referer(false)
                .build()
                .map_err(|error| chain(&error).join(": "))
        });
        built.as_ref().map_err(|reason| {
            NodeError::new(
                Class::Configuration,
                format!("the HTTP client cannot start: {reason}"),
            )
        })
    }

    async fn exchange(&self, ctx: Context, with: Value) -> Result<Outcome, NodeError> {
        let with: With = with::read("http", with)?;
        let limit = with.timeout.map_or(DEFAULT_TIMEOUT, |span| span.0);
        if limit > MAX_TIMEOUT {
            return Err(with::invalid(format!(
                "`timeout: {}` is longer than an http node may take ({})",
                span::show(limit),
                span::show(MAX_TIMEOUT)
            )));
        }
        let request = with.request(&ctx.idempotency_key)?;
        let place = request.place();
        tokio::time::timeout(limit, self.send(&with, request))
            .await
            .unwrap_or_else(|_| {
                Err(NodeError::new(
                    Class::Timeout,
                    format!(
                        "{place} did not answer in {}; raise `timeout`",
                        span::show(limit)
                    ),
                ))
            })
    }

    async fn send(&self, with: &With, mut request: Request) -> Result<Outcome, NodeError> {
        let redirects = with.redirects.unwrap_or(MAX_REDIRECTS).min(MAX_REDIRECTS);
        let mut left = redirects;
        loop {
            let place = request.place();
            let response = self.hop(&request).await?;
            let status = response.status();
            let location = response
                .headers()
                .get(LOCATION)
                .filter(|_| status.is_redirection());
            if let Some(location) = location
                && redirects > 0
                && !with.expect.accepts(status)
            {
                if left == 0 {
                    return Err(lost(format!(
                        "{place} redirects more than {redirects} times"
                    )));
                }
                left -= 1;
                let next = location
                    .to_str()
                    .ok()
                    .and_then(|to| request.url.join(to).ok());
                let next = next.ok_or_else(|| {
                    lost(format!("{place} redirects to something that is not a URL"))
                })?;
                request::parse_url(next.as_str()).map_err(|error| {
                    lost(format!(
                        "{place} redirects to where it may not: {}",
                        error.message
                    ))
                })?;
                request = request.redirected(status, next);
                continue;
            }
            if !with.expect.accepts(status) {
                return Err(with.expect.failure(&place, status, response.headers()));
            }
            let headers = response.headers().clone();
            let max_bytes = with
                .max_bytes
                .unwrap_or(DEFAULT_BYTES)
                .min(MAX_RESULT_BYTES);
            let body = answer::body(&place, response, max_bytes).await?;
            return answer::result(&place, status.as_u16(), &headers, body).map(Outcome::from);
        }
    }

    /// One request to one place; the guard looks at it whether the host is a name or an address.
    async fn hop(&self, request: &Request) -> Result<Response, NodeError> {
        self.guard
            .check_literal(&request.url)
            .map_err(|refused| forbidden(&refused))?;
        let mut sending = self
            .client()?
            .request(request.method.clone(), request.url.clone())
            .headers(request.headers.clone());
        if let Some(body) = &request.body {
            sending = sending.body(body.clone());
        }
        sending
            .send()
            .await
            .map_err(|error| broken(&request.place(), error))
    }
}

/// A redirect that leads nowhere: the same next time.
fn lost(message: String) -> NodeError {
    let mut error = NodeError::new(Class::Dependency, message);
    error.retryable = Some(false);
    error
}

fn forbidden(refused: &Refused) -> NodeError {
    let mut error = NodeError::new(Class::Configuration, refused.to_string());
    error.retryable = Some(false);
    error
}

/// An exchange that broke on the way. The client's own message names the URL, so only the causes
/// below it are kept.
fn broken(place: &str, error: reqwest::Error) -> NodeError {
    let error = error.without_url();
    let mut below: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(cause) = below {
        if let Some(refused) = cause.downcast_ref::<Refused>() {
            return forbidden(refused);
        }
        below = cause.source();
    }
    let (class, what) = match () {
        () if error.is_timeout() => (Class::Timeout, "took too long"),
        () if error.is_dns() => (Class::Network, "has a host name that does not resolve"),
        () if error.is_connect() => (Class::Network, "cannot be connected to"),
        () => (Class::Network, "broke the connection"),
    };
    let mut failure = NodeError::new(class, format!("{place} {what}"));
    failure.causes = chain(&error);
    failure
}

/// The messages of an error and its causes, outermost first.
fn chain(error: &(dyn Error + 'static)) -> Vec<String> {
    let mut causes = Vec::new();
    let mut below = Some(error);
    while let Some(cause) = below {
        let text = cause.to_string();
        if causes.last() != Some(&text) {
            causes.push(text);
        }
        below = cause.source();
    }
    causes
}

fn schema() -> Value {
    let scalar = json!({"type": ["string", "number", "boolean"]});
    json!({
        "type": "object",
        "properties": {
            "method": {
                "type": "string",
                "pattern": "^[A-Za-z]+$",
                "default": "GET",
                "description": "GET, POST, PUT, PATCH, DELETE, HEAD, …",
            },
            "url": {"type": "string", "minLength": 1, "description": "An http or https URL"},
            "headers": {"type": "object", "additionalProperties": scalar},
            "query": {
                "type": "object",
                "description": "Added to the URL, percent-encoded; a list repeats the field",
                "additionalProperties": {
                    "anyOf": [scalar, {"type": "null"}, {"type": "array", "items": scalar}],
                },
            },
            "json": {"description": "Sent as a JSON body"},
            "body": {"type": "string", "description": "Sent as it is"},
            "expect": expect::schema(),
            "redirects": {
                "type": "integer", "minimum": 0, "maximum": MAX_REDIRECTS,
                "default": MAX_REDIRECTS,
                "description": "How many redirects are followed; each is checked like the first URL",
            },
            "timeout": span::schema("Time for the whole exchange; default 30s, at most 10m"),
            "max_bytes": {
                "type": "integer", "minimum": 0, "maximum": MAX_RESULT_BYTES,
                "default": DEFAULT_BYTES,
                "description": "Bytes the answer may have",
            },
        },
        "required": ["url"],
        "not": {"required": ["json", "body"]},
        "additionalProperties": false,
    })
}

impl Node for Http {
    fn spec(&self) -> Spec {
        Spec {
            name: "http",
            summary: "Sends an HTTP request and gives the answer",
            with: schema(),
            result: json!({
                "type": "object",
                "properties": {
                    "status": {"type": "integer"},
                    "headers": {"type": "object", "additionalProperties": {"type": "string"}},
                    "body": {"description": "JSON if the answer is JSON, else text"},
                },
                "required": ["status", "headers", "body"],
            }),
            side_effects: true,
            instant: false,
        }
    }

    fn run<'a>(&'a self, ctx: Context, with: Value) -> BoxFuture<'a, Result<Outcome, NodeError>> {
        self.exchange(ctx, with).boxed()
    }
}

#[cfg(test)]
mod tests;
