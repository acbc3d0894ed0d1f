//! Cases about `changes`. It is a hint: a connector may always say `list-again`, but what it says must be true.

use wissel_model::message::ChangeSet;
use wissel_model::{ErrorKind, FolderId, MessageId, Session};

use crate::case::Need::{Account, Folder, Messages, Operation};
use crate::case::{Answer, Case, Need, Outcome, expect, shown};
use crate::sample::Sample;
use crate::stage::{Stage, list_settled};

const RULE: &str = "email-account.wit: change-set";
const NEEDS: &[Need] = &[Account, Operation("changes"), Operation("list-messages"), Folder, Messages];

pub(super) const CASES: &[Case] = &[
    Case {
        name: "changes/nothing",
        demands: "With a cursor, and nothing changed since, nothing is reported.",
        rule: RULE,
        hint: "The cursor must take in all that the first call saw; it is used in another session.",
        needs: NEEDS,
        run: |stage| Box::pin(nothing(stage)),
    },
    Case {
        name: "changes/new-message",
        demands: "A message that arrived since the cursor is among the changed ones, or the folder is to be listed again.",
        rule: RULE,
        hint: "Say `list-again` where the service cannot tell what is new.",
        needs: NEEDS,
        run: |stage| Box::pin(new_message(stage)),
    },
    Case {
        name: "changes/removed",
        demands: "A message that left is not called new, and none that stays is called removed.",
        rule: RULE,
        hint: "`removed` may stay empty; a message that is still in the folder must never be in it.",
        needs: &[
            Account,
            Operation("changes"),
            Operation("list-messages"),
            Operation("delete-messages"),
            Folder,
            Messages,
        ],
        run: |stage| Box::pin(removed(stage)),
    },
    Case {
        name: "changes/flags",
        demands: "A message that was marked is at most called changed; no other one is, and none is called removed.",
        rule: RULE,
        hint: "Report what changed alone, or `list-again`.",
        needs: &[
            Account,
            Operation("changes"),
            Operation("list-messages"),
            Operation("mark-messages"),
            Folder,
            Messages,
        ],
        run: |stage| Box::pin(flags(stage)),
    },
    Case {
        name: "changes/strange-cursor",
        demands: "A cursor that cannot be read, or is too old, ends in `list-again` with a new cursor, or in a typed error; \
                  the session goes on.",
        rule: RULE,
        hint: "The host stores cursors for months: a new version of the connector meets old ones.",
        needs: &[Account, Operation("changes"), Folder],
        run: |stage| Box::pin(strange_cursor(stage)),
    },
];

/// What happened since a cursor, all calls together.
async fn since(session: &mut dyn Session, folder: &FolderId, cursor: Option<&str>) -> Outcome<ChangeSet> {
    let mut all = session.changes(folder, cursor).await.works("changes")?;
    let mut calls = 1;
    while all.more {
        calls += 1;
        expect(calls <= 1_000, "the changes end", || "`more` after 1,000 calls".to_owned())?;
        let next = session.changes(folder, Some(&all.next)).await.works("changes")?;
        all.changed.extend(next.changed);
        all.removed.extend(next.removed);
        all.list_again |= next.list_again;
        (all.next, all.more) = (next.next, next.more);
    }
    expect(!all.next.is_empty(), "a cursor to go on from", || "an empty one".to_owned())?;
    Ok(all)
}

/// A folder with three messages, and the cursor after them.
async fn start(stage: &mut Stage) -> Outcome<(FolderId, Vec<MessageId>, String)> {
    let (folder, mut session, ids) = stage.set_up(&Sample::series(3)).await?;
    let first = since(&mut *session, &folder.id, None).await?;
    session.close().await;
    Ok((folder.id, ids, first.next))
}

/// What is reported concerns these messages alone.
fn expect_only(set: &ChangeSet, changed: &[MessageId], removed: &[MessageId]) -> Outcome {
    let text = |ids: &[MessageId]| format!("{:?}", ids.iter().map(MessageId::as_str).collect::<Vec<_>>());
    let within = |told: &[MessageId], may: &[MessageId]| told.iter().all(|id| may.contains(id));
    expect(within(&set.changed, changed), format!("changed: at most {}", text(changed)), || {
        text(&set.changed)
    })?;
    expect(within(&set.removed, removed), format!("removed: at most {}", text(removed)), || {
        text(&set.removed)
    })
}

async fn nothing(stage: &mut Stage) -> Outcome {
    let (folder, _, cursor) = start(stage).await?;
    let mut session = stage.open().await?;
    let set = since(&mut *session, &folder, Some(&cursor)).await?;
    session.close().await;
    expect_only(&set, &[], &[])
}

async fn new_message(stage: &mut Stage) -> Outcome {
    let (folder, before, cursor) = start(stage).await?;
    let mut session = stage.open().await?;
    let at = wissel_model::FolderAddress::Id(folder.clone());
    let own = session.find_folder(&at).await.works("find-folder")?;
    session.close().await;
    stage.put(&own, &[Sample::plain(0)]).await?;
    let mut session = stage.open().await?;
    let listed = list_settled(&mut *session, &folder, 4, stage.settling()).await?;
    let set = since(&mut *session, &folder, Some(&cursor)).await?;
    session.close().await;
    let new: Vec<MessageId> =
        listed.into_iter().map(|message| message.id).filter(|id| !before.contains(id)).collect();
    expect(
        set.list_again || new.iter().all(|id| set.changed.contains(id)),
        "the new message, or list-again",
        || format!("changed: {:?}", set.changed),
    )?;
    expect_only(&set, &new, &[])
}

async fn removed(stage: &mut Stage) -> Outcome {
    let (folder, ids, cursor) = start(stage).await?;
    let gone: Vec<MessageId> = ids.into_iter().take(1).collect();
    let mut session = stage.open().await?;
    session.delete_messages(&gone).await.works("delete-messages")?;
    list_settled(&mut *session, &folder, 2, stage.settling()).await?;
    session.close().await;
    let mut session = stage.open().await?;
    let set = since(&mut *session, &folder, Some(&cursor)).await?;
    session.close().await;
    expect_only(&set, &[], &gone)
}

async fn flags(stage: &mut Stage) -> Outcome {
    let (folder, ids, cursor) = start(stage).await?;
    let marked: Vec<MessageId> = ids.into_iter().take(1).collect();
    let mut session = stage.open().await?;
    session.mark_messages(&marked, true).await.works("mark-messages")?;
    session.close().await;
    let mut session = stage.open().await?;
    let set = since(&mut *session, &folder, Some(&cursor)).await?;
    session.close().await;
    expect_only(&set, &marked, &[])
}

async fn strange_cursor(stage: &mut Stage) -> Outcome {
    let folder = stage.folder().await?;
    let mut session = stage.open().await?;
    for cursor in ["garbage", "", "1.1.1", "99999999999999999999.-1.0", "\u{2603}\u{0}\r\n"] {
        match session.changes(&folder.id, Some(cursor)).await {
            Ok(set) => {
                expect(set.list_again && !set.next.is_empty(), "list-again with a new cursor", || {
                    format!("list-again: {}, next: '{}', for {cursor:?}", set.list_again, set.next)
                })?
            }
            Err(error) => {
                let typed =
                    !matches!(error.kind, ErrorKind::Fault | ErrorKind::Cancelled | ErrorKind::Temporary);
                expect(typed && !error.session_lost, "list-again, or an error that is not repeated", || {
                    format!("{}, for {cursor:?}", shown(&error))
                })?;
            }
        }
    }
    since(&mut *session, &folder.id, None).await?;
    session.close().await;
    Ok(())
}
