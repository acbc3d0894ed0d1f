//! Fetching: streams of messages, and servers that do it their own way.
#![allow(missing_docs)]

mod common;

use common::{ids, opened, signed_in};
use wissel_connector::testing::RecordingDelivery;
use wissel_connector::{Error, ErrorKind, Session};

const ALL: &str = "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])";
/// The fewest items, for one that is asked for alone.
const ALONE: &str = "(UID BODY.PEEK[])";

fn text(id: u32, bytes: &str) -> (String, String) {
    (format!("7.{id}.INBOX"), bytes.to_owned())
}

#[test]
fn many_messages_come_with_one_command() {
    let (host, mut session) = signed_in(
        "",
        &format!(
            "{}
             C: A2 UID FETCH 5:6,9 {ALL}
             S: * 1 FETCH (UID 5 FLAGS (\\Seen) INTERNALDATE \"22-Nov-2026 10:00:00 +0100\" RFC822.SIZE 7 BODY[] {{7}}
             S- a {{9}}\\r\\n
             S: )
             S: * 4 EXISTS
             S: * 2 FETCH (FLAGS (\\Flagged))
             S: * 2 FETCH (UID 6 FLAGS () RFC822.SIZE 0 BODY[] {{0}}
             S: )
             S: * 3 FETCH (UID 9 FLAGS () BODY[] {{3}}
             S- xyz
             S:  MODSEQ (12))
             S: A2 OK done",
            opened(1, "EXAMINE INBOX")
        ),
    );
    let delivery = RecordingDelivery::new();
    session.fetch(&ids(&[9, 5, 6], "INBOX"), &delivery).unwrap();
    host.finish();
    assert_eq!(delivery.ended(), [text(5, "a {9}\r\n"), text(6, ""), text(9, "xyz")]);
    assert_eq!(delivery.failures(), []);
    let first = delivery.messages()[0].info.clone();
    assert_eq!((first.size, first.read), (Some(7), Some(true)));
    assert_eq!(first.received.as_deref(), Some("2026-11-22T10:00:00+01:00"));
}

