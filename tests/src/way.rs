//! Proxies that others wrote, as programs of their own: microsocks for SOCKS5, tinyproxy for HTTP CONNECT.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Who may sign in to a proxy, where one has to.
pub const LOGIN: (&str, &str) = ("inkoop", "hidden-proxy-4711");

/// A proxy that runs. Dropped, it is ended.
pub struct Way {
    process: Child,
    /// Its port on the loopback address.
    pub port: u16,
    _folder: TempDir,
}

impl Way {
    /// A SOCKS5 proxy.
    #[must_use]
    pub fn socks(login: bool) -> Self {
        Self::start(|port, _| {
            let mut command = Command::new("microsocks");
            command.args(["-i", "127.0.0.1", "-p", &port.to_string()]);
            if login {
                command.args(["-u", LOGIN.0, "-P", LOGIN.1]);
            }
            command
        })
    }

    /// An HTTP proxy that opens ways to these ports only.
    #[must_use]
    pub fn http(login: bool, ports: &[u16]) -> Self {
        Self::start(|port, folder| {
            let mut lines = format!("Port {port}\nListen 127.0.0.1\nTimeout 60\nAllow 127.0.0.1\n");
            for port in ports {
                lines += &format!("ConnectPort {port}\n");
            }
            if login {
                lines += &format!("BasicAuth {} {}\n", LOGIN.0, LOGIN.1);
            }
            let file = folder.path().join("tinyproxy.conf");
            std::fs::write(&file, lines).unwrap();
            let mut command = Command::new("tinyproxy");
            command.arg("-d").arg("-c").arg(file);
            command
        })
    }

    fn start(command: impl Fn(u16, &TempDir) -> Command) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let mut command = command(port, &folder);
        let program = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process =
            command.spawn().unwrap_or_else(|error| panic!("{program}: {error}; run `cargo xtask setup`"));
        let deadline = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(Instant::now() < deadline, "{program} does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { process, port, _folder: folder }
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
