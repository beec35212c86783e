//! Reading `with` of `http` into a request, and what becomes of it when it is redirected. Errors
//! name keys and headers, never their values: those may be secrets.
use std::collections::BTreeMap;

use reqwest::{
    Method, StatusCode, Url,
    header::{
        ACCEPT, ACCEPT_LANGUAGE, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT,
    },
};
use runstone_engine::node::NodeError;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::expect::Expect;
use crate::{span::Span, with};

/// The name of the header that lets the other side see a repeated request.
pub(super) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct With {
    pub(super) method: Option<String>,
    pub(super) url: String,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, Value>,
    #[serde(default)]
    pub(super) query: BTreeMap<String, Value>,
    #[serde(default, deserialize_with = "present")]
    pub(super) json: Option<Value>,
    pub(super) body: Option<String>,
    #[serde(default)]
    pub(super) expect: Expect,
    pub(super) redirects: Option<u8>,
    pub(super) timeout: Option<Span>,
    pub(super) max_bytes: Option<usize>,
}

/// A request that can be sent again to another place.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Vec<u8>>,
}

impl With {
    /// The request, with the headers every request carries.
    pub(super) fn request(&self, idempotency_key: &str) -> Result<Request, NodeError> {
        let method = self.method.as_deref().unwrap_or("GET").to_ascii_uppercase();
        let method = Method::from_bytes(method.as_bytes())
            .ok()
            .filter(|method| *method != Method::CONNECT && *method != Method::TRACE)
            .ok_or_else(|| with::invalid("`method` is not an HTTP method a flow may use"))?;
        let mut url = parse_url(&self.url)?;
        add_query(&mut url, &self.query)?;
        let body = match (&self.json, &self.body) {
            (Some(_), Some(_)) => {
                return Err(with::invalid("give either `json` or `body`, not both"));
            }
            (Some(json), None) => Some(json.to_string().into_bytes()),
            (None, Some(text)) => Some(text.clone().into_bytes()),
            (None, None) => None,
        };
        let headers = self.header_map(idempotency_key)?;
        Ok(Request {
            method,
            url,
            headers,
            body,
        })
    }

    fn header_map(&self, idempotency_key: &str) -> Result<HeaderMap, NodeError> {
        let mut headers = HeaderMap::new();
        let agent = concat!("runstone/", env!("CARGO_PKG_VERSION"));
        headers.insert(USER_AGENT, HeaderValue::from_static(agent));
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        if self.json.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        } else if self.body.is_some() {
            let text = HeaderValue::from_static("text/plain; charset=utf-8");
            headers.insert(CONTENT_TYPE, text);
        }
        if let Ok(key) = HeaderValue::from_str(idempotency_key) {
            headers.insert(IDEMPOTENCY_KEY, key);
        }
        for (name, value) in &self.headers {
            let wrong = |what: &str| with::invalid(format!("header `{name}` {what}"));
            let key = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| wrong("has a name that HTTP does not allow"))?;
            if ["host", "content-length", "transfer-encoding", "connection"].contains(&key.as_str())
            {
                return Err(wrong("is set by the client itself; leave it out"));
            }
            let text = scalar(value).ok_or_else(|| wrong("must be a text, number or boolean"))?;
            let mut value = HeaderValue::from_str(&text)
                .map_err(|_| wrong("has a value with characters that HTTP does not allow"))?;
            value.set_sensitive(true);
            headers.insert(key, value);
        }
        Ok(headers)
    }
}

impl Request {
    /// The request to send after a redirect from here to `location`.
    ///
    /// As browsers do: 303 (and 301/302 after a POST) becomes a GET without a body; another origin
    /// is not told the headers the flow gave, which may be keys.
    pub(super) fn redirected(mut self, status: StatusCode, location: Url) -> Self {
        let becomes_get = match status {
            StatusCode::SEE_OTHER => self.method != Method::HEAD,
            StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => self.method == Method::POST,
            _ => false,
        };
        if becomes_get {
            self.method = Method::GET;
            self.body = None;
            self.headers.remove(CONTENT_TYPE);
        }
        if self.url.origin() != location.origin() {
            let kept = [
                ACCEPT,
                ACCEPT_LANGUAGE,
                CONTENT_TYPE,
                USER_AGENT,
                IDEMPOTENCY_KEY,
            ];
            let all = std::mem::take(&mut self.headers);
            self.headers = all
                .into_iter()
                .filter_map(|(name, value)| Some((name?, value)))
                .filter(|(name, _)| kept.contains(name))
                .collect();
        }
        self.url = location;
        self
    }

    /// The place without anything that may be secret: no path, query or user.
    pub(super) fn place(&self) -> String {
        format!("{} {}", self.method, place(&self.url))
    }
}

/// Scheme, host and port of `url`.
pub(super) fn place(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Reads a URL that `http` may be sent to.
pub(super) fn parse_url(text: &str) -> Result<Url, NodeError> {
    let url = Url::parse(text).map_err(|error| {
        with::invalid(format!(
            "`url` is not a URL ({error}); write it as https://host/path"
        ))
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(with::invalid(format!(
            "`url` has the scheme `{}`; only http and https can be requested",
            url.scheme()
        )));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(with::invalid(
            "`url` carries a user name or password; give credentials in `headers`, from `secrets`",
        ));
    }
    Ok(url)
}

fn add_query(url: &mut Url, query: &BTreeMap<String, Value>) -> Result<(), NodeError> {
    if query.is_empty() {
        return Ok(());
    }
    let mut pairs = url.query_pairs_mut();
    for (name, value) in query {
        let wrong = || {
            with::invalid(format!(
                "query field `{name}` must be a text, number, boolean, null, or a list of these"
            ))
        };
        match value {
            Value::Null => {}
            Value::Array(values) => {
                for value in values {
                    pairs.append_pair(name, &scalar(value).ok_or_else(wrong)?);
                }
            }
            value => {
                pairs.append_pair(name, &scalar(value).ok_or_else(wrong)?);
            }
        }
    }
    Ok(())
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Keeps an explicit `null` apart from a missing key.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}