#[test]
fn a_uid_behind_the_message_is_asked_for_again_alone() {
    let (host, mut session) = signed_in(
        "",
        &format!(
            "{}
             C: A2 UID FETCH 5:7 {ALL}
             S: * 1 FETCH (FLAGS () BODY[] {{3}}
             S- abc
             S:  UID 5)
             S: * 2 FETCH (INTERNALDATE \"broken\" UID 6 BODY[] {{2}}
             S- de
             S: )
             S: A2 OK done
             C: A3 UID FETCH 5 (UID BODY.PEEK[])
             S: * 1 FETCH (BODY[] {{3}}
             S- abc
             S:  UID 5)
             S: A3 OK done
             C: A4 UID FETCH 6 (UID BODY.PEEK[])
             S: * 2 FETCH (UID 6 BODY[] \"de\")
             S: A4 OK done
             C: A5 UID FETCH 7 (UID BODY.PEEK[])
             S: A5 OK done",
            opened(1, "EXAMINE INBOX")
        ),
    );
    let delivery = RecordingDelivery::new();
    session.fetch(&ids(&[5, 6, 7], "INBOX"), &delivery).unwrap();
    host.finish();
    assert_eq!(delivery.ended(), [text(5, "abc"), text(6, "de")]);
    let failures = delivery.failures();
    assert_eq!(failures.len(), 1);
    assert_eq!((failures[0].0.as_str(), failures[0].1.kind), ("7.7.INBOX", ErrorKind::NotFound));
}

#[test]
fn a_message_that_vanishes_in_the_middle_of_a_fetch_is_not_blamed() {
    let (host, mut session) = signed_in(
        "",
        &format!(
            "{}
             C: A2 UID FETCH 5:6 {ALL}
             S: * 1 FETCH (UID 5 FLAGS () BODY[] NIL)
             S: * 2 FETCH (UID 6 FLAGS () BODY[] {{2}}
             S- ok
             S: )
             S: * 1 EXPUNGE
             S: A2 NO [EXPUNGEISSUED] some messages are gone
             C: A3 UID FETCH 5 {ALONE}
             S: A3 OK done",
            opened(1, "EXAMINE INBOX")
        ),
    );
    let delivery = RecordingDelivery::new();
    session.fetch(&ids(&[5, 6], "INBOX"), &delivery).unwrap();
    host.finish();
    assert_eq!(delivery.ended(), [text(6, "ok")]);
    let kinds: Vec<_> = delivery.failures().into_iter().map(|(_, e)| e.kind).collect();
    assert_eq!(kinds, [ErrorKind::NotFound]);
}

#[test]
fn a_bad_message_does_not_stop_the_others() {
    let (host, mut session) = signed_in(
        "",
        &format!(
            "{}
             C: A2 UID FETCH 5:7 {ALL}
             S: * 1 FETCH (UID 5 FLAGS () BODY[] NIL)
             S: * 2 FETCH (UID 6 FLAGS () BODY[] {{4}}
             S- long
             S: )
             S: * 3 FETCH (UID 7 FLAGS () BODY[] {{2}}
             S- ok
             S: )
             S: A2 OK done
             C: A3 UID FETCH 5 {ALONE}
             S: * 1 FETCH (UID 5 BODY[] NIL)
             S: A3 OK done",
            opened(1, "EXAMINE INBOX")
        ),
    );
    let delivery = RecordingDelivery::new();
    delivery.refuse("7.6.INBOX", Error::too_large("too large for this job"));
    session.fetch(&ids(&[5, 6, 7], "INBOX"), &delivery).unwrap();
    host.finish();
    assert_eq!(delivery.ended(), [text(7, "ok")]);
    let kinds: Vec<_> = delivery.failures().into_iter().map(|(_, e)| e.kind).collect();
    assert_eq!(kinds, [ErrorKind::TooLarge, ErrorKind::BadMessage]);
}

#[test]
fn a_set_that_is_refused_for_one_message_is_halved_until_the_others_come() {
    let given =
        |uid: u32| format!("S: * 1 FETCH (UID {uid} BODY[] {{2}}\n             S- ok\n             S: )");
    let (host, mut session) = signed_in(
        "",
        &format!(
            "{}
             C: A2 UID FETCH 5:8 {ALL}
             S: A2 NO [TOOBIG] a message is too big
             C: A3 UID FETCH 5:6 {ALL}
             S: A3 NO [TOOBIG] a message is too big
             C: A4 UID FETCH 5 {ALL}
             S: A4 NO [TOOBIG] a message is too big
             C: A5 UID FETCH 5 {ALONE}
             S: A5 NO [TOOBIG] a message is too big
             C: A6 UID FETCH 6 {ALL}
             {}
             S: A6 OK done
             C: A7 UID FETCH 7:8 {ALL}
             {}
             {}
             S: A7 OK done",
            opened(1, "EXAMINE INBOX"),
            given(6),
            given(7),
            given(8),
        ),
    );
    let delivery = RecordingDelivery::new();
    session.fetch(&ids(&[5, 6, 7, 8], "INBOX"), &delivery).unwrap();
    host.finish();
    assert_eq!(delivery.ended(), [text(6, "ok"), text(7, "ok"), text(8, "ok")]);
    let failures = delivery.failures();
    assert_eq!(failures.len(), 1);
    assert_eq!((failures[0].0.as_str(), failures[0].1.kind), ("7.5.INBOX", ErrorKind::TooLarge));
}

#[test]
fn a_server_that_gives_no_message_at_all_is_blamed_itself() {
    let mut script = opened(1, "EXAMINE INBOX");
    let mut number = 1;
    let mut refuse = |set: &str, items: &str| {
        number += 1;
        script.push_str(&format!(
            "\n             C: A{number} UID FETCH {set} {items}\n             S: A{number} NO [SERVERBUG] not today"
        ));
    };
    refuse("1:4", ALL);
    refuse("1:2", ALL);
    for alone in ["1", "2"] {
        refuse(alone, ALL);
        refuse(alone, ALONE);
    }
    refuse("3:4", ALL);
    for alone in ["3", "4"] {
        refuse(alone, ALL);
        refuse(alone, ALONE);
    }
    let (host, mut session) = signed_in("", &script);
    let delivery = RecordingDelivery::new();
    let error = session.fetch(&ids(&[1, 2, 3, 4], "INBOX"), &delivery).unwrap_err();
    assert_eq!((error.kind, error.session_lost), (ErrorKind::Temporary, false));
    host.finish();
    assert_eq!(delivery.ended(), []);
    assert_eq!(delivery.failures().len(), 3);
}

#[test]
fn a_connection_lost_in_a_literal_leaves_the_message_open() {
    let (_host, mut session) = signed_in(
        "",
        &format!(
            "{}
             C: A2 UID FETCH 5:6 {ALL}
             S: * 1 FETCH (UID 5 BODY[] {{2}}
             S- ok
             S: )
             S: * 2 FETCH (UID 6 BODY[] {{100}}
             S: only this
             EOF",
            opened(1, "EXAMINE INBOX")
        ),
    );
    let delivery = RecordingDelivery::new();
    let error = session.fetch(&ids(&[5, 6], "INBOX"), &delivery).unwrap_err();
    assert_eq!((error.kind, error.session_lost), (ErrorKind::Temporary, true));
    assert_eq!(delivery.ended(), [text(5, "ok")]);
    assert_eq!(delivery.failures(), []);
}

#[test]
fn a_new_uidvalidity_makes_old_ids_unknown() {
    let (host, mut session) = signed_in("", &opened(1, "EXAMINE INBOX"));
    let delivery = RecordingDelivery::new();
    session.fetch(&["6.5.INBOX".into(), "nonsense".into()], &delivery).unwrap();
    host.finish();
    let codes: Vec<_> = delivery.failures().into_iter().map(|(_, e)| (e.kind, e.code)).collect();
    assert_eq!(codes, [(ErrorKind::NotFound, None), (ErrorKind::NotFound, Some("UIDVALIDITY".into()))]);
}

#[test]
fn a_throttle_ends_the_call_with_its_time() {
    let (_host, mut session) = signed_in(
        "",
        &format!(
            "{}
             C: A2 UID FETCH 5 {ALL}
             S: A2 BAD Request is throttled. Suggested Backoff Time: 2500 milliseconds",
            opened(1, "EXAMINE INBOX")
        ),
    );
    let error = session.fetch(&ids(&[5], "INBOX"), &RecordingDelivery::new()).unwrap_err();
    assert_eq!((error.kind, error.retry_after_ms), (ErrorKind::Throttled, Some(2500)));
}

#[test]
fn literals_and_lines_without_end_are_refused() {
    for answer in
        ["* LIST () \"/\" {4000000000}".to_owned(), "no response at all".to_owned(), "A9 OK done".to_owned()]
    {
        let (_host, mut session) = signed_in("", &format!("C: A1 LIST \"\" *\nS: {answer}"));
        let error = session.folders(None, true).unwrap_err();
        assert_eq!((error.kind, error.session_lost), (ErrorKind::Protocol, true), "{answer}");
    }
    let endless = "x".repeat(17 * 1024 * 1024);
    let (_host, mut session) = signed_in("", &format!("C: A1 LIST \"\" *\nS: * OK {endless}"));
    assert_eq!(session.folders(None, true).unwrap_err().kind, ErrorKind::Protocol);
}
