//! A person at a browser, as far as signing in needs one: follows redirects, fills in the forms that pages show, and presses
//! the first button.
//!
//! Knows nothing of a particular sign-in page: it reads the HTML that it is given, as a person would. No script is run.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use reqwest::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Certificate, Client, Url};

/// Pages and redirects that one visit goes through at most.
const STEPS: usize = 20;
/// Octets of a page that are read at most.
const LARGEST_PAGE: usize = 1 << 20;

/// Why a visit came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum PersonError {
    /// A page could not be had.
    #[error("a page could not be had: {0}")]
    Http(#[from] reqwest::Error),
    /// An address that leads nowhere.
    #[error("'{0}' is no address")]
    Address(String),
    /// A page that does not end.
    #[error("a page has more than {LARGEST_PAGE} octets")]
    Endless,
    /// Round and round.
    #[error("after {STEPS} pages there was still another; the last was {0}")]
    Lost(Url),
}

/// What a person answers where a page asks for consent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Consent {
    /// Yes.
    #[default]
    Accept,
    /// No.
    Decline,
}

/// Who sits at the browser.
#[derive(Debug, Clone, Default)]
pub struct Person {
    /// What is typed where a page asks who.
    pub user: String,
    /// What is typed where a page asks for a password.
    pub password: String,
    /// What is typed into any other field, by its name; such as the code of a device.
    pub others: BTreeMap<String, String>,
    /// What is answered where a page asks for consent.
    pub consent: Consent,
}

/// Where a visit ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// The address in the browser's address bar.
    pub url: Url,
    /// The status of the last page; none when the address is on another machine and was not visited.
    pub status: Option<u16>,
    /// What the last page says, without its markup.
    pub text: String,
}

impl Person {
    /// Opens the address and goes on until a page asks nothing that this person has not answered already. Trusts the
    /// certificates of `ca_pem` (PEM) and no others.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn visit(&self, address: &str, ca_pem: &str) -> Result<Visit, PersonError> {
        let client = Client::builder()
            .tls_certs_only(Certificate::from_pem_bundle(ca_pem.as_bytes())?)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        let mut browser = Browser { client, cookies: BTreeMap::new() };
        let mut next = Request::get(parse(address)?);
        let mut filled = 0;
        for _ in 0..STEPS {
            if !is_here(&next.url) {
                return Ok(Visit { url: next.url, status: None, text: String::new() });
            }
            let url = next.url.clone();
            let page = browser.load(next).await?;
            if let Some(location) = page.redirect {
                next = Request::get(url.join(&location).map_err(|_| PersonError::Address(location))?);
                continue;
            }
            let form = forms(&page.html).into_iter().next();
            // A password that is asked for again was wrong: a person would give up and read the page.
            let again = form.as_ref().is_some_and(|form| form.asks("password") && filled > 0);
            match form {
                Some(form) if !again => {
                    filled += usize::from(form.asks("password"));
                    next = self.fill(&form, &url)?;
                }
                _ => return Ok(Visit { url, status: Some(page.status), text: text_of(&page.html) }),
            }
        }
        Err(PersonError::Lost(next.url))
    }

    fn fill(&self, form: &Form, page: &Url) -> Result<Request, PersonError> {
        let mut fields = Vec::new();
        for input in &form.inputs {
            let value = match input.kind.as_str() {
                "submit" | "button" | "image" | "reset" | "checkbox" | "radio" => continue,
                "hidden" => input.value.clone(),
                "password" => self.password.clone(),
                _ => self.others.get(&input.name).cloned().unwrap_or_else(|| self.user.clone()),
            };
            fields.push((input.name.clone(), value));
        }
        let refuses = |button: &&Input| {
            let says = format!("{} {}", button.name, button.value).to_lowercase();
            ["decline", "cancel", "deny", "no"]
                .iter()
                .any(|no| says.split_whitespace().any(|word| word == *no))
        };
        let mut buttons = form.inputs.iter().filter(|input| input.kind == "submit");
        let pressed = match self.consent {
            Consent::Decline => buttons.clone().find(refuses).or_else(|| buttons.next()),
            Consent::Accept => buttons.find(|button| !refuses(button)),
        };
        if let Some(button) = pressed.filter(|button| !button.name.is_empty()) {
            fields.push((button.name.clone(), button.value.clone()));
        }
        let mut url = page.join(&form.action).map_err(|_| PersonError::Address(form.action.clone()))?;
        if form.post {
            return Ok(Request { url, form: Some(fields) });
        }
        url.query_pairs_mut().clear().extend_pairs(fields);
        Ok(Request::get(url))
    }
}

