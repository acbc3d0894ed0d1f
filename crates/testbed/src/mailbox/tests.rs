//! What every face relies on.

use super::*;

fn text(body: &str) -> NewMessage {
    NewMessage::new(format!("Subject: t\r\n\r\n{body}\r\n"))
}

#[test]
fn a_moved_message_is_once_in_the_target_and_keeps_its_identity() {
    let mailbox = Mailbox::new();
    let target = mailbox.ensure_folder("Postvak IN/Verwerkt").unwrap();
    let inbox = mailbox.folder("Postvak IN").unwrap().id;
    let first = mailbox.deliver("Postvak IN", text("tok-1")).unwrap();
    let second = mailbox.deliver("Postvak IN", text("tok-2")).unwrap();

    let placed = mailbox.move_messages(inbox, &[second.uid, 99, first.uid], target).unwrap();
    assert_eq!(
        placed.iter().map(|p| (p.source, p.uid, p.id)).collect::<Vec<_>>(),
        [(second.uid, 1, second.id), (first.uid, 2, first.id)]
    );
    assert_eq!(mailbox.count_token("tok-1"), BTreeMap::from([("Postvak IN/Verwerkt".to_owned(), 1)]));
    // The number is not given out again, or a client would take the next message for this one.
    assert_eq!(mailbox.deliver("Postvak IN", text("tok-3")).unwrap().uid, 3);
}

#[test]
fn a_copy_is_a_message_of_its_own() {
    let mailbox = Mailbox::new();
    let inbox = mailbox.folder("Postvak IN").unwrap().id;
    let original = mailbox.deliver("Postvak IN", text("tok")).unwrap();
    let copy = mailbox.copy(inbox, &[original.uid], inbox).unwrap();
    assert_ne!(copy[0].id, original.id);
    assert_eq!(mailbox.count_token("tok"), BTreeMap::from([("Postvak IN".to_owned(), 2)]));
    mailbox.remove(inbox, &[original.uid]).unwrap();
    assert_eq!(mailbox.count_token("tok"), BTreeMap::from([("Postvak IN".to_owned(), 1)]));
}

#[test]
fn renumbering_changes_uid_validity_and_loses_nothing() {
    let mailbox = Mailbox::new();
    let inbox = mailbox.folder("Postvak IN").unwrap();
    let gone = mailbox.deliver("Postvak IN", text("a")).unwrap();
    let kept = mailbox.deliver("Postvak IN", text("b")).unwrap();
    mailbox.remove(inbox.id, &[gone.uid]).unwrap();
    let validity = mailbox.renumber("Postvak IN").unwrap();
    assert_ne!(validity, inbox.uid_validity);
    let after = mailbox.messages(inbox.id).unwrap();
    assert_eq!((after.len(), after[0].uid, after[0].id), (1, 1, kept.id));
}

#[test]
fn folders_keep_odd_names_and_refuse_what_would_break_the_tree() {
    let mailbox = Mailbox::new();
    let parent = mailbox.ensure_folder("Postvak IN/R&D").unwrap();
    let odd = mailbox.create_folder(Some(parent), "In/uit\\2026").unwrap();
    assert_eq!(mailbox.folder_by_id(odd).unwrap().path, ["Postvak IN", "R&D", "In/uit\\2026"]);
    assert_eq!(
        mailbox.create_folder(Some(parent), "In/uit\\2026"),
        Err(MailboxError::FolderExists("In/uit\\2026".to_owned()))
    );
    assert!(matches!(mailbox.rename_folder(parent, Some(odd), "x"), Err(MailboxError::FolderInUse(_))));
    assert!(matches!(mailbox.delete_folder(parent), Err(MailboxError::FolderInUse(_))));
    mailbox.delete_folder(odd).unwrap();
    mailbox.rename_folder(parent, None, "Onderzoek").unwrap();
    assert_eq!(mailbox.folder("Onderzoek").unwrap().id, parent);
    assert!(mailbox.folder("Postvak IN/R&D").is_err());
}

