//! A real Dovecot 2.3 in a temporary folder of its own, on free ports of the loopback interface.
//!
//! Any number may run at once. Each ends with its value; when a test panics, its log is shown.

mod config;
mod token;

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::certificates::{Files, Shown};
use crate::imap::Imap;

/// A user of every test server.
pub const ALICE: &str = "alice@example.test";
/// The other user.
pub const BOB: &str = "bob@example.test";
/// The password of both.
pub const PASSWORD: &str = "Tr0ub4dor & 3";
/// The scope that a token needs to sign in.
pub const SCOPE: &str = config::SCOPE;

/// How mail is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailFormat {
    /// One file a message, for tests that look at files.
    Maildir,
    /// Dovecot's own format, many messages a file.
    Mdbox,
}

/// What kind of server to start.
#[derive(Clone, Debug)]
pub struct Options {
    /// How mail is stored.
    pub mail: MailFormat,
    /// The hierarchy separator in folder names.
    pub separator: char,
    /// The capabilities that it claims after sign-in, in place of all that it has.
    pub capability: Option<String>,
    /// Access control lists (set them by `doveadm acl`).
    pub acl: bool,
    /// Folders with special uses, under Dutch names.
    pub special_use: bool,
    /// Its certificate.
    pub certificate: Shown,
    /// Whose tokens it takes, beside its own.
    pub issuer: Option<Trusted>,
    /// Further lines of configuration.
    pub extra: String,
}

/// An issuer of tokens that a server trusts.
#[derive(Clone, Debug)]
pub struct Trusted {
    /// What it calls itself.
    pub address: String,
    /// The id of the key that it signs with.
    pub key_id: String,
    /// That key in PEM form.
    pub key: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            mail: MailFormat::Maildir,
            separator: '/',
            capability: None,
            acl: false,
            special_use: true,
            certificate: Shown::Signed,
            issuer: None,
            extra: String::new(),
        }
    }
}

/// A running server.
pub struct Dovecot {
    folder: TempDir,
    certificates: Files,
    /// The port for STARTTLS, which allows cleartext as well.
    pub port: u16,
    /// The port for implicit TLS.
    pub tls_port: u16,
    process: Child,
    signer: OnceLock<token::Signer>,
}

impl Dovecot {
    /// Starts a server and waits until it greets.
    #[must_use]
    pub fn start(options: &Options) -> Self {
        let folder = tempfile::Builder::new().prefix("wissel-dovecot-").tempdir().unwrap();
        let path = folder.path();
        open_to_all(path, 0o755);
        for (name, mode) in [("run", 0o755), ("keys", 0o755), ("mail", 0o777), ("home", 0o777)] {
            fs::create_dir(path.join(name)).unwrap();
            open_to_all(&path.join(name), mode);
        }
        let certificates = Files::write(path, options.certificate);
        fs::write(path.join("users"), format!("{ALICE}:{PASSWORD}\n{BOB}:{PASSWORD}\n")).unwrap();
        fs::write(path.join("oauth2.conf"), config::oauth2(path, options.issuer.as_ref())).unwrap();
        if let Some(issuer) = &options.issuer {
            token::trust(&path.join("keys"), &issuer.key_id, &issuer.key);
        }
        // Another program may take a port between our look and the server's start.
        for _ in 0..5 {
            let ports = free_ports();
            fs::write(path.join("dovecot.conf"), config::main(path, options, &certificates, ports)).unwrap();
            let mut process = spawn(path);
            if greets(ports.0, &mut process) {
                let (port, tls_port) = ports;
                return Self { folder, certificates, port, tls_port, process, signer: OnceLock::new() };
            }
            let _ = process.kill();
            let _ = process.wait();
        }
        panic!("Dovecot does not start:\n{}", log(path));
    }

    /// Its certificate files.
    #[must_use]
    pub fn certificates(&self) -> &Files {
        &self.certificates
    }

    /// The process id of its master, whose descendants do the work.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Where the mail of `user` is stored.
    #[must_use]
    pub fn mail_folder(&self, user: &str) -> PathBuf {
        self.folder.path().join("mail").join(user)
    }