/// Whether the address is on this machine: no other is visited.
fn is_here(url: &Url) -> bool {
    matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

fn parse(address: &str) -> Result<Url, PersonError> {
    Url::parse(address).map_err(|_| PersonError::Address(address.to_owned()))
}

struct Request {
    url: Url,
    /// The fields of a form that is posted.
    form: Option<Vec<(String, String)>>,
}

impl Request {
    fn get(url: Url) -> Self {
        Self { url, form: None }
    }
}

struct Page {
    status: u16,
    redirect: Option<String>,
    html: String,
}

struct Browser {
    client: Client,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    async fn load(&mut self, request: Request) -> Result<Page, PersonError> {
        let mut sent = match &request.form {
            Some(fields) => self.client.post(request.url).form(fields),
            None => self.client.get(request.url),
        };
        if !self.cookies.is_empty() {
            let cookies: Vec<String> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            sent = sent.header(COOKIE, cookies.join("; "));
        }
        let mut answer = sent.send().await?;
        for cookie in answer.headers().get_all(SET_COOKIE) {
            let pair = cookie.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.insert(name.trim().to_owned(), value.trim().to_owned());
            }
        }
        let header =
            |name| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let redirect = answer.status().is_redirection().then(|| header(LOCATION)).flatten();
        let is_page = header(CONTENT_TYPE).is_some_and(|kind| kind.starts_with("text/html"));
        let status = answer.status().as_u16();
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > LARGEST_PAGE {
                return Err(PersonError::Endless);
            }
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let html = if is_page { text } else { escaped(&text) };
        Ok(Page { status, redirect, html })
    }
}

/// A form on a page.
#[derive(Debug, PartialEq, Eq)]
struct Form {
    action: String,
    post: bool,
    inputs: Vec<Input>,
}

impl Form {
    fn asks(&self, kind: &str) -> bool {
        self.inputs.iter().any(|input| input.kind == kind)
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Input {
    kind: String,
    name: String,
    value: String,
}

#[allow(clippy::unwrap_used, reason = "the expressions are constants")]
static FORM: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?is)<form\b([^>]*)>(.*?)</form>").unwrap());
#[allow(clippy::unwrap_used, reason = "the expressions are constants")]
static INPUT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?is)<(input|button)\b([^>]*)>").unwrap());
#[allow(clippy::unwrap_used, reason = "the expressions are constants")]
static ATTRIBUTE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"(?s)([A-Za-z-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))"#).unwrap());
#[allow(clippy::unwrap_used, reason = "the expressions are constants")]
static MARKUP: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?is)<(script|style|head)\b.*?</(script|style|head)>|<[^>]*>").unwrap());

fn forms(html: &str) -> Vec<Form> {
    let form = |found: regex::Captures<'_>| {
        let of = attributes(&found[1]);
        let inputs = INPUT.captures_iter(&found[2]).map(|input| {
            let is_button = input[1].eq_ignore_ascii_case("button");
            let mut of = attributes(&input[2]);
            let mut take = |name: &str| of.remove(name);
            let kind = take("type").unwrap_or_else(|| if is_button { "submit" } else { "text" }.to_owned());
            Input {
                kind: kind.to_lowercase(),
                name: take("name").unwrap_or_default(),
                value: take("value").unwrap_or_default(),
            }
        });
        Form {
            action: of.get("action").cloned().unwrap_or_default(),
            post: of.get("method").is_some_and(|method| method.eq_ignore_ascii_case("post")),
            inputs: inputs.collect(),
        }
    };
    FORM.captures_iter(html).map(form).collect()
}

fn attributes(tag: &str) -> BTreeMap<String, String> {
    let pair = |found: regex::Captures<'_>| {
        let value = (2..=4).find_map(|group| found.get(group)).map_or("", |value| value.as_str());
        (found[1].to_lowercase(), unescaped(value))
    };
    ATTRIBUTE.captures_iter(tag).map(pair).collect()
}

/// The characters that HTML writes as entities.
const ENTITIES: [(&str, &str); 6] =
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#x27;", "'"), ("&amp;", "&")];

fn unescaped(text: &str) -> String {
    // An ampersand comes last, so that nothing is read twice.
    ENTITIES.iter().fold(text.to_owned(), |text, (entity, character)| text.replace(entity, character))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

fn text_of(html: &str) -> String {
    let bare = MARKUP.replace_all(html, " ");
    unescaped(&bare).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"<html><head><title>Sign in</title></head><body><h1>Who?</h1>
        <form method="POST" action="/sign-in?a=1&amp;b=2"><input type=hidden name=flow value='x&quot;y'>
        <input name="login"><INPUT type="password" name="passwd"/><button name="answer" value="accept">Go</button>
        <button type="submit" name="answer" value="decline">No</button></form></body></html>"#;

    fn filled(person: &Person) -> Request {
        let form = forms(PAGE).remove(0);
        person.fill(&form, &Url::parse("https://localhost:1/start").unwrap()).unwrap()
    }

    #[test]
    fn a_form_is_filled_in_as_a_person_would() {
        let person = Person { user: "piet".into(), password: "geheim".into(), ..Person::default() };
        let request = filled(&person);
        assert_eq!(request.url.as_str(), "https://localhost:1/sign-in?a=1&b=2");
        let fields = request.form.unwrap();
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(fields, [("flow", "x\"y"), ("login", "piet"), ("passwd", "geheim"), ("answer", "accept")]);
    }

    #[test]
    fn who_declines_presses_the_other_button() {
        let person = Person { consent: Consent::Decline, ..Person::default() };
        assert_eq!(filled(&person).form.unwrap().pop().unwrap().1, "decline");
    }

    #[test]
    fn only_this_machine_is_visited() {
        assert!(is_here(&Url::parse("https://localhost:4/x").unwrap()));
        assert!(!is_here(&Url::parse("https://localhost.example.com/x").unwrap()));
    }

    #[test]
    fn a_page_is_read_without_its_markup() {
        assert_eq!(text_of("<head><title>x</title></head><p>a &lt; b</p>\n<b>c</b>"), "a < b c");
    }
}
