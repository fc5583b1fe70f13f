//! Ends TLS on a port of this machine, and passes on to an engine's socket what it has decrypted.

use std::{
    net::Ipv4Addr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use sti_tests::Engine;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream, UnixStream},
    runtime::Runtime,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{RootCertStore, ServerConfig, pki_types::CertificateDer, server::WebPkiClientVerifier},
};

use super::authority::{Authority, Identity};

/// Whoever was let in, by certificate; one entry a connection.
type Seen = Arc<Mutex<Vec<CertificateDer<'static>>>>;

/// A front that listens as long as the value lives.
pub(crate) struct Front {
    port: u16,
    seen: Seen,
    _runtime: Runtime,
}

impl Front {
    /// Listens before an engine, as `identity`, for users whom `users` vouches for and nobody else.
    pub(crate) fn before(engine: &Engine, identity: &Identity, users: &Authority) -> Self {
        let socket = engine.url().strip_prefix("unix://").expect("the front stands before a local engine");
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Seen::default();
        runtime.spawn(serve(listener, acceptor(identity, users), PathBuf::from(socket), Arc::clone(&seen)));
        Self { port, seen, _runtime: runtime }
    }

    /// Host and port.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Whoever was let in since the last time that somebody asked.
    pub(crate) fn take_seen(&self) -> Vec<CertificateDer<'static>> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

fn acceptor(identity: &Identity, users: &Authority) -> TlsAcceptor {
    let mut roots = RootCertStore::empty();
    roots.add(users.der()).unwrap();
    let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
    let config = ServerConfig::builder().with_client_cert_verifier(verifier);
    TlsAcceptor::from(Arc::new(config.with_single_cert(vec![identity.der()], identity.key()).unwrap()))
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, socket: PathBuf, seen: Seen) {
    while let Ok((client, _)) = listener.accept().await {
        let (acceptor, socket, seen) = (acceptor.clone(), socket.clone(), Arc::clone(&seen));
        // What breaks here breaks for the program under test, and is seen there.
        tokio::spawn(async move { pass_on(client, &acceptor, &socket, &seen).await });
    }
}

async fn pass_on(client: TcpStream, acceptor: &TlsAcceptor, socket: &Path, seen: &Seen) -> std::io::Result<()> {
    let mut client = acceptor.accept(client).await?;
    let user = client.get_ref().1.peer_certificates().and_then(|chain| chain.first()).expect("nobody else is let in");
    seen.lock().unwrap().push(user.clone().into_owned());
    let mut engine = UnixStream::connect(socket).await?;
    copy_bidirectional(&mut client, &mut engine).await.map(drop)
}
