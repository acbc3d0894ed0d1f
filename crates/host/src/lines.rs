//! Requests that the host itself makes for an account, such as one for a token: with the account's trust, proxy and
//! time-outs, like those of its connector, and where they may go.

use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use wissel_model::secrets::Secrets;
use wissel_model::{Account, ConnectorError, Description, ErrorKind};

use crate::capability::http::attempts::execute;
use crate::capability::http::client::Clients;
use crate::capability::http::failure::{self, silent};
use crate::grants::named_provider;
use crate::tls::Trust;

/// Makes requests for accounts. Redirects are answers like any other, and not followed.
pub struct Lines {
    secrets: Arc<dyn Secrets>,
    clients: Clients,
}

impl Lines {
    /// `secrets`: where the passwords of proxies are.
    #[must_use]
    pub fn new(secrets: Arc<dyn Secrets>) -> Self {
        Self { secrets, clients: Clients::new(Arc::new(Trust::default())) }
    }

    /// Sends a request to a provider of tokens and reads its answer, of which `most` octets are taken. It leads to the public
    /// network, or to where the operator's own setting says, as the requests of the connector that describes it do.
    ///
    /// # Errors
    /// `permission-missing` when no connection may go there; `temporary` when there is no answer; `invalid-setting` when the certificate is not accepted; `protocol` when the
    /// answer is larger.
    pub async fn send(
        &self,
        account: &Account,
        description: &Description,
        request: Request<Vec<u8>>,
        most: usize,
    ) -> Result<Response<Vec<u8>>, ConnectorError> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let request =
            reqwest::Request::try_from(request).map_err(|error| failure::of(&host, &error.without_url()))?;
        let idle = Duration::from_secs(account.connection.idle_timeout_seconds.into());
        let named = named_provider(description, account, request.url());
        named.check(request.url())?;
        let answer = execute(account, &*self.secrets, &self.clients, named, request, idle).await;
        let mut answer = answer.map_err(|unanswered| unanswered.error)?;
        let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
        let mut body = Vec::new();
        loop {
            let chunk = tokio::time::timeout(idle, answer.chunk()).await.map_err(|_| silent(&host, idle))?;
            let Some(chunk) = chunk.map_err(|error| failure::of(&host, &error.without_url()))? else { break };
            if body.len() + chunk.len() > most {
                let message = format!("{host}: the answer is larger than {most} octets");
                return Err(ConnectorError::new(ErrorKind::Protocol, message).with_code("answer-limit"));
            }
            body.extend_from_slice(&chunk);
        }
        let mut response = Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}
