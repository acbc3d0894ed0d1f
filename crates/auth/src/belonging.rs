//! Whom a secret or a grant is for. The address that tokens are asked of comes from a connector's description, which may be
//! anybody's, and may be another one tomorrow: neither goes to a provider that it does not belong to.

use url::Url;
use wissel_model::settings::names_host;
use wissel_model::{Account, Description};

use crate::{AuthError, Grant, Plan};

impl Plan {
    /// Who gives the tokens, as it is kept with a grant.
    pub(crate) fn provider(&self) -> String {
        self.token.origin().ascii_serialization()
    }

    /// Refuses to show a client of another connector to a provider that the client's own settings do not name.
    pub(crate) fn check_owner(&self, account: &Account, description: &Description) -> Result<(), AuthError> {
        let Some(client) = account.client.as_ref().filter(|client| client.connector != description.name)
        else {
            return Ok(());
        };
        let names = |url: &Url| client.settings.values().any(|value| names_host(value, url));
        let strange = [Some(&self.token), self.device.as_ref()].into_iter().flatten().find(|url| !names(url));
        let Some(url) = strange else { return Ok(()) };
        let message = format!(
            "the OAuth client '{}' was made for the connector '{}', and '{}' would show it to {}, which the client's settings \
             do not name; make a client for that connector with `wissel client add`",
            client.name,
            client.connector,
            description.name,
            url.origin().ascii_serialization()
        );
        Err(AuthError::setting(None, message))
    }

    /// Refuses to renew a grant of one provider at another.
    pub(crate) fn check_provider(&self, grant: &Grant) -> Result<(), AuthError> {
        let now = self.provider();
        match &grant.provider {
            Some(then) if *then != now => {
                let message = format!(
                    "the account was authorised at {then}, and its connector and settings lead to {now}; if that is meant, \
                     authorise it again with `wissel account authorize`"
                );
                Err(AuthError::setting(None, message))
            }
            _ => Ok(()),
        }
    }
}
