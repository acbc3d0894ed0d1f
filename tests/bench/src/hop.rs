//! What one HTTP request costs on its way from a connector through the host, beside the same request without either: both in
//! this process, to the same service on this machine, which answers without any latency.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt, stream};
use jiff::{Timestamp, ToSpan};
use reqwest::{Certificate, Client};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use wissel_host::{Catalogue, CatalogueOptions, SessionLimits};
use wissel_model::description::AuthMethod;
use wissel_model::tokens::{AccessToken, RefusedToken, Tokens};
use wissel_model::{
    Account, AccountId, ClientId, ConnectionPolicy, Connectors, Description, FolderAddress, MessageId,
    OAuthClient, OpenOptions, PageRequest, Session, connector,
};
use wissel_tests::graph::USER;
use wissel_tests::paths;

use crate::cloud::{Cloud, FOLDER};
use crate::measure;
use crate::scale::message;
use crate::start::{Discard, NoSecrets};
use crate::statistics::Sample;

/// Messages of 2 kB, each of which is one request.
const MESSAGES: usize = 2_000;
/// Requests that are under way at once.
const PARALLEL: usize = 4;
/// So many of the messages are asked for one after the other.
const IN_A_ROW: usize = 500;

/// What a request takes.
#[derive(Default)]
pub(crate) struct Hop {
    /// Seconds, one after the other.
    pub(crate) wall: Sample,
    /// Seconds of CPU in this process, several at once.
    pub(crate) cpu: Sample,
}

/// Measures both ways in turn, `runs` times: through the host, and without it.
pub(crate) async fn bench(folder: &Path, runs: usize) -> Result<[Hop; 2]> {
    let cloud = Cloud::open((0..MESSAGES).map(message))?;
    let plain = Plain::of(&cloud).await?;
    let options = CatalogueOptions {
        connectors_dir: paths::connectors(),
        cache_dir: folder.join("hop-cache"),
        secrets: Arc::new(NoSecrets),
        tokens: Arc::new(Granted(plain.token.clone())),
        limits: SessionLimits::default(),
    };
    let catalogue = Catalogue::open(options).await?;
    let mut session = catalogue.open(&account(&cloud), OpenOptions::default()).await?;
    let ids = list(&mut *session).await?;
    ensure!(ids.len() == MESSAGES, "{} messages", ids.len());
    let urls: Vec<String> = ids.iter().map(|id| address(&cloud, id)).collect();
    let mut times = [(); 4].map(|()| Vec::new());
    // The first round is not measured: connections are made, and the service takes the messages apart.
    for round in 0..=runs {
        let taken = [
            cpu_of_each(async || Ok(session.fetch(&ids, Box::new(Discard)).await?)).await?,
            cpu_of_each(async || plain.get(&urls).await).await?,
            wall_of_each(async |at| {
                Ok(session.fetch(ids.get(at..=at).unwrap_or_default(), Box::new(Discard)).await?)
            })
            .await?,
            wall_of_each(async |at| plain.get(urls.get(at..=at).unwrap_or_default()).await).await?,
        ];
        if round > 0 {
            times.iter_mut().zip(taken).for_each(|(times, taken)| times.push(taken));
        }
    }
    session.close().await;
    let [host_cpu, plain_cpu, host_wall, plain_wall] = times.map(|times| times.into_iter().collect());
    Ok([Hop { wall: host_wall, cpu: host_cpu }, Hop { wall: plain_wall, cpu: plain_cpu }])
}

/// Seconds of CPU that each message takes when all are asked for with one call.
#[allow(clippy::cast_precision_loss, reason = "there are fewer")]
async fn cpu_of_each(mut all: impl AsyncFnMut() -> Result<()>) -> Result<f64> {
    let before = measure::cpu(std::process::id())?;
    all().await?;
    Ok((measure::cpu(std::process::id())? - before) / MESSAGES as f64)
}

