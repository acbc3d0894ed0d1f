//! Who is signed in and what is missing; translating ids; opening.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use common::{FOLDER, ME, ROOT, batch, finish, folder, ids, open_with, refusal, session, session_in};
use wissel_connector::serde_json::{Value, json};
use wissel_connector::testing::ScriptedHost;
use wissel_connector::{Error, ErrorKind, Session};

/// The form of the ids in listings.
const LISTED: &str = "restImmutableEntryIdInFolder";

const SHARED: &str = "https://graph.example.test/v1.0/users/inkoop%40voorbeeld.example";

fn me(status: u16, body: &Value) -> String {
    format!("> GET {ROOT}/me?$select=displayName,mail,userPrincipalName\n< {status}\n< {body}\n")
}

fn jan() -> Value {
    json!({ "displayName": "Jan Jansen", "mail": "Jan@voorbeeld.example", "userPrincipalName": "jj@voorbeeld.example" })
}

fn inbox(user: &str, status: u16, body: &Value) -> String {
    format!("> GET {user}/mailFolders/inbox?{FOLDER}\n< {status}\n< {body}\n")
}

fn open_inbox() -> Value {
    folder("INBOX", "Postvak IN", "TOP", 1)
}

#[test]
fn the_signed_in_users_own_mailbox_has_their_name() {
    let (host, mut session) = session(&(me(200, &jan()) + &inbox(ME, 200, &open_inbox())));
    let identity = session.check().unwrap();
    assert_eq!(identity.mailbox, "Jan@voorbeeld.example");
    assert_eq!((identity.signed_in_as, identity.display_name.as_deref()), (None, Some("Jan Jansen")));
    assert!(identity.denied.is_empty());
    assert_eq!(identity.facts[0], ("Inbox".to_owned(), "Postvak IN: 274 items, 3 unread".to_owned()));
    finish(&host);
}

#[test]
fn a_shared_mailbox_says_who_opens_it_and_ones_own_address_is_no_shared_one() {
    let (host, mut session) =
        session_in("inkoop@voorbeeld.example", &(me(200, &jan()) + &inbox(SHARED, 200, &open_inbox())));
    let identity = session.check().unwrap();
    assert_eq!(identity.mailbox, "inkoop@voorbeeld.example");
    assert_eq!(
        (identity.signed_in_as.as_deref(), identity.display_name),
        (Some("Jan@voorbeeld.example"), None)
    );
    finish(&host);

    let own = "https://graph.example.test/v1.0/users/JJ%40voorbeeld.example";
    let (host, mut session) =
        session_in("JJ@voorbeeld.example", &(me(200, &jan()) + &inbox(own, 200, &open_inbox())));
    let identity = session.check().unwrap();
    assert_eq!((identity.mailbox.as_str(), identity.signed_in_as), ("Jan@voorbeeld.example", None));
    finish(&host);
}

#[test]
fn without_user_read_the_account_works_and_says_what_it_cannot_do() {
    let denied = refusal("Authorization_RequestDenied");
    let (host, mut session) = session(&(me(403, &denied) + &inbox(ME, 200, &open_inbox())));
    let identity = session.check().unwrap();
    // As far as the host knows the user.
    assert_eq!(identity.mailbox, "alice@example.test");
    assert_eq!(identity.denied, ["translate"]);
    assert!(identity.facts.iter().any(|(label, text)| label == "User.Read" && text.contains("missing")));
    finish(&host);
}

#[test]
fn a_missing_right_is_named_as_the_admin_centre_does() {
    let script = me(200, &jan()) + &inbox(SHARED, 403, &refusal("ErrorAccessDenied"));
    let (host, mut session) = session_in("inkoop@voorbeeld.example", &script);
    let error = session.check().unwrap_err();
    assert_eq!(
        (error.kind, error.code.as_deref()),
        (ErrorKind::PermissionMissing, Some("ErrorAccessDenied"))
    );
    for part in [
        "Jan@voorbeeld.example",
        "inkoop@voorbeeld.example",
        "Full Access",
        "Mailbox delegation",
        "Mail.ReadWrite.Shared",
    ] {
        assert!(error.message.contains(part), "{part}: {}", error.message);
    }
    finish(&host);
}

#[test]
fn refusals_of_the_mailbox_and_of_the_token_are_told_apart() {
    let kinds = [
        (404, "MailboxNotEnabledForRESTAPI", ErrorKind::InvalidSetting),
        (404, "ErrorInvalidUser", ErrorKind::InvalidSetting),
        (404, "ErrorItemNotFound", ErrorKind::InvalidSetting),
        (401, "InvalidAuthenticationToken", ErrorKind::AuthorizationNeeded),
        (503, "ErrorMailboxStoreUnavailable", ErrorKind::Temporary),
    ];
    for (status, code, kind) in kinds {
        let script = me(200, &jan()) + &inbox(ME, status, &refusal(code));
        let (host, mut session) = session(&script);
        let Error { kind: seen, setting, .. } = session.check().unwrap_err();
        assert_eq!(seen, kind, "{code}");
        assert_eq!(setting.is_some(), kind == ErrorKind::InvalidSetting, "{code}");
        finish(&host);
    }
    let (host, mut session) = session(&me(401, &refusal("InvalidAuthenticationToken")));
    assert_eq!(session.check().unwrap_err().kind, ErrorKind::AuthorizationNeeded);
    finish(&host);
}

