//! A test bed with sample mail, a client, and tokens.

use jiff::ToSpan;
use reqwest::{Certificate, Client, Method, RequestBuilder, StatusCode, header::HeaderMap};
use serde_json::{Map, Value};
use wissel_testbed::{
    Options, Testbed,
    entra::{
        sample::{CLIENT_ID, TENANT, USER},
        tokens::{GRAPH, Subject, TokenInfo},
    },
    mailbox::Mailbox,
    sample::{self, Maker},
};

/// Messages in 'Postvak IN/Algemeen'.
pub(crate) const COUNT: usize = 24;
pub(crate) const IMMUTABLE: (&str, &str) = ("Prefer", "IdType=\"ImmutableId\"");

pub(crate) struct Scene {
    pub(crate) bed: Testbed,
    pub(crate) client: Client,
    /// What the messages in 'Postvak IN/Algemeen' are known by.
    pub(crate) tokens: Vec<String>,
}

/// An answer that was read whole.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) json: Value,
}

impl Answer {
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.json);
        self.json
    }

    /// It is a refusal in the form of Graph.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) {
        assert_eq!(
            (self.status.as_u16(), &self.json["error"]["code"]),
            (status, &code.into()),
            "{}",
            self.json
        );
        assert_eq!(self.json["error"]["innerError"]["request-id"], self.header("request-id"));
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

impl Scene {
    pub(crate) async fn start() -> Self {
        let mailbox = Mailbox::new();
        let tokens = sample::fill(&mailbox, &mut Maker::new(3), COUNT).unwrap();
        let bed = Testbed::start(Options { mailbox, ..Options::default() }).await.unwrap();
        let authority = Certificate::from_pem(bed.ca_pem().as_bytes()).unwrap();
        let client = Client::builder().no_proxy().tls_certs_only([authority]).build().unwrap();
        let scene = Self { bed, client, tokens };
        scene.token("goed", &["User.Read", "Mail.ReadWrite.Shared", "Mail.Send.Shared"], |_| {});
        scene
    }

    /// Makes `bearer` a token of the user with these permissions.
    pub(crate) fn token(&self, bearer: &str, scopes: &[&str], change: impl FnOnce(&mut TokenInfo)) {
        let registry = self.bed.entra().tokens();
        let mut info = TokenInfo {
            tenant: TENANT.into(),
            app: CLIENT_ID.into(),
            audience: GRAPH.into(),
            user: Some(Subject { id: "1".into(), name: USER.into() }),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            roles: Vec::new(),
            issued: registry.now(),
            expires: registry.now() + 1.hour(),
            capabilities: Vec::new(),
            claims: Map::new(),
        };
        change(&mut info);
        registry.issue(bearer, info);
    }

    /// A request with the good token; a path begins after the version, anything else is a whole URL.
    pub(crate) fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        let url = match path.starts_with("https://") {
            true => path.to_owned(),
            false => format!("{}/v1.0/{path}", self.bed.graph_url()),
        };
        self.client.request(method, url).bearer_auth("goed")
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        read(self.ask(Method::GET, path)).await
    }

    pub(crate) async fn get_as(&self, bearer: &str, path: &str) -> Answer {
        let url = format!("{}/v1.0/{path}", self.bed.graph_url());
        read(self.client.get(url).bearer_auth(bearer)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        read(self.ask(Method::POST, path).json(body)).await
    }

    /// The id of the folder with this name in the inbox.
    pub(crate) async fn folder(&self, name: &str) -> String {
        let path = format!("me/mailFolders/inbox/childFolders?$filter=displayName eq '{name}'");
        let found = self.get(&path).await.is(200);
        found["value"][0]["id"].as_str().unwrap().to_owned()
    }

    /// Immutable ids of the messages in 'Postvak IN/Algemeen', the oldest first.
    pub(crate) async fn ids(&self) -> Vec<String> {
        let path = format!(
            "me/mailFolders/{}/messages?$top=1000&$select=id&$orderby=receivedDateTime",
            self.folder("Algemeen").await
        );
        let list = read(self.ask(Method::GET, &path).header(IMMUTABLE.0, IMMUTABLE.1)).await.is(200);
        list["value"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    }

    /// Where a message lies now.
    pub(crate) fn places(&self, at: usize) -> Vec<String> {
        self.bed.mailbox().count_token(&self.tokens[at]).into_keys().collect()
    }
}

pub(crate) async fn read(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = response.bytes().await.unwrap();
    let json = serde_json::from_slice(&bytes)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
    Answer { status, headers, json }
}
