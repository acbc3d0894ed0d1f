//! The account's proxy: which one a connection goes through, and the opening of a way through it.
//!
//! The proxy learns the endpoint's name and port, and nothing else: TLS is between this host and the endpoint. No
//! setting of the system is used unless the account says so. A failure tells who refused: the proxy (`proxy-...` in the
//! code), or the endpoint behind it (`unreachable`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper_util::client::proxy::matcher::Matcher;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_socks::Error as Socks;
use tokio_socks::tcp::Socks5Stream;
use wissel_model::proxy::{Proxy, ProxyKind, ProxyServer};
use wissel_model::secrets::{SecretError, Secrets, code, field};
use wissel_model::{Account, ConnectorError, ErrorKind};
use zeroize::Zeroizing;

/// Octets that a proxy may answer CONNECT with.
const MOST_ANSWER: usize = 8 << 10;
/// Header fields of that answer.
const MOST_FIELDS: usize = 64;

/// A proxy and the password for it.
#[derive(Debug, Clone)]
pub(crate) struct Via {
    pub(crate) server: ProxyServer,
    pub(crate) password: Option<SecretString>,
}

/// The proxy that the account's connections to this endpoint go through; none when they go straight there.
///
/// # Errors
/// The proxy's password cannot be had, or the system names a proxy of a kind that is not supported.
pub(crate) async fn via(
    account: &Account,
    secrets: &dyn Secrets,
    host: &str,
    port: u16,
) -> Result<Option<Via>, ConnectorError> {
    let Some(proxy) = &account.connection.proxy else { return Ok(None) };
    let Proxy::Server(server) = proxy else { return of_system(host, port) };
    let mut password = None;
    if let Some(user) = &server.user {
        let secret = secrets.secret(account.id, field::PROXY_PASSWORD).await;
        password = Some(secret.map_err(|error| {
            let (code, message) = match error {
                SecretError::Missing(_) => (
                    code::NO_SECRET,
                    format!(
                        "no password of '{user}' is stored for the proxy {}; store it with `wissel account edit \"{}\" \
                         --proxy-password-stdin`",
                        server.address(),
                        account.name
                    ),
                ),
                SecretError::Unreadable(problem) => (code::VAULT, problem),
            };
            ConnectorError::new(ErrorKind::AuthorizationNeeded, message).with_code(code)
        })?);
    }
    Ok(Some(Via { server: server.clone(), password }))
}

/// What the environment and the system's settings say about an endpoint.
fn of_system(host: &str, port: u16) -> Result<Option<Via>, ConnectorError> {
    let target = ProxyServer { kind: ProxyKind::Http, host: host.to_owned(), port, user: None };
    let Ok(target) = format!("https://{}/", target.authority()).parse() else { return Ok(None) };
    let Some(found) = Matcher::from_system().intercept(&target) else { return Ok(None) };
    let kind = match found.uri().scheme_str() {
        Some("http") => ProxyKind::Http,
        // As the address of an account's own proxy is written: names are the proxy's to resolve.
        Some("socks5h" | "socks5") => ProxyKind::Socks5,
        other => {
            let message = format!(
                "the system's proxy is of the kind '{}'; only http and socks5h are supported",
                other.unwrap_or_default()
            );
            return Err(ConnectorError::new(ErrorKind::InvalidSetting, message).with_setting("proxy"));
        }
    };
    let standard = if kind == ProxyKind::Http { 80 } else { 1080 };
    let mut server = ProxyServer {
        kind,
        host: found.uri().host().unwrap_or_default().trim_matches(['[', ']']).to_owned(),
        port: found.uri().port_u16().unwrap_or(standard),
        user: None,
    };
    let basic = found.basic_auth().and_then(|value| from_basic(value.as_bytes()));
    let login = found.raw_auth().map(|(user, password)| (user.to_owned(), SecretString::from(password)));
    let (user, password) = login.or(basic).unzip();
    server.user = user;
    Ok(Some(Via { server, password }))
}

