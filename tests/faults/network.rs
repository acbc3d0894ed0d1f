//! The network and the server: connections that end, hang, come late, lose, change or turn round what they carry. Every
//! connection of a run meets the fault; under TLS at an octet of the stream, in the clear at an answer of the server.

use std::time::Duration;

use wissel_tests::dovecot::Options;

use crate::field::{Case, Field, ending};
use crate::wire::{Break, Spoil, Wire};

/// Messages of a case.
const MESSAGES: u64 = 8;
/// Cases at a time.
const AT_ONCE: usize = 6;
/// Seconds that a connection may stay silent here.
const SILENCE: &str = "6";

/// Where a connection breaks.
enum At {
    /// At this octet.
    Octet(u64),
    /// After this share of the messages, about.
    Share(f64),
}
use At::{Octet, Share};

/// Octets of a session before the first message, about.
const PRELUDE: f64 = 6_000.0;

/// Under TLS, by the share of the messages that has come. Nothing of what is wrong gets past its check: a connection ends, and the next one goes on.
const TLS: [(&str, At, Break); 11] = [
    ("TLS: ends before the greeting", Octet(0), Break::Drop),
    ("TLS: ends in the handshake", Octet(1_000), Break::Drop),
    ("TLS: ends in the middle", Share(0.4), Break::Drop),
    ("TLS: ends near the end", Share(0.9), Break::Drop),
    ("TLS: reset in the middle", Share(0.4), Break::Reset),
    ("TLS: silent from the beginning", Octet(0), Break::Hang),
    ("TLS: silent in the middle", Share(0.4), Break::Hang),
    ("TLS: slow", Share(0.1), Break::Slow(Duration::from_millis(30))),
    ("TLS: octets lost", Share(0.4), Break::Lose(100)),
    ("TLS: octets in the wrong order", Share(0.4), Break::Exchange),
    ("TLS: a bit changed", Share(0.4), Break::Flip),
];

/// In the clear, by what the server says.
const CLEAR: [(&str, &str, usize, Break); 13] = [
    ("clear: ends in the greeting", "* OK", 1, Break::Half),
    ("clear: ends in a listing", "RFC822.SIZE", 3, Break::Half),
    ("clear: ends in a message", "BODY[] {", 3, Break::Half),
    ("clear: ends after a message", "BODY[] {", 3, Break::DropAfter),
    ("clear: silent in a message", "BODY[] {", 3, Break::Hang),
    ("clear: ends before the answer to MOVE", "Move completed", 1, Break::Drop),
    ("clear: ends after the answer to MOVE", "Move completed", 1, Break::DropAfter),
    ("clear: silent instead of the answer to MOVE", "Move completed", 1, Break::Hang),
    ("clear: messages in another order", "BODY[] {", 2, Break::Exchange),
    ("clear: octets of a message lost", "BODY[] {", 3, Break::Lose(200)),
    ("clear: a line of the listing lost", "RFC822.SIZE", 3, Break::Lose(usize::MAX)),
    ("clear: another tag", "Fetch completed", 1, Break::Instead("FetchXcompleted")),
    ("clear: another keyword", "FETCH (UID", 1, Break::Instead("FETSH (UID")),
];

/// Without MOVE: each step of copying and removing is cut off.
const COPIED: [(&str, &str, Break); 6] = [
    ("copy: ends before the answer to COPY", "Copy completed", Break::Drop),
    ("copy: ends after the answer to COPY", "Copy completed", Break::DropAfter),
    ("copy: ends before the answer to STORE", "Store completed", Break::Drop),
    ("copy: ends after the answer to STORE", "Store completed", Break::DropAfter),
    ("copy: ends before the answer to EXPUNGE", "Expunge completed", Break::Drop),
    ("copy: ends after the answer to EXPUNGE", "Expunge completed", Break::DropAfter),
];

#[test]
fn under_tls() {
    let field = Field::new("The network, under TLS", &Options::default());
    in_threads(&TLS, |(name, at, how)| {
        let wire = Wire::to(field.scene.server.tls_port);
        field.account(name, |entry| {
            entry.port = wire.port;
            entry.more = patience();
        });
        let case = field.case(name, MESSAGES, &[]);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        let at = match at {
            Octet(at) => *at,
            Share(share) => (PRELUDE + case.octets() as f64 * share) as u64,
        };
        play(&case, &wire, Spoil::Octet(at, *how));
    });
}

#[test]
fn in_the_clear() {
    let field = Field::new("The network, in the clear", &Options::default());
    in_threads(&CLEAR, |(name, text, nth, how)| in_clear(&field, name, Spoil::Answer(text, *nth, *how)));
}

#[test]
fn while_messages_are_copied_and_removed() {
    let capability = "IMAP4rev1 SASL-IR ID ENABLE IDLE NAMESPACE LITERAL+ CHILDREN UNSELECT UIDPLUS LIST-EXTENDED \
                      SPECIAL-USE CONDSTORE";
    let options = Options { capability: Some(capability.to_owned()), ..Options::default() };
    let field = Field::new("A server without MOVE", &options);
    in_threads(&COPIED, |(name, text, how)| in_clear(&field, name, Spoil::Answer(text, 1, *how)));
}

#[test]
fn nobody_answers() {
    let field = Field::new("The server is away", &Options::default());
    let name = "nobody listens";
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    field.account(name, |entry| entry.port = port);
    let case = field.case(name, MESSAGES, &[]);
    let output = case.run();
    case.assert_ended(&output, &[1], &[name]);
    case.assert_nothing_lost();
    let port = format!("port={}", field.scene.server.tls_port);
    field.scene.run(&["account", "edit", name, "--set", &port]).success();
    case.recovers(&ending(&output));
}

fn in_clear(field: &Field, name: &str, spoil: Spoil) {
    let wire = Wire::to(field.scene.server.port);
    field.clear_account(name, wire.port);
    let patience = patience();
    let patience: Vec<&str> = patience.iter().map(String::as_str).collect();
    field.scene.run(&[&["account", "edit", name][..], &patience].concat()).success();
    play(&field.case(name, MESSAGES, &[]), &wire, spoil);
}

/// How a run with the fault ends is told; whether it says why, and what it leaves behind, is held.
fn play(case: &Case<'_>, wire: &Wire, spoil: Spoil) {
    wire.spoil(Some(spoil));
    let output = case.run();
    assert!(wire.struck() > 0, "{}: nothing was broken", case.name);
    let says: &[&str] = if output.code == Some(0) { &[] } else { &["account '", &case.name] };
    case.assert_ended(&output, &[0, 1, 7], says);
    case.assert_nothing_lost();
    wire.spoil(None);
    case.recovers(&ending(&output));
}

fn patience() -> Vec<String> {
    ["--connect-timeout", SILENCE, "--idle-timeout", SILENCE].map(str::to_owned).to_vec()
}

fn in_threads<T: Sync>(cases: &[T], play: impl Fn(&T) + Sync) {
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, std::sync::atomic::Ordering::SeqCst)) {
                    play(case);
                }
            });
        }
    });
}
