//! The floor under an import: fetches all messages over one connection, throws them away, moves all with one command.
//!
//! What a client has to do at least, without a disk, a ledger, a sandbox or a look at the messages. Nobody can be faster
//! over one connection to the same server.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use wissel_tests::dovecot::{ALICE, PASSWORD};
use wissel_tests::imap::mailbox;

use crate::post::PROCESSED;

type Stream = BufReader<StreamOwned<ClientConnection, TcpStream>>;

/// Does it, and returns how many octets of messages came.
pub(crate) fn run(port: u16, ca: &Path) -> Result<u64> {
    let mut server = connect(port, ca)?;
    let processed = mailbox(PROCESSED);
    line(&mut server)?;
    command(&mut server, &format!("LOGIN \"{ALICE}\" \"{PASSWORD}\""))?;
    command(&mut server, &format!("CREATE {processed}"))?;
    command(&mut server, "SELECT INBOX")?;
    let octets = command(&mut server, "UID FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])")?;
    command(&mut server, &format!("UID MOVE 1:* {processed}"))?;
    command(&mut server, "LOGOUT")?;
    Ok(octets)
}

fn connect(port: u16, ca: &Path) -> Result<Stream> {
    let mut roots = RootCertStore::empty();
    for certificate in rustls_pemfile::certs(&mut BufReader::new(File::open(ca)?)) {
        roots.add(certificate?)?;
    }
    let config = Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth());
    let socket = TcpStream::connect(("127.0.0.1", port))?;
    socket.set_nodelay(true)?;
    let session = ClientConnection::new(config, ServerName::try_from("localhost")?)?;
    Ok(BufReader::with_capacity(256 << 10, StreamOwned::new(session, socket)))
}

/// Sends a command and reads its answer, literals thrown away; returns how long they were together.
fn command(server: &mut Stream, command: &str) -> Result<u64> {
    server.get_mut().write_all(format!("t {command}\r\n").as_bytes())?;
    server.get_mut().flush()?;
    let mut octets = 0;
    loop {
        let line = line(server)?;
        if let Some(length) = literal(&line) {
            octets += io::copy(&mut server.take(length), &mut io::sink())?;
        } else if let Some(status) = line.strip_prefix("t ") {
            if status.starts_with("OK") {
                return Ok(octets);
            }
            bail!("{command}: {status}");
        }
    }
}

fn line(server: &mut Stream) -> Result<String> {
    let mut line = Vec::new();
    server.read_until(b'\n', &mut line)?;
    let line = line.strip_suffix(b"\r\n").context("the server hung up")?;
    Ok(String::from_utf8_lossy(line).into_owned())
}

/// The length of the literal that a line announces at its end (RFC 9051, section 4.3).
fn literal(line: &str) -> Option<u64> {
    line.strip_suffix('}')?.rsplit_once('{')?.1.parse().ok()
}
