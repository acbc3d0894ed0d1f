//! Links, answers, and the loopback address.

use std::collections::BTreeMap;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::stage::{Says, Stage, token};
use crate::{Answer, AuthError, Authorization, Loopback, NotAnAnswer, Plan, Standing, status};

/// A code as it is pasted.
const CODE: &str = "c0de-0123456789abcdef";

fn query(link: &url::Url) -> BTreeMap<String, String> {
    link.query_pairs().into_owned().collect()
}

#[test]
fn a_link_asks_for_what_the_description_and_the_settings_say() {
    let stage = Stage::new("oauth2-code");
    let begun = Authorization::begin(&stage.plan(), "http://localhost:7/", None).unwrap();
    let asked = query(&begun.link);
    assert!(begun.link.as_str().starts_with("https://login.example.test/authorize?"));
    assert_eq!(asked["scope"], "openid offline_access https://mail.example.test/Mail.Read profile-read");
    assert_eq!((asked["client_id"].as_str(), asked["response_type"].as_str()), ("wissel-1", "code"));
    assert_eq!((asked["code_challenge_method"].as_str(), asked["code_challenge"].len()), ("S256", 43));
    assert_eq!(
        (asked["login_hint"].as_str(), asked["redirect_uri"].as_str()),
        ("inkoop@example.test", "http://localhost:7/")
    );
    assert!(asked["state"].len() >= 16 && !asked.contains_key("empty"));
    let again = Authorization::begin(&stage.plan(), "http://localhost:7/", None).unwrap();
    assert_ne!(query(&again.link)["state"], asked["state"]);
}

#[test]
fn an_answer_is_read_from_whatever_a_person_pastes() {
    let full = Some((CODE, Some("st")));
    let cases = [
        ("http://localhost:1234/?code=c0de-0123456789abcdef&state=st&iss=https%3A%2F%2Fl.test", full),
        ("  \"https://relay.example/page?x=1&code=c0de-0123456789abcdef&state=st#top\" ", full),
        ("https://relay.example/#code=c0de-0123456789abcdef&state=st", full),
        ("code=c0de-0123456789abcdef&state=st", full),
        ("?state=st&code=c0de-0123456789abcdef", full),
        ("c0de-0123456789abcdef", Some(("c0de-0123456789abcdef", None))),
        ("http://localhost/", None),
        ("code=a&code=b", None),
        ("two words", None),
        ("yes", None),
        ("", None),
    ];
    for (pasted, expected) in cases {
        let read = Answer::read(pasted);
        let found = read.as_ref().ok().map(|a| (a.code.as_deref().unwrap(), a.state.as_deref()));
        match expected {
            Some(expected) => assert_eq!(found, Some(expected), "{pasted}"),
            // What is given twice is not read as an answer; at most as something that no provider takes.
            None => assert!(found.is_none_or(|(code, _)| code == pasted), "{pasted}: {found:?}"),
        }
        assert!(!format!("{read:?}").contains("c0de"), "{read:?}");
    }
}

#[test]
fn what_is_pasted_by_mistake_is_told_from_an_answer() {
    let stage = Stage::new("oauth2-code");
    let link = Authorization::begin(&stage.plan(), "http://localhost:7/", None).unwrap().link;
    let cases = [
        ("", NotAnAnswer::Nothing),
        (link.as_str(), NotAnAnswer::Link),
        ("http://localhost/?admin_consent=True&tenant=t&state=s", NotAnAnswer::Consent),
        ("http://localhost/", NotAnAnswer::Other),
        ("yes", NotAnAnswer::Other),
    ];
    for (pasted, expected) in cases {
        let read = Answer::read(pasted);
        assert!(
            matches!(read, Err(AuthError::NotAnAnswer(found)) if found == expected),
            "{pasted}: {read:?}"
        );
    }
}

