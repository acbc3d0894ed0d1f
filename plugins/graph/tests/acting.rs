//! Moving, marking and deleting: twenty in a batch, each answered on its own.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use std::ops::Range;

use common::{FOLDER, ME, ROOT, finish, folder, ids, listed, open_with, refusal, session};
use wissel_connector::serde_json::{Value, json};
use wissel_connector::testing::ScriptedHost;
use wissel_connector::types::Outcome;
use wissel_connector::{ErrorKind, Session};

fn moving(id: &str, status: u16, answer: Value) -> (&'static str, String, Value, u16, Value) {
    ("POST", format!("/messages/{id}/move"), json!({ "destinationId": "DONE" }), status, answer)
}

type Owned = (&'static str, String, Value, u16, Value);

/// The calls with these places in one batch.
fn numbered(calls: &[Owned], places: impl IntoIterator<Item = usize>, chained: bool) -> String {
    let of = |place: usize| {
        let (method, path, body, status, answer) = &calls[place];
        (place, (*method, path.as_str(), body.clone(), *status, answer.clone()))
    };
    let calls: Vec<_> = places.into_iter().map(of).collect();
    common::exchange("/me", calls.iter().map(|(place, call)| (*place, call)), chained)
}

fn exchange(calls: &[Owned]) -> String {
    numbered(calls, 0..calls.len(), false)
}

fn look(id: &str, status: u16, answer: Value) -> (&'static str, String, Value, u16, Value) {
    ("GET", format!("/messages/{id}?$select=parentFolderId"), Value::Null, status, answer)
}

/// All of them are where they were listed.
fn in_place(names: &[&str]) -> String {
    let there = json!({ "parentFolderId": "INBOX" });
    let calls: Vec<Owned> = names.iter().map(|id| look(id, 200, there.clone())).collect();
    let chained = calls.len() > 20;
    let batch = |from: usize| match names[from..] {
        [only] => format!("> GET {ME}/messages/{only}?$select=parentFolderId\n< 200\n< {there}\n"),
        _ => numbered(&calls, from..calls.len().min(from + 20), chained),
    };
    (0..calls.len()).step_by(20).map(batch).collect()
}

/// Messages and what became of them, in order of their ids.
fn kinds(mut outcomes: Vec<Outcome>) -> Vec<(String, Option<ErrorKind>)> {
    outcomes.sort_by(|a, b| a.message.cmp(&b.message));
    let name = |id: String| id.strip_suffix(":INBOX").map(str::to_owned).unwrap_or(id);
    outcomes.into_iter().map(|o| (name(o.message), o.failure.map(|error| error.kind))).collect()
}

#[test]
fn a_move_that_was_held_back_is_sent_again_alone_and_the_others_stand() {
    let script = format!(
        "{}{}
        > POST {ME}/messages/b/move
        > {}
        < 201
        < {}
        > POST {ME}/messages/d/move
        < 201
        < {}
        > GET {ME}/mailFolders/DONE?{FOLDER}
        < 200
        < {}",
        in_place(&["a", "b", "c", "d", "e", "f", "g", "h"]),
        exchange(&[
            moving("a", 201, json!({ "id": "a", "parentFolderId": "DONE" })),
            moving("b", 429, refusal("ApplicationThrottled")),
            moving("c", 404, refusal("ErrorItemNotFound")),
            moving("d", 401, refusal("InvalidAuthenticationToken")),
            moving("e", 403, refusal("ErrorAccessDenied")),
            moving("f", 400, refusal("ErrorInvalidIdMalformed")),
            moving("g", 504, refusal("UnknownError")),
            // Perhaps it was moved all the same: the next run looks first.
            moving("h", 503, refusal("ServiceNotAvailable")),
        ]),
        json!({ "destinationId": "DONE" }),
        json!({ "id": "b" }),
        json!({ "id": "d2" }),
        folder("DONE", "Verwerkt", "INBOX", 0),
    );
    let (host, mut session) = session(&script);
    let outcomes =
        session.move_messages(&ids(&["a", "b", "c", "d", "e", "f", "g", "h"]), "DONE", false).unwrap();
    let moved = outcomes.iter().find(|o| o.message == listed("d")).unwrap();
    assert_eq!(moved.new_id.as_deref(), Some("d2:DONE"));
    let kinds = kinds(outcomes);
    let failed: Vec<_> = kinds.iter().map(|(id, kind)| (id.as_str(), *kind)).collect();
    assert_eq!(
        failed,
        [
            ("a", None),
            ("b", None),
            // Somebody deleted it since the look: there is nothing left to move.
            ("c", None),
            ("d", None),
            ("e", Some(ErrorKind::PermissionMissing)),
            ("f", Some(ErrorKind::NotFound)),
            ("g", Some(ErrorKind::Temporary)),
            ("h", Some(ErrorKind::Temporary)),
        ]
    );
    // What may be done twice is not repeated blindly.
    assert!(host.requests().iter().skip(1).filter(|r| r.method == "POST").all(|r| !r.idempotent));
    finish(&host);
}

#[test]
fn without_its_target_nothing_passes_for_moved() {
    let script = format!(
        "{}{}
        > GET {ME}/mailFolders/DONE?{FOLDER}
        < 404
        < {}",
        in_place(&["a", "b"]),
        exchange(&[
            moving("a", 404, refusal("ErrorItemNotFound")),
            moving("b", 404, refusal("ErrorItemNotFound"))
        ]),
        refusal("ErrorItemNotFound"),
    );
    let (host, mut session) = session(&script);
    let outcomes = session.move_messages(&ids(&["a", "b"]), "DONE", false).unwrap();
    assert!(kinds(outcomes).iter().all(|(_, kind)| *kind == Some(ErrorKind::NotFound)));
    finish(&host);
}

#[test]
fn what_is_not_in_its_folder_any_more_is_left_where_it_is() {
    let places = || {
        exchange(&[
            // An earlier attempt got so far; nothing happened yet; somebody deleted it; somebody put it elsewhere.
            look("a", 200, json!({ "id": "a", "parentFolderId": "DONE" })),
            look("b", 200, json!({ "id": "b", "parentFolderId": "INBOX" })),
            look("c", 404, refusal("ErrorItemNotFound")),
            look("d", 200, json!({ "id": "d", "parentFolderId": "ELSEWHERE" })),
            look("e", 403, refusal("ErrorAccessDenied")),
        ])
    };
    let expected = |outcomes: Vec<Outcome>| {
        let kinds = kinds(outcomes);
        let kinds: Vec<_> = kinds.iter().map(|(id, kind)| (id.as_str(), *kind)).collect();
        let denied = Some(ErrorKind::PermissionMissing);
        assert_eq!(kinds, [("a", None), ("b", None), ("c", None), ("d", None), ("e", denied)]);
    };
    let messages = ids(&["a", "b", "c", "d", "e"]);
    for again in [false, true] {
        let move_b =
            format!("> POST {ME}/messages/b/move\n> {}\n< 201\n< {{}}", json!({ "destinationId": "DONE" }));
        let (host, mut session) = session(&format!("{}{move_b}", places()));
        let outcomes = session.move_messages(&messages, "DONE", again).unwrap();
        let told = outcomes.iter().filter_map(|o| o.new_id.as_deref());
        assert_eq!(told.collect::<Vec<_>>(), ["a:DONE"], "of what is in the target, and of nothing else");
        expected(outcomes);
        finish(&host);
    }
    let (host, mut session) = session(&format!("{}> POST {ME}/messages/b/permanentDelete\n< 204", places()));
    expected(session.delete_messages(&messages).unwrap());
    finish(&host);

    // Nor is anything moved into the folder that it was listed in; as with all that is in the target, its id is told.
    let (host, mut session) = common::session(&in_place(&["a"]));
    let there = Outcome::moved(listed("a"), Some(listed("a")));
    assert_eq!(session.move_messages(&ids(&["a"]), "INBOX", false).unwrap(), [there]);
    finish(&host);
}

#[test]
fn more_than_twenty_are_several_batches_whose_requests_wait_for_one_another_and_one_is_none() {
    let names: Vec<String> = (10..51).map(|n| format!("m{n}")).collect();
    let calls: Vec<Owned> = names
        .iter()
        .map(|id| ("POST", format!("/messages/{id}/permanentDelete"), Value::Null, 204, Value::Null))
        .collect();
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    let script = format!(
        "{}{}{}{}> POST {ME}/messages/m50/permanentDelete\n< 204",
        in_place(&all[..40]),
        numbered(&calls, 0..20, true),
        numbered(&calls, 20..40, true),
        in_place(&["m50"]),
    );
    let (host, mut session) = session(&script);
    let many: Vec<String> = names.iter().map(|id| listed(id)).collect();
    let outcomes = session.delete_messages(&many).unwrap();
    assert_eq!(outcomes.len(), 41);
    assert!(outcomes.iter().all(|outcome| outcome.failure.is_none()));
    assert!(session.delete_messages(&[]).unwrap().is_empty());
    finish(&host);
}

#[test]
fn what_was_looked_at_is_dealt_with_before_more_is_looked_at() {
    let names: Vec<String> = (100..280).map(|n| format!("m{n}")).collect();
    let there = json!({ "parentFolderId": "INBOX" });
    let looks: Vec<Owned> = names.iter().map(|id| look(id, 200, there.clone())).collect();
    let moves: Vec<Owned> = names.iter().map(|id| moving(id, 201, json!({ "id": id }))).collect();
    let batches = |calls: &[Owned], range: Range<usize>| -> String {
        range.map(|batch| numbered(calls, batch * 20..batch * 20 + 20, true)).collect()
    };
    // Eight are started ahead; the ninth has to wait for a move to end.
    let script = format!(
        "{}{}{}{}",
        batches(&looks, 0..8),
        batches(&moves, 0..8),
        batches(&looks, 8..9),
        batches(&moves, 8..9)
    );
    let (host, mut session) = session(&script);
    let many: Vec<String> = names.iter().map(|id| listed(id)).collect();
    let outcomes = session.move_messages(&many, "DONE", false).unwrap();
    assert_eq!(outcomes.len(), 180);
    assert!(outcomes.iter().all(|outcome| outcome.failure.is_none() && outcome.new_id.is_some()));
    finish(&host);
}

#[test]
fn what_waited_for_a_move_that_failed_is_sent_again() {
    let many: Vec<String> = (10..50).map(|n| format!("m{n}")).collect();
    let moves = |statuses: &[(usize, u16)]| -> Vec<Owned> {
        let one = |place: usize, id: &str| {
            let status = statuses.iter().find(|(from, _)| *from <= place).map_or(201, |(_, status)| *status);
            let answer = if status == 201 { json!({ "id": id }) } else { refusal("Refused") };
            moving(id, status, answer)
        };
        many.iter().enumerate().map(|(place, id)| one(place, id)).collect()
    };
    // The eighteenth is refused, and in the second batch the third is held back.
    let first = moves(&[(18, 424), (17, 403)]);
    let second = moves(&[(23, 424), (22, 429)]);
    let script = format!(
        "{}{}{}> POST {ME}/messages/m32/move\n> {}\n< 201\n< {}\n{}",
        in_place(&many.iter().map(String::as_str).collect::<Vec<_>>()),
        numbered(&first, 0..20, true),
        numbered(&second, 20..40, true),
        json!({ "destinationId": "DONE" }),
        json!({ "id": "m32" }),
        numbered(&moves(&[]), (18..20).chain(23..40), false),
    );
    let (host, mut session) = session(&script);
    let listed: Vec<String> = many.iter().map(|id| listed(id)).collect();
    let outcomes = kinds(session.move_messages(&listed, "DONE", false).unwrap());
    assert_eq!(outcomes.iter().map(|(id, _)| id).collect::<Vec<_>>(), many.iter().collect::<Vec<_>>());
    let failed: Vec<_> = outcomes.iter().filter(|(_, kind)| kind.is_some()).collect();
    assert_eq!(failed, [&("m27".to_owned(), Some(ErrorKind::PermissionMissing))]);
    finish(&host);
}

#[test]
fn deleting_what_is_gone_is_done_but_a_missing_mailbox_is_none_of_it() {
    let delete = |id: &str, status, code| {
        ("POST", format!("/messages/{id}/permanentDelete"), Value::Null, status, refusal(code))
    };
    let deleted = exchange(&[
        delete("a", 404, "ErrorItemNotFound"),
        delete("b", 404, "MailboxNotEnabledForRESTAPI"),
        delete("c", 404, "SomethingElse"),
    ]);
    let (host, mut session) = session(&format!("{}{deleted}", in_place(&["a", "b", "c"])));
    let outcomes = kinds(session.delete_messages(&ids(&["a", "b", "c", "", ".."])).unwrap());
    let failed: Vec<_> = outcomes.iter().map(|(id, kind)| (id.as_str(), *kind)).collect();
    let (gone, setting) = (Some(ErrorKind::NotFound), Some(ErrorKind::InvalidSetting));
    assert_eq!(failed, [("..", gone), ("", gone), ("a", None), ("b", setting), ("c", gone)]);
    finish(&host);
}

#[test]
fn where_the_cloud_cannot_delete_for_good_messages_go_to_deleted_items() {
    let host = ScriptedHost::http(&format!("{}> DELETE {ME}/messages/a\n< 204", in_place(&["a"])));
    let mut session = open_with(&host, &[("cloud", "us-gov-high")]).unwrap();
    assert_eq!(session.delete_messages(&ids(&["a"])).unwrap(), [Outcome::done(listed("a"))]);
    finish(&host);
}

#[test]
fn marking_changes_the_mark_of_reading_alone() {
    let mark = |id: &str, status, answer| {
        ("PATCH", format!("/messages/{id}"), json!({ "isRead": true }), status, answer)
    };
    let script = format!(
        "{}
        > PATCH {ME}/messages/c%2F1%3D
        > {}
        < 200
        < {{}}",
        exchange(&[mark("a", 200, json!({ "id": "a" })), mark("b", 404, refusal("ErrorItemNotFound"))]),
        json!({ "isRead": false })
    );
    let (host, mut session) = session(&script);
    let outcomes = kinds(session.mark_messages(&ids(&["a", "b"]), true).unwrap());
    // The second one was moved or deleted by somebody: there is nothing left to mark.
    assert!(outcomes.iter().all(|(_, kind)| kind.is_none()), "{outcomes:?}");
    assert_eq!(session.mark_messages(&ids(&["c/1="]), false).unwrap()[0].failure, None);
    assert!(host.requests().iter().all(|request| request.idempotent));
    finish(&host);
}

#[test]
fn what_was_done_is_told_when_the_service_gives_up_and_else_the_reason() {
    let mark = |id: &str, status: u16| {
        ("PATCH", format!("/messages/{id}"), json!({ "isRead": true }), status, Value::Null)
    };
    let script = format!(
        "{}
        > PATCH {ME}/messages/b
        < 429
        < Retry-After: 30
        < {}",
        exchange(&[mark("a", 200), mark("b", 429), mark("c", 429)]),
        refusal("TooManyRequests"),
    );
    let (host, mut session) = common::session(&script);
    let outcomes = session.mark_messages(&ids(&["a", "b", "c"]), true).unwrap();
    let throttled = Some(ErrorKind::Throttled);
    assert!(outcomes.iter().all(|o| o.failure.as_ref().is_none_or(|e| e.retry_after_ms == Some(30_000))));
    let expected = [("a".to_owned(), None), ("b".to_owned(), throttled), ("c".to_owned(), throttled)];
    assert_eq!(kinds(outcomes), expected);
    finish(&host);

    let script = format!("> POST {ROOT}/$batch\n< 429\n< Retry-After: 30\n< {}", refusal("TooManyRequests"));
    let (host, mut session) = common::session(&script);
    let error = session.mark_messages(&ids(&["a", "b"]), true).unwrap_err();
    assert_eq!((error.kind, error.retry_after_ms), (ErrorKind::Throttled, Some(30_000)));
    finish(&host);
}

#[test]
fn a_request_that_the_batch_passes_over_is_tried_again_later() {
    let script = format!(
        "{}
        > POST {ROOT}/$batch
        < 200
        < {}",
        in_place(&["a", "b"]),
        json!({ "responses": [{ "id": "0", "status": 204 }, { "id": "9", "status": 204 }] })
    );
    let (host, mut session) = session(&script);
    let outcomes = kinds(session.delete_messages(&ids(&["a", "b"])).unwrap());
    assert_eq!(outcomes, [("a".to_owned(), None), ("b".to_owned(), Some(ErrorKind::Temporary))]);
    finish(&host);
}
