//! Listing and changes: oldest first, pages that begin at the last moment, filters, cursors that ended.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use common::{ME, MESSAGE, finish, refusal, session};
use wissel_connector::serde_json::{Value, json};
use wissel_connector::types::PageRequest;
use wissel_connector::{ErrorKind, Session};

fn message(id: &str, time: &str) -> Value {
    json!({
        "@odata.etag": "W/\"1\"", "id": id, "receivedDateTime": time, "subject": format!("Factuur {id}"),
        "internetMessageId": format!("<{id}@voorbeeld.example>"), "isRead": false,
        "from": { "emailAddress": { "name": "Jan", "address": "jan@voorbeeld.example" } }
    })
}

fn page(size: u32) -> PageRequest {
    PageRequest { size, after: None, unread_only: false, received_since: None }
}

fn listed(session: &mut impl Session, request: &PageRequest) -> (Vec<String>, Option<String>) {
    let page = session.list_messages("A", request).unwrap();
    (page.messages.into_iter().map(|m| unlisted(&m.id)).collect(), page.next)
}

/// The id that the service gave to a message of the folder `A`.
fn unlisted(id: &str) -> String {
    id.strip_suffix(":A").unwrap().to_owned()
}

#[test]
fn each_page_begins_at_the_moment_of_the_last_message() {
    let (one, two) = ("2026-11-22T16:05:09Z", "2026-11-22T16:05:10Z");
    let script = format!(
        "> GET {ME}/mailFolders/A/messages?{MESSAGE}&$orderby=receivedDateTime&$top=2
        < 200
        < {}
        > GET {ME}/mailFolders/A/messages?{MESSAGE}&$orderby=receivedDateTime&$top=4&$filter=receivedDateTime%20ge%20{one}
        < 200
        < {}
        > GET {ME}/mailFolders/A/messages?{MESSAGE}&$orderby=receivedDateTime&$top=3&$filter=receivedDateTime%20ge%20{two}
        < 200
        < {}",
        json!({ "value": [message("a", one), message("b", one)], "@odata.nextLink": "https://graph.example.test/x?$skip=2" }),
        // The first two were moved away meanwhile, and two others have the same time.
        json!({ "value": [message("c", one), message("d", two)], "@odata.nextLink": "https://graph.example.test/x?$skip=2" }),
        json!({ "value": [message("d", two), message("e", two)] }),
    );
    let (host, mut session) = session(&script);
    let mut request = page(2);
    let (first, next) = listed(&mut session, &request);
    request.after = next;
    let (second, next) = listed(&mut session, &request);
    request.after = next;
    let (third, next) = listed(&mut session, &request);
    assert_eq!([first, second, third], [vec!["a", "b"], vec!["c", "d"], vec!["e"]]);
    assert_eq!(next, None);
    finish(&host);
}

#[test]
fn what_is_known_of_a_message_is_told_and_the_rest_left_out() {
    let draft = json!({ "id": "d", "subject": null, "from": null, "receivedDateTime": "2026-11-22T16:05:09Z", "isRead": true });
    let script = format!(
        "> GET {ME}/mailFolders/A/messages?{MESSAGE}&$orderby=receivedDateTime&$top=1000
        < 200
        < {}",
        json!({ "value": [message("a", "2026-11-22T16:05:09Z"), draft] })
    );
    let (host, mut session) = session(&script);
    let messages = session.list_messages("A", &page(u32::MAX)).unwrap().messages;
    let first = &messages[0];
    assert_eq!(first.internet_message_id.as_deref(), Some("<a@voorbeeld.example>"));
    assert_eq!(first.sender.as_deref(), Some("Jan <jan@voorbeeld.example>"));
    assert_eq!((first.subject.as_deref(), first.read, first.size), (Some("Factuur a"), Some(false), None));
    let draft = &messages[1];
    assert_eq!((draft.sender.as_deref(), draft.subject.as_deref(), draft.read), (None, None, Some(true)));
    finish(&host);
}

