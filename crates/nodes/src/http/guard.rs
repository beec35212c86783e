//! Resolves host names for `http` and refuses those that lead to an address the policy forbids. The
//! client connects to exactly the addresses checked here: there is no second look-up to poison.
use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use futures::future::{BoxFuture, FutureExt};
use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};

use super::policy::Policy;

/// Turns a name into addresses; replaced in tests.
pub(super) type Lookup =
    Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync>;

/// The system's resolver.
pub(super) fn system() -> Lookup {
    Arc::new(|host| {
        async move {
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        }
        .boxed()
    })
}

/// Checks hosts against the policy.
#[derive(Clone)]
pub(super) struct Guard {
    policy: Arc<Policy>,
    lookup: Lookup,
}

/// A host the policy refuses. It travels through the client's error chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    host: String,
    address: IpAddr,
    what: &'static str,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            host,
            address,
            what,
        } = self;
        let plain = host.trim_matches(['[', ']']);
        if plain == address.to_string() {
            write!(f, "`{plain}` is refused: it is {what}")?;
        } else {
            write!(f, "`{host}` is refused: it leads to {address}, {what}")?;
        }
        write!(
            f,
            ". If the flow may reach it, name it in http.allow (RUNSTONE_HTTP_ALLOW={plain})"
        )
    }
}

impl std::error::Error for Refused {}

impl Guard {
    pub(super) fn new(policy: Policy, lookup: Lookup) -> Self {
        Self {
            policy: Arc::new(policy),
            lookup,
        }
    }

    /// Checks a host that is an address already: the client connects to those without asking the
    /// resolver. Called for the first URL and for every redirect.
    pub(super) fn check_literal(&self, url: &Url) -> Result<(), Refused> {
        let host = url.host_str().unwrap_or_default();
        let bare = host
            .strip_prefix('[')
            .and_then(|h| h.strip_suffix(']'))
            .unwrap_or(host);
        match bare.parse::<IpAddr>() {
            Ok(address) => self.check(host, address),
            Err(_) => Ok(()),
        }
    }

    fn check(&self, host: &str, address: IpAddr) -> Result<(), Refused> {
        match self.policy.refuses(address) {
            Some(what) => Err(Refused {
                host: host.to_owned(),
                address: address.to_canonical(),
                what,
            }),
            None => Ok(()),
        }
    }

    /// The addresses of `host`; one forbidden address is enough to refuse, since which of several is
    /// used is not ours to choose.
    async fn addresses(
        self,
        host: String,
    ) -> Result<Addrs, Box<dyn std::error::Error + Send + Sync>> {
        let found = (self.lookup)(host.clone()).await?;
        if !self.policy.names(&host) {
            for address in &found {
                self.check(&host, *address)?;
            }
        }
        Ok(Box::new(
            found.into_iter().map(|address| SocketAddr::new(address, 0)),
        ))
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(self.clone().addresses(name.as_str().to_owned()))
    }
}
