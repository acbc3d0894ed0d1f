//! The scripted host must fail a test that deserves it: a connector is only as well tested as this is strict.

use super::{RecordingDelivery, ScriptedHost};
use crate::host::{Delivery, Piece, Request, Response, Stream};
use crate::types::{DeliveryInfo, Encoding, Readiness, SealedForm, Security};
use crate::{ErrorKind, Result};

fn connect(host: &ScriptedHost) -> Box<dyn Stream> {
    host.api().connect("mail").unwrap()
}

const NOTHING_KNOWN: DeliveryInfo = DeliveryInfo { size: None, received: None, read: None };

#[test]
#[should_panic(expected = "expects")]
fn another_command_than_the_script_has_fails() {
    let host = ScriptedHost::new("C: NOOP\nS: OK");
    let mut stream = connect(&host);
    stream.write(b"QUIT\r\n").unwrap();
    let _ = stream.read_line(100);
}

#[test]
#[should_panic(expected = "goes on")]
fn a_dialogue_that_stops_early_fails() {
    let host = ScriptedHost::new("S: hello\nS: more");
    connect(&host).read_line(100).unwrap();
    host.finish();
}

#[test]
#[should_panic(expected = "more than the script")]
fn a_command_too_many_fails() {
    let host = ScriptedHost::new("S: hello");
    let mut stream = connect(&host);
    stream.read_line(100).unwrap();
    stream.write(b"NOOP\r\n").unwrap();
    host.finish();
}

#[test]
fn a_secret_goes_out_under_tls_only() -> Result<()> {
    let host =
        ScriptedHost::with_security("S: hello\nC: STARTTLS\nS: OK\nTLS\nC: <password>", Security::Clear);
    let secret = host.api().password("mail", SealedForm::Raw)?;
    let mut stream = connect(&host);
    stream.read_line(100)?;
    assert_eq!(stream.write_sealed(&secret).unwrap_err().kind, ErrorKind::PermissionMissing);
    stream.write(b"STARTTLS\r\n")?;
    stream.read_line(100)?;
    stream.start_tls()?;
    stream.write_sealed(&secret)?;
    stream.write(b"\r\n")?;
    host.finish();
    Ok(())
}

#[test]
fn a_splice_cut_short_leaves_the_message_open() {
    let host = ScriptedHost::new("S- abc\nEOF");
    let delivery = RecordingDelivery::new();
    delivery.begin("1", &NOTHING_KNOWN).unwrap();
    let error = connect(&host).splice(4, &delivery, Encoding::Identity).unwrap_err();
    assert_eq!((error.kind, error.session_lost), (ErrorKind::Temporary, true));
    assert_eq!(delivery.ended(), []);
}

#[test]
fn lines_have_a_limit_and_polls_pass_the_time() {
    let host = ScriptedHost::new("POLL timed-out\nS: 123456789");
    let mut stream = connect(&host);
    let before = host.now_ms();
    assert_eq!(stream.poll(500).unwrap(), Readiness::TimedOut);
    assert!((host.now_ms() - before - 500.0).abs() < 0.5);
    assert_eq!(stream.poll(500).unwrap(), Readiness::Ready);
    assert_eq!(stream.read_line(5).unwrap_err().kind, ErrorKind::TooLarge);
    assert_eq!(stream.read_line(11).unwrap(), b"123456789\r\n");
}

#[test]
fn a_delivery_keeps_the_contracts_order() {
    let delivery = RecordingDelivery::new();
    assert!(delivery.write(b"x", Encoding::Identity).is_err());
    delivery.begin("1", &NOTHING_KNOWN).unwrap();
    delivery.write(b"x", Encoding::Identity).unwrap();
    assert_eq!(delivery.end().unwrap(), 1);
    assert!(delivery.begin("1", &NOTHING_KNOWN).is_err());
}

const EXCHANGE: &str = "
    > POST https://mail.example.test/folders
    > Prefer: short
    > {\"name\": \"A\"}
    < 201
    < Retry-After: 3
    < {\"id\": 7}";

fn post(host: &ScriptedHost, body: &str) -> Result<Box<dyn Response>> {
    host.api().send(Request {
        method: "POST",
        url: "https://mail.example.test/folders",
        headers: &[("Prefer", "short"), ("Accept", "any")],
        body: vec![Piece::Bytes(body.into())],
        counts_as: 1,
        authenticate: true,
        idempotent: false,
    })
}

#[test]
fn a_request_that_fits_gets_its_answer() {
    let host = ScriptedHost::http(EXCHANGE);
    let mut answer = post(&host, "{ \"name\":\"A\" }").unwrap();
    assert_eq!((answer.status(), answer.header("retry-after").as_deref()), (201, Some("3")));
    assert_eq!(answer.read_all(100).unwrap(), b"{\"id\": 7}\r\n");
    host.finish();
    assert_eq!(host.requests()[0].header("accept"), Some("any"));
}

#[test]
#[should_panic(expected = "the body of POST")]
fn another_body_than_the_script_has_fails() {
    let _ = post(&ScriptedHost::http(EXCHANGE), "{\"name\": \"B\"}");
}

#[test]
#[should_panic(expected = "header Prefer of POST")]
fn a_missing_header_fails() {
    let host = ScriptedHost::http(&EXCHANGE.replace("Prefer: short", "Prefer: long"));
    let _ = post(&host, "{\"name\": \"A\"}");
}

#[test]
#[should_panic(expected = "the script goes on with the request")]
fn a_request_that_is_not_sent_fails() {
    ScriptedHost::http(EXCHANGE).finish();
}

#[test]
#[should_panic(expected = "the script is over")]
fn a_request_too_many_fails() {
    let _ = post(&ScriptedHost::http(""), "");
}

#[test]
fn an_answer_cut_short_leaves_the_message_open() {
    let script = "> POST https://mail.example.test/folders
        < 200
        <
        < Subject: half
        < CUT";
    let mut answer = post(&ScriptedHost::http(script), "x").unwrap();
    let delivery = RecordingDelivery::new();
    delivery.begin("1", &NOTHING_KNOWN).unwrap();
    assert_eq!(answer.splice(&delivery, Encoding::Identity).unwrap_err().kind, ErrorKind::Temporary);
    assert_eq!(delivery.ended(), []);
    assert_eq!(delivery.messages()[0].bytes, b"Subject: half\r\n");
}
