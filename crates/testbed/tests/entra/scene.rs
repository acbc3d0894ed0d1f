//! A test bed, a client and a browser.

use std::sync::{Mutex, OnceLock};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Certificate, Client, Response, StatusCode, Url, header, redirect::Policy};
use serde_json::Value;
use wissel_testbed::{
    Options, Testbed,
    entra::{Entra, sample},
};

/// A PKCE verifier, and its challenge (RFC 7636, appendix B).
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(crate) const REDIRECT: &str = "http://localhost:49152/";
pub(crate) const SCOPE: &str = "openid offline_access https://graph.microsoft.com/Mail.ReadWrite.Shared https://graph.microsoft.com/User.Read";

pub(crate) struct Scene {
    pub(crate) bed: Testbed,
    pub(crate) client: Client,
    cookies: Mutex<Vec<String>>,
}

/// What the browser shows, or where it was sent.
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) body: String,
    pub(crate) location: Option<Url>,
}

impl Page {
    /// A parameter of the address that the browser was sent to.
    #[track_caller]
    pub(crate) fn sent(&self, name: &str) -> Option<String> {
        let location = self.location.as_ref().unwrap_or_else(|| panic!("not sent on: {}", self.body));
        location.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }

    /// What stands between two marks of the page.
    pub(crate) fn between(&self, before: &str, after: &str) -> Option<&str> {
        self.body.split_once(before)?.1.split_once(after).map(|(found, _)| found)
    }

    pub(crate) fn error(&self) -> &str {
        self.between("id=\"error\">", "<").unwrap_or_default()
    }

    #[track_caller]
    pub(crate) fn is_error(&self, code: u32) {
        assert!(self.location.is_none(), "sent on to {:?}", self.location);
        assert!(self.error().starts_with(&format!("AADSTS{code}: ")), "{}", self.body);
    }
}

impl Scene {
    pub(crate) async fn start() -> Self {
        let bed = Testbed::start(Options::default()).await.unwrap();
        let authority = Certificate::from_pem(bed.ca_pem().as_bytes()).unwrap();
        let client = Client::builder().no_proxy().tls_certs_only([authority]).redirect(Policy::none());
        Self { client: client.build().unwrap(), bed, cookies: Mutex::default() }
    }