#[test]
fn folders_are_found_by_their_names_wherever_these_hold_a_slash() {
    let mailbox = Mailbox::new();
    let parent = mailbox.ensure_folder("Postvak IN/R&D").unwrap();
    let odd = mailbox.create_folder(Some(parent), "In/uit").unwrap();
    let below = mailbox.create_folder(Some(odd), "2026").unwrap();
    assert_eq!(mailbox.folder("Postvak IN/R&D/In/uit/2026").unwrap().id, below);
    assert_eq!(mailbox.ensure_folder("Postvak IN/R&D/In/uit/2026"), Ok(below));
    // Beside it, a folder that seems to have the same path.
    let inner = mailbox.create_folder(Some(parent), "In").unwrap();
    assert_eq!(mailbox.folder("Postvak IN/R&D/In/uit/2026").unwrap().id, below);
    assert_eq!(mailbox.folder("Postvak IN/R&D/In").unwrap().id, inner);
    assert!(mailbox.folder("Postvak IN/R&D/In/").is_err() && mailbox.folder("").is_err());
    // What is gone or has another name is not found, nor in the way.
    mailbox.delete_folder(below).unwrap();
    mailbox.rename_folder(odd, Some(parent), "Uit").unwrap();
    assert!(mailbox.folder("Postvak IN/R&D/In/uit").is_err());
    assert!(!mailbox.folder("Postvak IN/R&D/Uit").unwrap().has_children);
    mailbox.create_folder(Some(parent), "In/uit").unwrap();
}

#[test]
fn unread_messages_are_counted_whatever_happens_to_them() {
    let mailbox = Mailbox::new();
    let (inbox, trash) =
        (mailbox.folder("Postvak IN").unwrap().id, mailbox.folder("Verwijderde items").unwrap().id);
    let unread = || [inbox, trash].map(|id| mailbox.folder_by_id(id).unwrap().unread);
    let uids: Vec<u32> = (0..4).map(|n| mailbox.append(inbox, text(&n.to_string())).unwrap().uid).collect();
    let seen = Flags { seen: true, ..Flags::default() };
    mailbox.change_flags(inbox, &uids[..2], FlagChange::Add, &seen).unwrap();
    mailbox.change_flags(inbox, &uids[..1], FlagChange::Add, &seen).unwrap();
    assert_eq!(unread(), [2, 0]);
    mailbox.move_messages(inbox, &uids[1..3], trash).unwrap();
    mailbox.copy(inbox, &uids[3..], trash).unwrap();
    assert_eq!(unread(), [1, 2]);
    mailbox.renumber("Verwijderde items").unwrap();
    mailbox.change_flags(inbox, &uids[..1], FlagChange::Remove, &seen).unwrap();
    assert_eq!(unread(), [2, 2]);
    mailbox.remove(inbox, &uids).unwrap();
    assert_eq!(unread(), [0, 2]);
}

#[test]
fn every_change_is_announced_and_flags_are_combined() {
    let mailbox = Mailbox::new();
    let watch = mailbox.watch();
    let inbox = mailbox.folder("Postvak IN").unwrap().id;
    let placed = mailbox.deliver("Postvak IN", text("a")).unwrap();
    assert!(watch.has_changed().unwrap());
    let before = *watch.borrow();
    let seen = Flags { seen: true, ..Flags::default() };
    let flagged = Flags { flagged: true, ..Flags::default() };
    mailbox.change_flags(inbox, &[placed.uid], FlagChange::Add, &seen).unwrap();
    mailbox.change_flags(inbox, &[placed.uid], FlagChange::Add, &flagged).unwrap();
    mailbox.change_flags(inbox, &[placed.uid], FlagChange::Remove, &seen).unwrap();
    let message = mailbox.message(inbox, placed.uid).unwrap();
    assert_eq!(message.flags, flagged);
    assert!(*watch.borrow() > before && message.changed == *watch.borrow());
    assert_eq!(mailbox.folder("Postvak IN").unwrap().unread, 1);
}