fn from_basic(value: &[u8]) -> Option<(String, SecretString)> {
    let decoded = Zeroizing::new(STANDARD.decode(value.strip_prefix(b"Basic ")?).ok()?);
    let (user, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some((user.to_owned(), SecretString::from(password)))
}

impl Via {
    /// Asks the proxy at the other end of `stream` for a way to the endpoint.
    ///
    /// # Errors
    /// Who refused, and why; see the module.
    pub(crate) async fn open(
        &self,
        stream: TcpStream,
        host: &str,
        port: u16,
    ) -> Result<TcpStream, ConnectorError> {
        match self.server.kind {
            ProxyKind::Socks5 => self.socks(stream, host, port).await,
            ProxyKind::Http => self.connect(stream, host, port).await,
        }
    }

    async fn socks(&self, stream: TcpStream, host: &str, port: u16) -> Result<TcpStream, ConnectorError> {
        let opened = match (&self.server.user, &self.password) {
            (Some(user), Some(password)) => {
                let password = password.expose_secret();
                Socks5Stream::connect_with_password_and_socket(stream, (host, port), user, password).await
            }
            _ => Socks5Stream::connect_with_socket(stream, (host, port)).await,
        };
        opened.map(Socks5Stream::into_inner).map_err(|error| self.socks_refused(host, port, &error))
    }

    fn socks_refused(&self, host: &str, port: u16, error: &Socks) -> ConnectorError {
        match error {
            Socks::PasswordAuthFailure(_)
            | Socks::AuthorizationRequired
            | Socks::NoAcceptableAuthMethods
            | Socks::InvalidAuthValues(_) => self.unauthorized(),
            Socks::ConnectionNotAllowedByRuleset => self.denied(host, port, "by its rules"),
            Socks::NetworkUnreachable
            | Socks::HostUnreachable
            | Socks::ConnectionRefused
            | Socks::TtlExpired
            | Socks::GeneralSocksServerFailure => self.no_way(host, port, &error.to_string()),
            Socks::CommandNotSupported | Socks::AddressTypeNotSupported => {
                self.denied(host, port, "because it does not support that")
            }
            Socks::InvalidTargetAddress(problem) => {
                ConnectorError::new(ErrorKind::InvalidSetting, format!("'{host}': {problem}")).lost()
            }
            Socks::Io(error) => self.broken(error),
            _ => self.nonsense("is not one of SOCKS5"),
        }
    }

    async fn connect(
        &self,
        mut stream: TcpStream,
        host: &str,
        port: u16,
    ) -> Result<TcpStream, ConnectorError> {
        if !host.chars().all(|c| c.is_ascii_graphic()) {
            let message = format!("'{}' is not a host name", host.escape_debug());
            return Err(ConnectorError::new(ErrorKind::InvalidSetting, message).lost());
        }
        let target = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        let mut request = Zeroizing::new(format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n"));
        if let (Some(user), Some(password)) = (&self.server.user, &self.password) {
            let login = Zeroizing::new(format!("{user}:{}", password.expose_secret()));
            let login = Zeroizing::new(STANDARD.encode(login.as_bytes()));
            request.push_str(&format!("Proxy-Authorization: Basic {}\r\n", login.as_str()));
        }
        request.push_str("\r\n");
        stream.write_all(request.as_bytes()).await.map_err(|error| self.broken(&error))?;
        let answer = self.answer(&mut stream).await?;
        let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
        let mut parsed = httparse::Response::new(&mut fields);
        let status = match parsed.parse(&answer) {
            Ok(httparse::Status::Complete(_)) => parsed.code.unwrap_or_default(),
            _ => return Err(self.nonsense("is not one of HTTP")),
        };
        match status {
            200..=299 => Ok(stream),
            407 => Err(self.unauthorized()),
            502..=504 => Err(self.no_way(host, port, &format!("it answers {status}"))),
            _ => Err(self.denied(host, port, &format!("and answers {status}"))),
        }
    }

    /// The head of the answer, and not an octet more: the endpoint may be the first to speak.
    async fn answer(&self, stream: &mut TcpStream) -> Result<Vec<u8>, ConnectorError> {
        let mut answer = Vec::with_capacity(256);
        while !answer.ends_with(b"\r\n\r\n") {
            if answer.len() >= MOST_ANSWER {
                return Err(self.nonsense("does not end"));
            }
            answer.push(stream.read_u8().await.map_err(|error| self.broken(&error))?);
            // What cannot become an answer is not waited for.
            if answer.len() == 5 && answer != b"HTTP/" {
                return Err(self.nonsense("is not one of HTTP"));
            }
        }
        Ok(answer)
    }

    fn address(&self) -> String {
        self.server.address()
    }

    /// No connection to the proxy itself.
    pub(crate) fn unreachable(&self, what: &str, error: &std::io::Error) -> ConnectorError {
        let message = format!("the proxy {}: {what}: {error}", self.address());
        ConnectorError::new(ErrorKind::Temporary, message).with_code("proxy-unreachable").lost()
    }

    /// It does not take a connection in time.
    pub(crate) fn late(&self) -> ConnectorError {
        let message = format!("the proxy {} did not answer in time", self.address());
        ConnectorError::new(ErrorKind::Temporary, message).with_code("proxy-timeout").lost()
    }

    /// It took the connection, and nothing more.
    pub(crate) fn late_with(&self, host: &str, port: u16) -> ConnectorError {
        let message = format!("the proxy {} did not open a way to {host}:{port} in time", self.address());
        ConnectorError::new(ErrorKind::Temporary, message).with_code("proxy-timeout").lost()
    }

    /// What the HTTP library said about its way through the proxy.
    pub(crate) fn failed(&self, host: &str, port: u16, reason: &str) -> ConnectorError {
        let is = |text: &str| reason.contains(text);
        if is("authorization required") || is("credentials not accepted") || is("not support user/pass") {
            self.unauthorized()
        } else if is("underlying connection") {
            self.unreachable("no connection", &std::io::Error::other(reason.to_owned()))
        } else if is("not allowed") || is("unsuccessful") {
            self.denied(host, port, &format!("({reason})"))
        } else {
            self.no_way(host, port, reason)
        }
    }

    pub(crate) fn unauthorized(&self) -> ConnectorError {
        let message = match &self.server.user {
            Some(user) => format!(
                "the proxy {} refuses the user '{user}' and the stored password; correct them with `wissel account edit`, \
                 --proxy and --proxy-password-stdin",
                self.address()
            ),
            None => format!(
                "the proxy {} asks for a user and password; give them with `wissel account edit`, --proxy (with USER@ \
                 before the host) and --proxy-password-stdin",
                self.address()
            ),
        };
        ConnectorError::new(ErrorKind::AuthorizationNeeded, message).with_code("proxy-authorization").lost()
    }

    fn denied(&self, host: &str, port: u16, how: &str) -> ConnectorError {
        let message = format!("the proxy {} refuses to connect to {host}:{port} {how}", self.address());
        ConnectorError::new(ErrorKind::PermissionMissing, message).with_code("proxy-refused").lost()
    }

    fn no_way(&self, host: &str, port: u16, why: &str) -> ConnectorError {
        let message = format!("the proxy {} does not reach {host}:{port}: {why}", self.address());
        ConnectorError::new(ErrorKind::Temporary, message).with_code("unreachable").lost()
    }

    fn nonsense(&self, what: &str) -> ConnectorError {
        let message =
            format!("the answer of the proxy {} {what}; check its address and kind", self.address());
        ConnectorError::new(ErrorKind::Protocol, message).with_code("proxy-protocol").lost()
    }

    fn broken(&self, error: &std::io::Error) -> ConnectorError {
        let message = format!("the connection to the proxy {} broke: {error}", self.address());
        ConnectorError::new(ErrorKind::Temporary, message).with_code("proxy-unreachable").lost()
    }
}
