//! The proxy that an account's connections go through: SOCKS5 (RFC 1928) or HTTP CONNECT (RFC 9110, section 9.3.6).
//!
//! A proxy is named by its address. Its password is a secret like the account's own, and never part of the address.

use std::fmt;
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// Where an account's connections go first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Proxy {
    /// Whatever the environment or the system's settings say, such as `HTTPS_PROXY`; none when they say nothing.
    System,
    /// This one.
    Server(ProxyServer),
}

/// A proxy by its address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProxyServer {
    /// What it speaks.
    pub kind: ProxyKind,
    /// Its name, or its IP address without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Who signs in there; the password is the secret [`PROXY_PASSWORD`](crate::secrets::field::PROXY_PASSWORD).
    pub user: Option<String>,
}

/// What a proxy speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProxyKind {
    /// SOCKS5; the proxy resolves names.
    Socks5,
    /// HTTP CONNECT; the proxy resolves names.
    Http,
}

/// Why an address of a proxy cannot be used. Never repeats the address, which may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ProxyError(&'static str);

const FORM: ProxyError = ProxyError(
    "a proxy's address has the form socks5h://HOST:PORT or http://HOST:PORT, with USER@ before the host when it asks for one; or it is `system`",
);

impl Proxy {
    /// Whether a password belongs to it.
    #[must_use]
    pub fn takes_password(&self) -> bool {
        matches!(self, Self::Server(ProxyServer { user: Some(_), .. }))
    }
}

impl FromStr for Proxy {
    type Err = ProxyError;

    fn from_str(text: &str) -> Result<Self, ProxyError> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("system") {
            return Ok(Self::System);
        }
        let url = Url::parse(text).map_err(|_| FORM)?;
        let (kind, port) = match url.scheme() {
            "socks5h" => (ProxyKind::Socks5, url.port().unwrap_or(1080)),
            "http" => (ProxyKind::Http, url.port_or_known_default().unwrap_or(80)),
            "socks5" => {
                return Err(ProxyError("write socks5h: the proxy resolves names, never this machine"));
            }
            "https" => {
                return Err(ProxyError(
                    "a proxy is spoken to in the clear, with http: what goes through it is under TLS all the same",
                ));
            }
            _ => return Err(FORM),
        };
        if url.password().is_some() {
            return Err(ProxyError(
                "a password does not belong into the address of a proxy, where others can read it; give it with --proxy-password-env or --proxy-password-stdin",
            ));
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() || port == 0 {
            return Err(FORM);
        }
        let host = match url.host().ok_or(FORM)? {
            Host::Domain(name) if name.is_empty() || !name.chars().all(|c| c.is_ascii_graphic()) => {
                return Err(FORM);
            }
            Host::Domain(name) => name.to_owned(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        let user = percent_decode_str(url.username()).decode_utf8().map_err(|_| FORM)?.into_owned();
        // SOCKS counts the name in one octet (RFC 1929); a colon would end it in HTTP (RFC 7617).
        if user.len() > 255 || user.contains(|c: char| c == ':' || c.is_control()) {
            return Err(ProxyError(
                "the user name of a proxy has at most 255 octets, no colon and no control characters",
            ));
        }
        Ok(Self::Server(ProxyServer { kind, host, port, user: (!user.is_empty()).then_some(user) }))
    }
}

impl ProxyServer {
    /// Host and port as an address is written, with brackets around IPv6.
    #[must_use]
    pub fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// The address without a user.
    #[must_use]
    pub fn address(&self) -> String {
        let scheme = if self.kind == ProxyKind::Socks5 { "socks5h" } else { "http" };
        format!("{scheme}://{}", self.authority())
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Server(server) = self else { return f.write_str("system") };
        let address = server.address();
        let Some(user) = &server.user else { return f.write_str(&address) };
        let user = percent_encoding::utf8_percent_encode(user, percent_encoding::NON_ALPHANUMERIC);
        write!(f, "{}", address.replacen("://", &format!("://{user}@"), 1))
    }
}

impl TryFrom<String> for Proxy {
    type Error = ProxyError;

    fn try_from(text: String) -> Result<Self, ProxyError> {
        text.parse()
    }
}

impl From<Proxy> for String {
    fn from(proxy: Proxy) -> Self {
        proxy.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_written() {
        for text in [
            "system",
            "socks5h://proxy.example.com:1080",
            "http://10.0.0.1:3128",
            "http://[2001:db8::1]:8080",
            "socks5h://inkoop%40x@proxy.example.com:9050",
        ] {
            assert_eq!(text.parse::<Proxy>().unwrap().to_string(), text);
        }
        let Proxy::Server(server) = "socks5h://inkoop%40x@[::1]".parse().unwrap() else { panic!("a server") };
        assert_eq!(
            (server.host.as_str(), server.port, server.user.as_deref()),
            ("::1", 1080, Some("inkoop@x"))
        );
    }

    #[test]
    fn what_is_no_address_is_refused_and_not_repeated() {
        for wrong in [
            "",
            "proxy:1080",
            "socks5://proxy:1080",
            "socks4://proxy:1080",
            "https://proxy:443",
            "http://proxy:3128/path",
            "http://u:geheim@proxy:3128",
            "socks5h://u:geheim@proxy:1080",
            "socks5h://:1080",
            "socks5h://proxy:0",
            "socks5h://pro xy:1080",
        ] {
            let error = wrong.parse::<Proxy>().unwrap_err().to_string();
            assert!(!error.contains("geheim"), "{error}");
        }
    }
}
