//! Whom TLS trusts: the system's store of certificate authorities, and those that the user names.

use std::sync::Arc;

use rustls::pki_types::{CertificateDer, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};

use crate::error::Error;

/// Whose certificates are trusted. The bytes are files in PEM, each with any number of certificates.
#[derive(Clone, Debug)]
pub enum Authorities {
    /// The system's store, and these besides.
    SystemAnd(Vec<Vec<u8>>),
    /// These and no others, as `SSL_CERT_FILE` asks for.
    Only(Vec<Vec<u8>>),
}

/// The authorities that the user names, read.
pub(crate) struct Trust {
    named: Vec<CertificateDer<'static>>,
    with_system: bool,
}

impl Trust {
    pub(crate) fn new(authorities: &Authorities) -> Result<Self, Error> {
        let (files, with_system) = match authorities {
            Authorities::SystemAnd(files) => (files, true),
            Authorities::Only(files) => (files, false),
        };
        let named = files.iter().map(|file| certificates(file)).collect::<Result<Vec<_>, _>>()?.concat();
        Ok(Self { named, with_system })
    }

    /// Makes the configuration of a client. Reading the system's store takes some milliseconds, so it is left to the first request.
    pub(crate) fn configuration(&self) -> Result<ClientConfig, Error> {
        let mut roots = RootCertStore::empty();
        if self.with_system {
            // What of the system's store cannot be read is somebody else's concern: a certificate that is missing is told when it is needed.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        for certificate in &self.named {
            roots.add(certificate.clone()).map_err(|error| invalid(&error.to_string()))?;
        }
        configured(roots)
    }

    /// The configuration of a client that speaks no TLS: should it ever, it trusts nobody.
    pub(crate) fn none() -> Result<ClientConfig, Error> {
        configured(RootCertStore::empty())
    }
}

fn configured(roots: RootCertStore) -> Result<ClientConfig, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let configuration = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let configuration = configuration.map_err(|error| invalid(&error.to_string()))?;
    Ok(configuration.with_root_certificates(roots).with_no_client_auth())
}

fn certificates(file: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let found = CertificateDer::pem_slice_iter(file).collect::<Result<Vec<_>, _>>();
    let found = found.map_err(|error| invalid(&error.to_string()))?;
    if found.is_empty() { Err(invalid("there is no certificate in PEM in it")) } else { Ok(found) }
}

fn invalid(why: &str) -> Error {
    Error::InvalidSetting { what: "file of certificate authorities".to_owned(), why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_certificate_is_refused() {
        for file in [&b""[..], b"hello", b"-----BEGIN CERTIFICATE-----\n"] {
            let error = Trust::new(&Authorities::SystemAnd(vec![file.to_vec()])).err().unwrap();
            assert_eq!(error.code(), "invalid-setting");
        }
    }
}
