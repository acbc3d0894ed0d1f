//! Cases about `fetch` and the rules of a delivery.

use wissel_model::{ErrorKind, MessageId};

use crate::case::Need::{Account, Folder, Messages, Operation};
use crate::case::{Answer, Case, Need, Outcome, expect, failed, shown};
use crate::collector::Delivered;
use crate::sample::Sample;
use crate::stage::{LARGE_PAGE, Stage, fetch, list};

const RULE: &str = "email-account.wit: fetch";
const DELIVERY: &str = "content.wit: delivery";
const NEEDS: &[Need] = &[Account, Operation("fetch"), Operation("list-messages"), Folder, Messages];

/// Octets of the large message, unless the service takes less.
const LARGE: u64 = 5 << 20;

pub(super) const CASES: &[Case] = &[
    Case {
        name: "fetch/bytes",
        demands: "A message is delivered octet for octet as it was put in, or with the same content where the description \
                  says `rewritesMessages`: 8-bit text, dots, long lines, missing and additional line ends.",
        rule: RULE,
        hint: "Move bytes with `splice`; never through text, and with the encoding that the service uses.",
        needs: NEEDS,
        run: |stage| Box::pin(bytes(stage)),
    },
    Case {
        name: "fetch/several",
        demands: "Messages that are asked for together come once each, in any order, and no other one is begun.",
        rule: DELIVERY,
        hint: "`begin`, `write` or `splice`, `end` for each; an id exactly as it was asked for.",
        needs: NEEDS,
        run: |stage| Box::pin(several(stage)),
    },
    Case {
        name: "fetch/info",
        demands: "What `begin` says about a message is true: time of reception and whether it is read.",
        rule: "content.wit: delivery-info",
        hint: "Leave unknown fields out.",
        needs: NEEDS,
        run: |stage| Box::pin(info(stage)),
    },
    Case {
        name: "fetch/unknown-id",
        demands: "A message that cannot be fetched is failed, and the others come.",
        rule: RULE,
        hint: "`delivery.fail` with not-found; return an error only when no further message can be fetched.",
        needs: &[
            Account,
            Operation("fetch"),
            Operation("list-messages"),
            Operation("delete-messages"),
            Folder,
            Messages,
        ],
        run: |stage| Box::pin(unknown_id(stage)),
    },
    Case {
        name: "fetch/none",
        demands: "Fetching no messages delivers none, and is no error.",
        rule: RULE,
        hint: "Do not send the service an empty set.",
        needs: &[Account, Operation("fetch")],
        run: |stage| Box::pin(none(stage)),
    },
    Case {
        name: "fetch/large",
        demands: "A large message is delivered whole.",
        rule: RULE,
        hint: "Use `splice`; do not hold a message in the connector's memory.",
        needs: NEEDS,
        run: |stage| Box::pin(large(stage)),
    },
    Case {
        name: "fetch/changes-nothing",
        demands: "Fetching a message does not mark it as read.",
        rule: RULE,
        hint: "Many services mark what is read: ask for the bytes in the way that does not.",
        needs: NEEDS,
        run: |stage| Box::pin(changes_nothing(stage)),
    },
];

/// A message came, as it was put in.
fn expect_whole(
    stage: &Stage,
    delivered: &Delivered,
    id: &MessageId,
    sample: &Sample,
    what: &str,
) -> Outcome {
    if let Some(error) = delivered.failed.get(id) {
        return failed(format!("{what} is delivered"), format!("it was failed with {}", shown(error)));
    }
    let Some((_, bytes)) = delivered.ended.get(id) else {
        return failed(format!("{what} is delivered"), "it was not attempted");
    };
    if sample.is(bytes, stage.description.rewrites_messages) {
        return Ok(());
    }
    let at = bytes.iter().zip(sample.bytes.iter()).take_while(|(a, b)| a == b).count();
    let around = |bytes: &[u8]| {
        bytes.iter().skip(at).take(12).copied().collect::<Vec<u8>>().escape_ascii().to_string()
    };
    failed(
        format!("{what}: {} octets, at {at} '{}'", sample.bytes.len(), around(&sample.bytes)),
        format!("{} octets, at {at} '{}'", bytes.len(), around(bytes)),
    )
}

async fn bytes(stage: &mut Stage) -> Outcome {
    let (what, samples): (Vec<&str>, Vec<Sample>) = Sample::delicate().into_iter().unzip();
    let (_, mut session, ids) = stage.set_up(&samples).await?;
    // Each alone, so that a failure names the message that caused it.
    for ((what, sample), id) in what.iter().zip(&samples).zip(&ids) {
        let delivered = fetch(&mut *session, std::slice::from_ref(id)).await?;
        expect_whole(stage, &delivered, id, sample, &format!("the message with {what}"))?;
    }
    session.close().await;
    Ok(())
}