#[tokio::test]
async fn a_code_is_redeemed_with_its_verifier_and_the_same_redirect() {
    let stage = Stage::new("oauth2-code");
    let begun = Authorization::begin(&stage.plan(), "http://localhost:7/", None).unwrap();
    let provider = stage.authority.provider(&stage.account, &stage.description, &stage.method).await.unwrap();
    // {"preferred_username":"anna@example.test","sub":"1"}
    let id = "e30.eyJwcmVmZXJyZWRfdXNlcm5hbWUiOiJhbm5hQGV4YW1wbGUudGVzdCIsInN1YiI6IjEifQ.x";
    stage.provider.says([Says::Json(
        200,
        json!({ "access_token": "A", "token_type": "bearer", "expires_in": 60, "scope": "openid MAIL.READ", "id_token": id }),
    )]);
    let answer = Answer::read(&format!("code=c0de&state={}", begun.pending.state())).unwrap();
    let grant = provider.finish(&begun.pending, &answer).await.unwrap();
    let form = stage.provider.form(0);
    assert_eq!((form["grant_type"].as_str(), form["code"].as_str()), ("authorization_code", "c0de"));
    assert_eq!(form["redirect_uri"], "http://localhost:7/");
    assert!(
        form["code_verifier"].len() >= 43
            && !form.contains_key("prompt")
            && !form.contains_key("client_secret")
    );
    assert_eq!(grant.user.as_deref(), Some("anna@example.test"));
    assert_eq!(grant.scopes, ["openid", "MAIL.READ"]);
    // Scopes are found whatever their case, and with their resource or without.
    assert_eq!(stage.plan().missing(&grant.scopes), ["profile-read"]);
    assert_eq!(status(&stage.plan(), Some(&grant)).standing, Standing::Expiring, "nothing renews it");
}

#[tokio::test]
async fn an_answer_to_another_sign_in_or_from_somebody_else_is_not_redeemed() {
    let stage = Stage::new("oauth2-code");
    let begun = Authorization::begin(&stage.plan(), "http://localhost:7/", None).unwrap();
    let provider = stage.authority.provider(&stage.account, &stage.description, &stage.method).await.unwrap();
    let finish = async |text: String| provider.finish(&begun.pending, &Answer::read(&text).unwrap()).await;
    let state = begun.pending.state();
    assert!(matches!(finish("code=c&state=other".to_owned()).await, Err(AuthError::OtherState)));
    let other = finish(format!("code=c&state={state}&iss=https://evil.test")).await;
    assert!(matches!(other, Err(AuthError::OtherIssuer { got }) if got == "https://evil.test"));
    let declined = finish(format!("error=access_denied&error_description=CODE65004:+no&state={state}")).await;
    assert_eq!(declined.unwrap_err().code(), Some("CODE65004"));
    assert_eq!(stage.provider.asked(), 0);
    stage.provider.says([token("A", None)]);
    finish(format!("code=c&state={state}&iss=https://login.example.test/v2")).await.unwrap();
}

#[tokio::test]
async fn a_link_is_answered_later_once_and_not_after_a_day() {
    let stage = Stage::new("oauth2-code");
    let (authority, plan) = (&stage.authority, stage.plan());
    assert!(matches!(authority.pending(&stage.account, &plan).await, Err(AuthError::NothingPending { .. })));
    let begun = Authorization::begin(&plan, "https://relay.example/", None).unwrap();
    authority.keep_pending(&stage.account, &plan, &begun.pending).await.unwrap();
    let kept = authority.pending(&stage.account, &plan).await.unwrap();
    assert_eq!(kept.state(), begun.pending.state());
    assert!(!format!("{kept:?}").contains(kept.state()));
    authority.forget_pending(&stage.account, &plan).await.unwrap();
    assert!(authority.pending(&stage.account, &plan).await.is_err());
    let old = json!({ "state": "s", "verifier": "v", "redirect": "r", "begun": "2020-01-01T00:00:00Z" });
    let field = plan.pending_field();
    stage.memory.kept.lock().unwrap().insert(field.clone(), old.to_string());
    let old = authority.pending(&stage.account, &plan).await;
    assert!(!stage.memory.kept.lock().unwrap().contains_key(&field), "what nobody can use is not kept");
    assert!(matches!(old, Err(AuthError::NothingPending { why }) if why.contains("day")));
}

