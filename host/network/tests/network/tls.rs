//! TLS, with an authority that the test makes.

use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use sti_network::{Authorities, Proxies};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::server::{Answer, Server, serve};
use crate::setup::{Setup, code, get};

/// An authority, and a server with a certificate of it for `a.test`.
pub(crate) struct Secure {
    pub(crate) authority: Vec<u8>,
    pub(crate) port: u16,
}

impl Secure {
    pub(crate) async fn start(answer: impl Fn() -> Answer + Send + Sync + 'static) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["a.test".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap();
        let (acceptor, listener) = (TlsAcceptor::from(Arc::new(config)), TcpListener::bind("127.0.0.1:0").await.unwrap());
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if let Ok(stream) = acceptor.accept(stream).await {
                    serve(stream, &Mutex::default(), &|_: &_, _| answer()).await;
                }
            }
        });
        Self { authority: authority.pem().into_bytes(), port }
    }

    pub(crate) fn at(&self, host: &str) -> String {
        format!("https://{host}:{}/?secret", self.port)
    }
}

#[tokio::test]
async fn an_authority_that_the_user_names_is_trusted() {
    let server = Secure::start(|| Answer::ok(b"private")).await;
    for authorities in [Authorities::Only(vec![server.authority.clone()]), Authorities::SystemAnd(vec![server.authority.clone()])]
    {
        let network = Setup { authorities, ..Setup::usual() }.network();
        assert_eq!(network.send(get(&server.at("a.test"))).await.unwrap().status(), 200);
        assert_eq!(network.download(&server.at("a.test")).await.unwrap().blob().size(), 7);
    }
}

#[tokio::test]
async fn others_are_not() {
    let (server, other) = (Secure::start(|| Answer::ok(b"")).await, Secure::start(|| Answer::ok(b"")).await);
    for authorities in
        [Authorities::Only(Vec::new()), Authorities::SystemAnd(Vec::new()), Authorities::Only(vec![other.authority])]
    {
        let error = Setup { authorities, ..Setup::usual() }.network().send(get(&server.at("a.test"))).await.err().unwrap();
        assert_eq!((error.code(), error.hint().unwrap().contains("--ca-cert")), ("certificate-not-trusted", true), "{error}");
    }
}

#[tokio::test]
async fn a_certificate_is_for_its_name_only() {
    let server = Secure::start(|| Answer::ok(b"")).await;
    let network = Setup { authorities: Authorities::Only(vec![server.authority.clone()]), ..Setup::usual() }.network();
    assert_eq!(code(network.send(get(&server.at("b.test"))).await), "certificate-not-trusted");
}

#[tokio::test]
async fn a_redirect_from_https_to_http_is_refused() {
    let decoy = Server::start(|_, _| Answer::ok(b"decoy")).await;
    let location = decoy.at("b.test", "/");
    let server = Secure::start(move || Answer::redirect(302, &location)).await;
    let network = Setup { authorities: Authorities::Only(vec![server.authority.clone()]), ..Setup::usual() }.network();
    assert_eq!(code(network.send(get(&server.at("a.test"))).await), "redirect-refused");
    assert!(decoy.seen().is_empty());
}

#[tokio::test]
async fn a_server_without_tls_is_told_from_a_wrong_certificate() {
    let server = Server::start(|_, _| Answer::raw("SSH-2.0-x\r\n")).await;
    let network = Setup::usual().network();
    assert_eq!(code(network.send(get(&server.at("a.test", "/").replace("http:", "https:"))).await), "unreachable");
}

#[test]
fn settings_that_cannot_be_used_are_told_at_once() {
    let authorities = Authorities::SystemAnd(vec![b"no certificate".to_vec()]);
    assert_eq!(code(Setup { authorities, ..Setup::usual() }.try_network()), "invalid-setting");
    let proxies = Proxies { all: Some("socks5://ada:secret@proxy.test".to_owned()), ..Proxies::default() };
    assert_eq!(code(Setup { proxies, ..Setup::usual() }.try_network()), "invalid-setting");
}