async fn several(stage: &mut Stage) -> Outcome {
    let samples = Sample::series(8);
    let (_, mut session, ids) = stage.set_up(&samples).await?;
    // Not all of them, and not in the order of the folder.
    let asked: Vec<MessageId> = ids.iter().skip(2).rev().cloned().collect();
    let delivered = fetch(&mut *session, &asked).await?;
    session.close().await;
    for (sample, id) in samples.iter().zip(&ids).skip(2) {
        expect_whole(stage, &delivered, id, sample, &format!("message '{id}'"))?;
    }
    expect(delivered.ended.len() == asked.len(), format!("{} messages", asked.len()), || {
        format!("{} messages", delivered.ended.len())
    })
}

async fn info(stage: &mut Stage) -> Outcome {
    let samples = [Sample::plain(9), Sample::plain(2).read()];
    let (_, mut session, ids) = stage.set_up(&samples).await?;
    let delivered = fetch(&mut *session, &ids).await?;
    session.close().await;
    for (sample, id) in samples.iter().zip(&ids) {
        expect_whole(stage, &delivered, id, sample, &format!("message '{id}'"))?;
        let Some((info, _)) = delivered.ended.get(id) else { continue };
        let told = info.received.map(|moment| moment.as_second());
        expect(
            told.is_none_or(|told| told == sample.received.as_second()),
            format!("received {}", sample.received),
            || format!("{:?}", info.received),
        )?;
        let read = info.read;
        expect(read.is_none_or(|read| read == sample.read), format!("read: {}", sample.read), || {
            format!("{read:?}")
        })?;
    }
    Ok(())
}

async fn unknown_id(stage: &mut Stage) -> Outcome {
    let samples = Sample::series(3);
    let (_, mut session, ids) = stage.set_up(&samples).await?;
    let gone: Vec<MessageId> = ids.iter().skip(1).take(1).cloned().collect();
    session.delete_messages(&gone).await.works("delete-messages")?;
    let strange = ["wissel-conformance-no-such-message", "\u{2603}", "0.0."].map(MessageId::from);
    let asked: Vec<MessageId> = ids.iter().chain(&strange).cloned().collect();
    let delivered = fetch(&mut *session, &asked).await?;
    for (sample, id) in samples.iter().zip(&ids).filter(|(_, id)| !gone.contains(id)) {
        expect_whole(
            stage,
            &delivered,
            id,
            sample,
            &format!("message '{id}', asked for with ones that are not there"),
        )?;
    }
    for id in gone.iter().chain(&strange) {
        match delivered.failed.get(id) {
            Some(error) => {
                expect(error.kind == ErrorKind::NotFound, format!("'{id}' failed with not-found"), || {
                    shown(error)
                })?
            }
            None => return failed(format!("'{id}' failed with not-found"), "it was passed over"),
        }
    }
    let again = fetch(&mut *session, &asked).await?;
    expect(again.ended.len() == 2, "the same once more in the same session", || {
        format!("{} messages", again.ended.len())
    })?;
    session.close().await;
    Ok(())
}

async fn none(stage: &mut Stage) -> Outcome {
    let mut session = stage.open().await?;
    let delivered = fetch(&mut *session, &[]).await?;
    session.close().await;
    expect(delivered.ended.is_empty() && delivered.failed.is_empty(), "nothing", || {
        format!("{} messages", delivered.ended.len() + delivered.failed.len())
    })
}

async fn large(stage: &mut Stage) -> Outcome {
    // Some room for what a service adds to the size when it counts.
    let most = stage.description.limits.largest_message.map_or(LARGE, |limit| limit / 2);
    let sample = Sample::large(usize::try_from(LARGE.min(most)).unwrap_or(1 << 20));
    let (_, mut session, ids) = stage.set_up(std::slice::from_ref(&sample)).await?;
    let delivered = fetch(&mut *session, &ids).await?;
    session.close().await;
    for id in &ids {
        expect_whole(stage, &delivered, id, &sample, "the large message")?;
    }
    Ok(())
}

async fn changes_nothing(stage: &mut Stage) -> Outcome {
    let (folder, mut session, ids) = stage.set_up(&[Sample::plain(2), Sample::plain(1).read()]).await?;
    let before = list(&mut *session, &folder.id, LARGE_PAGE).await?;
    fetch(&mut *session, &ids).await?;
    session.close().await;
    let mut session = stage.open().await?;
    let after = list(&mut *session, &folder.id, LARGE_PAGE).await?;
    session.close().await;
    expect(before == after, "the listing as before", || format!("{after:?} instead of {before:?}"))
}
