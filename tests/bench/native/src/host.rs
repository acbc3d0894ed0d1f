//! A host for a connector that is compiled into this program: the least that one needs, on blocking sockets.
//!
//! For the measurement of what the sandbox costs and for nothing else: it keeps no limits, no time and no secret.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use wissel_connector::host::foreign_handle;
use wissel_connector::types::{DeliveryInfo, Encoding, Level, Readiness, SealedForm, Security};
use wissel_connector::{Delivery, Error, ErrorKind, Exchange, HostApi, Result, Sealed, Source, Stream};
use wissel_mime::{Inspector, Options};

/// The host: a server of this machine, the authority that it is trusted by, and who signs in.
pub(crate) struct NativeHost {
    pub(crate) port: u16,
    pub(crate) ca: PathBuf,
    pub(crate) user: String,
    pub(crate) password: String,
}

type Server = BufReader<StreamOwned<ClientConnection, TcpStream>>;

/// A connection under TLS.
fn dial(port: u16, ca: &Path) -> anyhow::Result<Server> {
    let mut roots = RootCertStore::empty();
    for certificate in rustls_pemfile::certs(&mut BufReader::new(File::open(ca)?)) {
        roots.add(certificate?)?;
    }
    let config = Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth());
    let socket = TcpStream::connect(("localhost", port))?;
    socket.set_nodelay(true)?;
    let session = ClientConnection::new(config, ServerName::try_from("localhost")?)?;
    // As much at a time as the host reads.
    Ok(BufReader::with_capacity(64 << 10, StreamOwned::new(session, socket)))
}

fn unsupported(what: &str) -> Error {
    Error::new(ErrorKind::Unsupported, format!("the native host has no {what}"))
}

fn broken(error: &io::Error) -> Error {
    Error::temporary(error.to_string()).lost()
}

impl HostApi for NativeHost {
    fn connect(&self, _: &str) -> Result<Box<dyn Stream>> {
        let stream = dial(self.port, &self.ca).map_err(|error| Error::temporary(error.to_string()))?;
        Ok(Box::new(Connection { stream, out: Vec::new() }))
    }
    fn mechanisms(&self) -> Vec<String> {
        vec!["PLAIN".to_owned()]
    }
    fn begin(&self, _: &str, _: &str, _: Option<&str>) -> Result<Box<dyn Exchange>> {
        Ok(Box::new(Plain(STANDARD.encode(format!("\0{}\0{}", self.user, self.password)))))
    }
    fn user(&self) -> String {
        self.user.clone()
    }
    fn password(&self, _: &str, _: SealedForm) -> Result<Sealed> {
        Err(unsupported("password but in an exchange"))
    }
    fn now_ms(&self) -> f64 {
        0.0
    }
    fn monotonic_ms(&self) -> f64 {
        0.0
    }
    fn remaining_ms(&self) -> u32 {
        u32::MAX
    }
    fn sleep(&self, _: u32) -> Result<()> {
        Err(unsupported("sleep"))
    }
    fn random(&self, count: u32) -> Vec<u8> {
        vec![0; count as usize]
    }
    fn log_enabled(&self, _: Level) -> bool {
        false
    }
    fn log(&self, _: Level, _: &str, _: &[(&str, &str)]) {}
}

/// SASL PLAIN (RFC 4616), with its answer.
struct Plain(String);

impl Exchange for Plain {
    fn mechanism(&self) -> String {
        "PLAIN".to_owned()
    }
    fn initial(&self, _: SealedForm) -> Result<Option<Sealed>> {
        Ok(Some(Sealed::new(self.0.clone())))
    }
    fn respond(&self, _: &[u8], _: SealedForm) -> Result<Sealed> {
        Err(unsupported("answer to a challenge"))
    }
}

/// A connection under TLS. What is written is sent when something is read.
struct Connection {
    stream: Server,
    out: Vec<u8>,
}

