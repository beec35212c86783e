//! TLS as SQL Server's driver does it: what a URL says about it, in the words of every server or in
//! SQL Server's own, and what went wrong in words for people.
use crate::{
    tls::SslMode,
    url::{Host, Target},
};
use tiberius::{Config, EncryptionLevel};

/// What the driver says before and after what is wrong with a certificate; the rest is for those
/// who write programs with it.
const REJECTED: &str = "the server's certificate was rejected during the TLS handshake: ";
const ADVICE: &str = " To connect anyway";

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Encryption {
    level: EncryptionLevel,
    trust: Trust,
    /// The certificate's name where it is not the host's.
    name: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
enum Trust {
    /// The system's authorities.
    System,
    /// Those in a file as well.
    File(String),
    /// Any certificate.
    Anyone,
}

impl Encryption {
    /// What the URL asks for.
    pub(super) fn of(target: &Target) -> Result<Self, String> {
        // The driver compares the name or nothing at all.
        if target.tls.mode() == SslMode::VerifyCa {
            return Err(
                "SQL Server's driver cannot check a certificate without its name, as \
                 `sslmode=verify-ca` (or `require` with `sslrootcert`) says; write \
                 `sslmode=verify-full`, and the name in the certificate as \
                 `host_name_in_certificate` where it is not the host's"
                    .to_owned(),
            );
        }
        let root = target.tls.root.as_ref();
        let root = root.map(|path| path.display().to_string());
        let root = root.or_else(|| target.native("ca").map(str::to_owned));
        let anyone = match target.native("trust_server_certificate") {
            None | Some("false" | "no") => false,
            Some("true" | "yes") => true,
            Some(_) => return Err("`trust_server_certificate` is `true` or `false`".to_owned()),
        };
        let native = match target.native("encrypt") {
            None => None,
            Some("true" | "mandatory") => Some(EncryptionLevel::Required),
            Some("false" | "optional") => Some(EncryptionLevel::NotSupported),
            Some("login") => Some(EncryptionLevel::Off),
            Some("strict") => Some(EncryptionLevel::Strict),
            Some(_) => {
                return Err("`encrypt` is `true`, `false`, `login` or `strict`".to_owned());
            }
        };
        // As on every server, `require` alone does not ask who the other side is.
        let (common, unasked) = match target.tls.mode {
            None => (None, false),
            Some(SslMode::Disable) => (Some(EncryptionLevel::NotSupported), false),
            Some(SslMode::Prefer) => (Some(EncryptionLevel::On), true),
            Some(SslMode::Require) => (Some(EncryptionLevel::Required), true),
            Some(SslMode::VerifyCa | SslMode::VerifyFull) => {
                (Some(EncryptionLevel::Required), false)
            }
        };
        if native.is_some() && common.is_some() {
            return Err("`encrypt` and `sslmode` say the same; give one of them".to_owned());
        }
        let trust = match root {
            Some(_) if anyone => {
                return Err(
                    "`trust_server_certificate=true` and a file of authorities contradict each \
                     other"
                        .to_owned(),
                );
            }
            Some(path) => Trust::File(path),
            None if anyone || unasked => Trust::Anyone,
            None => Trust::System,
        };
        Ok(Self {
            level: native.or(common).unwrap_or(EncryptionLevel::Required),
            trust,
            name: target.native("host_name_in_certificate").map(str::to_owned),
        })
    }

    pub(super) fn apply(&self, config: &mut Config) {
        config.encryption(self.level);
        match &self.trust {
            Trust::System => {}
            Trust::File(path) => config.trust_cert_ca(path),
            Trust::Anyone => config.trust_cert(),
        }
        if let Some(name) = &self.name {
            config.hostname_in_certificate(name);
        }
    }

    /// Why there is no encrypted connection to `host`, and the mend.
    pub(super) fn refused(&self, why: &str, host: &Host) -> String {
        let why = why.split_once(REJECTED).map_or(why, |(_, why)| why);
        let why = why.split_once(ADVICE).map_or(why, |(why, _)| why);
        let name = self.name.as_deref().unwrap_or(&host.name);
        if why.contains("not valid for name") {
            return format!(
                "the server's certificate is not made out for `{name}`; use the name that stands \
                 in it, as the host or as `host_name_in_certificate`"
            );
        }
        if why.contains("UnknownIssuer") || why.contains("BadSignature") {
            return match &self.trust {
                Trust::File(path) => format!(
                    "the server's certificate does not come from a CA in `{path}`; give the CA \
                     file of this server as `sslrootcert`"
                ),
                Trust::System | Trust::Anyone => {
                    "the server's certificate does not come from a CA that this machine trusts; \
                     give the server's CA file as `sslrootcert`, or on a network that you trust \
                     `trust_server_certificate=true`"
                        .to_owned()
                }
            };
        }
        let mend = match (self.level, &self.trust) {
            (EncryptionLevel::NotSupported, _) => "the server wants TLS; drop `encrypt=false`",
            (_, Trust::Anyone) => {
                "on a network that you trust, `encrypt=false` in the URL does without TLS"
            }
            (_, Trust::System | Trust::File(_)) => {
                "give the server's authority with `sslrootcert=FILE`; on a network that you trust, \
                 `trust_server_certificate=true` takes any certificate and `encrypt=false` does \
                 without TLS"
            }
        };
        format!("no TLS ({why}); {mend}")
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::{mssql::connect::KIND, options::Options};

    fn of(query: &str) -> Result<Encryption, String> {
        let url = format!("mssql://u:secret@host/db?{query}");
        Encryption::of(&Target::parse(&url, &KIND, &Options::default()).unwrap())
    }

    #[test]
    fn words_of_every_server_and_of_this_one() {
        let level = |query: &str| of(query).unwrap().level;
        assert_eq!(level(""), EncryptionLevel::Required);
        assert_eq!(level("sslmode=disable"), EncryptionLevel::NotSupported);
        assert_eq!(level("sslmode=require"), EncryptionLevel::Required);
        assert_eq!(level("encrypt=strict"), EncryptionLevel::Strict);
        assert_eq!(of("").unwrap().trust, Trust::System);
        assert_eq!(of("sslmode=require").unwrap().trust, Trust::Anyone);
        assert_eq!(of("ca=f").unwrap().trust, Trust::File("f".to_owned()));
        assert_eq!(
            of("sslrootcert=f").unwrap().trust,
            Trust::File("f".to_owned())
        );
    }

    #[test]
    fn what_the_driver_cannot_do_is_refused_by_name() {
        for query in ["sslmode=verify-ca", "sslmode=require&sslrootcert=f"] {
            let why = of(query).unwrap_err();
            assert!(why.contains("verify-ca"), "{why}");
            assert!(why.contains("host_name_in_certificate"), "{why}");
        }
        for query in [
            "encrypt=true&sslmode=require",
            "encrypt=perhaps",
            "trust_server_certificate=perhaps",
            "trust_server_certificate=true&sslrootcert=f",
        ] {
            let why = of(query).unwrap_err();
            assert!(!why.contains("secret"), "{why}");
        }
    }
}