/// Seconds that each message takes when they are asked for one after the other.
#[allow(clippy::cast_precision_loss, reason = "there are fewer")]
async fn wall_of_each(mut one: impl AsyncFnMut(usize) -> Result<()>) -> Result<f64> {
    let begun = Instant::now();
    for at in 0..IN_A_ROW {
        one(at).await?;
    }
    Ok(begun.elapsed().as_secs_f64() / IN_A_ROW as f64)
}

async fn list(session: &mut dyn Session) -> Result<Vec<MessageId>> {
    let path = FOLDER.split('/').map(str::to_owned).collect();
    let folder = session.find_folder(&FolderAddress::Path(path)).await?;
    let (mut ids, mut after) = (Vec::new(), None);
    loop {
        let request = PageRequest { size: 500, after, unread_only: false, received_since: None };
        let page = session.list_messages(&folder.id, &request).await?;
        ids.extend(page.messages.into_iter().map(|message| message.id));
        after = page.next;
        if after.is_none() {
            return Ok(ids);
        }
    }
}

/// The same library without a host.
struct Plain {
    client: Client,
    token: SecretString,
}

impl Plain {
    /// With a token of the application.
    async fn of(cloud: &Cloud) -> Result<Self> {
        let ca = Certificate::from_pem(&std::fs::read(cloud.ca())?)?;
        let client = Client::builder().tls_certs_only([ca]).no_proxy().build()?;
        let scope = format!("{}/.default", cloud.fact("graph"));
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", cloud.fact("client_id")),
            ("client_secret", cloud.fact("client_secret")),
            ("scope", &scope),
        ];
        let answer = client.post(cloud.token_url()).form(&form).send().await?.error_for_status()?;
        let answer: Value = answer.json().await?;
        let token = answer.get("access_token").and_then(Value::as_str).context("no token was granted")?;
        Ok(Self { token: token.into(), client })
    }

    fn request(&self, url: &str) -> reqwest::RequestBuilder {
        let request = self.client.get(url).header("Prefer", "IdType=\"ImmutableId\"");
        request.bearer_auth(self.token.expose_secret())
    }

    /// Reads what these addresses answer, and throws it away.
    async fn get(&self, urls: &[String]) -> Result<()> {
        let read = async |url: &String| {
            let mut answer = self.request(url).send().await?.error_for_status()?;
            while answer.chunk().await?.is_some() {}
            anyhow::Ok(())
        };
        stream::iter(urls).map(read).buffer_unordered(PARALLEL).try_for_each(async |()| Ok(())).await
    }
}

/// The address of a message: its id begins with the service's own.
fn address(cloud: &Cloud, id: &MessageId) -> String {
    let own = id.as_str().split(':').next().unwrap_or_default();
    format!("{}/v1.0/users/{USER}/messages/{own}/$value", cloud.fact("graph"))
}

fn account(cloud: &Cloud) -> Account {
    let settings = [
        ("client-id", cloud.fact("client_id")),
        ("tenant", cloud.fact("tenant")),
        ("authority", cloud.fact("entra")),
        ("service", cloud.fact("graph")),
    ];
    let client = OAuthClient {
        id: ClientId::generate(),
        name: "hop".to_owned(),
        connector: "graph".to_owned(),
        settings: settings.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        redirect: None,
    };
    Account {
        id: AccountId::generate(),
        name: "hop".to_owned(),
        connector: "graph".to_owned(),
        auth: "app".to_owned(),
        client: Some(Arc::new(client)),
        settings: [("mailbox".to_owned(), USER.to_owned())].into(),
        connection: ConnectionPolicy {
            ca_file: Some(cloud.ca()),
            call_timeout_seconds: 600,
            ..ConnectionPolicy::default()
        },
        is_default: false,
    }
}

/// The token that everybody gets.
struct Granted(SecretString);

#[async_trait]
impl Tokens for Granted {
    async fn token(
        &self,
        _: &Account,
        _: &Description,
        _: &AuthMethod,
        _: Option<&RefusedToken>,
    ) -> connector::Result<AccessToken> {
        let expires = Timestamp::now().saturating_add(1.hour()).unwrap_or(Timestamp::MAX);
        Ok(AccessToken { secret: self.0.clone(), expires, scopes: Vec::new() })
    }
}
