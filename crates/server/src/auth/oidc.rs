//! Bearer tokens of a configured issuer: the signature against the issuer's keys, `iss`, `aud`,
//! `exp`, `nbf`. Only asymmetric algorithms; the issuer's keys are fetched when first needed and
//! when a token names an unknown one, at most once in a while, by one for all who wait.
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, decode, decode_header,
    jwk::{Jwk, JwkSet},
};
use runstone_api::Role;
use runstone_model::ids::ProjectId;
use serde::Deserialize;
use serde_json::Value;

use crate::config::OidcSettings;

/// The issuer is asked at most so often: a token that names an unknown key may be anybody's.
const PAUSE: Duration = Duration::from_secs(1);
/// One that did not answer is left alone for longer.
const REST: Duration = Duration::from_secs(10);
/// Keys are fetched again after so long, so that one that was withdrawn is refused.
const FRESH: Duration = Duration::from_secs(600);
/// How long the issuer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The largest answer of an issuer, in bytes.
const LARGEST: usize = 1 << 20;

const ALGORITHMS: [Algorithm; 8] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// The issuer.
pub(crate) struct Oidc {
    pub(crate) settings: OidcSettings,
    client: reqwest::Client,
    known: Mutex<Known>,
    /// Only one asks the issuer for all.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    keys: Vec<Jwk>,
    /// When the issuer was asked last, whether it answered or not.
    asked_at: Option<Instant>,
    /// Why it did not answer then.
    failure: Option<String>,
}

/// What is known of a key.
enum Look {
    /// The key.
    Found(Jwk),
    /// The key, long after it was fetched.
    Old(Jwk),
    /// The issuer has to be asked.
    Missing,
    /// It was asked a moment ago: this is what came of it.
    Asked(Result<Option<Jwk>, Refused>),
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    #[serde(flatten)]
    others: serde_json::Map<String, Value>,
}

/// What a token says of who holds it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    pub(crate) subject: String,
    /// Roles in projects, where the issuer is configured to give them.
    pub(crate) roles: BTreeMap<ProjectId, Role>,
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

/// Why a token is not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It is wrong.
    Wrong,
    /// The issuer's keys cannot be had.
    NoKeys(String),
}

impl Oidc {
    pub(crate) fn new(settings: OidcSettings) -> Self {
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap_or_default();
        Self {
            settings,
            client,
            known: Mutex::default(),
            fetching: tokio::sync::Mutex::default(),
        }
    }