impl Stream for Connection {
    fn security(&self) -> Security {
        Security::Tls
    }
    fn read(&mut self, max: u32) -> Result<Vec<u8>> {
        self.flush()?;
        let read = self.stream.fill_buf().map_err(|error| broken(&error))?;
        let part: Vec<u8> = read.iter().take(max as usize).copied().collect();
        self.stream.consume(part.len());
        Ok(part)
    }
    fn read_line(&mut self, max: u32) -> Result<Vec<u8>> {
        self.flush()?;
        let mut line = Vec::new();
        let read = (&mut self.stream).take(max.into()).read_until(b'\n', &mut line);
        read.map_err(|error| broken(&error))?;
        Ok(line)
    }
    fn read_exact(&mut self, count: u32) -> Result<Vec<u8>> {
        self.flush()?;
        let mut octets = vec![0; count as usize];
        self.stream.read_exact(&mut octets).map_err(|error| broken(&error))?;
        Ok(octets)
    }
    fn splice(&mut self, count: u32, into: &dyn Delivery, _: Encoding) -> Result<()> {
        let into: &NativeDelivery = into.as_any().downcast_ref().ok_or_else(|| foreign_handle("delivery"))?;
        let mut left = count as usize;
        while left > 0 {
            let read = self.stream.fill_buf().map_err(|error| broken(&error))?;
            let part = read.get(..left.min(read.len())).unwrap_or_default();
            if part.is_empty() {
                return Err(Error::temporary("the server closed the connection").lost());
            }
            into.read(part);
            let length = part.len();
            self.stream.consume(length);
            left -= length;
        }
        Ok(())
    }
    fn poll(&mut self, _: u32) -> Result<Readiness> {
        self.flush()?;
        self.stream.fill_buf().map_err(|error| broken(&error))?;
        Ok(Readiness::Ready)
    }
    fn write(&mut self, data: &[u8]) -> Result<()> {
        self.out.extend_from_slice(data);
        Ok(())
    }
    fn write_source(&mut self, _: &dyn Source, _: u32, _: Option<u32>, _: Encoding) -> Result<()> {
        Err(unsupported("outgoing message"))
    }
    fn write_sealed(&mut self, secret: &Sealed) -> Result<()> {
        let secret: &String = secret.inner().ok_or_else(|| foreign_handle("secret"))?;
        self.write(secret.as_bytes())
    }
    fn flush(&mut self) -> Result<()> {
        if !self.out.is_empty() {
            let server = self.stream.get_mut();
            let sent = server.write_all(&self.out).and_then(|()| server.flush());
            sent.map_err(|error| broken(&error))?;
            self.out.clear();
        }
        Ok(())
    }
    fn start_tls(&mut self) -> Result<()> {
        Err(unsupported("STARTTLS"))
    }
    fn close(&mut self) {
        let _ = self.stream.get_mut().sock.shutdown(std::net::Shutdown::Both);
    }
}

/// Reads each message for its metadata and digest as it comes, as an import does, and keeps nothing of it.
#[derive(Default)]
pub(crate) struct NativeDelivery(RefCell<Option<Inspector>>, Cell<usize>);

impl NativeDelivery {
    /// How many messages were read.
    pub(crate) fn messages(&self) -> usize {
        self.1.get()
    }

    fn read(&self, octets: &[u8]) {
        if let Some(inspector) = self.0.borrow_mut().as_mut() {
            inspector.write(octets);
        }
    }
}

impl Delivery for NativeDelivery {
    fn begin(&self, _: &str, _: &DeliveryInfo) -> Result<()> {
        *self.0.borrow_mut() = Some(Inspector::new(Options::default()));
        Ok(())
    }
    fn write(&self, data: &[u8], _: Encoding) -> Result<()> {
        self.read(data);
        Ok(())
    }
    fn end(&self) -> Result<u32> {
        if let Some(inspector) = self.0.take() {
            std::hint::black_box(inspector.finish());
            self.1.set(self.1.get() + 1);
        }
        Ok(0)
    }
    fn fail(&self, _: &str, _: Error) {}
    fn as_any(&self) -> &dyn Any {
        self
    }
}
