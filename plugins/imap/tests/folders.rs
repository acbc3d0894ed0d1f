//! Folders, counts, rights, creation, appending and waiting.
#![allow(missing_docs)]

mod common;

use common::{opened, signed_in};
use wissel_connector::testing::BytesSource;
use wissel_connector::types::{DeliveryInfo, FolderAddress, FolderRole, PageRequest, Wake};
use wissel_connector::{ErrorKind, Session};

fn path(names: &[&str]) -> FolderAddress {
    FolderAddress::Path(names.iter().map(|n| (*n).to_owned()).collect())
}

#[test]
fn counts_of_all_folders_come_in_one_round_trip() {
    let (host, mut session) = signed_in(
        "LIST-EXTENDED SPECIAL-USE LIST-STATUS",
        "C: A1 LIST \"\" * RETURN (CHILDREN SPECIAL-USE STATUS (MESSAGES UNSEEN))
         S: * LIST (\\HasChildren) \"/\" INBOX
         S: * STATUS INBOX (MESSAGES 274 UNSEEN 3)
         S: * LIST (\\HasNoChildren \\Sent) \"/\" \"Verzonden items\"
         S: * STATUS \"Verzonden items\" (MESSAGES 1 UNSEEN 0)
         S: * LIST (\\Noselect \\HasChildren) \"/\" {6}
         S- &AOk-t
         S:
         S: * LIST (\\HasNoChildren) \"/\" &AOk-t/A&-B
         S: A1 OK done
         C: A2 LIST \"\" * RETURN (CHILDREN SPECIAL-USE STATUS (MESSAGES UNSEEN))
         S: * LIST (\\HasChildren) \"/\" INBOX
         S: * LIST (\\HasNoChildren) \"/\" INBOX/Een
         S: * LIST (\\HasNoChildren) \"/\" INBOX/Een/Twee
         S: A2 OK done",
    );
    let folders = session.folders(None, true).unwrap();
    let inbox = folders.iter().find(|f| f.role == Some(FolderRole::Inbox)).unwrap();
    assert_eq!((inbox.total, inbox.unread), (Some(274), Some(3)));
    let deep = folders.iter().find(|f| f.path == ["ét", "A&B"]).unwrap();
    assert_eq!(deep.parent.as_deref(), Some("ét"));
    assert!(!folders.iter().find(|f| f.id == "ét").unwrap().holds_messages);
    let below = session.folders(Some("INBOX"), false).unwrap();
    assert_eq!(below.iter().map(|f| f.id.as_str()).collect::<Vec<_>>(), ["INBOX/Een"]);
    host.finish();
}

#[test]
fn a_folder_is_found_by_its_localised_path_with_counts_and_rights() {
    let (host, mut session) = signed_in(
        "ACL",
        "C: A1 LIST \"\" *
         S: * LIST () \"/\" INBOX
         S: * LIST () \"/\" INBOX/Algemeen
         S: A1 OK done
         C: A2 STATUS INBOX/Algemeen (MESSAGES UNSEEN)
         S: * STATUS INBOX/Algemeen (MESSAGES 274 UNSEEN 3)
         S: A2 OK done
         C: A3 MYRIGHTS INBOX/Algemeen
         S: * MYRIGHTS INBOX/Algemeen lrs
         S: A3 OK done",
    );
    let folder = session.find_folder(&path(&["postvak in", "Algemeen"])).unwrap();
    assert_eq!((folder.total, folder.unread), (Some(274), Some(3)));
    assert_eq!(folder.denied, ["move-messages", "delete-messages", "append", "create-folder"]);
    host.finish();
}

#[test]
fn the_open_folder_is_looked_at_again_before_its_messages_are_counted() {
    let (host, mut session) = signed_in(
        "",
        &format!(
            "{}
             C: A2 UID SEARCH UNDELETED
             S: * SEARCH
             S: A2 OK done
             C: A3 LIST \"\" *
             S: * LIST () \"/\" INBOX
             S: A3 OK done
             C: A4 NOOP
             S: * 4 EXISTS
             S: A4 OK done
             C: A5 STATUS INBOX (MESSAGES UNSEEN)
             S: * STATUS INBOX (MESSAGES 4 UNSEEN 3)
             S: A5 OK done",
            opened(1, "EXAMINE INBOX")
        ),
    );
    let page = PageRequest { after: None, size: 10, unread_only: false, received_since: None };
    session.list_messages("INBOX", &page).unwrap();
    let folder = session.find_folder(&path(&["INBOX"])).unwrap();
    assert_eq!((folder.total, folder.unread), (Some(4), Some(3)));
    host.finish();
}

