//! One request until its final answer: the credential and its renewal, waiting where the service asks for it, and
//! sending again what may be sent again.
//!
//! Everything here is bounded, in number and by the time of the call. When a bound is reached, the connector gets the
//! answer as it is, or `throttled` with the time when to come again: then the job waits, without holding a session.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::HeaderValue;
use reqwest::{Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, timeout};
use wissel_model::description::AuthKind;
use wissel_model::secrets::Secrets;
use wissel_model::tokens::RefusedToken;
use wissel_model::{Account, ConnectorError, ErrorKind};
use zeroize::Zeroizing;

use super::challenge::claims;
use super::client::Clients;
use super::failure::{self, CONNECTION_LOST};
use super::request::Checked;
use super::retry_after::retry_after;
use crate::address::Named;
use crate::call::Call;
use crate::governor::{ASKED_TO_WAIT, Slot, jittered, throttled};
use crate::proxy;
use crate::state::Context;
use crate::wallet::is_renewed;

/// How often a request is sent again that the service did not want to take.
const MOST_WAITS: u32 = 5;
/// How often it is sent again after its connection was lost.
const MOST_LOST: u32 = 2;
/// Slowest upload that is not taken for a dead one, in octets a second.
const SLOWEST_UPLOAD: u64 = 32 << 10;
/// What is read of an answer that nobody wants, so that its connection can be used again; and for how long.
const MOST_DISCARDED: usize = 64 << 10;
const LONGEST_DISCARD: Duration = Duration::from_secs(1);

type Result<T> = std::result::Result<T, ConnectorError>;

/// A request that has a slot.
pub(super) struct Attempts<'a> {
    pub(super) context: &'a Context,
    pub(super) slot: &'a Slot,
    pub(super) call: &'a Call,
    pub(super) request: &'a Checked,
}

/// Why there is no answer.
pub(crate) struct Unanswered {
    pub(crate) error: ConnectorError,
    /// The request did not leave this machine.
    unsent: bool,
}

impl From<ConnectorError> for Unanswered {
    fn from(error: ConnectorError) -> Self {
        Self { error, unsent: false }
    }
}