    /// An access token for `user` that ends in `expires_in` seconds (negative: it has ended).
    #[must_use]
    pub fn token(&self, user: &str, expires_in: i64, scope: &str) -> String {
        let signer = self.signer.get_or_init(|| token::Signer::new(&self.folder.path().join("keys")));
        signer.token(user, expires_in, scope)
    }

    /// A session of `user`, in cleartext.
    #[must_use]
    pub fn imap(&self, user: &str) -> Imap {
        Imap::sign_in(self.port, user, PASSWORD)
    }

    /// Puts `messages` into `folder` of `user`, unread, in this order; makes the folder when it is missing.
    pub fn deliver<M: AsRef<[u8]>>(&self, user: &str, folder: &str, messages: &[M]) {
        if !self.folders(user).iter().any(|name| name == folder) {
            self.create_folder(user, folder);
        }
        self.imap(user).append(folder, messages);
    }

    /// Makes `folder`. A session that lists the folders meanwhile may have found it half made, and put it into the
    /// server's list first: it is there all the same.
    pub fn create_folder(&self, user: &str, folder: &str) {
        if let Err(errors) = self.try_doveadm(&["mailbox", "create", "-u", user, folder]) {
            let there =
                errors.contains("already exists") && self.folders(user).iter().any(|name| name == folder);
            assert!(there, "folder '{folder}' of {user}: {errors}");
        }
    }

    /// The names of all folders of `user`.
    #[must_use]
    pub fn folders(&self, user: &str) -> Vec<String> {
        self.doveadm(&["mailbox", "list", "-u", user]).lines().map(str::to_owned).collect()
    }

    /// Runs `doveadm` on this server and returns what it printed.
    pub fn doveadm(&self, arguments: &[&str]) -> String {
        let done = self.try_doveadm(arguments);
        done.unwrap_or_else(|errors| panic!("doveadm {}: {errors}", arguments.join(" ")))
    }

    /// What it printed, or what it complained of.
    fn try_doveadm(&self, arguments: &[&str]) -> Result<String, String> {
        let mut doveadm = Command::new(program("doveadm"));
        doveadm.arg("-c").arg(self.folder.path().join("dovecot.conf")).args(arguments);
        let output = doveadm.output().unwrap();
        if output.status.success() {
            return Ok(String::from_utf8(output.stdout).unwrap());
        }
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// What the server wrote into its log so far.
    #[must_use]
    pub fn log(&self) -> String {
        log(self.folder.path())
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("Dovecot's log:\n{}", self.log());
        }
        let _ = kill_process(Pid::from_child(&self.process), Signal::TERM);
        let patience = Instant::now() + Duration::from_secs(30);
        while Instant::now() < patience && matches!(self.process.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(5));
        }
        // Its children end with it, also when it has to be killed.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn spawn(folder: &Path) -> Child {
    let mut command = Command::new(program("dovecot"));
    command.arg("-F").arg("-c").arg(folder.join("dovecot.conf"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

fn program(name: &str) -> PathBuf {
    xtask::process::find(name).unwrap_or_else(|| panic!("{name} is missing: run `cargo xtask setup`"))
}

/// Two ports that nobody listens on.
fn free_ports() -> (u16, u16) {
    let listen = || TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let (first, second) = (listen(), listen());
    let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
    (port(&first), port(&second))
}

/// Waits for the greeting; false when the process ends before or nothing comes in two minutes.
fn greets(port: u16, process: &mut Child) -> bool {
    let patience = Instant::now() + Duration::from_secs(120);
    while Instant::now() < patience && matches!(process.try_wait(), Ok(None)) {
        if let Ok(stream) = TcpStream::connect(("127.0.0.1", port)) {
            let _ = stream.set_read_timeout(Some(Duration::from_secs(60)));
            let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
            if lines.any(|line| line.starts_with("* OK [CAPABILITY")) {
                return true;
            }
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}

fn open_to_all(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn log(folder: &Path) -> String {
    fs::read_to_string(folder.join("log")).unwrap_or_default()
}
