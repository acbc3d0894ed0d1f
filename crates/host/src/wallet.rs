//! The credential of a session: the stored secret, or a token that is renewed.
//!
//! A token is kept for the session, so that a request costs no look-up, and is asked for again before it ends. When a
//! service refuses it, it is renewed once for all requests that were refused with it. Renewing it for several sessions
//! and processes at once is for [`Tokens`] to sort out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use wissel_model::description::{AuthKind, AuthMethod};
use wissel_model::secrets::{SecretError, Secrets, code};
use wissel_model::tokens::{AccessToken, RefusedToken, Tokens};
use wissel_model::{Account, ConnectorError, Description, ErrorKind};

/// How long a token has to be good for to be used: the longest upload takes its time.
const LEAST_LEFT: SignedDuration = SignedDuration::from_secs(120);

/// Where the credentials of accounts come from.
#[derive(Clone)]
pub(crate) struct Sources {
    pub(crate) secrets: Arc<dyn Secrets>,
    pub(crate) tokens: Arc<dyn Tokens>,
}

/// The credential of one session.
pub(crate) struct Wallet {
    sources: Sources,
    description: Arc<Description>,
    held: Mutex<Option<AccessToken>>,
    /// Whether the token went into a SASL exchange, whose refusal only the connector sees.
    spoken: AtomicBool,
}

impl Wallet {
    pub(crate) fn new(sources: Sources, description: Arc<Description>) -> Self {
        Self { sources, description, held: Mutex::default(), spoken: AtomicBool::new(false) }
    }

    /// Where secrets are stored.
    pub(crate) fn stored(&self) -> &dyn Secrets {
        &*self.sources.secrets
    }

    /// The secret of the account's auth method.
    ///
    /// # Errors
    /// `authorization-needed` when there is none, or none can be had without a person.
    pub(crate) async fn secret(
        &self,
        account: &Account,
        auth: &AuthMethod,
    ) -> Result<SecretString, ConnectorError> {
        if !is_renewed(auth) {
            return self.stored().secret(account.id, auth.kind.secret_field()).await.map_err(|error| {
                let code = match error {
                    SecretError::Missing(_) => code::NO_SECRET,
                    SecretError::Unreadable(_) => code::VAULT,
                };
                ConnectorError::new(ErrorKind::AuthorizationNeeded, error.to_string()).with_code(code)
            });
        }
        let mut held = self.held.lock().await;
        if let Some(token) = held.as_ref()
            && token.expires.duration_since(Timestamp::now()) >= LEAST_LEFT
        {
            return Ok(token.secret.clone());
        }
        self.fetch(&mut held, account, auth, None).await
    }

    /// As [`Self::secret`], for a SASL exchange.
    ///
    /// # Errors
    /// See there.
    pub(crate) async fn spoken(
        &self,
        account: &Account,
        auth: &AuthMethod,
    ) -> Result<SecretString, ConnectorError> {
        self.spoken.store(is_renewed(auth), Ordering::Relaxed);
        self.secret(account, auth).await
    }