    pub(crate) fn entra(&self) -> &Entra {
        self.bed.entra()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.bed.entra_url())
    }

    pub(crate) fn in_tenant(&self, path: &str) -> String {
        self.url(&format!("{}/{path}", sample::TENANT))
    }

    /// A browser without cookies.
    pub(crate) fn forget_cookies(&self) {
        self.cookies.lock().unwrap().clear();
    }

    async fn page(&self, response: Response) -> Page {
        let cookies = response.headers().get_all(header::SET_COOKIE).iter();
        let cookies = cookies.map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap().to_owned());
        self.cookies.lock().unwrap().extend(cookies);
        let location = response.headers().get(header::LOCATION);
        let location = location.map(|location| Url::parse(location.to_str().unwrap()).unwrap());
        Page { status: response.status(), location, body: response.text().await.unwrap() }
    }

    fn cookie(&self) -> String {
        self.cookies.lock().unwrap().last().cloned().unwrap_or_default()
    }

    pub(crate) async fn get(&self, url: &str, query: &[(&str, &str)]) -> Page {
        let request = self.client.get(url).query(query).header(header::COOKIE, self.cookie());
        self.page(request.send().await.unwrap()).await
    }

    /// Sends the form of a page with these fields.
    pub(crate) async fn submit(&self, page: &Page, fields: &[(&str, &str)]) -> Page {
        let action = page.between("action=\"", "\"").unwrap_or_else(|| panic!("no form: {}", page.body));
        let context = page.between("name=\"ctx\" value=\"", "\"").unwrap_or_default();
        let fields: Vec<_> = fields.iter().copied().chain([("ctx", context)]).collect();
        let url = self.url(action.trim_start_matches('/'));
        let request = self.client.post(url).form(&fields).header(header::COOKIE, self.cookie());
        self.page(request.send().await.unwrap()).await
    }

    pub(crate) async fn sign_in(&self, page: &Page, user: &str) -> Page {
        self.submit(page, &[("loginfmt", user), ("passwd", sample::PASSWORD)]).await
    }

    /// The authorize endpoint with the usual parameters, some of them replaced (or left out, when empty).
    pub(crate) async fn authorize(&self, changed: &[(&str, &str)]) -> Page {
        let usual = [
            ("client_id", sample::CLIENT_ID),
            ("response_type", "code"),
            ("redirect_uri", REDIRECT),
            ("scope", SCOPE),
            ("state", "st&te"),
            ("nonce", "n0nce"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        self.get(&self.in_tenant("oauth2/v2.0/authorize"), &replaced(&usual, changed)).await
    }

    /// A code for the user of the sample, asked for with these changes.
    pub(crate) async fn code(&self, changed: &[(&str, &str)]) -> String {
        let page = self.authorize(changed).await;
        self.sign_in(&page, sample::USER).await.sent("code").unwrap()
    }

    /// The token endpoint of the tenant.
    pub(crate) async fn token(&self, fields: &[(&str, &str)]) -> (u16, Value) {
        self.token_of(sample::TENANT, fields).await
    }

    pub(crate) async fn token_of(&self, tenant: &str, fields: &[(&str, &str)]) -> (u16, Value) {
        self.post(&format!("{tenant}/oauth2/v2.0/token"), fields).await
    }

    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> (u16, Value) {
        let response = self.client.post(self.url(path)).form(fields).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// Redeems a code, some parameters replaced (or left out, when empty).
    pub(crate) async fn redeem(&self, code: &str, changed: &[(&str, &str)]) -> (u16, Value) {
        let usual = [
            ("grant_type", "authorization_code"),
            ("client_id", sample::CLIENT_ID),
            ("client_secret", sample::CLIENT_SECRET),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        self.token(&replaced(&usual, changed)).await
    }

    /// What the user of the sample gets after signing in.
    pub(crate) async fn tokens(&self) -> Value {
        let code = self.code(&[]).await;
        granted(self.redeem(&code, &[]).await)
    }

    pub(crate) async fn refresh(&self, token: &Value, changed: &[(&str, &str)]) -> (u16, Value) {
        let usual = [
            ("grant_type", "refresh_token"),
            ("client_id", sample::CLIENT_ID),
            ("client_secret", sample::CLIENT_SECRET),
            ("refresh_token", token.as_str().unwrap()),
        ];
        self.token(&replaced(&usual, changed)).await
    }
}

fn replaced<'a>(usual: &[(&'a str, &'a str)], changed: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = usual.iter().filter(|(name, _)| changed.iter().all(|(other, _)| other != name));
    kept.chain(changed).copied().filter(|(_, value)| !value.is_empty()).collect()
}

#[track_caller]
pub(crate) fn granted((status, body): (u16, Value)) -> Value {
    assert_eq!(status, 200, "{body}");
    body
}

/// The answer is this refusal, in the shape that Entra gives it.
#[track_caller]
pub(crate) fn is_refused((status, body): (u16, Value), expected: u16, error: &str, code: u32) -> Value {
    assert_eq!((status, body["error"].as_str()), (expected, Some(error)), "{body}");
    let description = body["error_description"].as_str().unwrap();
    assert!(description.starts_with(&format!("AADSTS{code}: ")), "{description}");
    assert_eq!(body["error_codes"], serde_json::json!([code]));
    for id in ["trace_id", "correlation_id", "timestamp"] {
        assert!(description.contains(body[id].as_str().unwrap()), "{id} of {description}");
    }
    assert!(body["error_uri"].as_str().unwrap().ends_with(&format!("/error?code={code}")));
    body
}

/// The claims of a JWT, unverified.
pub(crate) fn claims(token: &Value) -> Value {
    let payload = token.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// A certificate with an RSA key, and the key (PEM): making one takes a while, so it is made once.
pub(crate) fn certificate() -> &'static (rcgen::Certificate, rcgen::KeyPair) {
    static MADE: OnceLock<(rcgen::Certificate, rcgen::KeyPair)> = OnceLock::new();
    MADE.get_or_init(|| {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        (rcgen::CertificateParams::default().self_signed(&key).unwrap(), key)
    })
}
