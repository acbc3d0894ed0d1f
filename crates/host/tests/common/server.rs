//! Small servers that play a script on a loopback port, and certificates for them.

use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// How a server speaks TLS.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    Never,
    AtOnce,
    WhenAsked,
    /// After STARTTLS, with a line in the clear sent along with its answer: a command injection.
    WhenAskedAfterInjection,
}

/// A certificate authority and a server's certificate by it, for one name.
pub struct Certificates {
    pub ca_pem: String,
    config: Arc<ServerConfig>,
}

impl Certificates {
    pub fn for_name(name: &str) -> Self {
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
            )
            .unwrap();
        Self { ca_pem: issuer.pem(), config: Arc::new(config) }
    }
}

/// A server for the probe's line protocol: it greets, answers `OK` and remembers each line.
pub struct LineServer {
    pub port: u16,
    lines: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl LineServer {
    pub async fn start(tls: Tls, certificates: Option<&Certificates>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let acceptor = certificates.map(|certificates| TlsAcceptor::from(Arc::clone(&certificates.config)));
        let heard = Arc::clone(&lines);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (heard, acceptor) = (Arc::clone(&heard), acceptor.clone());
                tokio::spawn(async move {
                    if tls == Tls::AtOnce {
                        let Ok(stream) = acceptor.unwrap().accept(stream).await else { return };
                        talk(stream, &heard, tls, true).await;
                    } else if let Some(stream) = talk(stream, &heard, tls, true).await {
                        let Ok(stream) = acceptor.unwrap().accept(stream).await else { return };
                        talk(stream, &heard, tls, false).await;
                    }
                });
            }
        });
        Self { port, lines, task }
    }

    /// Every line that came in, in the clear or under TLS.
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }
}

impl Drop for LineServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Answers lines; hands the stream back when TLS is to begin.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    heard: &Mutex<Vec<String>>,
    tls: Tls,
    greet: bool,
) -> Option<S> {
    let mut stream = BufReader::new(stream);
    if greet {
        stream.write_all(b"* welcome\r\n").await.ok()?;
        stream.flush().await.ok()?;
    }
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_owned();
        heard.lock().unwrap().push(line.clone());
        let answer = match (line.as_str(), line.strip_prefix("GET ")) {
            ("STARTTLS", _) if tls == Tls::WhenAskedAfterInjection => "OK\r\n* injected\r\n".to_owned(),
            (_, Some(id)) => {
                let body = format!("message {id}\r\n").repeat(20_000);
                format!("{}\r\n{body}", body.len())
            }
            _ => "OK\r\n".to_owned(),
        };
        stream.write_all(answer.as_bytes()).await.ok()?;
        stream.flush().await.ok()?;
        if line == "STARTTLS" {
            return Some(stream.into_inner());
        }
    }
}
