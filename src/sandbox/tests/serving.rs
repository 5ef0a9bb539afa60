use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::json;

use super::GRAPH;
use crate::sandbox::{Bad, Fault, Faults, Lag, Options, Rule, Sandbox, When};

/// Sends one request over TLS, trusting only the sandbox's authority, and gives what came back.
fn exchange(
    sandbox: &Sandbox,
    address: &str,
    name: &'static str,
    request: &str,
) -> std::io::Result<String> {
    let port = sandbox.origin().rsplit(':').next().unwrap().to_owned();
    talk(
        &sandbox.ca_pem(),
        &format!("{address}:{port}"),
        name,
        request,
    )
}

/// As `exchange`, for those who may outlive the sandbox.
fn talk(ca: &str, address: &str, name: &'static str, request: &str) -> std::io::Result<String> {
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap())
        .unwrap();
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(
        rustls::crypto::aws_lc_rs::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .unwrap()
    .with_root_certificates(roots)
    .with_no_client_auth();
    let mut socket = TcpStream::connect(address)?;
    let mut session =
        rustls::ClientConnection::new(Arc::new(config), ServerName::try_from(name).unwrap())
            .unwrap();
    let mut stream = rustls::Stream::new(&mut session, &mut socket);
    stream.write_all(request.replace('\n', "\r\n").as_bytes())?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

const INSTANCE: &str =
    "GET /common/discovery/instance HTTP/1.1\nhost: localhost\nconnection: close\n\n";

#[test]
fn it_speaks_tls_under_all_loopback_names() {
    let sandbox = Sandbox::boot(Options::default()).unwrap();
    for name in ["localhost", "127.0.0.1", "::1"] {
        let text = exchange(&sandbox, "127.0.0.1", name, INSTANCE).unwrap();
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
        assert!(text.contains("tenant_discovery_endpoint"));
    }
    let other = Sandbox::boot(Options::default()).unwrap();
    let port = other.origin();
    drop(other);
    let again = Sandbox::boot(Options {
        port: port.rsplit(':').next().unwrap().parse().unwrap(),
        ..Options::default()
    });
    assert_eq!(
        again.unwrap().origin(),
        port,
        "dropping a sandbox frees its port"
    );
}

#[test]
fn a_connection_may_break_in_the_middle() {
    let options = Options {
        faults: Faults::once(When::default(), Fault::Cut),
        ..Options::default()
    };
    let sandbox = Sandbox::boot(options).unwrap();
    let broken = exchange(&sandbox, "127.0.0.1", "localhost", INSTANCE);
    assert!(broken.is_err() || !broken.unwrap().ends_with('}'));
    assert!(
        exchange(&sandbox, "127.0.0.1", "localhost", INSTANCE)
            .unwrap()
            .ends_with('}')
    );
    assert_eq!(
        sandbox
            .requests()
            .iter()
            .map(|seen| seen.status)
            .collect::<Vec<_>>(),
        [0, 200]
    );
}

#[test]
fn a_hanging_request_holds_nothing_up() {
    let options = Options {
        faults: Faults::once(When::default(), Fault::Hang { done: true }),
        ..Options::default()
    };
    let sandbox = Sandbox::boot(options).unwrap();
    let (ca, address) = (
        sandbox.ca_pem(),
        sandbox.origin().replace("https://localhost", "127.0.0.1"),
    );
    let waiting = std::thread::spawn(move || talk(&ca, &address, "localhost", INSTANCE));
    while sandbox.requests().is_empty() {
        std::thread::yield_now();
    }
    let other = exchange(&sandbox, "127.0.0.1", "localhost", INSTANCE);
    assert!(other.unwrap().ends_with('}'), "others are answered");
    drop(sandbox);
    let came = waiting.join().unwrap();
    assert!(came.is_err() || came.unwrap().is_empty());
}

#[test]
fn bad_answers_are_whole_as_messages() {
    let rules =
        Bad::ALL.map(|what| Rule::once(When::default(), Fault::Answer { what, done: true }));
    let options = Options {
        faults: Faults {
            rules: rules.to_vec(),
        },
        ..Options::default()
    };
    let sandbox = Sandbox::boot(options).unwrap();
    for what in Bad::ALL {
        let text = exchange(&sandbox, "127.0.0.1", "localhost", INSTANCE).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let head = head.to_lowercase();
        let length = format!("content-length: {}", body.len());
        assert!(head.contains(&length), "{what:?}: {head}");
        let ids = head.contains("x-ms-request-id");
        assert_eq!(ids, what == Bad::Truncated, "{what:?}: {head}");
        let status = if what == Bad::Redirect { "302" } else { "200" };
        assert!(head.starts_with(&format!("http/1.1 {status}")));
    }
}

#[test]
fn a_kept_world_is_found_again_and_holds_no_secret() {
    let folder = std::env::temp_dir().join(format!("sandbox-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&folder).unwrap();
    let file = folder.join("world.json");
    let (before, secrets) = {
        let sandbox = Sandbox::boot(Options {
            lag: Lag::Looks(3),
            ..Options::default()
        })
        .unwrap();
        let sample = sandbox.sample();
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}&scope={GRAPH}/.default",
            sample.client_id, sample.client_secret
        );
        let post = |path: &str, kind: &str, token: &str, body: &str| {
            let head = format!(
                "POST {path} HTTP/1.1\nhost: localhost\nconnection: close\ncontent-type: {kind}\nauthorization: Bearer {token}\n"
            );
            let text = exchange(
                &sandbox,
                "127.0.0.1",
                "localhost",
                &format!("{head}content-length: {}\n\n{body}", body.len()),
            )
            .unwrap();
            serde_json::from_str::<serde_json::Value>(text.split_once("\r\n\r\n").unwrap().1)
                .unwrap()
        };
        sandbox.keep(&file).unwrap();
        let token = post(
            &format!("/{}/oauth2/v2.0/token", sample.tenant),
            "application/x-www-form-urlencoded",
            "",
            &form,
        );
        let token = token["access_token"].as_str().unwrap();
        let app = post(
            "/v1.0/applications",
            "application/json",
            token,
            "{\"displayName\":\"kept\"}",
        );
        sandbox.edit(|world| world.lag = Lag::None);
        let password = format!(
            "/v1.0/applications/{}/addPassword",
            app["id"].as_str().unwrap()
        );
        while post(&password, "application/json", token, "{}")["secretText"].is_null() {}
        let log = format!("{:?}", sandbox.requests());
        assert!(sandbox.secrets().len() > 5);
        assert!(!sandbox.secrets().iter().any(|secret| log.contains(secret)));
        (sandbox.world(), sandbox.secrets())
    };
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!secrets.iter().any(|secret| text.contains(secret)));
    #[cfg(unix)]
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions())
            & 0o777,
        0o600
    );
    let again = Sandbox::boot(Options {
        state: Some(file.clone()),
        ..Options::default()
    })
    .unwrap();
    assert_eq!(again.world(), before);
    assert_eq!(
        again.world()["applications"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|app| app["displayName"] == json!("kept"))
            .count(),
        1
    );
    std::fs::write(&file, "{").unwrap();
    assert!(
        Sandbox::boot(Options {
            state: Some(file),
            ..Options::default()
        })
        .is_err()
    );
    std::fs::remove_dir_all(folder).unwrap();
}