    /// Who holds a token.
    pub(crate) async fn holder(self: &Arc<Self>, token: &str) -> Result<Holder, Refused> {
        let header = decode_header(token).map_err(|_| Refused::Wrong)?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err(Refused::Wrong);
        }
        let key = self
            .key(header.kid.as_deref())
            .await?
            .ok_or(Refused::Wrong)?;
        let decoding = DecodingKey::from_jwk(&key).map_err(|_| Refused::Wrong)?;
        let mut validation = Validation::new(header.alg);
        validation.set_issuer(&[&self.settings.issuer]);
        validation.set_audience(&[&self.settings.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.validate_nbf = true;
        validation.leeway = 30;
        let claims = decode::<Claims>(token, &decoding, &validation).map_err(|_| Refused::Wrong)?;
        let Claims { sub, others } = claims.claims;
        let fits = !sub.is_empty() && sub.len() <= 200 && !sub.contains('\0');
        let claim = self.settings.roles_claim.as_ref();
        let roles = claim.and_then(|claim| others.get(claim)).map(roles);
        fits.then(|| Holder {
            subject: sub,
            roles: roles.unwrap_or_default(),
        })
        .ok_or(Refused::Wrong)
    }

    /// The key `kid`, or the only one there is.
    async fn key(self: &Arc<Self>, kid: Option<&str>) -> Result<Option<Jwk>, Refused> {
        match self.look(kid) {
            Look::Found(key) => return Ok(Some(key)),
            Look::Old(key) => {
                // It goes on being believed while newer ones are fetched.
                let oidc = Arc::clone(self);
                tokio::spawn(async move { oidc.refresh(None).await });
                return Ok(Some(key));
            }
            Look::Missing => {}
            Look::Asked(answer) => return answer,
        }
        self.refresh(Some(kid)).await;
        match self.look(kid) {
            Look::Found(key) | Look::Old(key) => Ok(Some(key)),
            Look::Asked(answer) => answer,
            Look::Missing => Ok(None),
        }
    }

    /// What is known of the key `kid`.
    fn look(&self, kid: Option<&str>) -> Look {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let age = known.asked_at.map(|at| at.elapsed());
        let pause = if known.failure.is_some() { REST } else { PAUSE };
        let paused = age.is_some_and(|age| age <= pause);
        match pick(&known.keys, kid).cloned() {
            Some(key) if age.is_some_and(|age| age <= FRESH) => Look::Found(key),
            Some(key) => Look::Old(key),
            None if !paused => Look::Missing,
            None if known.keys.is_empty() => {
                let why = known.failure.clone().unwrap_or_default();
                Look::Asked(Err(Refused::NoKeys(why)))
            }
            None => Look::Asked(Ok(None)),
        }
    }

    /// Fetches the issuer's keys; who comes while somebody does waits for the same answer, or with
    /// nothing to wait for goes away.
    async fn refresh(&self, wanted: Option<Option<&str>>) {
        let _one = match wanted {
            None => match self.fetching.try_lock() {
                Ok(one) => one,
                Err(_) => return,
            },
            Some(kid) => {
                let one = self.fetching.lock().await;
                if !matches!(self.look(kid), Look::Missing) {
                    return;
                }
                one
            }
        };
        let fetched = self.fetch().await;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.asked_at = Some(Instant::now());
        match fetched {
            Ok(keys) => {
                known.keys = keys;
                known.failure = None;
            }
            Err(why) => {
                tracing::warn!(why, "the issuer's keys cannot be fetched");
                known.failure = Some(why);
            }
        }
    }

    async fn fetch(&self) -> Result<Vec<Jwk>, String> {
        let issuer = self.settings.issuer.trim_end_matches('/');
        let url = match &self.settings.jwks_url {
            Some(url) => url.clone(),
            None => {
                let url = format!("{issuer}/.well-known/openid-configuration");
                let found: Discovery = self.get(&url).await?;
                if found.issuer != self.settings.issuer {
                    return Err(format!("{url} is about another issuer"));
                }
                found.jwks_uri
            }
        };
        let set: JwkSet = self.get(&url).await?;
        Ok(set.keys)
    }

    async fn get<T: serde::de::DeserializeOwned>(&self, url: &str) -> Result<T, String> {
        let failed = |error: reqwest::Error| format!("{url}: {}", error.without_url());
        let mut response = self.client.get(url).send().await.map_err(failed)?;
        if !response.status().is_success() {
            return Err(format!("{url} answers {}", response.status()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            body.extend_from_slice(&chunk);
            if body.len() > LARGEST {
                return Err(format!("{url} answers more than {LARGEST} bytes"));
            }
        }
        serde_json::from_slice(&body).map_err(|_| format!("{url} does not answer what it should"))
    }
}

/// `{"<project>": "<role>"}`; what is neither is no role.
fn roles(claim: &Value) -> BTreeMap<ProjectId, Role> {
    let pairs = claim.as_object().into_iter().flatten();
    let read = |(project, role): (&String, &Value)| {
        let role = Role::from_name(role.as_str()?)?;
        // Over the whole server stands who is configured to, not whom a token says.
        Some((project.parse().ok()?, role.min(Role::Owner)))
    };
    pairs.filter_map(read).collect()
}

fn pick<'a>(keys: &'a [Jwk], kid: Option<&str>) -> Option<&'a Jwk> {
    match kid {
        Some(kid) => keys
            .iter()
            .find(|key| key.common.key_id.as_deref() == Some(kid)),
        None if keys.len() == 1 => keys.first(),
        None => None,
    }
}
