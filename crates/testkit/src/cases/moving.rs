//! Cases about `move-messages`.

use wissel_model::{ErrorKind, Folder as Node, FolderId, MessageId, Outcome as Moved, Session};

use crate::case::Need::{Account, Folder, Messages, Operation};
use crate::case::{Answer, Case, Need, Outcome, expect, failed, shown};
use crate::sample::Sample;
use crate::stage::{Stage, fetch, ids_of, list_settled};

const RULE: &str = "email-account.wit: move-messages";
const NEEDS: &[Need] = &[Account, Operation("move-messages"), Operation("list-messages"), Folder, Messages];

pub(super) const CASES: &[Case] = &[
    Case {
        name: "move-messages/moves",
        demands: "A moved message is in the target, whole, and gone from where it was; its new id, where told, is the one \
                  that is listed.",
        rule: RULE,
        hint: "Return none as new id where the service does not tell it.",
        needs: &[
            Account,
            Operation("move-messages"),
            Operation("list-messages"),
            Operation("fetch"),
            Folder,
            Messages,
        ],
        run: |stage| Box::pin(moves(stage)),
    },
    Case {
        name: "move-messages/again",
        demands: "With `again`, messages that were moved already are not doubled, and the others are moved.",
        rule: RULE,
        hint: "Where the service cannot move in one step, look into the target first.",
        needs: NEEDS,
        run: |stage| Box::pin(again(stage)),
    },
    Case {
        name: "move-messages/unknown-id",
        demands: "An id that names no message is an outcome of its own, done or not-found, and the others are moved.",
        rule: "email-account.wit: outcome",
        hint: "Moving what is gone counts as done; an id that cannot be read is not-found. No outcome for what was not \
               asked for.",
        needs: NEEDS,
        run: |stage| Box::pin(unknown_id(stage)),
    },
    Case {
        name: "move-messages/no-target",
        demands: "Without its target nothing is moved: the answer is `not-found`, and the messages stay.",
        rule: RULE,
        hint: "Never remove a message before its copy is there.",
        needs: NEEDS,
        run: |stage| Box::pin(no_target(stage)),
    },
];

/// The source with `samples`, the target, a session, and the ids.
async fn set_up(
    stage: &mut Stage,
    samples: &[Sample],
) -> Outcome<(Node, Node, Box<dyn Session>, Vec<MessageId>)> {
    let target = stage.other_folder().await?;
    let (source, session, ids) = stage.set_up(samples).await?;
    Ok((source, target, session, ids))
}

/// One outcome for each message, done, and none for another.
fn expect_done(outcomes: &[Moved], asked: &[MessageId]) -> Outcome {
    for id in asked {
        let of_it: Vec<&Moved> = outcomes.iter().filter(|outcome| outcome.message == *id).collect();
        match of_it.as_slice() {
            [Moved { failure: None, .. }] => {}
            [Moved { failure: Some(error), .. }] => return failed(format!("'{id}' is done"), shown(error)),
            [] => return failed(format!("an outcome for '{id}'"), "none"),
            _ => return failed(format!("one outcome for '{id}'"), format!("{}", of_it.len())),
        }
    }
    let strange = outcomes.iter().find(|outcome| !asked.contains(&outcome.message));
    match strange {
        Some(outcome) => failed("outcomes of what was asked for", format!("one for '{}'", outcome.message)),
        None => Ok(()),
    }
}

async fn expect_count(stage: &Stage, session: &mut dyn Session, folder: &FolderId, count: usize) -> Outcome {
    list_settled(session, folder, count, stage.settling()).await.map(|_| ())
}