#[test]
fn filters_name_the_time_first_and_survive_a_time_zone() {
    let script = format!(
        "> GET {ME}/mailFolders/A/messages?{MESSAGE}&$orderby=receivedDateTime&$top=5&$filter=receivedDateTime%20ge%201900-01-01T00:00:00Z%20and%20isRead%20eq%20false
        < 200
        < {{\"value\": []}}
        > GET {ME}/mailFolders/A/messages?{MESSAGE}&$orderby=receivedDateTime&$top=5&$filter=receivedDateTime%20ge%202026-11-22T17:05:09%2B01:00
        < 200
        < {{\"value\": []}}"
    );
    let (host, mut session) = session(&script);
    assert_eq!(listed(&mut session, &PageRequest { unread_only: true, ..page(5) }), (vec![], None));
    let since = Some("2026-11-22T17:05:09+01:00".to_owned());
    assert_eq!(listed(&mut session, &PageRequest { received_since: since, ..page(5) }), (vec![], None));
    finish(&host);
}

#[test]
fn a_page_that_brings_nothing_new_is_followed_by_the_next() {
    let time = "2026-11-22T16:05:09Z";
    let script = format!(
        "> GET {ME}/mailFolders/A/messages?{MESSAGE}&$orderby=receivedDateTime&$top=2&$filter=receivedDateTime%20ge%20{time}
        < 200
        < {}
        > GET {ME}/x?$skip=2
        < 200
        < {}",
        json!({ "value": [message("a", time)], "@odata.nextLink": format!("{ME}/x?$skip=2") }),
        json!({ "value": [message("b", time)] }),
    );
    let (host, mut session) = session(&script);
    let after = Some(json!([time, ["a"]]).to_string());
    assert_eq!(listed(&mut session, &PageRequest { after, ..page(1) }), (vec!["b".to_owned()], None));
    finish(&host);
}

#[test]
fn a_folder_that_is_gone_is_not_found_and_named() {
    let script = format!(
        "> GET {ME}/mailFolders/A/messages?{MESSAGE}&$orderby=receivedDateTime&$top=5
        < 404
        < {}",
        refusal("ErrorItemNotFound")
    );
    let (host, mut session) = session(&script);
    let error = session.list_messages("A", &page(5)).unwrap_err();
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::NotFound, Some("ErrorItemNotFound")));
    assert!(error.message.contains("folder `A`"), "{}", error.message);
    let token = Some("7.12".to_owned());
    let error = session.list_messages("A", &PageRequest { after: token, ..page(5) }).unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
    finish(&host);
}

/// The first request of changes: the host's clock stands at 2026-11-22T16:00:00Z.
const FRESH: &str =
    "messages/delta?$select=id,parentFolderId&$filter=receivedDateTime%20ge%202026-11-21T16:00:00Z";

#[test]
fn the_first_cursor_comes_with_a_listing_and_later_ones_with_what_changed() {
    let script = format!(
        "> GET {ME}/mailFolders/A/{FRESH}
        > Prefer: IdType=\"ImmutableId\", odata.maxpagesize=1000
        < 200
        < {}
        > GET {ME}/mailFolders/A/messages/delta?$skiptoken=s%2F1
        < 200
        < {}
        > GET {ME}/mailFolders/A/messages/delta?$deltatoken=d%3D1
        < 200
        < {}",
        json!({ "value": [{ "id": "a" }], "@odata.nextLink": format!("{ME}/mailFolders/A/messages/delta?$skiptoken=s%2F1") }),
        json!({ "value": [], "@odata.deltaLink": format!("{ME}/mailFolders('A')/messages/delta?$deltatoken=d%3D1") }),
        // A replay, a new one, and one that left, or left and came back: the service does not tell which.
        json!({
            "value": [{ "id": "a" }, { "id": "b" }, { "id": "a" }, { "id": "c", "@removed": { "reason": "deleted" } }],
            "@odata.deltaLink": format!("{ME}/mailFolders('A')/messages/delta?%24deltatoken=d2")
        }),
    );
    let (host, mut session) = session(&script);
    let first = session.changes("A", None).unwrap();
    assert_eq!((first.list_again, first.more, first.changed.len()), (true, false, 0));
    let second = session.changes("A", Some(&first.next)).unwrap();
    assert_eq!(
        (second.list_again, second.changed, second.removed),
        (false, vec!["a:A".to_owned(), "b:A".to_owned()], vec![])
    );
    assert_ne!(first.next, second.next);
    finish(&host);
}

#[test]
fn a_cursor_that_ended_or_is_not_ours_begins_anew() {
    for (cursor, answers) in [
        ("d.old", "410|syncStateNotFound"),
        ("d.old", "410|"),
        ("d.bad", "400|BadRequest"),
        ("d.bad", "400|ErrorInvalidSyncStateData"),
        ("7.100.1.2.0", ""),
        ("https://elsewhere.example/?$deltatoken=1", ""),
    ] {
        let refused = match (answers.split_once('|'), cursor.strip_prefix("d.")) {
            (Some((status, code)), Some(token)) => format!(
                "> GET {ME}/mailFolders/A/messages/delta?$deltatoken={token}\n< {status}\n< {}\n",
                refusal(code)
            ),
            _ => String::new(),
        };
        let script = format!(
            "{refused}> GET {ME}/mailFolders/A/{FRESH}\n< 200\n< {}",
            json!({ "value": [{ "id": "a" }], "@odata.deltaLink": "https://graph.example.test/v1.0/x?$deltatoken=new" })
        );
        let (host, mut session) = session(&script);
        let changes = session.changes("A", Some(cursor)).unwrap();
        assert_eq!((changes.list_again, changes.next.as_str()), (true, "d.new"), "{cursor} {answers}");
        finish(&host);
    }
}

#[test]
fn changes_of_a_missing_folder_and_links_without_a_token_are_errors() {
    let script = format!(
        "> GET {ME}/mailFolders/A/{FRESH}\n< 404\n< {}
        > GET {ME}/mailFolders/A/{FRESH}\n< 200\n< {}
        > GET {ME}/mailFolders/A/{FRESH}\n< 200\n< {}",
        refusal("ErrorItemNotFound"),
        json!({ "value": [] }),
        json!({ "value": [], "@odata.deltaLink": "https://graph.example.test/v1.0/x" }),
    );
    let (host, mut session) = session(&script);
    let kinds = [(); 3].map(|()| session.changes("A", None).unwrap_err().kind);
    assert_eq!(kinds, [ErrorKind::NotFound, ErrorKind::Protocol, ErrorKind::Protocol]);
    finish(&host);
}

#[test]
fn an_id_has_the_folder_that_the_message_itself_names() {
    let mut elsewhere = message("a", "2026-11-22T16:05:09Z");
    elsewhere["parentFolderId"] = json!("REAL");
    let script = format!(
        "> GET {ME}/mailFolders/A/messages?{MESSAGE}&$orderby=receivedDateTime&$top=10\n< 200\n< {}",
        json!({ "value": [elsewhere] })
    );
    let (host, mut session) = session(&script);
    let page = session.list_messages("A", &page(10)).unwrap();
    assert_eq!(page.messages[0].id, "a:REAL");
    finish(&host);
}
