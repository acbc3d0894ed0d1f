//! Fetching: several at a time and in order, and what one message's failure does to the others.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use common::{FOLDER, ME, finish, folder, ids, listed, refusal, session};
use wissel_connector::testing::RecordingDelivery;
use wissel_connector::{Error, ErrorKind, Session};

fn value(id: &str, answer: &str) -> String {
    format!("> GET {ME}/messages/{id}/$value\n{answer}\n")
}

fn whole(id: &str) -> String {
    value(id, &format!("< 200\n< Content-Type: text/plain\n<\n< Subject: {id}"))
}

fn refused(id: &str, status: u16, code: &str) -> String {
    value(id, &format!("< {status}\n< {}", refusal(code)))
}

fn ended(delivery: &RecordingDelivery) -> Vec<String> {
    delivery.ended().into_iter().map(|(id, _)| id).collect()
}

fn failed(delivery: &RecordingDelivery) -> Vec<(String, ErrorKind)> {
    delivery.failures().into_iter().map(|(id, error)| (id, error.kind)).collect()
}

#[test]
fn messages_come_whole_and_in_order() {
    let many: Vec<String> = (10..30).map(|n| format!("m{n}")).collect();
    let script: String = many.iter().map(|id| whole(id)).collect();
    let (host, mut session) = session(&script);
    let delivery = RecordingDelivery::new();
    let many: Vec<String> = many.iter().map(|id| listed(id)).collect();
    session.fetch(&many, &delivery).unwrap();
    assert_eq!(ended(&delivery), many);
    assert_eq!(delivery.ended()[3].1, "Subject: m13\r\n");
    // Unknown is left out rather than guessed.
    assert_eq!(delivery.messages()[0].info.size, None);
    assert!(host.requests().iter().all(|request| request.idempotent));
    finish(&host);
}

#[test]
fn one_bad_message_does_not_keep_the_others() {
    let script = [
        whole("a"),
        refused("b", 404, "ErrorItemNotFound"),
        refused("c", 504, "UnknownError"),
        refused("d", 500, "ErrorMimeContentConversionFailed"),
        value("e", "< 200\n<\n< Subject: half\n< CUT"),
        refused("f", 403, "ErrorAccessDenied"),
        refused("g", 413, "ErrorMessageSizeExceeded"),
        value("h", "< FAIL temporary"),
        refused("i", 400, "ErrorInvalidIdMalformed"),
        value("j", "< 200"),
        value("l", "< 200\n< Content-Type: text/html; charset=utf-8\n<\n< <p>Accept the terms."),
        whole("k"),
    ];
    let (host, mut session) = session(&script.concat());
    let delivery = RecordingDelivery::new();
    let mut asked = ids(&["a", "b", "..", "c", "d", "e", "f", "g", "h", "i", "j", "l", "k"]);
    // Of another connector, or an id of the service without its folder.
    asked.push("AAk=".to_owned());
    session.fetch(&asked, &delivery).unwrap();
    assert_eq!(ended(&delivery), ids(&["a", "k"]));
    let expected = [
        (listed(".."), ErrorKind::NotFound),
        ("AAk=".to_owned(), ErrorKind::NotFound),
        (listed("b"), ErrorKind::NotFound),
        (listed("c"), ErrorKind::Temporary),
        (listed("d"), ErrorKind::BadMessage),
        (listed("e"), ErrorKind::Temporary),
        (listed("g"), ErrorKind::TooLarge),
        (listed("h"), ErrorKind::Temporary),
        (listed("i"), ErrorKind::NotFound),
        (listed("j"), ErrorKind::Temporary),
        (listed("l"), ErrorKind::Temporary),
        (listed("f"), ErrorKind::PermissionMissing),
    ];
    assert_eq!(failed(&delivery), expected);
    finish(&host);
}

#[test]
fn what_concerns_the_whole_mailbox_ends_the_call_and_blames_no_message() {
    for (status, code, kind) in [
        (401, "InvalidAuthenticationToken", ErrorKind::AuthorizationNeeded),
        (429, "TooManyRequests", ErrorKind::Throttled),
        (404, "MailboxNotEnabledForRESTAPI", ErrorKind::InvalidSetting),
    ] {
        let script = [whole("a"), refused("b", status, code), whole("c")].concat();
        let (host, mut session) = session(&script);
        let delivery = RecordingDelivery::new();
        let error = session.fetch(&ids(&["a", "b", "c"]), &delivery).unwrap_err();
        assert_eq!((error.kind, error.code.as_deref()), (kind, Some(code)));
        assert_eq!((ended(&delivery), failed(&delivery)), (ids(&["a"]), vec![]));
        finish(&host);
    }
}

#[test]
fn a_denied_message_is_one_message_where_the_mailbox_opens() {
    for open in [true, false] {
        let inbox = match open {
            true => format!("< 200\n< {}", folder("INBOX", "Postvak IN", "TOP", 0)),
            false => format!("< 403\n< {}", refusal("ErrorAccessDenied")),
        };
        let script = format!(
            "{}> GET {ME}/mailFolders/inbox?{FOLDER}\n{inbox}",
            refused("a", 403, "ErrorAccessDenied")
        );
        let (host, mut session) = session(&script);
        let delivery = RecordingDelivery::new();
        let result = session.fetch(&ids(&["a"]), &delivery);
        match open {
            true => assert_eq!(failed(&delivery), [(listed("a"), ErrorKind::PermissionMissing)]),
            false => assert_eq!(result.unwrap_err().kind, ErrorKind::PermissionMissing),
        }
        finish(&host);
    }
}

#[test]
fn an_outage_is_not_tried_with_every_message() {
    let script: String =
        ["a", "b", "c", "d", "e", "f", "g", "h"].map(|id| refused(id, 502, "BadGateway")).concat();
    // Eight are started before the fifth answer is read; the ninth never is.
    let (host, mut session) =
        session(&(script + &["i", "j", "k", "l"].map(|id| refused(id, 502, "BadGateway")).concat()));
    let delivery = RecordingDelivery::new();
    let asked = ids(&["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n"]);
    let error = session.fetch(&asked, &delivery).unwrap_err();
    assert_eq!((error.kind, delivery.failures().len()), (ErrorKind::Temporary, 5));
    finish(&host);
}

#[test]
fn a_refused_delivery_fails_its_message_and_an_ended_one_the_call() {
    let (host, mut session) = common::session(&[whole("a"), whole("b")].concat());
    let delivery = RecordingDelivery::new();
    delivery.refuse(&listed("a"), Error::too_large("no room for this one"));
    session.fetch(&ids(&["a", "b"]), &delivery).unwrap();
    assert_eq!(
        (ended(&delivery), failed(&delivery)),
        (ids(&["b"]), vec![(listed("a"), ErrorKind::TooLarge)])
    );
    finish(&host);

    let (host, mut session) = common::session(&[whole("a"), whole("b")].concat());
    let delivery = RecordingDelivery::new();
    delivery.refuse(&listed("a"), Error::new(ErrorKind::Cancelled, "the host ends the call"));
    let error = session.fetch(&ids(&["a", "b"]), &delivery).unwrap_err();
    assert_eq!((error.kind, delivery.failures().len()), (ErrorKind::Cancelled, 0));
    assert!(session.fetch(&[], &delivery).is_ok());
    finish(&host);
}