#[tokio::test]
async fn the_answer_to_a_link_goes_to_nobody_but_whom_it_was_made_for() {
    let mut stage = Stage::new("oauth2-code");
    let begun = Authorization::begin(&stage.plan(), "http://localhost:7/", None).unwrap();
    stage.method.token = Some("https://elsewhere.example.test/token".to_owned());
    let provider = stage.authority.provider(&stage.account, &stage.description, &stage.method).await.unwrap();
    let finished = provider.finish(&begun.pending, &Answer::read(CODE).unwrap()).await;
    assert!(matches!(finished, Err(AuthError::NothingPending { why }) if why.contains("settings")));
    assert_eq!(stage.provider.asked(), 0);
}

async fn get(address: &str, path: &str) -> String {
    let host = address.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(host).await.unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn the_loopback_address_takes_the_one_answer_and_is_not_stopped_by_others() {
    let loopback = Loopback::open(None).await.unwrap();
    let address = loopback.redirect();
    let port = address.trim_end_matches('/').rsplit(':').next().unwrap().parse().unwrap();
    assert!(matches!(Loopback::open(Some(port)).await, Err(AuthError::PortInUse { .. })));
    let waiting = tokio::spawn(async move { loopback.answer("st", "nl").await });
    // A browser that opens a connection ahead and does not use it.
    let _idle = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    for path in ["/?code=stolen&state=other", "/favicon.ico", "/?code=stolen", "/elsewhere?code=x&state=st"] {
        assert!(get(&address, path).await.starts_with("HTTP/1.1 400 "), "{path}");
    }
    let page = tokio::spawn(async move { get(&address, "/?code=c0de&state=st").await });
    let (answer, browser) = waiting.await.unwrap().unwrap();
    assert_eq!(answer.code.as_deref(), Some("c0de"));
    // It hears no more than is so: the token is to be fetched yet.
    assert!(!page.is_finished());
    browser.tell(true).await;
    let page = page.await.unwrap();
    assert!(page.starts_with("HTTP/1.1 200 ") && page.contains("Aangemeld") && page.contains("no-store"));
    assert!(page.contains("default-src 'none'") && !page.contains("c0de"));
}

#[tokio::test]
async fn a_port_that_another_program_has_on_either_address_is_not_taken() {
    let Ok(other) = tokio::net::TcpListener::bind((std::net::Ipv6Addr::LOCALHOST, 0)).await else {
        // A machine without IPv6 does with what it has.
        Loopback::open(None).await.unwrap();
        return;
    };
    let port = other.local_addr().unwrap().port();
    assert!(matches!(Loopback::open(Some(port)).await, Err(AuthError::PortInUse { .. })));
}

#[test]
fn an_endpoint_in_the_clear_needs_the_operators_permission_by_name() {
    let mut stage = Stage::new("oauth2-code");
    stage.account.settings.insert("authority".to_owned(), "http://127.0.0.1:1".to_owned());
    let error = Plan::new(&stage.account, &stage.method).unwrap_err();
    assert!(error.to_string().contains("--allow-clear-text oauth"), "{error}");
    stage.account.connection.allow_clear_text.insert("imap".to_owned());
    assert!(Plan::new(&stage.account, &stage.method).is_err());
    stage.account.connection.allow_clear_text.insert("oauth".to_owned());
    assert!(Plan::new(&stage.account, &stage.method).is_ok());
    for wrong in ["ftp://x", "https://user@x", "x", "https://x#y"] {
        stage.account.settings.insert("authority".to_owned(), wrong.to_owned());
        assert!(Plan::new(&stage.account, &stage.method).is_err(), "{wrong}");
    }
}

#[cfg(unix)]
#[test]
fn a_browser_inherits_no_secret() {
    let mut command = std::process::Command::new("env");
    crate::browser::only_what_is_needed(&mut command);
    let printed = command.stdout(std::process::Stdio::piped()).output().unwrap().stdout;
    let printed = String::from_utf8_lossy(&printed);
    assert!(printed.contains("PATH="), "{printed}");
    // It stands for any variable that a browser has no use for.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some() && !printed.contains("CARGO"), "{printed}");
}
