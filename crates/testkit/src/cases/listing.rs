//! Cases about `list-messages`.

use std::collections::BTreeSet;

use wissel_model::{ErrorKind, FolderId, MessageSummary, PageRequest};

use crate::case::Need::{Account, Folder, Messages, Operation};
use crate::case::{Answer, Case, Need, Outcome, expect, shown};
use crate::sample::Sample;
use crate::stage::{LARGE_PAGE, Stage, ids_of, list, list_as};

const RULE: &str = "email-account.wit: list-messages";
const NEEDS: &[Need] = &[Account, Operation("list-messages"), Folder, Messages];

pub(super) const CASES: &[Case] = &[
    Case {
        name: "list-messages/empty",
        demands: "An empty folder has one page without messages and without `next`.",
        rule: RULE,
        hint: "Many services answer differently when there is nothing; try a folder that was just made.",
        needs: &[Account, Operation("list-messages"), Folder],
        run: |stage| Box::pin(empty(stage)),
    },
    Case {
        name: "list-messages/pages",
        demands: "Whatever the page size, no message comes twice and none is lost.",
        rule: RULE,
        hint: "Let the page token name the last message rather than a number of messages.",
        needs: NEEDS,
        run: |stage| Box::pin(pages(stage)),
    },
    Case {
        name: "list-messages/order",
        demands: "Messages come oldest first.",
        rule: RULE,
        hint: "Ask the service to sort by the time of reception, rising.",
        needs: NEEDS,
        run: |stage| Box::pin(order(stage)),
    },
    Case {
        name: "list-messages/summary",
        demands: "What is said about a message is true: Message-ID, subject, time of reception, size, whether it is read. \
                  What is not known is left out.",
        rule: "email-account.wit: message",
        hint: "Decode the subject (RFC 2047); give moments as RFC 3339 with an offset.",
        needs: NEEDS,
        run: |stage| Box::pin(summary(stage)),
    },
    Case {
        name: "list-messages/unread-only",
        demands: "`unread-only` gives the unread messages and no others.",
        rule: "email-account.wit: page-request",
        hint: "Keep the filter on every page, not on the first alone.",
        needs: NEEDS,
        run: |stage| Box::pin(unread_only(stage)),
    },
    Case {
        name: "list-messages/received-since",
        demands: "`received-since` may give more messages than were received since, never fewer.",
        rule: "email-account.wit: page-request",
        hint: "Where the service knows days only, begin a day earlier: its day may begin elsewhere.",
        needs: NEEDS,
        run: |stage| Box::pin(received_since(stage)),
    },
    Case {
        name: "list-messages/meanwhile",
        demands: "A message that arrives or leaves while paging does not hide another one.",
        rule: RULE,
        hint: "Do not page by a number of messages to pass over.",
        needs: &[
            Account,
            Operation("list-messages"),
            Operation("append"),
            Operation("delete-messages"),
            Folder,
            Messages,
        ],
        run: |stage| Box::pin(meanwhile(stage)),
    },
    Case {
        name: "list-messages/unknown-folder",
        demands: "Listing a folder that does not exist is `not-found`, and the session goes on.",
        rule: "types.wit: error-kind.not-found",
        hint: "The service's own code for a missing folder is not-found.",
        needs: &[Account, Operation("list-messages"), Folder],
        run: |stage| Box::pin(unknown_folder(stage)),
    },
];

/// The messages' ids.
fn ids(messages: &[MessageSummary]) -> Vec<&str> {
    messages.iter().map(|message| message.id.as_str()).collect()
}

async fn empty(stage: &mut Stage) -> Outcome {
    let folder = stage.folder().await?;
    let mut session = stage.open().await?;
    let request = PageRequest { size: 10, ..PageRequest::default() };
    let page = session.list_messages(&folder.id, &request).await.works("list-messages")?;
    session.close().await;
    expect(page.messages.is_empty() && page.next.is_none(), "no message and no next page", || {
        format!("{} messages, next: {:?}", page.messages.len(), page.next)
    })
}

async fn pages(stage: &mut Stage) -> Outcome {
    let samples = Sample::series(7);
    let (folder, mut session, wanted) = stage.set_up(&samples).await?;
    for size in [1, 3, 7, LARGE_PAGE, u32::MAX] {
        let listed = list(&mut *session, &folder.id, size).await?;
        let different: BTreeSet<&str> = ids(&listed).into_iter().collect();
        let all = wanted.iter().all(|id| different.contains(id.as_str()));
        expect(
            all && different.len() == wanted.len() && listed.len() == wanted.len(),
            format!("7 messages once each, in pages of {size}"),
            || format!("{} messages, {} of them different", listed.len(), different.len()),
        )?;
    }
    session.close().await;
    Ok(())
}

async fn order(stage: &mut Stage) -> Outcome {
    let (folder, mut session, wanted) = stage.set_up(&Sample::series(5)).await?;
    for size in [2, LARGE_PAGE] {
        let listed = list(&mut *session, &folder.id, size).await?;
        let wanted: Vec<&str> = wanted.iter().map(|id| id.as_str()).collect();
        expect(ids(&listed) == wanted, format!("{} in pages of {size}", wanted.join(", ")), || {
            ids(&listed).join(", ")
        })?;
    }
    session.close().await;
    Ok(())
}

