//! Waiting for changes: IDLE, what ends it, and NOOP where it is not to be had.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::{opened, signed_in};
use wissel_connector::types::Wake;
use wissel_connector::{ErrorKind, Session};

#[test]
fn a_change_ends_the_idle_and_the_next_wait_hears_what_came_between() {
    let (host, mut session) = signed_in(
        "IDLE",
        &format!(
            "{}
             C: A2 IDLE
             S: + idling
             S: * OK Still here
             S: * 4 EXISTS
             C: DONE
             S: A2 OK done
             C: A3 IDLE
             S: * 2 EXPUNGE
             S: + idling
             C: DONE
             S: A3 OK done
             C: A4 IDLE
             S: + idling
             S: * 1 FETCH (FLAGS (\\Seen))
             C: DONE
             S: A4 OK done",
            opened(1, "EXAMINE INBOX")
        ),
    );
    for _ in 0..3 {
        assert_eq!(session.wait("INBOX", 600_000).unwrap(), Wake::Changed);
    }
    host.finish();
}

#[test]
fn to_begin_opens_the_folder_and_no_more() {
    let (host, mut session) = signed_in("IDLE", &opened(1, "EXAMINE INBOX"));
    assert_eq!(session.wait("INBOX", 0).unwrap(), Wake::TimedOut);
    host.finish();
}

#[test]
fn the_host_ends_an_idle_and_the_server_may_say_bye() {
    let (host, mut session) = signed_in(
        "IDLE",
        &format!(
            "{}
             C: A2 IDLE
             S: + idling
             POLL interrupted
             C: DONE
             S: A2 OK done
             C: A3 IDLE
             S: + idling
             S: * BYE Server shutting down.",
            opened(1, "EXAMINE INBOX")
        ),
    );
    assert_eq!(session.wait("INBOX", 600_000).unwrap(), Wake::Interrupted);
    let error = session.wait("INBOX", 600_000).unwrap_err();
    assert_eq!((error.kind, error.session_lost), (ErrorKind::Temporary, true));
    host.finish();
}

#[test]
fn a_server_that_refuses_or_ends_an_idle_is_asked_by_noop() {
    for refusal in ["S: A2 BAD not now", "S: + idling\nS: A2 OK IDLE ends"] {
        let (host, mut session) = signed_in(
            "IDLE",
            &format!(
                "{}
                 C: A2 IDLE
                 {refusal}
                 C: A3 NOOP
                 S: A3 OK nothing
                 POLL timed-out
                 C: A4 NOOP
                 S: * 4 EXISTS
                 S: A4 OK done",
                opened(1, "EXAMINE INBOX")
            ),
        );
        assert_eq!(session.wait("INBOX", 600_000).unwrap(), Wake::Changed);
        host.finish();
    }
}

#[test]
fn a_server_without_idle_is_asked_by_noop() {
    let (host, mut session) = signed_in(
        "",
        &format!(
            "{}
             C: A2 NOOP
             S: * 2 EXPUNGE
             S: A2 OK done",
            opened(1, "EXAMINE INBOX")
        ),
    );
    assert_eq!(session.wait("INBOX", 600_000).unwrap(), Wake::Changed);
    host.finish();
}