    /// Renews the token that was refused in a SASL exchange; false when none was in one since the last time.
    ///
    /// # Errors
    /// See [`Self::renewed`].
    pub(crate) async fn renewed_after_sasl(
        &self,
        account: &Account,
        auth: &AuthMethod,
    ) -> Result<bool, ConnectorError> {
        let token = self.held.lock().await.as_ref().map(|token| token.secret.clone());
        match token.filter(|_| self.spoken.swap(false, Ordering::Relaxed)) {
            Some(token) => {
                self.renewed(account, auth, &RefusedToken { token, claims: None }).await?;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// A token in place of one that the service refused.
    ///
    /// # Errors
    /// `authorization-needed` when none can be had without a person.
    pub(crate) async fn renewed(
        &self,
        account: &Account,
        auth: &AuthMethod,
        refused: &RefusedToken,
    ) -> Result<SecretString, ConnectorError> {
        let mut held = self.held.lock().await;
        match held.as_ref() {
            // Another request was refused with the same one, and has renewed it already.
            Some(token) if token.secret.expose_secret() != refused.token.expose_secret() => {
                Ok(token.secret.clone())
            }
            _ => self.fetch(&mut held, account, auth, Some(refused)).await,
        }
    }

    async fn fetch(
        &self,
        held: &mut Option<AccessToken>,
        account: &Account,
        auth: &AuthMethod,
        refused: Option<&RefusedToken>,
    ) -> Result<SecretString, ConnectorError> {
        *held = None;
        let token = self.sources.tokens.token(account, &self.description, auth, refused).await?;
        let secret = token.secret.clone();
        *held = Some(token);
        Ok(secret)
    }
}

/// Whether the method's secret is a token that the host can renew; otherwise it is used as the operator stored it.
pub(crate) fn is_renewed(auth: &AuthMethod) -> bool {
    !matches!(auth.kind, AuthKind::Password | AuthKind::Ntlm) && auth.token.is_some()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use async_trait::async_trait;
    use wissel_model::AccountId;

    use super::*;

    /// Gives `token-1`, `token-2`, ..., each good for so many seconds.
    struct Issuer(i64, AtomicU32);

    #[async_trait]
    impl Tokens for Issuer {
        async fn token(
            &self,
            _account: &Account,
            _description: &Description,
            _method: &AuthMethod,
            _refused: Option<&RefusedToken>,
        ) -> Result<AccessToken, ConnectorError> {
            let secret = SecretString::from(format!("token-{}", self.1.fetch_add(1, Ordering::SeqCst) + 1));
            let expires = Timestamp::now() + SignedDuration::from_secs(self.0);
            Ok(AccessToken { secret, expires, scopes: Vec::new() })
        }
    }

    struct Stored;

    #[async_trait]
    impl Secrets for Stored {
        async fn secret(&self, _account: AccountId, field: &str) -> Result<SecretString, SecretError> {
            Ok(SecretString::from(format!("stored {field}")))
        }
    }

    fn wallet(seconds: i64) -> Wallet {
        let tokens = Arc::new(Issuer(seconds, AtomicU32::new(0)));
        let described = serde_json::json!({
            "schema": 1, "name": "probe", "version": "1", "title": {"en": "P", "nl": "P"},
            "settings": [], "endpoints": [], "auth": [], "operations": [], "limits": {}
        });
        let description = serde_json::from_value(described).unwrap();
        Wallet::new(Sources { secrets: Arc::new(Stored), tokens }, Arc::new(description))
    }

    fn account() -> Account {
        Account {
            id: AccountId::generate(),
            name: "Inkoop".to_owned(),
            connector: "probe".to_owned(),
            auth: "oauth".to_owned(),
            client: None,
            settings: std::collections::BTreeMap::new(),
            connection: wissel_model::ConnectionPolicy::default(),
            is_default: false,
        }
    }

    fn method(token: &str) -> AuthMethod {
        let text = r#"{"id": "oauth", "type": "oauth2-code", "label": {"en": "OAuth", "nl": "OAuth"}"#;
        serde_json::from_str(&format!("{text}{token}}}")).unwrap()
    }

    const DESCRIBED: &str = r#", "token": "https://login.example.com/token""#;

    #[tokio::test]
    async fn a_token_is_kept_until_it_ends_soon() {
        for (seconds, second) in [(3600, "token-1"), (60, "token-2")] {
            let (wallet, account, auth) = (wallet(seconds), account(), method(DESCRIBED));
            assert_eq!(wallet.secret(&account, &auth).await.unwrap().expose_secret(), "token-1");
            assert_eq!(wallet.secret(&account, &auth).await.unwrap().expose_secret(), second);
        }
        let stored = wallet(3600).secret(&account(), &method("")).await.unwrap();
        assert_eq!(stored.expose_secret(), "stored access-token");
    }

    #[tokio::test]
    async fn a_token_that_went_into_a_sasl_exchange_is_renewed_once() {
        let (wallet, account, auth) = (wallet(3600), account(), method(DESCRIBED));
        wallet.secret(&account, &auth).await.unwrap();
        assert!(!wallet.renewed_after_sasl(&account, &auth).await.unwrap(), "HTTP renews its own");
        wallet.spoken(&account, &auth).await.unwrap();
        assert!(wallet.renewed_after_sasl(&account, &auth).await.unwrap());
        assert_eq!(wallet.spoken(&account, &auth).await.unwrap().expose_secret(), "token-2");
        assert!(wallet.renewed_after_sasl(&account, &auth).await.unwrap());
        assert!(!wallet.renewed_after_sasl(&account, &auth).await.unwrap());
    }
}
