//! Listing and changes.
#![allow(missing_docs)]

mod common;

use common::{opened, signed_in};
use wissel_connector::types::PageRequest;
use wissel_connector::{ErrorKind, Session};

const ITEMS: &str = "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID SUBJECT FROM)])";

fn page(size: u32, after: Option<String>) -> PageRequest {
    PageRequest { size, after, unread_only: false, received_since: None }
}

fn row(uid: u32, flags: &str, subject: &str) -> String {
    let headers = format!("Subject: {subject}\\r\\nMessage-ID: <{uid}@x>\\r\\n\\r\\n");
    let octets = headers.replace("\\r\\n", "..").len();
    format!(
        "S: * {uid} FETCH (UID {uid} FLAGS ({flags}) RFC822.SIZE 10 BODY[HEADER.FIELDS (MESSAGE-ID SUBJECT FROM)] {{{octets}}}
         S- {headers}
         S: )"
    )
}

#[test]
fn pages_go_on_by_uid_whatever_arrives_or_leaves() {
    let (host, mut session) = signed_in(
        "",
        &format!(
            "{}
             C: A2 UID SEARCH UNDELETED
             S: * SEARCH 9 2 5
             S: A2 OK done
             C: A3 UID FETCH 2,5 {ITEMS}
             {}
             S: * 2 EXPUNGE
             S: A3 OK done
             C: A4 UID FETCH 9 {ITEMS}
             S: * 4 EXISTS
             {}
             S: A4 OK done",
            opened(1, "EXAMINE INBOX"),
            row(2, "\\Seen", "factuur"),
            row(9, "", "=?utf-8?q?caf=C3=A9?=")
        ),
    );
    let first = session.list_messages("INBOX", &page(2, None)).unwrap();
    assert_eq!(first.messages.len(), 1, "message 5 has gone");
    assert_eq!(first.messages[0].id, "7.2.INBOX");
    assert_eq!(first.messages[0].internet_message_id.as_deref(), Some("<2@x>"));
    assert_eq!(first.messages[0].read, Some(true));
    let second = session.list_messages("INBOX", &page(2, first.next)).unwrap();
    assert_eq!(second.messages[0].subject.as_deref(), Some("café"));
    assert_eq!(second.next, None);
    host.finish();
}

#[test]
fn a_page_token_serves_after_another_listing_came_in_between() {
    let (host, mut session) = signed_in(
        "",
        &format!(
            "{}
             C: A2 UID SEARCH UID 6:* UNDELETED UNSEEN SINCE \"21-Nov-2026\"
             S: * SEARCH 5
             S: A2 OK done",
            opened(1, "EXAMINE INBOX"),
        ),
    );
    let request = PageRequest {
        unread_only: true,
        received_since: Some("2026-11-22T08:00:00Z".into()),
        ..page(10, Some("7.5".into()))
    };
    let found = session.list_messages("INBOX", &request).unwrap();
    assert!(found.messages.is_empty() && found.next.is_none(), "`6:*` also finds the last message, 5");
    let error = session.list_messages("INBOX", &page(10, Some("6.5".into()))).unwrap_err();
    assert_eq!(error.code.as_deref(), Some("UIDVALIDITY"));
    host.finish();
}

