//! A server of the attacker's own, with TLS: in front of the simulated clouds, or alone. It writes every request down, and
//! tampers with the answers, byte by byte where need be. It shares nothing with the sandbox.

use super::support::{Cloud, TempDir, TestEnv, endpoints};
use rcgen::{CertificateParams, KeyPair};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned,
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use serde_json::Value;
use std::{
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Asked {
    /// Whether it is this one, by its method and a part of its path.
    pub fn is(&self, method: &str, part: &str) -> bool {
        self.method == method && self.target.contains(part)
    }

    /// Whether it asks for a change of anything; a token is none.
    pub fn changes(&self) -> bool {
        self.method != "GET" && !self.target.contains("/oauth2/")
    }

    /// All of it as one text.
    pub fn text(&self) -> String {
        let headers: String = self
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\n"))
            .collect();
        let body = String::from_utf8_lossy(&self.body);
        format!("{} {}\n{headers}\n{body}", self.method, self.target)
    }
}

/// An answer.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![("content-type".into(), "application/json".into())],
            body: body.into(),
        }
    }

    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Changes the JSON in it, if there is any.
    pub fn edit(mut self, edit: impl FnOnce(&mut Value)) -> Self {
        if let Ok(mut value) = serde_json::from_slice(&self.body) {
            edit(&mut value);
            self.body = value.to_string().into_bytes();
        }
        self
    }

    fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        let mut head = format!("HTTP/1.1 {} X\r\n", self.status);
        for (name, value) in &self.headers {
            if !["content-length", "connection", "transfer-encoding"].contains(&name.as_str()) {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", self.body.len()));
        to.write_all(head.as_bytes())?;
        to.write_all(&self.body)?;
        to.flush()
    }
}

/// Writes an answer from its first byte on.
type Writing = Box<dyn FnOnce(&mut dyn Write) -> io::Result<()>>;

/// What to do with a request.
pub enum Deed {
    /// Ask the clouds and pass their answer on.
    Pass,
    /// Ask the clouds and change their answer.
    Change(Box<dyn FnOnce(Reply) -> Reply>),
    /// Answer without asking them.
    Say(Reply),
    /// Write what one likes, and hang up.
    Write(Writing),
}

impl Deed {
    /// Ask the clouds and change the JSON of their answer.
    pub fn edit(edit: impl FnOnce(&mut Value) + 'static) -> Self {
        Self::Change(Box::new(move |reply| reply.edit(edit)))
    }
}

type Plan = Box<dyn Fn(&Asked) -> Deed + Send + Sync>;

struct Shared {
    plan: Plan,
    asked: Mutex<Vec<Asked>>,
    tls: Arc<ServerConfig>,
    /// The clouds behind, and how to trust them.
    behind: Option<(u16, Arc<ClientConfig>)>,
}

/// The server; its threads end with the process.
pub struct Hostile {
    port: u16,
    shared: Arc<Shared>,
    dir: TempDir,
}

impl Hostile {
    /// One in front of these clouds.
    pub fn before(cloud: &Cloud, plan: impl Fn(&Asked) -> Deed + Send + Sync + 'static) -> Self {
        let origin = cloud.sandbox.origin();
        let port = origin.rsplit(':').next().and_then(|it| it.parse().ok());
        let mut roots = RootCertStore::empty();
        let pem = cloud.sandbox.ca_pem();
        let root = CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate");
        roots.add(root).expect("an authority");
        let client = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self::start(
            Some((port.expect("a port"), Arc::new(client))),
            &pem,
            Box::new(plan),
        )
    }

    /// One with nothing behind it: whom it was not for, answers nobody.
    pub fn stranger() -> Self {
        let nothing = |_: &Asked| Deed::Say(Reply::new(200, "{\"value\":[]}"));
        Self::start(None, "", Box::new(nothing))
    }