#[test]
fn a_missing_folder_names_the_part_that_is_missing() {
    let (_host, mut session) = signed_in(
        "",
        "C: A1 LIST \"\" *
         S: * LIST () \".\" INBOX
         S: * LIST () \".\" INBOX.Algemeen
         S: A1 OK done",
    );
    let error = session.find_folder(&path(&["Postvak IN", "Algemeem"])).unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
    assert!(
        error.message.contains("`Algemeem`") && error.message.contains("`Algemeen`"),
        "{}",
        error.message
    );
}

#[test]
fn missing_parents_are_created_too() {
    let (host, mut session) = signed_in(
        "",
        "C: A1 LIST \"\" *
         S: * LIST () \"/\" INBOX
         S: A1 OK done
         C: A2 CREATE INBOX/Verwerkt
         S: A2 OK done
         C: A3 SUBSCRIBE INBOX/Verwerkt
         S: A3 NO not here
         C: A4 CREATE INBOX/Verwerkt/&IKw-
         S: A4 NO [ALREADYEXISTS] there
         C: A5 SUBSCRIBE INBOX/Verwerkt/&IKw-
         S: A5 OK done
         C: A6 LIST \"\" *
         S: * LIST () \"/\" INBOX
         S: * LIST () \"/\" INBOX/Verwerkt
         S: * LIST () \"/\" INBOX/Verwerkt/&IKw-
         S: A6 OK done
         C: A7 STATUS INBOX/Verwerkt/&IKw- (MESSAGES UNSEEN)
         S: * STATUS INBOX/Verwerkt/&IKw- (MESSAGES 0 UNSEEN 0)
         S: A7 OK done",
    );
    let names = ["Postvak IN", "Verwerkt", "€"].map(str::to_owned);
    assert_eq!(session.create_folder(&names).unwrap().id, "INBOX/Verwerkt/€");
    host.finish();
}

#[test]
fn append_waits_for_the_server_or_not_as_the_server_likes() {
    let info =
        DeliveryInfo { size: None, received: Some("2026-11-22T10:00:00.5+01:00".into()), read: Some(true) };
    let source = BytesSource::new("Subject: x\r\n\r\n");
    let (host, mut session) = signed_in(
        "",
        "C: A1 APPEND \"Sent Items\" (\\Seen) \"22-Nov-2026 10:00:00 +0100\" {14}
         S: + go on
         C: Subject: x
         C:
         C:
         S: A1 OK [APPENDUID 3 9] done
         C: A2 APPEND Vol {14}
         S: A2 NO [OVERQUOTA] full",
    );
    assert_eq!(session.append("Sent Items", &source, &info).unwrap().as_deref(), Some("3.9.Sent Items"));
    let none = DeliveryInfo { size: None, received: None, read: None };
    let error = session.append("Vol", &source, &none).unwrap_err();
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Temporary, Some("OVERQUOTA")));
    host.finish();
    let (host, mut session) = signed_in(
        "LITERAL+",
        "C: A1 APPEND INBOX {14+}
         C: Subject: x
         C:
         C:
         S: A1 OK done",
    );
    assert_eq!(session.append("INBOX", &source, &none).unwrap(), None);
    host.finish();
}

#[test]
fn idle_ends_with_done_whatever_ends_it() {
    for (event, wake) in [
        ("S: * 4 EXISTS", Wake::Changed),
        ("POLL timed-out", Wake::TimedOut),
        ("S: * OK still here\nPOLL interrupted", Wake::Interrupted),
    ] {
        let script = format!(
            "{}
             C: A2 IDLE
             S: + idling
             {event}
             C: DONE
             S: A2 OK done",
            opened(1, "EXAMINE INBOX")
        );
        let (host, mut session) = signed_in("IDLE", &script);
        assert_eq!(session.wait("INBOX", 60_000).unwrap(), wake, "{event}");
        host.finish();
    }
}

#[test]
fn idle_is_renewed_before_the_server_ends_it() {
    let script = format!(
        "{}
         C: A2 IDLE
         S: + idling
         POLL timed-out
         C: DONE
         S: A2 OK done
         C: A3 IDLE
         S: + idling
         POLL timed-out
         C: DONE
         S: A3 OK done",
        opened(1, "EXAMINE INBOX")
    );
    let (host, mut session) = signed_in("IDLE", &script);
    let before = host.now_ms();
    assert_eq!(session.wait("INBOX", 40 * 60_000).unwrap(), Wake::TimedOut);
    assert!((host.now_ms() - before - 40.0 * 60_000.0).abs() < 1.0);
    host.finish();
}

#[test]
fn without_idle_noop_asks() {
    let script = format!(
        "{}
         C: A2 NOOP
         S: A2 OK done
         POLL timed-out
         C: A3 NOOP
         S: * 4 EXISTS
         S: A3 OK done",
        opened(1, "EXAMINE INBOX")
    );
    let (host, mut session) = signed_in("", &script);
    assert_eq!(session.wait("INBOX", 60_000).unwrap(), Wake::Changed);
    host.finish();
}
