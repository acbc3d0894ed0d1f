//! Whom a client's secret is for. The address that tokens are asked of comes from a connector's description, which may be
//! anybody's, and may be another one tomorrow. Where grants belong, `binding` says.

use url::Url;
use wissel_model::settings::names_host;
use wissel_model::{Account, Description};

use crate::{AuthError, Plan};

impl Plan {
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
}
