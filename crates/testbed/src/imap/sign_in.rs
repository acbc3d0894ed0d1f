//! LOGIN and AUTHENTICATE: PLAIN (RFC 4616), LOGIN, XOAUTH2, OAUTHBEARER (RFC 7628), with and without SASL-IR.

use std::io;

use imap_codec::{
    AuthenticateDataCodec,
    imap_types::{
        auth::{AuthMechanism, AuthenticateData},
        response::Code,
    },
};

use super::{
    Security,
    session::{Reply, Session},
    wire::Stream,
};
use crate::users::SignInError;

/// What a refused bearer token is answered with before the NO (RFC 7628, section 3.2.2).
const REFUSED_TOKEN: &[u8] = br#"{"status":"401","schemes":"Bearer"}"#;

/// The delegated permission that a token of the Entra face needs here.
const SCOPE: &str = "IMAP.AccessAsUser.All";
/// The application permission that lets an app in by itself.
const ROLE: &str = "IMAP.AccessAsApp";

impl<S: Stream> Session<S> {
    pub(super) fn login(&mut self, user: &[u8], password: &[u8]) -> Reply {
        match self.may_sign_in() {
            Err(refused) => refused,
            Ok(()) => {
                let result = self.check_password(user, password);
                self.finish(result)
            }
        }
    }

    pub(super) async fn authenticate(
        &mut self,
        mechanism: AuthMechanism<'static>,
        initial: Option<Vec<u8>>,
    ) -> io::Result<Reply> {
        if let Err(refused) = self.may_sign_in() {
            return Ok(refused);
        }
        let first: &[u8] = match mechanism {
            AuthMechanism::Login => b"Username:",
            AuthMechanism::Plain | AuthMechanism::XOAuth2 | AuthMechanism::OAuthBearer => b"",
            _ => return Ok(Reply::no("No such mechanism")),
        };
        let Some(answer) = self.answer(initial, first).await? else {
            return Ok(Reply::bad("Cancelled"));
        };
        let result = match mechanism {
            AuthMechanism::Login => {
                let Some(password) = self.answer(None, b"Password:").await? else {
                    return Ok(Reply::bad("Cancelled"));
                };
                self.check_password(&answer, &password)
            }
            AuthMechanism::Plain => {
                let parts: Vec<&[u8]> = answer.split(|byte| *byte == 0).collect();
                match parts.as_slice() {
                    [_, user, password] => self.check_password(user, password),
                    _ => return Ok(Reply::bad("Malformed answer")),
                }
            }
            _ => {
                let result = match bearer(&answer) {
                    Some((user, token)) => self.check_token(&user, &token).map(|()| user),
                    None => Err(SignInError::UnknownToken),
                };
                if result.is_err() {
                    // The client answers the reason with an empty line or a dummy; only then comes the NO.
                    self.answer(None, REFUSED_TOKEN).await?;
                }
                result
            }
        };
        Ok(self.finish(result))
    }

    fn may_sign_in(&self) -> Result<(), Reply> {
        if self.signed_in {
            return Err(Reply::bad("Signed in already"));
        }
        if self.security == Security::StartTls {
            return Err(Reply::no("TLS is needed first").other("PRIVACYREQUIRED"));
        }
        Ok(())
    }

    /// The user, when the password is his.
    fn check_password(&self, user: &[u8], password: &[u8]) -> Result<String, SignInError> {
        let user = String::from_utf8_lossy(user).into_owned();
        self.face.users.sign_in(&user, &String::from_utf8_lossy(password)).map(|()| user)
    }

    /// A token that a test put there, or one of the Entra face.
    fn check_token(&self, user: &str, token: &str) -> Result<(), SignInError> {
        match self.face.users.sign_in_with_token(user, token, &self.face.settings.scopes) {
            Err(SignInError::UnknownToken) => self.face.entra.may_open(token, user, SCOPE, ROLE),
            known => known,
        }
    }

    fn finish(&mut self, result: Result<String, SignInError>) -> Reply {
        match result {
            Ok(user) => {
                let shared = || self.face.mailboxes.find(&user)?.mailbox;
                if let Some(own) = self.face.users.enter(&user).or_else(shared) {
                    self.face = self.face.over(own);
                }
                self.signed_in = true;
                Reply::ok("Signed in").code(Code::Capability(self.capabilities()))
            }
            Err(error) => {
                tracing::debug!(%error, "sign-in refused");
                Reply::no("Authentication failed").other("AUTHENTICATIONFAILED")
            }
        }
    }

    /// The client's SASL answer: the one it sent along, or the one to `challenge`; `None` when it gave up.
    async fn answer(&mut self, initial: Option<Vec<u8>>, challenge: &[u8]) -> io::Result<Option<Vec<u8>>> {
        if let Some(initial) = initial {
            return Ok(Some(initial));
        }
        self.wire.challenge(challenge).await?;
        match self.wire.line(&AuthenticateDataCodec::default()).await? {
            Some(AuthenticateData::Continue(data)) => Ok(Some(data.declassify().to_vec())),
            Some(AuthenticateData::Cancel) | None => Ok(None),
        }
    }
}

/// User and token of an XOAUTH2 or OAUTHBEARER answer: both are fields parted by 0x01.
fn bearer(answer: &[u8]) -> Option<(String, String)> {
    let answer = std::str::from_utf8(answer).ok()?;
    let (mut user, mut token) = (None, None);
    for field in answer.split('\u{1}') {
        if let Some(value) = field.strip_prefix("auth=") {
            let (scheme, value) = value.split_once(' ')?;
            token = scheme.eq_ignore_ascii_case("bearer").then(|| value.trim().to_owned());
        } else if let Some(value) = field.strip_prefix("user=") {
            user = Some(value.to_owned());
        } else if let Some(header) = field.strip_prefix("n,a=") {
            // In a GS2 header a comma is `=2C` and an equals sign `=3D` (RFC 5801, section 4).
            let name = header.strip_suffix(',').unwrap_or(header);
            user = Some(name.replace("=2C", ",").replace("=3D", "="));
        }
    }
    Some((user?, token?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_bearer_mechanisms_name_user_and_token() {
        let expected = Some(("a@b.test".to_owned(), "tok".to_owned()));
        assert_eq!(bearer(b"user=a@b.test\x01auth=Bearer tok\x01\x01"), expected);
        assert_eq!(bearer(b"n,a=a@b.test,\x01host=h\x01port=993\x01auth=Bearer tok\x01\x01"), expected);
        assert_eq!(bearer(b"user=a@b.test\x01\x01"), None);
    }
}
