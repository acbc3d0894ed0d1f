//! Device code (RFC 8628): the person enters a short code on any device that has a browser.

use std::time::Duration;

use oauth2::{
    ClientId, ClientSecret, DeviceAuthorizationUrl, DeviceCodeErrorResponse,
    EmptyExtraDeviceAuthorizationFields, StandardDeviceAuthorizationResponse,
};
use secrecy::ExposeSecret;

use crate::proof::Proof;
use crate::web::{NoAnswer, meaning};
use crate::{AuthError, Grant, Provider};

/// A sign-in that waits for a person.
pub struct DeviceSignIn {
    details: StandardDeviceAuthorizationResponse,
}

impl DeviceSignIn {
    /// Where the person goes.
    #[must_use]
    pub fn address(&self) -> &str {
        self.details.verification_uri().as_str()
    }

    /// What the person enters there.
    #[must_use]
    pub fn code(&self) -> &str {
        self.details.user_code().secret()
    }

    /// How long that works.
    #[must_use]
    pub fn lasts(&self) -> Duration {
        self.details.expires_in()
    }
}

impl Provider<'_> {
    /// Begins a sign-in on another device.
    ///
    /// # Errors
    /// The method or the provider has none.
    pub async fn begin_device(&self) -> Result<DeviceSignIn, AuthError> {
        let device = self.plan.device.clone().ok_or_else(|| {
            AuthError::setting(None, "this auth method has no sign-in on another device for these settings")
        })?;
        let client = oauth2::basic::BasicClient::new(ClientId::new(self.plan.client_id.clone()))
            .set_device_authorization_url(DeviceAuthorizationUrl::from_url(device));
        let client = match &self.proof {
            Proof::Secret(secret) => {
                client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned()))
            }
            Proof::None | Proof::Certificate(_) => client,
        };
        let mut request = client.exchange_device_code().add_scopes(self.scopes());
        for (name, value) in self.parameters(None)? {
            request = request.add_extra_param(name, value);
        }
        let details = request.request_async::<_, EmptyExtraDeviceAuthorizationFields>(&self.asker).await;
        let details = details.map_err(|error| meaning(&self.plan, error, &self.hidden(&[])))?;
        Ok(DeviceSignIn { details })
    }

    /// Waits until the person has signed in: asks in the provider's interval, and slower when it says so.
    ///
    /// # Errors
    /// The person declined or did not come in time, or the provider refuses.
    pub async fn wait_for_device(&self, sign_in: &DeviceSignIn) -> Result<Grant, AuthError> {
        let client = self.client();
        let mut request = client.exchange_device_access_token(&sign_in.details);
        for (name, value) in self.parameters(None)? {
            request = request.add_extra_param(name, value);
        }
        let answer = request.request_async(&self.asker, tokio::time::sleep, None).await;
        let answer =
            answer.map_err(|error: oauth2::RequestTokenError<NoAnswer, DeviceCodeErrorResponse>| {
                meaning(&self.plan, error, &self.hidden(&[sign_in.details.device_code().secret()]))
            })?;
        self.check_id_token(answer.extra_fields().id_token.as_deref())?;
        Ok(self.grant(&answer, None, None))
    }
}
