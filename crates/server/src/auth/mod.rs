//! Who is calling, and whether they may. Every route goes through [`access::check`], which knows the
//! operation's entry in the table; a handler cannot forget it.
pub(crate) mod access;
pub(crate) mod key;
mod oidc;
mod rate;

use std::{collections::BTreeMap, net::IpAddr, sync::Arc, time::Duration};

use axum::{extract::FromRequestParts, http::request::Parts};
use runstone_api::Role;
use runstone_model::ids::ProjectId;
use runstone_store::ProjectRecord;
use uuid::Uuid;

use crate::{Answer, App, Fault, config::Settings};

/// Who is calling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Their name in the audit log: `key:<id>`, `oidc:<subject>`, `local`.
    pub actor: String,
    pub(crate) reach: Reach,
}

/// How far a caller reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Everything.
    Admin,
    /// The whole server with a lesser role.
    Server(Role),
    /// One project.
    Project(ProjectId, Role),
    /// The projects that this subject is a member of, and those in which its token gives a role.
    Subject(String, BTreeMap<ProjectId, Role>),
}

/// The project of the path, which the caller may reach.
#[derive(Clone, Debug)]
pub struct Scope {
    /// Its row.
    pub project: Arc<ProjectRecord>,
    /// What the caller may do in it.
    pub role: Role,
}

impl Scope {
    /// The project's id.
    #[must_use]
    pub fn id(&self) -> ProjectId {
        self.project.id
    }
}

macro_rules! from_extensions {
    ($name:ident) => {
        impl FromRequestParts<App> for $name {
            type Rejection = Fault;

            async fn from_request_parts(parts: &mut Parts, _: &App) -> Answer<Self> {
                let found = parts.extensions.get::<Self>().cloned();
                found
                    .ok_or_else(|| Fault::internal(concat!("the route has no ", stringify!($name))))
            }
        }
    };
}

from_extensions!(Caller);
from_extensions!(Scope);

/// What authentication remembers.
pub(crate) struct Auth {
    pub(crate) keys: key::Keys,
    oidc: Option<Arc<oidc::Oidc>>,
    per_key: Option<rate::Limit<Uuid>>,
    per_address: Option<rate::Limit<IpAddr>>,
    failures: Option<rate::Limit<IpAddr>>,
}

impl Auth {
    pub(crate) fn new(settings: &Settings) -> Self {
        let (rate, second) = (settings.rate, Duration::from_secs(1));
        let minute = Duration::from_secs(60);
        Self {
            keys: key::Keys::default(),
            oidc: settings
                .auth
                .oidc
                .clone()
                .map(oidc::Oidc::new)
                .map(Arc::new),
            per_key: rate::Limit::new("key", rate.per_key_per_s, second),
            per_address: rate::Limit::new("address", rate.per_address_per_s, second),
            failures: rate::Limit::new("failures", rate.failures_per_address_per_min, minute),
        }
    }
}
