//! One TCP connection to a granted endpoint, in the clear or under TLS: dialling, buffered writing, reading chunks.
//!
//! What a connector may do on it is decided one floor up, in [`super`].

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use wissel_model::{ConnectorError, ErrorKind};
use zeroize::{Zeroize, Zeroizing};

use crate::call::Call;
use crate::grants::StreamGrant;
use crate::inlet::Feed;
use crate::proxy::Via;

/// Octets asked of the socket at a time.
const CHUNK: usize = 64 << 10;
/// Octets that wait between the socket and TLS, which asks for 4 KiB at a time: two full records.
const RECORDS: usize = 32 << 10;
/// Octets that are gathered before they are sent. The buffer never grows: a secret in it is not left behind elsewhere.
const GATHER: usize = 16 << 10;

enum Io {
    Clear(TcpStream),
    Tls(Box<TlsStream<BufReader<TcpStream>>>),
    Closed,
}

trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

pub(super) struct Wire {
    io: Io,
    endpoint: String,
    /// Octets written and not yet sent.
    out: Zeroizing<Vec<u8>>,
    holds_secret: bool,
    chunk: BytesMut,
    idle: Duration,
    /// Waits without the idle limit: somebody else keeps the time.
    pub(super) patient: bool,
}

impl Wire {
    /// Connects in the clear, through the proxy where there is one.
    pub(super) async fn dial(
        grant: &StreamGrant,
        via: Option<&Via>,
        call: &Call,
        within: Duration,
        idle: Duration,
    ) -> Result<Self, ConnectorError> {
        let until = Instant::now() + within;
        let stream = match via {
            None => reach(&grant.host, grant.port, until, call)
                .await?
                .map_err(|failure| failure.of_endpoint(grant))?,
            Some(via) => {
                let stream = reach(&via.server.host, via.server.port, until, call).await?;
                let stream = stream.map_err(|failure| failure.of_proxy(via))?;
                let opening = via.open(stream, &grant.host, grant.port);
                let opened = call.wait(tokio::time::timeout_at(until, opening)).await?;
                opened.map_err(|_| via.late_with(&grant.host, grant.port))??
            }
        };
        Ok(Self {
            io: Io::Clear(stream),
            endpoint: grant.name.clone(),
            out: Zeroizing::new(Vec::with_capacity(GATHER)),
            holds_secret: false,
            chunk: BytesMut::new(),
            idle,
            patient: false,
        })
    }

    /// Begins TLS and checks the certificate against the endpoint's name.
    pub(super) async fn start_tls(
        &mut self,
        grant: &StreamGrant,
        config: Arc<ClientConfig>,
        call: &Call,
        within: Duration,
    ) -> Result<(), ConnectorError> {
        let name = ServerName::try_from(grant.host.clone()).map_err(|_| {
            ConnectorError::new(ErrorKind::InvalidSetting, format!("'{}' is not a host name", grant.host))
        })?;
        let Io::Clear(stream) = std::mem::replace(&mut self.io, Io::Closed) else {
            return Err(ConnectorError::new(ErrorKind::Protocol, "TLS was begun already").lost());
        };
        let handshake = TlsConnector::from(config).connect(name, BufReader::with_capacity(RECORDS, stream));
        match call.wait(tokio::time::timeout(within, handshake)).await? {
            Ok(Ok(stream)) => {
                self.io = Io::Tls(Box::new(stream));
                Ok(())
            }
            Ok(Err(error)) => Err(refused_handshake(grant, &error)),
            Err(_) => Err(late(grant)),
        }
    }

    fn stream(&mut self) -> io::Result<&mut dyn Duplex> {
        match &mut self.io {
            Io::Clear(stream) => Ok(stream),
            Io::Tls(stream) => Ok(stream.as_mut()),
            Io::Closed => Err(io::Error::new(io::ErrorKind::NotConnected, "the connection was closed")),
        }
    }

    /// Sends `data`, or keeps it until more comes or something is read.
    pub(super) async fn write(&mut self, data: &[u8], call: &Call) -> Result<(), ConnectorError> {
        if self.out.len() + data.len() > GATHER {
            self.flush(call).await?;
        }
        if data.len() > GATHER {
            return self.send(data, call).await;
        }
        self.out.extend_from_slice(data);
        Ok(())
    }

    /// As [`Self::write`]; the octets are wiped once they are sent.
    pub(super) async fn write_secret(&mut self, data: &[u8], call: &Call) -> Result<(), ConnectorError> {
        self.holds_secret = true;
        self.write(data, call).await
    }

    /// Sends what was gathered.
    pub(super) async fn flush(&mut self, call: &Call) -> Result<(), ConnectorError> {
        if self.out.is_empty() {
            return Ok(());
        }
        let mut out = std::mem::take(&mut self.out);
        let sent = self.send(&out, call).await;
        if std::mem::take(&mut self.holds_secret) {
            out.zeroize();
        } else {
            out.clear();
        }
        self.out = out;
        sent
    }

