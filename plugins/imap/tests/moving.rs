//! Moving, marking and deleting.
#![allow(missing_docs)]

mod common;

use common::{ids, opened, signed_in};
use wissel_connector::{ErrorKind, Session};

const FACTS: &str = "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])";

/// What the server says of a message for the check of a copy.
fn fact(uid: u32, flags: &str, message_id: &str) -> String {
    let headers = format!("Message-ID: <{message_id}>\\r\\n\\r\\n");
    let octets = headers.replace("\\r\\n", "..").len();
    format!(
        "S: * {uid} FETCH (UID {uid} FLAGS ({flags}) INTERNALDATE \"22-Nov-2026 10:00:00 +0000\" RFC822.SIZE 10 BODY[HEADER.FIELDS (MESSAGE-ID)] {{{octets}}}
         S- {headers}
         S: )"
    )
}

#[test]
fn move_is_one_command_and_tells_the_new_ids() {
    let (host, mut session) = signed_in(
        "MOVE UIDPLUS",
        &format!(
            "{}
             C: A2 UID MOVE 5:6,8 Verwerkt
             S: * OK [COPYUID 3 5:6 11:12] moved
             S: * 1 EXPUNGE
             S: A2 OK done",
            opened(1, "SELECT INBOX")
        ),
    );
    let outcomes = session.move_messages(&ids(&[5, 6, 8], "INBOX"), "Verwerkt", false).unwrap();
    host.finish();
    assert!(outcomes.iter().all(|o| o.failure.is_none()), "8 had gone, which counts as done");
    let new: Vec<_> = outcomes.iter().map(|o| o.new_id.as_deref()).collect();
    assert_eq!(new, [Some("3.11.Verwerkt"), Some("3.12.Verwerkt"), None]);
}

#[test]
fn a_set_that_others_remove_messages_of_is_moved_all_the_same() {
    let refused = |tag: &str| format!("S: {tag} NO [EXPUNGEISSUED] Some of them no longer exist");
    let (host, mut session) = signed_in(
        "MOVE UIDPLUS",
        &format!(
            "{}
             C: A2 UID MOVE 5:6 Verwerkt
             {}
             C: A3 NOOP
             S: * 1 EXPUNGE
             S: A3 OK done
             C: A4 UID MOVE 5:6 Verwerkt
             S: * OK [COPYUID 3 6 12] moved
             S: * 1 EXPUNGE
             S: A4 OK done",
            opened(1, "SELECT INBOX"),
            refused("A2")
        ),
    );
    let outcomes = session.move_messages(&ids(&[5, 6], "INBOX"), "Verwerkt", false).unwrap();
    host.finish();
    assert!(outcomes.iter().all(|o| o.failure.is_none()), "{outcomes:?}");

    // Not for ever.
    let again: String = (0..4)
        .map(|n| match n {
            3 => format!("C: A8 UID MOVE 5 Verwerkt\n{}\n", refused("A8")),
            n => format!(
                "C: A{0} UID MOVE 5 Verwerkt\n{1}\nC: A{2} NOOP\nS: A{2} OK done\n",
                2 + 2 * n,
                refused(&format!("A{}", 2 + 2 * n)),
                3 + 2 * n
            ),
        })
        .collect();
    let (host, mut session) = signed_in("MOVE UIDPLUS", &format!("{}\n{again}", opened(1, "SELECT INBOX")));
    let outcomes = session.move_messages(&ids(&[5], "INBOX"), "Verwerkt", false).unwrap();
    host.finish();
    assert_eq!(outcomes[0].failure.as_ref().unwrap().kind, ErrorKind::Temporary);
}

#[test]
fn without_move_a_checked_copy_comes_before_the_removal() {
    let (host, mut session) = signed_in(
        "UIDPLUS",
        &format!(
            "{}
             C: A2 UID COPY 5:6 Verwerkt
             S: A2 OK [COPYUID 3 5:6 11:12] done
             C: A3 UID STORE 5:6 +FLAGS.SILENT (\\Deleted)
             S: A3 OK done
             C: A4 UID EXPUNGE 5:6
             S: * 1 EXPUNGE
             S: * 1 EXPUNGE
             S: A4 OK done",
            opened(1, "SELECT INBOX")
        ),
    );
    let outcomes = session.move_messages(&ids(&[5, 6], "INBOX"), "Verwerkt", false).unwrap();
    host.finish();
    assert_eq!(outcomes[1].new_id.as_deref(), Some("3.12.Verwerkt"));
}

#[test]
fn a_copy_that_cannot_be_found_is_never_removed_from_its_folder() {
    let (host, mut session) = signed_in(
        "",
        &format!(
            "{}
             C: A2 UID COPY 5:6 Verwerkt
             S: A2 OK done
             C: A3 UID FETCH 5:6 {FACTS}
             {}
             {}
             S: A3 OK done
             {}
             C: A5 UID SEARCH UNDELETED HEADER MESSAGE-ID <a@x>
             S: * SEARCH 11
             S: A5 OK done
             C: A6 UID FETCH 11 {FACTS}
             {}
             S: A6 OK done
             C: A7 UID SEARCH UNDELETED HEADER MESSAGE-ID <b@x>
             S: * SEARCH
             S: A7 OK done
             {}
             C: A9 UID STORE 5 +FLAGS.SILENT (\\Deleted)
             S: A9 OK done",
            opened(1, "SELECT INBOX"),
            fact(5, "", "a@x"),
            fact(6, "", "b@x"),
            opened(4, "EXAMINE Verwerkt"),
            fact(11, "\\Seen", "a@x"),
            opened(8, "SELECT INBOX"),
        ),
    );
    let outcomes = session.move_messages(&ids(&[5, 6], "INBOX"), "Verwerkt", false).unwrap();
    host.finish();
    assert_eq!(outcomes[0].new_id.as_deref(), Some("7.11.Verwerkt"));
    assert_eq!(outcomes[1].failure.as_ref().unwrap().kind, ErrorKind::Temporary);
    assert!(host.lines().iter().any(|l| l.contains("no UIDPLUS")), "never a bare EXPUNGE, and it is said");
}