impl Attempts<'_> {
    /// The answer that the connector is to see.
    pub(super) async fn answer(&self) -> Result<Response> {
        let (mut waits, mut lost) = (0, 0);
        let mut refused = None;
        let mut renewed = false;
        loop {
            self.slot.clearance(self.request.weight(), self.call).await?;
            let (credential, token) = self.credential(refused.take()).await?.unzip();
            let sent = Instant::now();
            let response = match self.send(credential).await {
                Ok(response) => response,
                Err(failed) if lost < MOST_LOST && self.may_repeat(&failed) => {
                    self.call.wait(tokio::time::sleep(jittered(lost))).await?;
                    lost += 1;
                    continue;
                }
                Err(failed) => return Err(failed.error),
            };
            let status = response.status();
            let (account, method, url) =
                (self.context.account.name.as_str(), self.request.method(), self.request.shown());
            tracing::debug!(account, %method, url, status = status.as_u16(), ms = sent.elapsed().as_millis(), "answered");
            match (status, token.flatten()) {
                (StatusCode::UNAUTHORIZED, Some(token)) if !renewed => {
                    renewed = true;
                    refused = Some(RefusedToken { token, claims: claims(response.headers()) });
                }
                (
                    StatusCode::TOO_MANY_REQUESTS
                    | StatusCode::SERVICE_UNAVAILABLE
                    | StatusCode::GATEWAY_TIMEOUT,
                    _,
                ) => {
                    let asked = retry_after(response.headers());
                    // A gateway that gave up on one request says nothing about the others.
                    let for_all = asked.is_some() || status != StatusCode::GATEWAY_TIMEOUT;
                    let pause = if for_all { self.slot.pause(sent, asked) } else { Duration::ZERO };
                    // Only of 429 it is certain that nothing was done.
                    let undone = status == StatusCode::TOO_MANY_REQUESTS;
                    if !undone && !self.request.idempotent {
                        return Ok(response);
                    }
                    if waits == MOST_WAITS {
                        if undone || asked.is_some() {
                            let error = throttled(ASKED_TO_WAIT, pause);
                            return Err(error.with_code(status.as_str()));
                        }
                        return Ok(response);
                    }
                    if !for_all {
                        self.call.wait(tokio::time::sleep(jittered(waits))).await?;
                    }
                    waits += 1;
                }
                _ => {
                    self.slot.calm(sent);
                    return Ok(response);
                }
            }
            discard(response).await;
        }
    }

    /// A request that did not leave, or that may be repeated although nobody knows what became of it.
    fn may_repeat(&self, failed: &Unanswered) -> bool {
        failed.error.code.as_deref() == Some(CONNECTION_LOST) && (failed.unsent || self.request.idempotent)
    }

    /// What goes into `Authorization`, where the request asks for it; and the token in it, where one can be renewed.
    async fn credential(
        &self,
        refused: Option<RefusedToken>,
    ) -> Result<Option<(HeaderValue, Option<SecretString>)>> {
        if !self.request.authenticate {
            return Ok(None);
        }
        let Context { account, auth, wallet, echoes, .. } = self.context;
        let secret = match &refused {
            Some(refused) => self.call.wait(wallet.renewed(account, auth, refused)).await??,
            None => self.call.wait(wallet.secret(account, auth)).await??,
        };
        let exposed = secret.expose_secret();
        let text = Zeroizing::new(match auth.kind {
            AuthKind::Password => {
                let pair = Zeroizing::new(format!("{}:{exposed}", self.context.user()));
                let pair = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
                echoes.remember(pair.as_bytes());
                format!("Basic {}", pair.as_str())
            }
            AuthKind::Ntlm => {
                let message = "Windows authentication over HTTP is not supported yet";
                return Err(ConnectorError::new(ErrorKind::Unsupported, message));
            }
            _ => format!("Bearer {exposed}"),
        });
        echoes.remember(exposed.as_bytes());
        let mut value = HeaderValue::from_str(&text).map_err(|_| {
            let message = "the stored secret has characters that HTTP cannot carry; store it again";
            ConnectorError::new(ErrorKind::AuthorizationNeeded, message)
        })?;
        value.set_sensitive(true);
        Ok(Some((value, is_renewed(auth).then_some(secret))))
    }

    /// Sends once.
    async fn send(&self, credential: Option<HeaderValue>) -> std::result::Result<Response, Unanswered> {
        let Context { account, wallet, clients, .. } = self.context;
        let within = self.context.idle() + Duration::from_secs(self.request.body_size() / SLOWEST_UPLOAD);
        let request = self.request.with(credential);
        execute(account, wallet.stored(), clients, self.request.named(), request, within).await
    }
}

/// Sends a request as the account's connections go, and waits at most this long for the head of the answer.
pub(crate) async fn execute(
    account: &Account,
    secrets: &dyn Secrets,
    clients: &Clients,
    named: Named,
    request: reqwest::Request,
    within: Duration,
) -> std::result::Result<Response, Unanswered> {
    let host = request.url().host_str().unwrap_or_default().to_owned();
    let port = request.url().port_or_known_default().unwrap_or_default();
    let via = proxy::via(account, secrets, host.trim_matches(['[', ']']), port).await?;
    let client = clients.client(account, via.clone(), named).await?;
    match timeout(within, client.execute(request)).await {
        // A request in the clear is not tunnelled: there the proxy answers itself.
        Ok(Ok(response)) if response.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED => match &via {
            Some(via) => Err(via.unauthorized().into()),
            None => Ok(response),
        },
        Ok(Ok(response)) => Ok(response),
        Ok(Err(error)) => {
            let unsent = error.is_connect();
            let error = match (&via, failure::on_the_way(&error)) {
                (Some(via), Some(reason)) => via.failed(&host, port, &reason),
                _ => failure::of(&host, &error.without_url()),
            };
            Err(Unanswered { error, unsent })
        }
        Err(_) => Err(failure::silent(&host, within).into()),
    }
}

/// Reads what little there is of an answer that nobody wants.
async fn discard(mut response: Response) {
    let reading = async {
        let mut read = 0;
        while let Ok(Some(chunk)) = response.chunk().await {
            read += chunk.len();
            if read > MOST_DISCARDED {
                break;
            }
        }
    };
    let _ = timeout(LONGEST_DISCARD, reading).await;
}
