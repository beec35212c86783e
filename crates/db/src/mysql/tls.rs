//! TLS as this driver does it: its own words for whom to trust, and a way around its always looking
//! at the name. What the words of a URL mean is said elsewhere.
use crate::{
    tls::{SslMode, Tls},
    url::Host,
};
use mysql_async::{Error as Fault, IoError, SslOpts};
use rustls::CertificateError;

/// None when nothing is to be encrypted.
pub(super) fn options(tls: &Tls) -> Option<SslOpts> {
    let opts = SslOpts::default();
    match tls.mode() {
        SslMode::Disable => return None,
        SslMode::Prefer | SslMode::Require => {
            return Some(
                opts.with_danger_accept_invalid_certs(true)
                    .with_danger_skip_domain_validation(true),
            );
        }
        SslMode::VerifyCa | SslMode::VerifyFull => {}
    }
    let opts = match &tls.root {
        Some(path) => opts.with_root_certs(vec![path.clone().into()]),
        None => {
            let certs = rustls_native_certs::load_native_certs().certs;
            let certs = certs.into_iter().map(|der| der.to_vec().into());
            opts.with_root_certs(certs.collect())
        }
    };
    Some(opts.with_disable_built_in_roots(true))
}

/// Why the server was not trusted.
pub(super) fn untrusted(fault: &Fault) -> Option<&rustls::Error> {
    let Fault::Io(IoError::Io(io)) = fault else {
        return None;
    };
    io.get_ref()?.downcast_ref()
}

/// A name that stands in the server's certificate, when the host's does not and nothing else is
/// wrong: the name is compared last. With it in the host's place the driver checks the chain alone.
pub(super) fn other_name(fault: &Fault) -> Option<String> {
    match untrusted(fault)? {
        rustls::Error::InvalidCertificate(CertificateError::NotValidForNameContext {
            presented,
            ..
        }) => presented.iter().find_map(|name| called(name)),
        _ => None,
    }
}

/// `a.test` of `DnsName("a.test")`, and a name that fits `*.a.test` for that.
fn called(presented: &str) -> Option<String> {
    let (kind, rest) = presented.split_once('(')?;
    let name = rest.strip_suffix(')')?.trim_matches('"');
    match kind {
        "DnsName" => Some(match name.strip_prefix("*.") {
            Some(domain) => format!("any.{domain}"),
            None => name.to_owned(),
        }),
        "IpAddress" => Some(name.to_owned()),
        _ => None,
    }
}

pub(super) fn explain(error: &rustls::Error, tls: &Tls, host: &Host) -> String {
    match error {
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) if tls.mode() == SslMode::VerifyCa => {
            "the server's certificate holds no name at all, and MySQL's driver needs one, \
             whichever it is; give the server a certificate with a subjectAltName"
                .to_owned()
        }
        _ => tls.explain(error, &host.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_out_of_what_the_verifier_says_of_them() {
        for (presented, name) in [
            ("DnsName(\"db.test\")", Some("db.test")),
            ("DnsName(\"*.db.test\")", Some("any.db.test")),
            ("IpAddress(127.0.0.1)", Some("127.0.0.1")),
            ("IpAddress(0:0:0:0:0:0:0:1)", Some("0:0:0:0:0:0:0:1")),
            ("DirectoryName", None),
            ("UniformResourceIdentifier(\"https://db.test\")", None),
        ] {
            assert_eq!(called(presented).as_deref(), name, "{presented}");
        }
    }
}
