//! The SASL mechanisms (RFC 4422) that a password or a token serves: PLAIN (RFC 4616), LOGIN (a draft that everybody
//! speaks), XOAUTH2 (a draft that two large services speak) and OAUTHBEARER (RFC 7628).
//!
//! Challenges are not looked at: with these mechanisms their number alone says what is wanted.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use wissel_model::description::{AuthKind, AuthMethod};
use wissel_model::{ConnectorError, ErrorKind};
use zeroize::Zeroizing;

use crate::grants::StreamGrant;

const FOR_PASSWORD: &[&str] = &["PLAIN", "LOGIN"];
const FOR_TOKEN: &[&str] = &["OAUTHBEARER", "XOAUTH2"];

/// Whether the auth method's secret is a password.
pub(super) fn is_password(auth: &AuthMethod) -> bool {
    auth.kind == AuthKind::Password
}

/// The mechanisms that the auth method lists and that are known here, in its order; all that fit when it lists none.
pub(super) fn offered(auth: &AuthMethod) -> impl Iterator<Item = &'static str> {
    let fitting = match auth.kind {
        AuthKind::Password => FOR_PASSWORD,
        AuthKind::Ntlm => &[],
        _ => FOR_TOKEN,
    };
    let listed: Vec<&'static str> = match auth.mechanisms.as_slice() {
        [] => fitting.to_vec(),
        listed => listed
            .iter()
            .filter_map(|name| fitting.iter().copied().find(|known| known.eq_ignore_ascii_case(name)))
            .collect(),
    };
    listed.into_iter()
}

/// One exchange.
pub struct Exchange {
    mechanism: &'static str,
    grant: StreamGrant,
    user: String,
    /// Who to act as, when it is not the user.
    identity: Option<String>,
    secret: SecretString,
    /// Answers given so far.
    given: usize,
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("mechanism", &self.mechanism).finish_non_exhaustive()
    }
}

impl Exchange {
    /// Refuses names that would break out of their field.
    pub(super) fn new(
        mechanism: &'static str,
        grant: StreamGrant,
        user: String,
        identity: Option<String>,
        secret: SecretString,
    ) -> Result<Self, ConnectorError> {
        let texts = [Some(user.as_str()), identity.as_deref(), Some(secret.expose_secret())];
        if texts.into_iter().flatten().any(|text| text.contains(['\0', '\x01', '\r', '\n'])) {
            let message = "user, identity or secret holds a control character; store it again";
            return Err(ConnectorError::new(ErrorKind::AuthorizationNeeded, message));
        }
        Ok(Self { mechanism, grant, user, identity, secret, given: 0 })
    }

    pub(super) fn mechanism(&self) -> &'static str {
        self.mechanism
    }

    pub(super) fn endpoint(&self) -> &str {
        &self.grant.name
    }

    /// The initial response; none where the server speaks first.
    pub(super) fn initial(&mut self) -> Option<Zeroizing<Vec<u8>>> {
        if self.mechanism == "LOGIN" {
            return None;
        }
        self.given = 1;
        Some(self.first())
    }

    /// The answer to the next challenge.
    pub(super) fn respond(&mut self) -> Result<Zeroizing<Vec<u8>>, ConnectorError> {
        self.given += 1;
        match (self.mechanism, self.given) {
            ("LOGIN", 1) => Ok(Zeroizing::new(self.user.clone().into_bytes())),
            ("LOGIN", 2) => Ok(Zeroizing::new(self.secret.expose_secret().as_bytes().to_vec())),
            (_, 1) => Ok(self.first()),
            // A challenge after the token tells why it was refused; the answer lets the server say its final no.
            ("XOAUTH2", 2) => Ok(Zeroizing::new(Vec::new())),
            ("OAUTHBEARER", 2) => Ok(Zeroizing::new(vec![1])),
            (mechanism, _) => Err(ConnectorError::new(
                ErrorKind::Protocol,
                format!("the server asked more than the mechanism {mechanism} has"),
            )),
        }
    }

    fn first(&self) -> Zeroizing<Vec<u8>> {
        let secret = self.secret.expose_secret();
        let acting = self.identity.as_deref().unwrap_or(&self.user);
        let parts: Vec<&str> = match self.mechanism {
            "XOAUTH2" => vec!["user=", acting, "\x01auth=Bearer ", secret, "\x01\x01"],
            "OAUTHBEARER" => {
                let name = acting.replace('=', "=3D").replace(',', "=2C");
                let port = self.grant.port.to_string();
                let host = &self.grant.host;
                let header = format!("n,a={name},\x01host={host}\x01port={port}\x01auth=Bearer ");
                return joined(&[&header, secret, "\x01\x01"]);
            }
            _ => vec![self.identity.as_deref().unwrap_or_default(), "\0", &self.user, "\0", secret],
        };
        joined(&parts)
    }
}