async fn summary(stage: &mut Stage) -> Outcome {
    let encoded = "=?utf-8?Q?Re=C3=A7u_=E2=82=AC?= 5";
    let samples = [Sample::with(encoded, "", b"Text\r\n", 3), Sample::plain(1).read()];
    let (folder, mut session, wanted) = stage.set_up(&samples).await?;
    let listed = list(&mut *session, &folder.id, LARGE_PAGE).await?;
    session.close().await;
    let subjects = ["Re\u{e7}u \u{20ac} 5", "A plain message"];
    for ((sample, id), subject) in samples.iter().zip(&wanted).zip(subjects) {
        let Some(message) = listed.iter().find(|message| message.id == *id) else { continue };
        let what = &sample.message_id;
        let told = message.internet_message_id.as_ref();
        expect(told.is_none_or(|told| told == what), format!("the Message-ID {what}"), || {
            format!("{told:?}")
        })?;
        let told = message.subject.as_deref();
        expect(told.is_none_or(|told| told == subject), format!("the subject '{subject}'"), || {
            format!("{told:?}")
        })?;
        let told = message.received.map(|moment| moment.as_second());
        expect(
            told.is_none_or(|told| told == sample.received.as_second()),
            format!("received {}", sample.received),
            || format!("{:?}", message.received),
        )?;
        expect(message.size != Some(0), "a size, or none", || "0 octets".to_owned())?;
        let read = message.read;
        expect(read.is_none_or(|read| read == sample.read), format!("read: {}", sample.read), || {
            format!("{read:?}")
        })?;
        expect(message.sender.as_deref() != Some(""), "a sender, or none", || "an empty text".to_owned())?;
    }
    Ok(())
}

async fn unread_only(stage: &mut Stage) -> Outcome {
    let samples = [Sample::plain(4), Sample::plain(3).read(), Sample::plain(2), Sample::plain(1).read()];
    let (folder, mut session, wanted) = stage.set_up(&samples).await?;
    let unread: Vec<&str> =
        wanted.iter().zip(&samples).filter(|(_, s)| !s.read).map(|(id, _)| id.as_str()).collect();
    for size in [1, LARGE_PAGE] {
        let request = PageRequest { size, unread_only: true, ..PageRequest::default() };
        let listed = list_as(&mut *session, &folder.id, &request).await?;
        expect(ids(&listed) == unread, format!("{} in pages of {size}", unread.join(", ")), || {
            ids(&listed).join(", ")
        })?;
    }
    session.close().await;
    Ok(())
}

async fn received_since(stage: &mut Stage) -> Outcome {
    let samples: Vec<Sample> = [400, 40, 4, 3, 2, 1].map(Sample::plain).to_vec();
    let (folder, mut session, wanted) = stage.set_up(&samples).await?;
    for (index, first) in samples.iter().enumerate() {
        let since = Some(first.received);
        let request = PageRequest { size: 2, received_since: since, ..PageRequest::default() };
        let listed = list_as(&mut *session, &folder.id, &request).await?;
        let shown: BTreeSet<&str> = ids(&listed).into_iter().collect();
        let lost: Vec<&str> =
            wanted.iter().skip(index).map(|id| id.as_str()).filter(|id| !shown.contains(id)).collect();
        expect(lost.is_empty(), format!("every message received since {}", first.received), || {
            format!("without {}", lost.join(", "))
        })?;
        expect(listed.len() == shown.len(), "each message once", || ids(&listed).join(", "))?;
    }
    session.close().await;
    Ok(())
}

async fn meanwhile(stage: &mut Stage) -> Outcome {
    stage.several_sessions()?;
    let (folder, mut session, wanted) = stage.set_up(&Sample::series(6)).await?;
    let mut request = PageRequest { size: 2, ..PageRequest::default() };
    let first = session.list_messages(&folder.id, &request).await.works("list-messages")?;
    let (mut shown, mut next) = (first.messages, first.next);
    // Of those that were shown already one leaves; another one arrives.
    let mut other = stage.open().await?;
    if let Some(gone) = wanted.first() {
        other.delete_messages(std::slice::from_ref(gone)).await.works("delete-messages")?;
    }
    let arrival = Sample::plain(0);
    other.append(&folder.id, arrival.source(), arrival.info()).await.works("append")?;
    other.close().await;
    let mut pages = 0;
    while let Some(token) = next {
        request.after = Some(token);
        let page = session.list_messages(&folder.id, &request).await.works("list-messages")?;
        shown.extend(page.messages);
        next = page.next;
        pages += 1;
        expect(pages < 1_000, "the listing ends", || "1,000 pages".to_owned())?;
    }
    session.close().await;
    let shown_ids: BTreeSet<&str> = ids(&shown).into_iter().collect();
    let hidden: Vec<&str> =
        wanted.iter().skip(1).map(|id| id.as_str()).filter(|id| !shown_ids.contains(id)).collect();
    expect(hidden.is_empty(), "every message that was there all the time", || {
        format!("without {}", hidden.join(", "))
    })?;
    expect(shown.len() == shown_ids.len(), "each message once", || ids(&shown).join(", "))
}

async fn unknown_folder(stage: &mut Stage) -> Outcome {
    let folder = stage.folder().await?;
    let mut session = stage.open().await?;
    let nowhere = FolderId::from("wissel-conformance-no-such-folder");
    let request = PageRequest { size: 10, ..PageRequest::default() };
    let answer = session.list_messages(&nowhere, &request).await;
    let error = answer.refused("not-found for a folder that is not there")?;
    expect(
        error.kind == ErrorKind::NotFound && !error.session_lost,
        "not-found, and the session goes on",
        || shown(&error),
    )?;
    ids_of(&mut *session, &folder.id, &[], stage.settling()).await?;
    session.close().await;
    Ok(())
}
