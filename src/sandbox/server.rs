//! The front door: real TLS on loopback, one lock around the world, one place where requests are routed.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use axum_server::accept::NoDelayAcceptor;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::PrivateKeyDer;

use super::cut::Cut;
use super::endless::Endless;
use super::harm::{self, Delivery};
use super::lag::http_date;
use super::log::Seen;
use super::services;
use super::store::Store;
use super::wire::{Answer, Ask};
use super::world::{World, guid};

/// What the server thread and the owner of the sandbox share.
pub(super) struct Shared {
    world: Mutex<World>,
    store: Mutex<Store>,
}

impl Shared {
    pub fn new(world: World, store: Store) -> Self {
        Self {
            world: Mutex::new(world),
            store: Mutex::new(store),
        }
    }

    /// The world; a handler that panicked leaves it usable for the others.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The place the world is saved at.
    pub fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a request; says how the answer is to reach the client, and how long it takes to.
    pub fn answer(&self, ask: &Ask) -> (Answer, Delivery, Duration) {
        let mut world = self.world();
        services::advance(&mut world);
        let service = services::of(&ask.parts());
        let late = harm::late(&mut world, service, ask);
        let (mut answer, delivery) = harm::answer(&mut world, service, ask);
        if world.ahead != 0 {
            answer = answer.with("date", http_date(world.ahead));
        }
        let status = match delivery {
            Delivery::Whole | Delivery::Proxy => answer.status,
            Delivery::Cut | Delivery::Never | Delivery::Flood { .. } | Delivery::Stall => 0,
        };
        world
            .session
            .seen
            .push(Seen::new(service, ask, status, late));
        // A full disk must not stop the simulated clouds; the owner learns of it from `keep`.
        let _ = self.store().save(&world);
        (answer, delivery, late)
    }
}

/// Listeners, the certificate authority in PEM, and the TLS settings of the server.
pub(super) fn secure(port: u16) -> io::Result<(Vec<TcpListener>, String, RustlsConfig)> {
    let mut listeners = vec![TcpListener::bind((Ipv4Addr::LOCALHOST, port))?];
    let port = listeners[0].local_addr()?.port();
    // Many clients try the other loopback address first; where there is none, they go on to this one.
    listeners.extend(TcpListener::bind((Ipv6Addr::LOCALHOST, port)));
    for listener in &listeners {
        listener.set_nonblocking(true)?;
    }
    let (ca, config) = certify().map_err(io::Error::other)?;
    Ok((listeners, ca, RustlsConfig::from_config(Arc::new(config))))
}

/// Makes a short-lived authority and a certificate for this machine's loopback names.
fn certify() -> Result<(String, rustls::ServerConfig), Box<dyn std::error::Error + Send + Sync>> {
    let (from, until) = (
        time::OffsetDateTime::now_utc() - time::Duration::days(1),
        time::OffsetDateTime::now_utc() + time::Duration::days(90),
    );
    let mut authority = CertificateParams::new(Vec::new())?;
    authority
        .distinguished_name
        .push(DnType::CommonName, "peer-wizard sandbox authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::CrlSign,
        KeyUsagePurpose::DigitalSignature,
    ];
    (authority.not_before, authority.not_after) = (from, until);
    let authority_key = KeyPair::generate()?;
    let authority_certificate = authority.self_signed(&authority_key)?;
    let issuer = Issuer::new(authority, authority_key);

    let mut server = CertificateParams::new(["localhost", "127.0.0.1", "::1"].map(str::to_owned))?;
    server
        .distinguished_name
        .push(DnType::CommonName, "localhost");
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // Python's strict verification insists on it.
    server.use_authority_key_identifier_extension = true;
    (server.not_before, server.not_after) = (from, until);
    let key = KeyPair::generate()?;
    let certificate = server.signed_by(&key, &issuer)?;

    let mut config = rustls::ServerConfig::builder_with_provider(Arc::new(
        rustls::crypto::aws_lc_rs::default_provider(),
    ))
    .with_safe_default_protocol_versions()?
    .with_no_client_auth()
    .with_single_cert(
        vec![certificate.der().clone()],
        PrivateKeyDer::Pkcs8(key.serialize_der().into()),
    )?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((authority_certificate.pem(), config))
}

/// Serves until the handle is told to shut down.
pub(super) async fn serve(
    listener: TcpListener,
    tls: RustlsConfig,
    handle: axum_server::Handle<std::net::SocketAddr>,
    shared: Arc<Shared>,
) -> io::Result<()> {
    let app = axum::Router::new().fallback(respond).with_state(shared);
    // Without it the first answer of a connection waits 40 ms for the client to acknowledge the session tickets before it.
    let acceptor = RustlsAcceptor::new(tls).acceptor(NoDelayAcceptor::new());
    axum_server::from_tcp(listener)?
        .acceptor(acceptor)
        .handle(handle)
        .serve(app.into_make_service())
        .await
}

async fn respond(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, 1 << 20).await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let headers = head
        .headers
        .iter()
        .map(|(name, value)| {
            (
                name.as_str().to_owned(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect();
    let target = head
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str());
    let ask = Ask::read(head.method.as_str(), target, headers, &body);
    let (answer, delivery, late) = shared.answer(&ask);
    if !late.is_zero() {
        tokio::time::sleep(late).await;
    }
    if delivery == Delivery::Never {
        // Until the client gives up: then this future is dropped with its connection.
        std::future::pending::<()>().await;
    }

    let mut response =
        plain(StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    let id = guid();
    let marks = [
        "request-id",
        "x-ms-request-id",
        "x-ms-correlation-request-id",
    ]
    .map(|name| (name, id.clone()));
    let marks = marks.into_iter().filter(|_| delivery != Delivery::Proxy);
    for (name, value) in marks.chain(answer.headers) {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    if let Some(body) = answer.body {
        let text = match body {
            serde_json::Value::String(page) => page,
            other => other.to_string(),
        };
        if !response.headers().contains_key("content-type") {
            response.headers_mut().insert(
                "content-type",
                HeaderValue::from_static("application/json; charset=utf-8"),
            );
        }
        *response.body_mut() = Body::from(text);
    }
    match delivery {
        Delivery::Cut => response.map(Cut::half),
        Delivery::Stall => response.map(Endless::stalled),
        Delivery::Flood { packed: false } => response.map(Endless::flood),
        Delivery::Flood { packed: true } => {
            let headers = response.headers_mut();
            headers.insert("content-encoding", HeaderValue::from_static("gzip"));
            response.map(Endless::bomb)
        }
        Delivery::Whole | Delivery::Proxy | Delivery::Never => response,
    }
}

fn plain(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
