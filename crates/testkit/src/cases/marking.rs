//! Cases about `mark-messages` and `delete-messages`.

use wissel_model::{ErrorKind, MessageId, Outcome as Done};

use crate::case::Need::{Account, Folder, Messages, Operation};
use crate::case::{Answer, Case, Need, Outcome, expect, shown};
use crate::sample::Sample;
use crate::stage::{LARGE_PAGE, Stage, list, list_settled};

const MARK: &[Need] = &[Account, Operation("mark-messages"), Operation("list-messages"), Folder, Messages];
const DELETE: &[Need] =
    &[Account, Operation("delete-messages"), Operation("list-messages"), Folder, Messages];

pub(super) const CASES: &[Case] = &[
    Case {
        name: "mark-messages/there-and-back",
        demands: "Messages are marked as read and as unread again; the others stay as they are.",
        rule: "email-account.wit: mark-messages",
        hint: "Change the mark of reading alone.",
        needs: MARK,
        run: |stage| Box::pin(there_and_back(stage)),
    },
    Case {
        name: "mark-messages/unknown-id",
        demands: "An id that names no message is an outcome of its own, and the others are marked.",
        rule: "email-account.wit: outcome",
        hint: "One outcome for each message that was dealt with; an error only when nothing more can be done.",
        needs: MARK,
        run: |stage| Box::pin(mark_unknown(stage)),
    },
    Case {
        name: "delete-messages/gone",
        demands: "A deleted message is gone from its folder, the others stay, and deleting it again counts as done.",
        rule: "email-account.wit: delete-messages",
        hint: "Remove these messages alone, not all that anybody has marked.",
        needs: DELETE,
        run: |stage| Box::pin(gone(stage)),
    },
    Case {
        name: "delete-messages/unknown-id",
        demands: "An id that names no message is done or not-found, and the others are deleted.",
        rule: "email-account.wit: outcome",
        hint: "Deleting what is gone counts as done; an id that cannot be read is not-found.",
        needs: DELETE,
        run: |stage| Box::pin(delete_unknown(stage)),
    },
];

fn expect_all_done(outcomes: &[Done], asked: &[MessageId]) -> Outcome {
    for id in asked {
        let found = outcomes.iter().find(|outcome| outcome.message == *id);
        let failure = found.and_then(|outcome| outcome.failure.as_ref());
        expect(found.is_some() && failure.is_none(), format!("'{id}' is done"), || {
            failure.map_or_else(|| "no outcome for it".to_owned(), shown)
        })?;
    }
    Ok(())
}

/// The strange id has an outcome that fails with not-found, or is done; no outcome is for what was not asked.
fn expect_strange(outcomes: &[Done], strange: &MessageId) -> Outcome {
    let found = outcomes.iter().find(|outcome| outcome.message == *strange);
    let failure = found.and_then(|outcome| outcome.failure.as_ref());
    expect(
        found.is_some() && failure.is_none_or(|error| error.kind == ErrorKind::NotFound),
        "the unknown id is done or not-found",
        || failure.map_or_else(|| "no outcome for it".to_owned(), shown),
    )
}

async fn there_and_back(stage: &mut Stage) -> Outcome {
    let (folder, mut session, ids) = stage.set_up(&Sample::series(3)).await?;
    let marked: Vec<MessageId> = ids.iter().take(2).cloned().collect();
    for read in [true, false] {
        let outcomes = session.mark_messages(&marked, read).await.works("mark-messages")?;
        expect_all_done(&outcomes, &marked)?;
        let mut other = stage.open().await?;
        let listed = list(&mut *other, &folder.id, LARGE_PAGE).await?;
        other.close().await;
        for id in &ids {
            let now = listed.iter().find(|message| message.id == *id).and_then(|message| message.read);
            let wanted = read && marked.contains(id);
            expect(now.is_none_or(|now| now == wanted), format!("'{id}' is read: {wanted}"), || {
                format!("{now:?}")
            })?;
        }
    }
    session.close().await;
    Ok(())
}

async fn mark_unknown(stage: &mut Stage) -> Outcome {
    let (folder, mut session, ids) = stage.set_up(&Sample::series(2)).await?;
    let strange = MessageId::from("wissel-conformance-no-such-message");
    let asked: Vec<MessageId> = [strange.clone()].into_iter().chain(ids.iter().cloned()).collect();
    let outcomes = session.mark_messages(&asked, true).await.works("mark-messages")?;
    expect_strange(&outcomes, &strange)?;
    expect_all_done(&outcomes, &ids)?;
    let listed = list(&mut *session, &folder.id, LARGE_PAGE).await?;
    session.close().await;
    expect(listed.iter().all(|message| message.read != Some(false)), "both messages are read", || {
        format!("{:?}", listed.iter().map(|message| message.read).collect::<Vec<_>>())
    })
}

async fn gone(stage: &mut Stage) -> Outcome {
    let (folder, mut session, ids) = stage.set_up(&Sample::series(4)).await?;
    let deleted: Vec<MessageId> = ids.iter().skip(1).take(2).cloned().collect();
    let outcomes = session.delete_messages(&deleted).await.works("delete-messages")?;
    expect_all_done(&outcomes, &deleted)?;
    let mut other = stage.open().await?;
    let left = list_settled(&mut *other, &folder.id, 2, stage.settling()).await?;
    other.close().await;
    expect(left.iter().all(|message| !deleted.contains(&message.id)), "the others stay", || {
        format!("{left:?}")
    })?;
    let outcomes = session.delete_messages(&deleted).await.works("delete-messages, of what is gone")?;
    expect_all_done(&outcomes, &deleted)?;
    session.close().await;
    Ok(())
}

async fn delete_unknown(stage: &mut Stage) -> Outcome {
    let (folder, mut session, ids) = stage.set_up(&Sample::series(2)).await?;
    let strange = MessageId::from("wissel-conformance-no-such-message");
    let asked: Vec<MessageId> = [strange.clone()].into_iter().chain(ids.iter().cloned()).collect();
    let outcomes = session.delete_messages(&asked).await.works("delete-messages")?;
    expect_strange(&outcomes, &strange)?;
    expect_all_done(&outcomes, &ids)?;
    list_settled(&mut *session, &folder.id, 0, stage.settling()).await?;
    session.close().await;
    Ok(())
}