#[test]
fn an_application_needs_a_mailbox_and_is_not_asked_who_it_is() {
    // The host's user is the client id, as the description says of applications.
    let settings = [("client-id", "alice@example.test"), ("service", "https://graph.example.test")];
    let host = ScriptedHost::http("");
    let open = |host: &ScriptedHost, mailbox: &'static str| {
        use wissel_connector::{Connector, Settings};
        let all = settings.into_iter().chain([("mailbox", mailbox)]);
        wissel_graph::Graph::open(host.api(), all.collect::<Settings>())
    };
    let error = open(&host, "").err().unwrap();
    assert_eq!((error.kind, error.setting.as_deref()), (ErrorKind::InvalidSetting, Some("mailbox")));

    let host = ScriptedHost::http(&inbox(SHARED, 200, &open_inbox()));
    let identity = open(&host, "inkoop@voorbeeld.example").unwrap().check().unwrap();
    assert_eq!(identity.mailbox, "inkoop@voorbeeld.example");
    assert!(identity.facts.iter().any(|(_, text)| text.contains("an application")));
    assert!(identity.denied.is_empty());
    finish(&host);
}

#[test]
fn a_session_needs_the_service() {
    let host = ScriptedHost::http("");
    let error = open_with(&host, &[]).map(drop);
    assert!(error.is_ok());
    let settings = wissel_connector::Settings::from_iter([("mailbox", "a@voorbeeld.example")]);
    let error =
        <wissel_graph::Graph as wissel_connector::Connector>::open(host.api(), settings).err().unwrap();
    assert_eq!((error.kind, error.setting.as_deref()), (ErrorKind::InvalidSetting, Some("service")));
}

#[test]
fn ids_are_translated_in_the_order_asked_for() {
    let body = json!({ "inputIds": ["a", "x", "b"], "sourceIdType": "restImmutableEntryId", "targetIdType": "ewsId" });
    let answer = json!({ "value": [
        { "sourceId": "b", "targetId": "B" },
        { "sourceId": "a", "targetId": "A" },
        { "sourceId": "x", "errorDetails": { "code": "ErrorInvalidIdMalformed" } }
    ] });
    let script = format!("> POST {ME}/translateExchangeIds\n> {body}\n< 200\n< {answer}");
    let (host, mut session) = session(&script);
    let mut asked = ids(&["a", "x", "b"]);
    asked.insert(1, "of another connector".to_owned());
    let translated = session.translate(&asked, LISTED, "ewsId").unwrap();
    assert_eq!(translated, [Some("A".to_owned()), None, None, Some("B".to_owned())]);
    assert!(session.translate(&[], "ewsId", "restId").unwrap().is_empty());
    let error = session.translate(&ids(&["a"]), "uid", "ewsId").unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unsupported);
    finish(&host);
}

#[test]
fn ids_of_listings_have_the_folder_that_the_message_lies_in_now() {
    let body = json!({ "inputIds": ["A", "X", "B"], "sourceIdType": "ewsId", "targetIdType": "restImmutableEntryId" });
    let answer =
        json!({ "value": [{ "sourceId": "A", "targetId": "a" }, { "sourceId": "B", "targetId": "b" }] });
    let look = |path: &'static str, status: u16, answer: Value| ("GET", path, Value::Null, status, answer);
    let places = batch(
        "/me",
        &[
            look("/messages/a?$select=parentFolderId", 200, json!({ "id": "a", "parentFolderId": "INBOX" })),
            look("/messages/b?$select=parentFolderId", 404, refusal("ErrorItemNotFound")),
        ],
    );
    let script = format!("> POST {ME}/translateExchangeIds\n> {body}\n< 200\n< {answer}\n{places}");
    let (host, mut session) = session(&script);
    let asked = ["A", "X", "B"].map(str::to_owned);
    let translated = session.translate(&asked, "ewsId", LISTED).unwrap();
    assert_eq!(translated, [Some("a:INBOX".to_owned()), None, None]);
    finish(&host);
}

#[test]
fn a_thousand_ids_are_one_request_and_more_are_several() {
    let many: Vec<String> = (0..1_001).map(|n| n.to_string()).collect();
    let answer = |ids: &[String]| json!({ "value": ids.iter().map(|id| json!({ "sourceId": id, "targetId": format!("t{id}") })).collect::<Vec<_>>() });
    let (first, last) = many.split_at(1_000);
    let script = format!(
        "> POST {ME}/translateExchangeIds\n< 200\n< {}\n> POST {ME}/translateExchangeIds\n< 200\n< {}",
        answer(first),
        answer(last)
    );
    let (host, mut session) = session(&script);
    let translated = session.translate(&many, "restId", "restImmutableEntryId").unwrap();
    assert_eq!(translated.len(), 1_001);
    assert_eq!(translated[1_000].as_deref(), Some("t1000"));
    finish(&host);
}

#[test]
fn translating_without_user_read_says_what_is_missing() {
    let script = format!("> POST {ME}/translateExchangeIds\n< 403\n< {}", refusal("ErrorAccessDenied"));
    let (host, mut session) = session(&script);
    let error = session.translate(&["a".to_owned()], "restId", "ewsId").unwrap_err();
    assert_eq!(error.kind, ErrorKind::PermissionMissing);
    assert!(error.message.contains("User.Read"), "{}", error.message);
    finish(&host);
}