    fn start(behind: Option<(u16, Arc<ClientConfig>)>, others: &str, plan: Plan) -> Self {
        let names = ["localhost", "127.0.0.1"].map(str::to_owned);
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(names).expect("names");
        let certificate = params.self_signed(&key).expect("a certificate");
        let tls = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::Pkcs8(key.serialize_der().into()),
            )
            .expect("a certificate with its key");
        let dir = TempDir::new();
        let pem = format!("{}{others}", certificate.pem());
        fs::write(dir.path("ca.pem"), pem).expect("a new file");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port on loopback");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared {
            plan,
            asked: Mutex::default(),
            tls: Arc::new(tls),
            behind,
        });
        let served = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&served);
                // Whoever hangs up in the middle of a word is not missed.
                thread::spawn(move || shared.serve(stream));
            }
        });
        Self { port, shared, dir }
    }

    pub fn origin(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The file with the certificates to trust, those of the clouds behind included.
    pub fn ca_file(&self) -> String {
        self.dir.path("ca.pem").display().to_string()
    }

    /// A home whose services are all here.
    pub fn home(&self, cloud: &Cloud, provider: &str) -> TestEnv {
        let mut env = TestEnv::of(cloud, provider).set("SSL_CERT_FILE", self.ca_file());
        for name in endpoints() {
            env = env.set(name, self.origin());
        }
        env
    }

    pub fn asked(&self) -> Vec<Asked> {
        lock(&self.shared.asked).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn serve(&self, stream: TcpStream) -> Option<()> {
        stream.set_nodelay(true).ok()?;
        let connection = ServerConnection::new(Arc::clone(&self.tls)).ok()?;
        let mut reader = BufReader::new(StreamOwned::new(connection, stream));
        let mut clouds = None;
        loop {
            let (first, headers) = head(&mut reader)?;
            let mut words = first.split(' ');
            let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
            let body = body(&mut reader, &headers, false)?;
            let asked = {
                let mut all = lock(&self.asked);
                let asked = Asked {
                    method,
                    target,
                    headers,
                    body,
                };
                all.push(asked.clone());
                asked
            };
            let reply = match (self.plan)(&asked) {
                Deed::Pass => self.forward(&asked, &mut clouds)?,
                Deed::Change(change) => change(self.forward(&asked, &mut clouds)?),
                Deed::Say(reply) => reply,
                Deed::Write(write) => {
                    let stream = reader.get_mut();
                    write(stream).ok()?;
                    stream.conn.send_close_notify();
                    stream.flush().ok()?;
                    return None;
                }
            };
            reply.write(reader.get_mut()).ok()?;
        }
    }

    fn forward(&self, asked: &Asked, clouds: &mut Option<Clouds>) -> Option<Reply> {
        if clouds.is_none() {
            let (port, config) = self.behind.as_ref()?;
            let stream = TcpStream::connect(("127.0.0.1", *port)).ok()?;
            stream.set_nodelay(true).ok()?;
            let name = ServerName::try_from("localhost").ok()?;
            let connection = ClientConnection::new(Arc::clone(config), name).ok()?;
            *clouds = Some(BufReader::new(StreamOwned::new(connection, stream)));
        }
        let stream = clouds.as_mut()?;
        let mut text = format!("{} {} HTTP/1.1\r\n", asked.method, asked.target);
        for (name, value) in &asked.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        stream.get_mut().write_all(text.as_bytes()).ok()?;
        stream.get_mut().write_all(&asked.body).ok()?;
        stream.get_mut().flush().ok()?;
        let (first, headers) = head(stream)?;
        let status = first.split(' ').nth(1)?.parse().ok()?;
        let body = body(stream, &headers, status == 204)?;
        Some(Reply {
            status,
            headers,
            body,
        })
    }
}

type Clouds = BufReader<StreamOwned<ClientConnection, TcpStream>>;

/// The first line and the headers.
fn head(reader: &mut impl BufRead) -> Option<(String, Vec<(String, String)>)> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        lines.push(line.to_owned());
    }
    let headers = lines.get(1..)?.iter().filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_lowercase(), value.trim().to_owned()))
    });
    Some((lines.first()?.clone(), headers.collect()))
}

fn body(reader: &mut impl Read, headers: &[(String, String)], none: bool) -> Option<Vec<u8>> {
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; if none { 0 } else { length }];
    reader.read_exact(&mut body).ok()?;
    Some(body)
}
