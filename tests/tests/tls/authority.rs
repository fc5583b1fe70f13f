//! Authorities that vouch for engines and for users, and the files that docker keeps of that.

use std::{fs, path::Path};

use rcgen::{BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// One authority.
pub(crate) struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate with its secret half.
pub(crate) struct Identity {
    certificate: Certificate,
    key: KeyPair,
}

impl Authority {
    /// Founds an authority.
    pub(crate) fn new(name: &str) -> Self {
        let mut params = named(name, &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    /// Vouches for an engine that is reached by these names or addresses.
    pub(crate) fn engine(&self, hosts: &[&str]) -> Identity {
        self.identity(named("engine", hosts), ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// Vouches for a user.
    pub(crate) fn user(&self) -> Identity {
        self.identity(named("user", &[]), ExtendedKeyUsagePurpose::ClientAuth)
    }

    /// What others know it by.
    pub(crate) fn der(&self) -> CertificateDer<'static> {
        self.certificate.der().clone()
    }

    /// Writes `ca.pem`.
    pub(crate) fn write(&self, directory: &Path) {
        fs::create_dir_all(directory).unwrap();
        fs::write(directory.join("ca.pem"), self.certificate.pem()).unwrap();
    }

    fn identity(&self, mut params: CertificateParams, purpose: ExtendedKeyUsagePurpose) -> Identity {
        params.extended_key_usages = vec![purpose];
        let key = KeyPair::generate().unwrap();
        Identity { certificate: params.signed_by(&key, &self.issuer).unwrap(), key }
    }
}

impl Identity {
    /// The certificate.
    pub(crate) fn der(&self) -> CertificateDer<'static> {
        self.certificate.der().clone()
    }

    /// The secret half.
    pub(crate) fn key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.serialize_der()).into()
    }

    /// Writes `cert.pem` and `key.pem`.
    pub(crate) fn write(&self, directory: &Path) {
        fs::create_dir_all(directory).unwrap();
        fs::write(directory.join("cert.pem"), self.certificate.pem()).unwrap();
        fs::write(directory.join("key.pem"), self.key.serialize_pem()).unwrap();
    }
}

fn named(name: &str, hosts: &[&str]) -> CertificateParams {
    let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    let mut params = CertificateParams::new(hosts).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}
