//! A scripted provider, grants in memory, and an account that asks.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use url::form_urlencoded;
use wissel_model::description::AuthMethod;
use wissel_model::{
    Account, AccountId, ClientId, ConnectionPolicy, ConnectorError, Description, ErrorKind, OAuthClient,
    SecretKind,
};

use crate::{Authority, Grants, Plan, Request, Response, Web};

/// What a request held: its form, and its Authorization header.
pub(super) type Asked = (BTreeMap<String, String>, Option<String>);

/// One answer: status, body, further headers; or no answer at all.
pub(super) enum Says {
    Json(u16, Value),
    Later(u16, &'static str),
    Raw(&'static str, &'static str),
    Nothing,
    Fails(ErrorKind, &'static str),
}

/// A provider that says what it is told to, in this order.
#[derive(Default)]
pub(super) struct Provider {
    pub(super) script: Mutex<VecDeque<Says>>,
    pub(super) asked: Mutex<Vec<Asked>>,
    /// How long each answer takes.
    pub(super) takes: Mutex<Duration>,
}

impl Provider {
    pub(super) fn says(&self, says: impl IntoIterator<Item = Says>) {
        self.script.lock().unwrap().extend(says);
    }

    pub(super) fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    pub(super) fn form(&self, at: usize) -> BTreeMap<String, String> {
        self.asked.lock().unwrap()[at].0.clone()
    }
}

#[async_trait]
impl Web for Provider {
    async fn send(
        &self,
        _: &Account,
        _: &Description,
        request: Request,
        _: usize,
    ) -> Result<Response, ConnectorError> {
        let form = form_urlencoded::parse(request.body()).into_owned().collect();
        let header = request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
        self.asked.lock().unwrap().push((form, header));
        let takes = *self.takes.lock().unwrap();
        tokio::time::sleep(takes).await;
        let says = self.script.lock().unwrap().pop_front().expect("the provider is asked once too often");
        let mut response = oauth2::http::Response::builder();
        let body = match says {
            Says::Json(status, body) => {
                response = response.status(status).header("content-type", "application/json");
                body.to_string()
            }
            Says::Later(status, after) => {
                response = response.status(status).header("retry-after", after);
                String::new()
            }
            Says::Raw(kind, body) => {
                response = response.status(200).header("content-type", kind);
                body.to_owned()
            }
            Says::Fails(kind, message) => return Err(ConnectorError::new(kind, message)),
            Says::Nothing => return Err(ConnectorError::new(ErrorKind::Temporary, "no way")),
        };
        Ok(response.body(body.into_bytes()).unwrap())
    }
}

/// Grants in memory.
#[derive(Default)]
pub(super) struct Memory {
    pub(super) kept: Mutex<HashMap<String, String>>,
    pub(super) secret: Mutex<Option<(SecretKind, String)>>,
    pub(super) read_only: Mutex<bool>,
}

#[async_trait]
impl Grants for Memory {
    async fn load(&self, _: AccountId, field: &str) -> Result<Option<SecretString>, ConnectorError> {
        Ok(self.kept.lock().unwrap().get(field).map(|text| SecretString::from(text.as_str())))
    }

    async fn save(&self, _: AccountId, field: &str, content: &SecretString) -> Result<(), ConnectorError> {
        if *self.read_only.lock().unwrap() {
            return Err(ConnectorError::new(ErrorKind::Temporary, "the disk is full"));
        }
        self.kept.lock().unwrap().insert(field.to_owned(), content.expose_secret().to_owned());
        Ok(())
    }

    async fn remove(&self, _: AccountId, field: &str) -> Result<(), ConnectorError> {
        self.kept.lock().unwrap().remove(field);
        Ok(())
    }

    async fn client_secret(&self, _: ClientId) -> Result<Option<(SecretKind, SecretString)>, ConnectorError> {
        let secret = self.secret.lock().unwrap().clone();
        Ok(secret.map(|(kind, value)| (kind, SecretString::from(value))))
    }
}

/// All of it together.
pub(super) struct Stage {
    pub(super) provider: Arc<Provider>,
    pub(super) memory: Arc<Memory>,
    pub(super) authority: Arc<Authority>,
    pub(super) account: Account,
    pub(super) description: Description,
    pub(super) method: AuthMethod,
    pub(super) locks: tempfile::TempDir,
}

impl Stage {
    pub(super) fn new(kind: &str) -> Self {
        let (provider, memory) = (Arc::new(Provider::default()), Arc::new(Memory::default()));
        let locks = tempfile::tempdir().unwrap();
        let authority = Arc::new(Authority::new(memory.clone(), provider.clone(), locks.path().to_owned()));
        Self {
            provider,
            memory,
            authority,
            account: account(),
            description: description(),
            method: method(kind),
            locks,
        }
    }

    /// Another process of the same installation.
    pub(super) fn other_process(&self) -> Authority {
        Authority::new(self.memory.clone(), self.provider.clone(), self.locks.path().to_owned())
    }

    pub(super) fn plan(&self) -> Plan {
        Plan::new(&self.account, &self.method).unwrap()
    }

    /// Puts a grant into the store, whose token has `left` seconds of an hour.
    pub(super) fn granted(&self, token: &str, refresh: &str, left: i64) {
        let now = jiff::Timestamp::now();
        let at = |seconds| now + jiff::SignedDuration::from_secs(seconds);
        let grant = json!({
            "version": 1, "access_token": token, "refresh_token": refresh, "expires": at(left), "scopes": ["read"],
            "user": "anna@example.test", "authorized": at(left - 3600), "renewed": at(left - 3600)
        });
        self.memory.kept.lock().unwrap().insert(self.plan().field(), grant.to_string());
    }

    /// What is stored of the grant.
    pub(super) fn kept(&self) -> Value {
        let kept = self.memory.kept.lock().unwrap();
        serde_json::from_str(&kept[&self.plan().field()]).unwrap()
    }
}

pub(super) fn account() -> Account {
    let text = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    let client = OAuthClient {
        id: ClientId::generate(),
        name: "Kantoor".to_owned(),
        connector: "x".to_owned(),
        settings: text(&[("client-id", "wissel-1"), ("authority", "https://login.example.test")]),
        redirect: None,
    };
    Account {
        id: AccountId::generate(),
        name: "Inkoop".to_owned(),
        connector: "x".to_owned(),
        auth: "oauth".to_owned(),
        client: Some(Arc::new(client)),
        settings: text(&[("mailbox", "inkoop@example.test"), ("send-mail", "false"), ("read-mail", "true")]),
        connection: ConnectionPolicy::default(),
        is_default: false,
    }
}

pub(super) fn description() -> Description {
    serde_json::from_value(json!({
        "schema": 1, "name": "x", "version": "1", "title": {"en": "X", "nl": "X"},
        "settings": [], "endpoints": [], "auth": [], "operations": [], "limits": {}
    }))
    .unwrap()
}

pub(super) fn method(kind: &str) -> AuthMethod {
    serde_json::from_value(json!({
        "id": "oauth", "type": kind, "label": {"en": "O", "nl": "O"},
        "user": "{mailbox}",
        "authorize": "{authority}/authorize", "token": "{authority}/token", "device": "{authority}/device",
        "resource": "https://mail.example.test",
        "scopes": {
            "always": ["openid", "offline_access"], "optional": ["profile-read"],
            "read-mail": ["https://mail.example.test/Mail.Read"], "send-mail": ["Mail.Send"]
        },
        "clientAuthentication": ["none", "secret", "certificate"],
        "errorCode": "CODE[0-9]+", "consentCodes": ["CODE65001"],
        "parameters": { "prompt": "select", "login_hint": "{mailbox}", "claims": "{\"access_token\":{\"cc\":{\"values\":[\"c1\"]}}}", "empty": "{gone}" }
    }))
    .unwrap()
}

/// A token answer.
pub(super) fn token(access: &str, refresh: Option<&str>) -> Says {
    let mut answer = json!({ "access_token": access, "token_type": "Bearer", "expires_in": 3600 });
    if let Some(refresh) = refresh {
        answer["refresh_token"] = refresh.into();
    }
    Says::Json(200, answer)
}

/// A refusal.
pub(super) fn no(error: &str, description: &str) -> Says {
    Says::Json(400, json!({ "error": error, "error_description": description }))
}

/// A key, it with its certificate in PEM form, and that certificate.
pub(super) fn certificate() -> (rcgen::KeyPair, String, Vec<u8>) {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let certificate = rcgen::CertificateParams::new(vec![]).unwrap().self_signed(&key).unwrap();
    let pem = format!("{}{}", key.serialize_pem(), certificate.pem());
    (key, pem, certificate.der().to_vec())
}
