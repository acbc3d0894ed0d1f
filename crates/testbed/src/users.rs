//! Who may open the mailbox: passwords and bearer tokens. Every face asks here.
//!
//! Several users may open the same mailbox; that is how an account is switched from a password to a token. A user may
//! have a mailbox of his own, so that one test bed serves a fleet of accounts.
//! It deliberately issues no tokens: a test or an authorisation server puts them here.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use jiff::Timestamp;

use crate::mailbox::Mailbox;

/// What a bearer token allows.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The user or shared mailbox that must be named along with the token.
    pub user: String,
    /// From then on the token is refused.
    pub expires: Timestamp,
    /// Scopes, parted by spaces, as in an OAuth answer (RFC 6749, section 3.3).
    pub scope: String,
}

/// Why a sign-in was refused. A face may tell its client less.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SignInError {
    /// Unknown user or wrong password.
    #[error("unknown user or wrong password")]
    WrongPassword,
    /// The token is not known.
    #[error("unknown token")]
    UnknownToken,
    /// The token's time is over.
    #[error("expired token")]
    ExpiredToken,
    /// The token is good for another user only.
    #[error("token of another user")]
    OtherUser,
    /// The token lacks the scope of the face.
    #[error("token without the scope of this service")]
    MissingScope,
}

#[derive(Debug, Default)]
struct Known {
    passwords: BTreeMap<String, String>,
    tokens: BTreeMap<String, Grant>,
    own: BTreeMap<String, Own>,
}

/// A user's own mailbox, and when he signed in.
#[derive(Debug)]
struct Own {
    mailbox: Mailbox,
    sign_ins: Vec<Instant>,
}

/// The users; clones share them, and they may change while faces run.
#[derive(Clone, Debug, Default)]
pub struct Users {
    known: Arc<Mutex<Known>>,
}

impl Users {
    /// Lets `user` in with `password`; a second call changes the password.
    pub fn add_password(&self, user: impl Into<String>, password: impl Into<String>) {
        self.lock().passwords.insert(user.into(), password.into());
    }

    /// Lets the bearer of `token` in.
    pub fn add_token(&self, token: impl Into<String>, grant: Grant) {
        self.lock().tokens.insert(token.into(), grant);
    }

    /// Gives `user` a mailbox of his own; the others share the test bed's.
    pub fn add_mailbox(&self, user: impl Into<String>, mailbox: Mailbox) {
        self.lock().own.insert(user.into(), Own { mailbox, sign_ins: Vec::new() });
    }

    /// Notes that `user` has signed in, and returns his own mailbox, if he has one.
    pub(crate) fn enter(&self, user: &str) -> Option<Mailbox> {
        let mut known = self.lock();
        let own = known.own.get_mut(user)?;
        own.sign_ins.push(Instant::now());
        Some(own.mailbox.clone())
    }

    /// When each user with a mailbox of his own signed in, as the time since `start`.
    pub fn sign_ins(&self, start: Instant) -> BTreeMap<String, Vec<Duration>> {
        let since = |own: &Own| own.sign_ins.iter().map(|at| at.duration_since(start)).collect();
        self.lock().own.iter().map(|(user, own)| (user.clone(), since(own))).collect()
    }

    /// Takes a user's password away, as a provider does when it ends passwords.
    pub fn remove_password(&self, user: &str) {
        self.lock().passwords.remove(user);
    }

    /// Takes a token away.
    pub fn remove_token(&self, token: &str) {
        self.lock().tokens.remove(token);
    }

    /// Checks a password.
    pub fn sign_in(&self, user: &str, password: &str) -> Result<(), SignInError> {
        match self.lock().passwords.get(user) {
            Some(known) if known == password => Ok(()),
            _ => Err(SignInError::WrongPassword),
        }
    }

    /// Checks a bearer token for `user` against one of the `scopes` that the face accepts.
    pub fn sign_in_with_token(&self, user: &str, token: &str, scopes: &[String]) -> Result<(), SignInError> {
        let known = self.lock();
        let grant = known.tokens.get(token).ok_or(SignInError::UnknownToken)?;
        if grant.expires <= Timestamp::now() {
            return Err(SignInError::ExpiredToken);
        }
        if grant.user != user {
            return Err(SignInError::OtherUser);
        }
        if !grant.scope.split(' ').any(|held| scopes.iter().any(|accepted| accepted == held)) {
            return Err(SignInError::MissingScope);
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;

    #[test]
    fn a_token_is_good_for_its_user_time_and_scope_only() {
        let users = Users::default();
        let expires = Timestamp::now() + 1.hour();
        users.add_token("good", Grant { user: "a".into(), expires, scope: "openid mail".into() });
        let past = Timestamp::now() - 1.second();
        users.add_token("old", Grant { user: "a".into(), expires: past, scope: "mail".into() });
        let mail = ["mail".to_owned()];
        assert_eq!(users.sign_in_with_token("a", "good", &mail), Ok(()));
        assert_eq!(users.sign_in_with_token("b", "good", &mail), Err(SignInError::OtherUser));
        assert_eq!(users.sign_in_with_token("a", "old", &mail), Err(SignInError::ExpiredToken));
        assert_eq!(users.sign_in_with_token("a", "none", &mail), Err(SignInError::UnknownToken));
        assert_eq!(
            users.sign_in_with_token("a", "good", &["send".to_owned()]),
            Err(SignInError::MissingScope)
        );
    }
}