#[test]
fn a_message_whose_data_cannot_be_read_is_listed_all_the_same() {
    let (host, mut session) = signed_in(
        "",
        &format!(
            "{}
             C: A2 UID SEARCH UNDELETED
             S: * SEARCH 2 3
             S: A2 OK done
             C: A3 UID FETCH 2:3 {ITEMS}
             S: * 1 FETCH (UID 2 INTERNALDATE \"yesterday\" RFC822.SIZE 10)
             {}
             S: A3 OK done
             C: A4 UID SEARCH UID 2 UNDELETED
             S: * SEARCH 2
             S: A4 OK done",
            opened(1, "EXAMINE INBOX"),
            row(3, "\\Deleted", "weg")
        ),
    );
    let found = session.list_messages("INBOX", &page(10, None)).unwrap();
    assert_eq!(found.messages.iter().map(|m| m.id.as_str()).collect::<Vec<_>>(), ["7.2.INBOX"]);
    host.finish();
}

#[test]
fn an_empty_folder_is_not_searched_unless_it_was_looked_at_before() {
    let (host, mut session) = signed_in(
        "",
        "C: A1 EXAMINE INBOX
         S: * 0 EXISTS
         S: * OK [UIDVALIDITY 7] valid
         S: * OK [UIDNEXT 100] next
         S: A1 OK [READ-ONLY] open
         C: A2 UID SEARCH UNDELETED
         S: * 1 EXISTS
         S: * SEARCH
         S: A2 OK done",
    );
    let list =
        |session: &mut wissel_imap::ImapSession| session.list_messages("INBOX", &page(10, None)).unwrap();
    assert!(list(&mut session).messages.is_empty());
    assert!(list(&mut session).messages.is_empty(), "something may have come since it was opened");
    host.finish();
}

#[test]
fn a_cursor_comes_back_equal_only_where_the_server_vouches_for_an_unchanged_folder() {
    let examine = |number: u32, exists: u32| {
        format!(
            "C: A{number} EXAMINE INBOX
             S: * {exists} EXISTS
             S: * OK [UIDVALIDITY 7] valid
             S: * OK [UIDNEXT 10] next
             S: A{number} OK [READ-ONLY] open"
        )
    };
    let search = "C: A3 UID SEARCH UID 10:* UNDELETED\nS: * SEARCH\nS: A3 OK done";
    let script = [examine(1, 2), examine(2, 2), search.to_owned(), examine(4, 0), examine(5, 0)];
    let (host, mut session) = signed_in("", &script.join("\n"));
    let mut next = |since: Option<&str>| session.changes("INBOX", since).unwrap().next;
    let first = next(None);
    let second = next(Some(&first));
    assert_ne!(first, second, "flags may have changed without a trace");
    let empty = next(Some(&second));
    assert_ne!(empty, second);
    assert_eq!(next(Some(&empty)), empty, "an empty folder has no flags");
    host.finish();
}

#[test]
fn an_empty_search_and_a_missing_folder() {
    let (host, mut session) = signed_in(
        "",
        &format!(
            "{}
             C: A2 UID SEARCH UNDELETED
             S: * SEARCH
             S: A2 OK done
             C: A3 EXAMINE Weg
             S: A3 NO [NONEXISTENT] Mailbox doesn't exist
             C: A4 EXAMINE Bezet
             S: A4 NO Server is busy
             C: A5 LIST \"\" *
             S: * LIST () \"/\" Bezet
             S: A5 OK done",
            opened(1, "EXAMINE INBOX"),
        ),
    );
    assert!(session.list_messages("INBOX", &page(10, None)).unwrap().messages.is_empty());
    let error = session.list_messages("Weg", &page(10, None)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
    assert!(error.message.contains("`Weg`"));
    // Without a code, LIST decides: a folder that is taken for gone would have its messages counted as dealt with.
    assert_eq!(session.list_messages("Bezet", &page(10, None)).unwrap_err().kind, ErrorKind::Temporary);
    host.finish();
}

#[test]
fn changes_go_by_modseq_where_the_server_has_it() {
    let examine = |number: u32, modseq: u32| {
        format!(
            "C: A{number} EXAMINE INBOX (CONDSTORE)
             S: * OK [UIDVALIDITY 7] valid
             S: * OK [UIDNEXT 10] next
             S: * OK [HIGHESTMODSEQ {modseq}] highest
             S: A{number} OK [READ-ONLY] open"
        )
    };
    let (host, mut session) = signed_in(
        "CONDSTORE",
        &format!(
            "{}
             {}
             {}
             C: A4 UID FETCH 1:* (UID FLAGS) (CHANGEDSINCE 50)
             S: * 3 FETCH (UID 8 FLAGS (\\Seen) MODSEQ (60))
             S: A4 OK done",
            examine(1, 50),
            examine(2, 50),
            examine(3, 60)
        ),
    );
    let first = session.changes("INBOX", None).unwrap();
    assert!(first.list_again);
    let same = session.changes("INBOX", Some(&first.next)).unwrap();
    assert!(!same.list_again && same.changed.is_empty());
    let changed = session.changes("INBOX", Some(&same.next)).unwrap();
    assert_eq!(changed.changed, ["7.8.INBOX"]);
    host.finish();
}

#[test]
fn a_new_uidvalidity_means_list_again() {
    let (host, mut session) = signed_in(
        "",
        &format!(
            "{}
             {}
             C: A3 UID SEARCH UID 90:* UNDELETED
             S: * SEARCH 89 95
             S: A3 OK done",
            opened(1, "EXAMINE INBOX"),
            opened(2, "EXAMINE INBOX")
        ),
    );
    assert!(session.changes("INBOX", Some("6.90.0")).unwrap().list_again);
    let changes = session.changes("INBOX", Some("7.90.0")).unwrap();
    assert_eq!((changes.changed, changes.list_again), (vec!["7.95.INBOX".to_owned()], false));
    host.finish();
}

#[test]
fn a_folder_whose_counters_fell_or_that_has_no_uidvalidity_is_listed_again() {
    let examine = |number: u32, codes: &[&str]| {
        let codes: Vec<String> = codes.iter().map(|code| format!("S: * OK [{code}] so")).collect();
        format!(
            "C: A{number} EXAMINE INBOX (CONDSTORE)\n{}\nS: A{number} OK [READ-ONLY] open",
            codes.join("\n")
        )
    };
    let cases: [(&str, &[&str]); 4] = [
        ("7.10.50", &["UIDVALIDITY 7", "UIDNEXT 9", "HIGHESTMODSEQ 50"]),
        ("7.10.50", &["UIDVALIDITY 7", "UIDNEXT 10", "HIGHESTMODSEQ 49"]),
        ("0.10.50", &["UIDNEXT 10", "HIGHESTMODSEQ 50"]),
        ("7.10.50", &["UIDVALIDITY 7", "HIGHESTMODSEQ 50"]),
    ];
    let script: Vec<String> =
        cases.iter().enumerate().map(|(index, (_, codes))| examine(index as u32 + 1, codes)).collect();
    let (host, mut session) = signed_in("CONDSTORE", &script.join("\n"));
    for (since, codes) in cases {
        assert!(session.changes("INBOX", Some(since)).unwrap().list_again, "{since} -> {codes:?}");
    }
    host.finish();
}
