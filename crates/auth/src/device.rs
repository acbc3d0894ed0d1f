//! Device code (RFC 8628): the person enters a short code on any device that has a browser.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use oauth2::{
    AsyncHttpClient, ClientId, ClientSecret, DeviceAuthorizationUrl, DeviceCodeErrorResponse,
    EmptyExtraDeviceAuthorizationFields, RequestTokenError, StandardDeviceAuthorizationResponse,
};
use secrecy::ExposeSecret;
use tokio::sync::mpsc;
use url::form_urlencoded;
use wissel_model::{ConnectorError, ErrorKind};

use crate::proof::Proof;
use crate::web::{NoAnswer, meaning};
use crate::{AuthError, Grant, Provider, Request, Response};

/// The shortest pause between two questions, whatever the provider says.
const LEAST_PAUSE: Duration = Duration::from_secs(1);
/// How often in a row no answer may come while a person signs in: with the growing pauses, some two minutes.
const MOST_UNANSWERED: u32 = 15;

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
        if let Some(id) = self.id_beside_secret() {
            request = request.add_extra_param("client_id", id);
        }
        let details = request.request_async::<_, EmptyExtraDeviceAuthorizationFields>(&self.asker).await;
        let details = details.map_err(|error| meaning(&self.plan, error, &self.hidden(&[])))?;
        Ok(DeviceSignIn { details })
    }

    /// The client's id, where the library writes it into the header with the secret only: there are providers that look
    /// for it in the body all the same (RFC 8628, section 3.1).
    fn id_beside_secret(&self) -> Option<String> {
        matches!(self.proof, Proof::Secret(_)).then(|| self.plan.client_id.clone())
    }

    /// Waits until the person has signed in: asks in the provider's interval, and slower when it says so.
    ///
    /// # Errors
    /// The person declined or did not come in time, the provider refuses, or it cannot be reached in a way that does not
    /// pass.
    pub async fn wait_for_device(&self, sign_in: &DeviceSignIn) -> Result<Grant, AuthError> {
        let client = self.client();
        let mut request = client.exchange_device_access_token(&sign_in.details);
        for (name, value) in self.plan.token_parameters(None)? {
            request = request.add_extra_param(name, value);
        }
        if let Some(id) = self.id_beside_secret() {
            request = request.add_extra_param("client_id", id);
        }
        let (send, mut given_up) = mpsc::unbounded_channel();
        let asker = Patient { provider: self, unanswered: Mutex::new(0), given_up: send };
        let pause = |interval: Duration| tokio::time::sleep(interval.max(LEAST_PAUSE));
        let answer = tokio::select! {
            biased;
            Some(error) = given_up.recv() => return Err(error),
            answer = request.request_async(&asker, pause, None) => answer,
        };
        let answer = answer.map_err(|error: RequestTokenError<NoAnswer, DeviceCodeErrorResponse>| {
            meaning(&self.plan, error, &self.hidden(&[sign_in.details.device_code().secret()]))
        })?;
        self.check_id_token(answer.extra_fields().id_token.as_deref())?;
        Ok(self.grant(&answer, None, None))
    }
}

/// Asks on behalf of the library, which takes each question without an answer for one to repeat until the code ends:
/// proves anew each time who asks, since a code lasts longer than a signed assertion, and gives up where that is the
/// end of it.
struct Patient<'a> {
    provider: &'a Provider<'a>,
    unanswered: Mutex<u32>,
    given_up: mpsc::UnboundedSender<AuthError>,
}

impl Patient<'_> {
    async fn ask(&self, mut request: Request) -> Result<Response, NoAnswer> {
        let proof = self.provider.proof.parameters(&self.provider.plan).map_err(|error| {
            let source = ConnectorError::from(error.clone());
            let _ = self.given_up.send(error);
            NoAnswer(source)
        })?;
        for (name, value) in proof {
            let mut form = form_urlencoded::Serializer::new(String::new());
            let pair = form.append_pair(&name, &value).finish();
            request.body_mut().push(b'&');
            request.body_mut().extend(pair.into_bytes());
        }
        let answer = self.provider.asker.call(request).await;
        let mut unanswered = self.unanswered.lock().unwrap_or_else(PoisonError::into_inner);
        *unanswered = if answer.is_ok() { 0 } else { unanswered.saturating_add(1) };
        if let Err(NoAnswer(source)) = &answer {
            let passes = source.kind == ErrorKind::Temporary && *unanswered < MOST_UNANSWERED;
            if !passes {
                let _ = self.given_up.send(NoAnswer(source.clone()).into());
            }
        }
        answer
    }
}

impl<'c> AsyncHttpClient<'c> for Patient<'_> {
    type Error = NoAnswer;
    type Future = Pin<Box<dyn Future<Output = Result<Response, NoAnswer>> + Send + 'c>>;

    fn call(&'c self, request: Request) -> Self::Future {
        Box::pin(self.ask(request))
    }
}