async fn moves(stage: &mut Stage) -> Outcome {
    let samples = Sample::series(3);
    let (source, target, mut session, ids) = set_up(stage, &samples).await?;
    let asked: Vec<MessageId> = ids.iter().take(2).cloned().collect();
    let outcomes = session.move_messages(&asked, &target.id, false).await.works("move-messages")?;
    expect_done(&outcomes, &asked)?;
    session.close().await;
    let mut session = stage.open().await?;
    let left = list_settled(&mut *session, &source.id, 1, stage.settling()).await?;
    let stayed = left.first().map(|message| &message.id) == ids.get(2);
    expect(stayed, "the message that was not moved stays", || format!("{left:?}"))?;
    let moved: Vec<Sample> = samples.iter().take(2).cloned().collect();
    let there = ids_of(&mut *session, &target.id, &moved, stage.settling()).await?;
    for (old, now) in asked.iter().zip(&there) {
        let told = outcomes.iter().find(|o| o.message == *old).and_then(|o| o.new_id.as_ref());
        expect(told.is_none_or(|told| told == now), format!("the new id '{now}', as listed"), || {
            format!("{told:?}")
        })?;
    }
    let delivered = fetch(&mut *session, &there).await?;
    session.close().await;
    for (sample, id) in moved.iter().zip(&there) {
        let whole = delivered
            .ended
            .get(id)
            .is_some_and(|(_, bytes)| sample.is(bytes, stage.description.rewrites_messages));
        expect(whole, format!("'{id}' as it was put in"), || "another message, or none".to_owned())?;
    }
    Ok(())
}

async fn again(stage: &mut Stage) -> Outcome {
    let samples = Sample::series(4);
    let (source, target, mut session, ids) = set_up(stage, &samples).await?;
    let first: Vec<MessageId> = ids.iter().take(2).cloned().collect();
    session.move_messages(&first, &target.id, false).await.works("move-messages")?;
    session.close().await;
    // As after a crash: the host does not know how far it got, and asks for all of them in a new session.
    let mut session = stage.open().await?;
    let outcomes = session.move_messages(&ids, &target.id, true).await.works("move-messages, again")?;
    expect_done(&outcomes, &ids)?;
    expect_count(stage, &mut *session, &source.id, 0).await?;
    expect_count(stage, &mut *session, &target.id, 4).await?;
    let outcomes =
        session.move_messages(&ids, &target.id, true).await.works("move-messages, a third time")?;
    expect_done(&outcomes, &ids)?;
    ids_of(&mut *session, &target.id, &samples, stage.settling()).await?;
    session.close().await;
    Ok(())
}

async fn unknown_id(stage: &mut Stage) -> Outcome {
    let (source, target, mut session, ids) = set_up(stage, &Sample::series(2)).await?;
    let strange = MessageId::from("wissel-conformance-no-such-message");
    let asked: Vec<MessageId> = ids.iter().cloned().chain([strange.clone()]).collect();
    let outcomes = session.move_messages(&asked, &target.id, false).await.works("move-messages")?;
    let (of_it, others): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(|o| o.message == strange);
    expect_done(&others, &ids)?;
    let failure = of_it.iter().find_map(|outcome| outcome.failure.as_ref());
    expect(of_it.len() == 1, "one outcome for the unknown id", || format!("{} outcomes", of_it.len()))?;
    expect(
        failure.is_none_or(|e| e.kind == ErrorKind::NotFound),
        "the unknown id is done or not-found",
        || failure.map(shown).unwrap_or_default(),
    )?;
    expect_count(stage, &mut *session, &source.id, 0).await?;
    expect_count(stage, &mut *session, &target.id, 2).await?;
    session.close().await;
    Ok(())
}

async fn no_target(stage: &mut Stage) -> Outcome {
    let (source, _, mut session, ids) = set_up(stage, &Sample::series(2)).await?;
    let nowhere = FolderId::from("wissel-conformance-no-such-folder");
    let wanted = "not-found for a target that is not there";
    match session.move_messages(&ids, &nowhere, false).await {
        Err(error) => {
            expect(error.kind == ErrorKind::NotFound && !error.session_lost, wanted, || shown(&error))?
        }
        Ok(outcomes) => {
            for outcome in &outcomes {
                let kind = outcome.failure.as_ref().map(|error| error.kind);
                expect(kind == Some(ErrorKind::NotFound), wanted, || format!("{:?}", outcome.failure))?;
            }
        }
    }
    expect_count(stage, &mut *session, &source.id, 2).await?;
    session.close().await;
    Ok(())
}
