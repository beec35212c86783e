//! TLS for connections to servers: which words mean what, whom to trust, and what went wrong, the
//! same for every driver. One provider of cryptography in the whole program: aws-lc.
use crate::error::{Class, Error};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor, verify_server_name,
    },
    crypto::{
        WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls12_signature, verify_tls13_signature,
    },
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
    server::ParsedCertificate,
};
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// How much a connection is protected; the words are those of PostgreSQL's own clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SslMode {
    /// Never encrypted.
    Disable,
    /// Encrypted when the server offers it; nobody is checked.
    Prefer,
    /// Encrypted; with a CA file as `verify-ca`, else nobody is checked.
    Require,
    /// The certificate comes from a CA that is trusted.
    VerifyCa,
    /// And it is made out for the host in the URL.
    VerifyFull,
}

impl SslMode {
    const ALL: [(&'static str, Self); 5] = [
        ("disable", Self::Disable),
        ("prefer", Self::Prefer),
        ("require", Self::Require),
        ("verify-ca", Self::VerifyCa),
        ("verify-full", Self::VerifyFull),
    ];

    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|(name, _)| *name == text);
        found.map(|(_, mode)| *mode).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|(name, _)| *name).collect();
            format!("the option `sslmode` must be one of {}", names.join(", "))
        })
    }
}

impl fmt::Display for SslMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = Self::ALL.iter().find(|(_, mode)| mode == self);
        f.write_str(found.map_or("", |(name, _)| name))
    }
}

/// What a URL says about TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tls {
    /// None when the URL does not say.
    pub(crate) mode: Option<SslMode>,
    /// A file of CA certificates in PEM form, to be trusted in place of the system's.
    pub(crate) root: Option<PathBuf>,
}

impl Tls {
    /// What holds: a CA file without a word is meant to be checked, and in full.
    pub(crate) fn mode(&self) -> SslMode {
        match (self.mode, &self.root) {
            (None, None) => SslMode::Prefer,
            (None, Some(_)) => SslMode::VerifyFull,
            (Some(SslMode::Require), Some(_)) => SslMode::VerifyCa,
            (Some(mode), _) => mode,
        }
    }

    /// A CA file that would not be looked at is a mistake.
    pub(crate) fn check(&self) -> Result<(), String> {
        match (self.mode, &self.root) {
            (Some(mode @ (SslMode::Disable | SslMode::Prefer)), Some(_)) => Err(format!(
                "`sslrootcert` means nothing with `sslmode={mode}`; write `sslmode=verify-full`"
            )),
            _ => Ok(()),
        }
    }

    /// The configuration for rustls, or None when nothing is to be encrypted.
    pub(crate) fn client_config(&self) -> Result<Option<Arc<ClientConfig>>, Error> {
        let mode = self.mode();
        let trust = match mode {
            SslMode::Disable => return Ok(None),
            SslMode::Prefer | SslMode::Require => None,
            SslMode::VerifyCa => Some(self.trust(false)?),
            SslMode::VerifyFull => Some(self.trust(true)?),
        };
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = Verifier {
            algorithms: provider.signature_verification_algorithms,
            trust,
        };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| Error::other(format!("TLS cannot be set up: {e}")))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(Some(Arc::new(config)))
    }

    fn trust(&self, names: bool) -> Result<Trust, Error> {
        let certificates = match &self.root {
            Some(path) => from_file(path)?,
            None => rustls_native_certs::load_native_certs().certs,
        };
        let mut roots = RootCertStore::empty();
        let (usable, _) = roots.add_parsable_certificates(certificates.iter().cloned());
        if usable == 0 {
            return Err(unavailable(match &self.root {
                Some(path) => format!(
                    "`sslrootcert`: no certificate in `{}` can be used",
                    path.display()
                ),
                None => {
                    "this machine has no CA certificates; name a file with `sslrootcert`".to_owned()
                }
            }));
        }
        Ok(Trust {
            roots,
            given: if self.root.is_some() {
                certificates
            } else {
                Vec::new()
            },
            names,
        })
    }

    /// Why the server was not trusted, and what to do.
    pub(crate) fn explain(&self, error: &rustls::Error, host: &str) -> String {
        let rustls::Error::InvalidCertificate(why) = error else {
            return format!("the TLS handshake failed: {error}");
        };
        match why {
            CertificateError::UnknownIssuer | CertificateError::BadSignature => match &self.root {
                Some(path) => format!(
                    "the server's certificate does not come from a CA in `{}`; give the CA file \
                     of this server as `sslrootcert`",
                    path.display()
                ),
                None => "the server's certificate does not come from a CA that this machine \
                         trusts; give the server's CA file as `sslrootcert`"
                    .to_owned(),
            },
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                format!(
                    "the server's certificate is not made out for `{host}`; use the name that \
                     stands in it, or `sslmode=verify-ca` to accept any name"
                )
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "the server's certificate has expired; renew it".to_owned()
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "the server's certificate is not valid yet; compare the clocks".to_owned()
            }
            other => format!("the server's certificate cannot be accepted: {other}"),
        }
    }
}

fn from_file(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let fault = |why: String| {
        unavailable(format!(
            "`sslrootcert`: the file `{}` {why}",
            path.display()
        ))
    };
    let bytes = std::fs::read(path).map_err(|e| fault(format!("cannot be read ({e})")))?;
    let found: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<_, _>>()
        .map_err(|e| fault(format!("is no PEM file ({e})")))?;
    if found.is_empty() {
        return Err(fault("holds no certificate in PEM form".to_owned()));
    }
    Ok(found)
}

fn unavailable(message: String) -> Error {
    Error::new(Class::Unavailable, message)
}

#[derive(Debug)]
struct Verifier {
    algorithms: WebPkiSupportedAlgorithms,
    /// None: encrypted, and nobody is checked.
    trust: Option<Trust>,
}

#[derive(Debug)]
struct Trust {
    roots: RootCertStore,
    /// A server that shows one of these itself is trusted as well: many sign their own.
    given: Vec<CertificateDer<'static>>,
    names: bool,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(trust) = &self.trust else {
            return Ok(ServerCertVerified::assertion());
        };
        let parsed = ParsedCertificate::try_from(shown)?;
        if !trust.given.iter().any(|given| given == shown) {
            verify_server_cert_signed_by_trust_anchor(
                &parsed,
                &trust.roots,
                intermediates,
                now,
                self.algorithms.all,
            )?;
        }
        if trust.names {
            verify_server_name(&parsed, host)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
