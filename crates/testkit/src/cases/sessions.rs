//! Cases about opening, closing and sharing sessions.

use wissel_model::{ErrorKind, OpenOptions, PageRequest};

use crate::case::Need::{Account, Folder, Messages, Operation, Refused, Unreachable};
use crate::case::{Answer, Case, Outcome, Stop, expect, failed, shown};
use crate::sample::Sample;
use crate::stage::{LARGE_PAGE, Stage, fetch, list, list_as};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "session/unreachable",
        demands: "Without a network, opening or the first operation ends in a typed error, not in a trap.",
        rule: "email-account.wit: session.open",
        hint: "Return the host's error as it is; no `unwrap` on the way to the first answer.",
        needs: &[Unreachable],
        run: |stage| Box::pin(unreachable(stage)),
    },
    Case {
        name: "session/close",
        demands: "A session can be closed at once, and after it another one opened.",
        rule: "email-account.wit: session.close",
        hint: "Say goodbye without waiting for the answer.",
        needs: &[Account, Operation("check")],
        run: |stage| Box::pin(close(stage)),
    },
    Case {
        name: "session/two-at-once",
        demands: "Two sessions of one account work side by side, each with a state of its own.",
        rule: "types.wit: rules that hold everywhere",
        hint: "Keep what belongs to a session in the session; say `parallelSessions: 1` where the service allows one.",
        needs: &[Account, Operation("list-messages"), Operation("fetch"), Folder, Messages],
        run: |stage| Box::pin(two_at_once(stage)),
    },
    Case {
        name: "session/refused",
        demands: "A credential that the service refuses is `authorization-needed`, at opening or at the first operation.",
        rule: "types.wit: error-kind.authorization-needed",
        hint: "Keep the service's code; do not try again with the same credential.",
        needs: &[Account, Refused],
        run: |stage| Box::pin(refused(stage)),
    },
];

async fn unreachable(stage: &mut Stage) -> Outcome {
    let Some(connectors) = stage.options.unreachable.clone() else {
        return Err(Stop::NotApplicable("no connectors without a network were given".to_owned()));
    };
    let account = &stage.subject.account;
    let options = OpenOptions { purpose: "conformance".to_owned(), ..OpenOptions::default() };
    let error = match connectors.open(account, options).await {
        Err(error) => error,
        Ok(mut session) => {
            let operation = ["check", "folders", "find-folder"].into_iter().find(|o| stage.supports(o));
            let answer = match operation {
                Some("check") => session.check().await.map(drop),
                Some("folders") => session.folders(None, false).await.map(drop),
                Some(_) => session
                    .find_folder(&wissel_model::FolderAddress::Path(vec!["A".to_owned()]))
                    .await
                    .map(drop),
                None => return Err(Stop::NotApplicable("no operation that opens a connection".to_owned())),
            };
            session.close().await;
            answer.refused("a typed error without a network")?
        }
    };
    expect(error.kind != ErrorKind::Fault, "a typed error, no trap", || shown(&error))?;
    expect(!error.message.trim().is_empty(), "a sentence for the operator", || "an empty text".to_owned())
}

async fn close(stage: &mut Stage) -> Outcome {
    stage.open().await?.close().await;
    let mut session = stage.open().await?;
    session.check().await.works("check")?;
    session.close().await;
    let mut session = stage.open().await?;
    session.check().await.works("check, in a session after one that was closed")?;
    session.close().await;
    Ok(())
}

async fn two_at_once(stage: &mut Stage) -> Outcome {
    stage.several_sessions()?;
    let samples = Sample::series(5);
    let (folder, mut first, ids) = stage.set_up(&samples).await?;
    let mut second = stage.open().await?;
    // Each in the middle of something of its own.
    let request = PageRequest { size: 2, ..PageRequest::default() };
    let page = first.list_messages(&folder.id, &request).await.works("list-messages")?;
    let (delivered, listed) =
        tokio::join!(fetch(&mut *second, &ids), list(&mut *first, &folder.id, LARGE_PAGE));
    let (delivered, listed) = (delivered?, listed?);
    expect(delivered.ended.len() == 5, "5 messages in one session", || delivered.ended.len().to_string())?;
    expect(listed.len() == 5, "5 messages in the other", || listed.len().to_string())?;
    // Another listing of the same folder in between: each goes on where it was.
    second.list_messages(&folder.id, &request).await.works("list-messages, in the other session")?;
    let mut shown: Vec<_> = page.messages.into_iter().map(|message| message.id).collect();
    if let Some(after) = page.next {
        let rest = PageRequest { after: Some(after), size: LARGE_PAGE, ..PageRequest::default() };
        let rest = list_as(&mut *first, &folder.id, &rest).await?;
        shown.extend(rest.into_iter().map(|message| message.id));
    }
    expect(shown == ids, "the rest of the first session's listing", || format!("{shown:?} in all"))?;
    first.close().await;
    let again = fetch(&mut *second, &ids).await?;
    second.close().await;
    expect(again.ended.len() == 5, "5 messages after the other session was closed", || {
        again.ended.len().to_string()
    })
}

async fn refused(stage: &mut Stage) -> Outcome {
    let Some(refused) = stage.options.refused.clone() else {
        return Err(Stop::NotApplicable("no account with a refused credential was given".to_owned()));
    };
    let options = OpenOptions { purpose: "conformance".to_owned(), ..OpenOptions::default() };
    let error = match refused.connectors.open(&refused.account, options).await {
        Err(error) => error,
        Ok(mut session) => match session.folders(None, false).await {
            Err(error) => error,
            Ok(_) => return failed("authorization-needed", "the session works"),
        },
    };
    expect(error.kind == ErrorKind::AuthorizationNeeded, "authorization-needed", || shown(&error))
}
