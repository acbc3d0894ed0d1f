//! A proxy before a mail server that holds back one command, or its answer, so that a client can be killed exactly
//! between two commands. It changes nothing, and knows no more of IMAP than tags and line ends.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use memchr::memmem;

/// When the connection falls silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// The server does not get the command any more.
    Before,
    /// The server has carried it out; the client does not get the answer.
    After,
}

type Trap = Arc<Mutex<Option<(&'static str, When)>>>;

/// A running proxy. Its threads end with their connections, the listener with the process.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    trap: Trap,
    sprung: Receiver<()>,
}

impl Proxy {
    pub(crate) fn start(server: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (trap, (tell, sprung)) = (Trap::default(), channel());
        let shared = Arc::clone(&trap);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = TcpStream::connect(("127.0.0.1", server)).unwrap();
                relay(&client, &server, &shared, &tell);
            }
        });
        Self { port, trap, sprung }
    }

    /// Falls silent at the next command that contains `command`.
    pub(crate) fn arm(&self, command: &'static str, when: When) {
        *self.trap.lock().unwrap() = Some((command, when));
    }

    /// Waits until that has happened.
    pub(crate) fn wait(&self) {
        let patience = Duration::from_secs(300);
        assert!(self.sprung.recv_timeout(patience).is_ok(), "the command never came: {:?}", self.trap);
    }
}

/// The tag whose answer is held back, once known.
type Awaited = Arc<Mutex<Option<Vec<u8>>>>;

fn relay(client: &TcpStream, server: &TcpStream, trap: &Trap, tell: &Sender<()>) {
    let awaited = Awaited::default();
    let pair = || (client.try_clone().unwrap(), server.try_clone().unwrap());
    let ((from, to), trap, known, sprung) = (pair(), Arc::clone(trap), Arc::clone(&awaited), tell.clone());
    thread::spawn(move || {
        commands(&from, &to, &trap, &known, &sprung);
        // The client is gone; let the server see it.
        let _ = to.shutdown(Shutdown::Both);
    });
    let ((to, from), sprung) = (pair(), tell.clone());
    thread::spawn(move || answers(&from, &to, &awaited, &sprung));
}

fn commands(
    mut client: &TcpStream,
    mut server: &TcpStream,
    trap: &Trap,
    awaited: &Awaited,
    sprung: &Sender<()>,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = client.read(&mut buffer) {
        let bytes = &buffer[..length];
        let caught = {
            let mut trap = trap.lock().unwrap();
            let at = trap.and_then(|(command, when)| Some((memmem::find(bytes, command.as_bytes())?, when)));
            if at.is_some() {
                *trap = None;
            }
            at
        };
        let Some((at, when)) = caught else {
            if server.write_all(bytes).is_err() {
                return;
            }
            continue;
        };
        let line = memmem::rfind(&bytes[..at], b"\n").map_or(0, |end| end + 1);
        let end = memmem::find(&bytes[at..], b"\n").map_or(length, |end| at + end + 1);
        if when == When::Before {
            let _ = server.write_all(&bytes[..line]);
            let _ = sprung.send(());
        } else {
            let tag = bytes[line..].split(|byte| *byte == b' ').next().unwrap().to_vec();
            *awaited.lock().unwrap() = Some([&tag[..], b" OK"].concat());
            let _ = server.write_all(&bytes[..end]);
        }
        // Silence, until the client is dead.
        while matches!(client.read(&mut buffer), Ok(1..)) {}
    }
}

fn answers(mut server: &TcpStream, mut client: &TcpStream, awaited: &Awaited, sprung: &Sender<()>) {
    let mut buffer = vec![0; 64 * 1024];
    let mut held = Vec::new();
    while let Ok(length @ 1..) = server.read(&mut buffer) {
        let tag = awaited.lock().unwrap().clone();
        if let Some(tag) = tag {
            held.extend_from_slice(&buffer[..length]);
            if memmem::find(&held, &tag).is_some() {
                let _ = sprung.send(());
                return;
            }
        } else if client.write_all(&buffer[..length]).is_err() {
            return;
        }
    }
}