#[test]
fn again_copies_only_what_the_target_lacks() {
    let (host, mut session) = signed_in(
        "UIDPLUS",
        &format!(
            "{}
             C: A2 UID FETCH 5:8 {FACTS}
             {}
             {}
             {}
             S: A2 OK done
             {}
             C: A4 UID SEARCH UNDELETED HEADER MESSAGE-ID <b@x>
             S: * SEARCH 11
             S: A4 OK done
             C: A5 UID FETCH 11 {FACTS}
             {}
             S: A5 OK done
             C: A6 UID SEARCH UNDELETED HEADER MESSAGE-ID <c@x>
             S: * SEARCH
             S: A6 OK done
             {}
             C: A8 UID COPY 7 Verwerkt
             S: A8 OK [COPYUID 7 7 12] done
             C: A9 UID STORE 5:7 +FLAGS.SILENT (\\Deleted)
             S: A9 OK done
             C: A10 UID EXPUNGE 5:7
             S: A10 OK done",
            opened(1, "SELECT INBOX"),
            fact(5, "\\Deleted", "a@x"),
            fact(6, "", "b@x"),
            fact(7, "", "c@x"),
            opened(3, "EXAMINE Verwerkt"),
            fact(11, "", "b@x"),
            opened(7, "SELECT INBOX"),
        ),
    );
    let outcomes = session.move_messages(&ids(&[5, 6, 7, 8], "INBOX"), "Verwerkt", true).unwrap();
    host.finish();
    let new: Vec<_> = outcomes.iter().map(|o| o.new_id.as_deref()).collect();
    assert_eq!(new, [None, Some("7.11.Verwerkt"), Some("7.12.Verwerkt"), None]);
    assert!(outcomes.iter().all(|o| o.failure.is_none()));
}

#[test]
fn a_missing_target_fails_the_call_and_a_read_only_folder_each_message() {
    let (_host, mut session) = signed_in(
        "MOVE",
        &format!(
            "{}
             C: A2 UID MOVE 5 Weg
             S: A2 NO [TRYCREATE] no such mailbox
             C: A3 SELECT Gedeeld
             S: * OK [UIDVALIDITY 7] valid
             S: A3 OK [READ-ONLY] open",
            opened(1, "SELECT INBOX")
        ),
    );
    let failure = session.move_messages(&ids(&[5], "INBOX"), "Weg", false).unwrap_err();
    assert_eq!((failure.kind, failure.code.as_deref()), (ErrorKind::NotFound, Some("TRYCREATE")));
    let outcomes = session.mark_messages(&ids(&[1], "Gedeeld"), true).unwrap();
    assert_eq!(outcomes[0].failure.as_ref().unwrap().kind, ErrorKind::PermissionMissing);
}

#[test]
fn marks_and_deletions_go_by_folder_in_one_command_each() {
    let (host, mut session) = signed_in(
        "UIDPLUS",
        &format!(
            "{}
             C: A2 UID STORE 5:6 +FLAGS.SILENT (\\Seen)
             S: * 2 FETCH (FLAGS (\\Seen))
             S: A2 OK done
             {}
             C: A4 UID STORE 1 +FLAGS.SILENT (\\Seen)
             S: A4 OK done
             C: A5 UID STORE 1 -FLAGS.SILENT (\\Seen)
             S: A5 OK done
             C: A6 UID STORE 1 +FLAGS.SILENT (\\Deleted)
             S: A6 OK done
             C: A7 UID EXPUNGE 1
             S: A7 OK done",
            opened(1, "SELECT INBOX"),
            opened(3, "SELECT Facturen")
        ),
    );
    let both = [ids(&[6, 5], "INBOX"), ids(&[1], "Facturen")].concat();
    assert_eq!(session.mark_messages(&both, true).unwrap().len(), 3);
    session.mark_messages(&ids(&[1], "Facturen"), false).unwrap();
    session.delete_messages(&ids(&[1], "Facturen")).unwrap();
    host.finish();
}

#[test]
fn a_lost_connection_keeps_what_was_done_before() {
    let (_host, mut session) = signed_in(
        "MOVE",
        &format!(
            "{}
             C: A2 UID MOVE 5 Verwerkt
             S: A2 OK done
             C: A3 SELECT Facturen
             S: * BYE shutting down
             EOF",
            opened(1, "SELECT INBOX")
        ),
    );
    let both = [ids(&[5], "INBOX"), ids(&[1], "Facturen")].concat();
    let outcomes = session.move_messages(&both, "Verwerkt", false).unwrap();
    assert_eq!(outcomes.len(), 1, "the message in the other folder was not attempted");
}
