//! Cases about errors in general, and about operations that are not declared.

use std::sync::Arc;

use wissel_model::connector::Envelope;
use wissel_model::{
    ConnectorError, DeliveryInfo, ErrorKind, FolderAddress, FolderId, MessageId, PageRequest, Session,
};

use crate::case::Need::{Account, Operation};
use crate::case::{Answer, Case, Outcome, expect, shown};
use crate::collector::Collector;
use crate::sample::Sample;
use crate::stage::Stage;

/// The operations of the contract.
const OPERATIONS: [&str; 15] = [
    "check",
    "folders",
    "find-folder",
    "create-folder",
    "list-messages",
    "changes",
    "fetch",
    "move-messages",
    "mark-messages",
    "delete-messages",
    "append",
    "send",
    "find-sent",
    "translate",
    "wait",
];

pub(super) const CASES: &[Case] = &[
    Case {
        name: "errors/undeclared",
        demands: "An operation that is not declared is `unsupported`, and the session goes on.",
        rule: "email-account.wit: email-account",
        hint: "Declare every operation that works, and no other.",
        needs: &[Account],
        run: |stage| Box::pin(undeclared(stage)),
    },
    Case {
        name: "errors/sentence",
        demands: "An error is one sentence for the operator, on one line, without control characters.",
        rule: "types.wit: error",
        hint: "Clean what the service says before it goes into a message, and cut it to a readable length.",
        needs: &[Account, Operation("find-folder")],
        run: |stage| Box::pin(sentence(stage)),
    },
];

/// Calls an operation with ids of nothing; only how it is refused matters.
async fn call(session: &mut dyn Session, operation: &str) -> Result<(), ConnectorError> {
    let folder = FolderId::from("wissel-conformance-no-such-folder");
    let messages = [MessageId::from("wissel-conformance-no-such-message")];
    let sample = Sample::plain(1);
    match operation {
        "check" => session.check().await.map(drop),
        "folders" => session.folders(None, false).await.map(drop),
        "find-folder" => session.find_folder(&FolderAddress::Id(folder)).await.map(drop),
        "create-folder" => session.create_folder(&[]).await.map(drop),
        "list-messages" => session.list_messages(&folder, &PageRequest::default()).await.map(drop),
        "changes" => session.changes(&folder, None).await.map(drop),
        "fetch" => session.fetch(&messages, Box::new(Collector::of(&messages))).await,
        "move-messages" => session.move_messages(&messages, &folder, false).await.map(drop),
        "mark-messages" => session.mark_messages(&messages, true).await.map(drop),
        "delete-messages" => session.delete_messages(&messages).await.map(drop),
        "append" => session.append(&folder, sample.source(), DeliveryInfo::default()).await.map(drop),
        "send" => {
            // Nobody is written to, should it be sent all the same.
            let envelope = Envelope {
                sender: "kit@conformance.invalid".to_owned(),
                recipients: Vec::new(),
                internet_message_id: sample.message_id.clone(),
                save_copy: false,
            };
            session
                .send(&envelope, Arc::clone(&sample.source()))
                .await
                .map(drop)
                .map_err(|error| error.reason)
        }
        "find-sent" => session.find_sent(&sample.message_id).await.map(drop),
        "translate" => session.translate(&messages, "a", "b").await.map(drop),
        _ => session.wait(&folder, 1).await.map(drop),
    }
}

async fn undeclared(stage: &mut Stage) -> Outcome {
    let mut session = stage.open().await?;
    for operation in OPERATIONS.into_iter().filter(|operation| !stage.supports(operation)) {
        let answer = call(&mut *session, operation).await;
        let error = answer.refused(&format!("unsupported for '{operation}', which is not declared"))?;
        expect(
            error.kind == ErrorKind::Unsupported && !error.session_lost,
            format!("unsupported for '{operation}', and the session goes on"),
            || shown(&error),
        )?;
    }
    session.close().await;
    Ok(())
}

async fn sentence(stage: &mut Stage) -> Outcome {
    let mut session = stage.open().await?;
    let mut errors = Vec::new();
    for name in ["no\r\nsuch", "\u{1b}[31mred", "a\u{0}b"] {
        let path = vec![name.to_owned()];
        let answer = session.find_folder(&FolderAddress::Path(path)).await;
        errors.push(answer.refused(&format!("an error for the folder {name:?}"))?);
    }
    session.close().await;
    for error in errors {
        expect(!error.message.trim().is_empty(), "a sentence", || "an empty text".to_owned())?;
        expect(!error.message.contains(char::is_control), "no control characters", || {
            format!("{:?}", error.message)
        })?;
        expect(error.message.chars().count() <= 1_000, "a readable length", || {
            format!("{} characters", error.message.chars().count())
        })?;
        expect(error.kind != ErrorKind::Fault, "an error of the connector's own", || shown(&error))?;
    }
    Ok(())
}