/// One buffer of the right size from the start, so that no copy of the secret is left behind by growing.
fn joined(parts: &[&str]) -> Zeroizing<Vec<u8>> {
    let mut octets = Vec::with_capacity(parts.iter().map(|part| part.len()).sum());
    for part in parts {
        octets.extend_from_slice(part.as_bytes());
    }
    Zeroizing::new(octets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grants::TlsMode;

    fn exchange(mechanism: &'static str, identity: Option<&str>) -> Exchange {
        let grant = StreamGrant {
            name: "imap".into(),
            host: "mail.example.com".into(),
            port: 993,
            tls: TlsMode::Implicit,
            credential: true,
            clear_text: false,
        };
        let secret = SecretString::from("s3cret");
        Exchange::new(mechanism, grant, "jan@example.com".into(), identity.map(str::to_owned), secret)
            .unwrap()
    }

    #[test]
    fn answers_are_those_of_their_specifications() {
        let initial = |mechanism, identity| exchange(mechanism, identity).initial().unwrap().to_vec();
        assert_eq!(initial("PLAIN", None), b"\0jan@example.com\0s3cret");
        assert_eq!(initial("PLAIN", Some("info@example.com")), b"info@example.com\0jan@example.com\0s3cret");
        assert_eq!(initial("XOAUTH2", None), b"user=jan@example.com\x01auth=Bearer s3cret\x01\x01");
        assert_eq!(
            initial("OAUTHBEARER", Some("a,b=c")),
            b"n,a=a=2Cb=3Dc,\x01host=mail.example.com\x01port=993\x01auth=Bearer s3cret\x01\x01"
        );
    }

    #[test]
    fn without_an_initial_response_the_first_challenge_gets_it() {
        let mut plain = exchange("PLAIN", None);
        assert_eq!(plain.respond().unwrap().as_slice(), b"\0jan@example.com\0s3cret");
        assert_eq!(plain.respond().unwrap_err().kind, ErrorKind::Protocol);
        let mut login = exchange("LOGIN", None);
        assert!(login.initial().is_none());
        assert_eq!(login.respond().unwrap().as_slice(), b"jan@example.com");
        assert_eq!(login.respond().unwrap().as_slice(), b"s3cret");
        assert!(login.respond().is_err());
    }

    #[test]
    fn a_failure_challenge_gets_the_answer_that_its_mechanism_prescribes() {
        for (mechanism, answer) in [("XOAUTH2", &b""[..]), ("OAUTHBEARER", &b"\x01"[..])] {
            let mut exchange = exchange(mechanism, None);
            exchange.initial().unwrap();
            assert_eq!(exchange.respond().unwrap().as_slice(), answer);
            assert!(exchange.respond().is_err());
        }
    }

    #[test]
    fn nothing_shows_the_secret() {
        assert!(!format!("{:?}", exchange("PLAIN", None)).contains("s3cret"));
    }
}
