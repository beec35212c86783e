//! What handlers take from a request: bodies, queries, path parameters, headers. Each is checked as
//! a whole and refused as problem+json.
use std::time::Duration;

use axum::{
    extract::{FromRequest, FromRequestParts, RawPathParams, Request},
    http::{HeaderMap, header, request::Parts},
};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use runstone_api::{Code, FieldError};
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::schema;
use crate::{Answer, App, Fault};

/// A JSON body that fits its schema.
#[derive(Clone, Debug)]
pub struct Body<T>(pub T);

/// A query that fits its schema.
#[derive(Clone, Debug)]
pub struct Query<T>(pub T);

/// The path's parameters.
#[derive(Clone, Debug)]
pub struct Params(Vec<(String, String)>);

impl<T: DeserializeOwned + ToSchema + 'static> FromRequest<App> for Body<T> {
    type Rejection = Fault;

    async fn from_request(request: Request, app: &App) -> Answer<Self> {
        is_json(request.headers())?;
        let bytes = read(request, app).await?;
        let value: Value = serde_json::from_slice(&bytes).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            Fault::new(Code::MalformedJson, format!("not JSON at {place}"))
        })?;
        let validator = app.schemas.body::<T>().map_err(Fault::internal)?;
        let errors = schema::errors(&validator, &value);
        if !errors.is_empty() {
            return Err(invalid_body(errors));
        }
        T::deserialize(value)
            .map(Self)
            .map_err(|error| invalid_body(vec![FieldError::new("", error.to_string())]))
    }
}

/// The fault for a body whose fields are wrong.
#[must_use]
pub fn invalid_body(errors: Vec<FieldError>) -> Fault {
    let detail = match errors.len() {
        1 => "one field is wrong".to_owned(),
        more => format!("{more} fields are wrong"),
    };
    Fault::new(Code::InvalidBody, detail).errors(errors)
}

fn is_json(headers: &HeaderMap) -> Answer<()> {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        let detail = "the body must come as `Content-Type: application/json`";
        Err(Fault::new(Code::UnsupportedMediaType, detail))
    }
}

async fn read(request: Request, app: &App) -> Answer<bytes::Bytes> {
    let limit = app.settings.limits.body_bytes;
    let too_large = || {
        let detail = format!("the body is larger than {limit} bytes");
        Fault::new(Code::TooLarge, detail)
    };
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let whole = Limited::new(request.into_body(), limit).collect();
    let within = Duration::from_millis(app.settings.limits.body_timeout_ms);
    match tokio::time::timeout(within, whole).await {
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(Fault::new(
            Code::MalformedJson,
            "the body broke off before its end",
        )),
        Err(_) => Err(Fault::new(
            Code::RequestTimeout,
            format!("the body did not arrive within {within:?}"),
        )),
    }
}

impl<T: DeserializeOwned + IntoParams + 'static> FromRequestParts<App> for Query<T> {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Answer<Self> {
        let shape = app.schemas.query::<T>().map_err(Fault::internal)?;
        let value = shape
            .read(parts.uri.query().unwrap_or_default())
            .map_err(invalid_query)?;
        T::deserialize(value)
            .map(Self)
            .map_err(|error| invalid_query(vec![FieldError::new("", error.to_string())]))
    }
}

/// The fault for a query whose parameters are wrong.
#[must_use]
pub fn invalid_query(errors: Vec<FieldError>) -> Fault {
    let names: Vec<&str> = errors.iter().map(|error| error.pointer.as_str()).collect();
    let detail = format!("wrong: {}", names.join(", "));
    Fault::new(Code::InvalidQuery, detail).errors(errors)
}

impl FromRequestParts<App> for Params {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Answer<Self> {
        let params = RawPathParams::from_request_parts(parts, app)
            .await
            .map_err(|_| Fault::not_found("path"))?;
        let all = params.iter();
        Ok(Self(
            all.map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        ))
    }
}

impl Params {
    /// The parameter `name` as it stands.
    ///
    /// # Errors
    /// It is empty, too long, or holds what no name can hold: there is no such thing then.
    pub fn text(&self, name: &str) -> Answer<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        let text = found.map_or("", |(_, value)| value.as_str());
        if text.is_empty() || text.len() > 800 || text.contains('\0') {
            return Err(Fault::not_found(name));
        }
        Ok(text)
    }

    /// The parameter `name` as an id, a number, …
    ///
    /// # Errors
    /// It is none: there is no such thing then.
    pub fn read<T: std::str::FromStr>(&self, name: &str) -> Answer<T> {
        let text = self.text(name)?;
        text.parse().map_err(|_| Fault::not_found(name))
    }

    /// The parameter `name` as an id in its one usual form.
    ///
    /// # Errors
    /// It is none: there is no such thing then.
    pub fn uuid(&self, name: &str) -> Answer<Uuid> {
        let id: Uuid = self.read(name)?;
        // The other ways to write one would be other addresses of the same thing.
        if self.text(name)?.len() == 36 {
            Ok(id)
        } else {
            Err(Fault::not_found(name))
        }
    }
}

/// The version in `If-Match`.
///
/// # Errors
/// There is none, or it is no version of ours.
pub fn if_match(headers: &HeaderMap) -> Answer<i64> {
    let Some(value) = headers.get(header::IF_MATCH) else {
        let detail = "send the ETag that you read as `If-Match`";
        return Err(Fault::new(Code::VersionRequired, detail));
    };
    let version = value.to_str().ok().and_then(|text| {
        let text = text.trim().strip_prefix('"')?.strip_suffix('"')?;
        let (version, rest) = text.split_once('-').unwrap_or((text, "0"));
        let _: i64 = rest.parse().ok()?;
        version.parse().ok()
    });
    version.ok_or_else(none_of_ours)
}

/// The same for versions that are counted in 32 bits.
///
/// # Errors
/// There is none, or it is no version of ours.
pub fn if_match_small(headers: &HeaderMap) -> Answer<u32> {
    u32::try_from(if_match(headers)?).map_err(|_| none_of_ours())
}

fn none_of_ours() -> Fault {
    let error = FieldError::new("If-Match", "must be an ETag as it was given, as in \"3\"");
    Fault::new(Code::InvalidHeader, "`If-Match` is none of our ETags").errors(vec![error])
}

/// The ETag of a version.
#[must_use]
pub fn etag(version: i64) -> (header::HeaderName, String) {
    (header::ETAG, format!("\"{version}\""))
}

/// The ETag of a version of something that also changes, or begins anew, without another version:
/// `rest` tells its states apart. Writers are only asked for the version.
#[must_use]
pub fn etag_with(version: i64, rest: i64) -> (header::HeaderName, String) {
    (header::ETAG, format!("\"{version}-{rest}\""))
}

/// The key in `Idempotency-Key`.
///
/// # Errors
/// It is empty, too long or not printable.
pub fn idempotency_key(headers: &HeaderMap) -> Answer<Option<String>> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default().trim();
    let printable = text.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
    if text.is_empty() || text.len() > 200 || !printable {
        let error = FieldError::new("Idempotency-Key", "must be 1 to 200 printable characters");
        return Err(
            Fault::new(Code::InvalidHeader, "`Idempotency-Key` is wrong").errors(vec![error]),
        );
    }
    Ok(Some(text.to_owned()))
}