    async fn send(&mut self, data: &[u8], call: &Call) -> Result<(), ConnectorError> {
        let (idle, endpoint) = (self.idle, self.endpoint.clone());
        let sending = async {
            let stream = self.stream()?;
            stream.write_all(data).await?;
            stream.flush().await
        };
        let late = || format!("endpoint '{endpoint}' took nothing for {} seconds", idle.as_secs());
        call.wait_at_most(idle, late, sending).await?.map_err(|error| broken(&endpoint, &error))
    }

    pub(super) fn close(&mut self) {
        self.io = Io::Closed;
        self.out.zeroize();
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.close();
    }
}

impl Feed for Wire {
    async fn next(&mut self, call: &Call) -> Result<Option<Bytes>, ConnectorError> {
        self.flush(call).await?;
        if self.chunk.capacity() < CHUNK / 4 {
            self.chunk.reserve(CHUNK);
        }
        let (idle, patient, endpoint) = (self.idle, self.patient, self.endpoint.clone());
        let mut chunk = std::mem::take(&mut self.chunk);
        let reading = async {
            let read = self.stream()?.read_buf(&mut chunk).await;
            match read {
                // A peer that closes without TLS' goodbye ends the stream like one that says it.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
                other => other,
            }
        };
        let read = if patient {
            call.wait(reading).await?
        } else {
            let late = || format!("endpoint '{endpoint}' was silent for {} seconds", idle.as_secs());
            call.wait_at_most(idle, late, reading).await?
        };
        read.map_err(|error| broken(&endpoint, &error))?;
        let filled = chunk.split().freeze();
        self.chunk = chunk;
        Ok((!filled.is_empty()).then_some(filled))
    }
}

/// Why a host and port could not be connected to.
enum Unreached {
    Failed(&'static str, io::Error),
    Late,
}

impl Unreached {
    fn of_endpoint(self, grant: &StreamGrant) -> ConnectorError {
        match self {
            Self::Failed(what, error) => unreachable(grant, what, &error),
            Self::Late => late(grant),
        }
    }

    fn of_proxy(self, via: &Via) -> ConnectorError {
        match self {
            Self::Failed(what, error) => via.unreachable(what, &error),
            Self::Late => via.late(),
        }
    }
}

/// Connects to every address of the host in the order that the resolver gives, each with its share of the time.
async fn reach(
    host: &str,
    port: u16,
    until: Instant,
    call: &Call,
) -> Result<Result<TcpStream, Unreached>, ConnectorError> {
    let found = call.wait(tokio::time::timeout_at(until, tokio::net::lookup_host((host, port)))).await?;
    let addresses: Vec<SocketAddr> = match found {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(error)) => return Ok(Err(Unreached::Failed("its name could not be resolved", error))),
        Err(_) => return Ok(Err(Unreached::Late)),
    };
    let mut failure = Unreached::Late;
    for (tried, address) in addresses.iter().enumerate() {
        let left = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        let share = until.saturating_duration_since(Instant::now()) / left;
        match call.wait(tokio::time::timeout(share, TcpStream::connect(address))).await? {
            // Commands are gathered here already; the kernel need not wait for more.
            Ok(Ok(stream)) => {
                return Ok(match stream.set_nodelay(true) {
                    Ok(()) => Ok(stream),
                    Err(error) => Err(Unreached::Failed("no connection", error)),
                });
            }
            Ok(Err(error)) => failure = Unreached::Failed("no connection", error),
            Err(_) => failure = Unreached::Late,
        }
    }
    Ok(Err(failure))
}

fn unreachable(grant: &StreamGrant, what: &str, error: &io::Error) -> ConnectorError {
    let message = format!("endpoint '{}' ({}:{}): {what}: {error}", grant.name, grant.host, grant.port);
    ConnectorError::new(ErrorKind::Temporary, message).with_code("unreachable").lost()
}

fn late(grant: &StreamGrant) -> ConnectorError {
    let message = format!("endpoint '{}' ({}:{}) did not answer in time", grant.name, grant.host, grant.port);
    ConnectorError::new(ErrorKind::Temporary, message).with_code("timeout").lost()
}

fn broken(endpoint: &str, error: &io::Error) -> ConnectorError {
    let message = format!("the connection to endpoint '{endpoint}' broke: {error}");
    ConnectorError::new(ErrorKind::Temporary, message).with_code("connection-lost").lost()
}

fn refused_handshake(grant: &StreamGrant, error: &io::Error) -> ConnectorError {
    let cause = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let place = format!("endpoint '{}' ({}:{})", grant.name, grant.host, grant.port);
    match cause {
        Some(rustls::Error::InvalidCertificate(problem)) => ConnectorError::new(
            ErrorKind::InvalidSetting,
            format!(
                "{place}: its certificate is not accepted ({problem}); correct the host name, give the account a CA \
                 file, or allow untrusted certificates"
            ),
        )
        .with_code("certificate")
        .lost(),
        Some(problem) => ConnectorError::new(
            ErrorKind::Protocol,
            format!("{place}: TLS failed ({problem}); check port and security of the account"),
        )
        .with_code("tls")
        .lost(),
        None => broken(&grant.name, error),
    }
}
