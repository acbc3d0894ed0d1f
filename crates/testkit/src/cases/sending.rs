//! Cases about `send` and `find-sent`. A message is sent only to an address that the operator gave.

use std::time::Duration;

use wissel_model::connector::Envelope;

use crate::case::Need::{Account, Operation, Recipient};
use crate::case::{Answer, Case, Outcome, Stop, expect, failed, shown};
use crate::sample::Sample;
use crate::stage::Stage;

pub(super) const CASES: &[Case] = &[
    Case {
        name: "send/receipt",
        demands: "A message that is sent gets a receipt with its Message-ID; where `find-sent` is declared, it is found.",
        rule: "email-account.wit: send",
        hint: "The receipt names the Message-ID that it went out with, which a service may have changed.",
        needs: &[Account, Operation("send"), Operation("check"), Recipient],
        run: |stage| Box::pin(receipt(stage)),
    },
    Case {
        name: "find-sent/none",
        demands: "A message that was never sent is not found, and that is no error.",
        rule: "email-account.wit: find-sent",
        hint: "Answer none; compare the whole Message-ID, angle brackets included.",
        needs: &[Account, Operation("find-sent")],
        run: |stage| Box::pin(none(stage)),
    },
];

async fn receipt(stage: &mut Stage) -> Outcome {
    let Some(recipient) = stage.options.recipient.clone() else {
        return Err(Stop::NotApplicable("no address that may be sent to was given".to_owned()));
    };
    let mut session = stage.open().await?;
    let sender = session.check().await.works("check")?.mailbox;
    let sample = Sample::plain(0);
    let envelope = Envelope {
        sender,
        recipients: vec![recipient],
        internet_message_id: sample.message_id.clone(),
        save_copy: true,
    };
    let receipt = match session.send(&envelope, sample.source()).await {
        Ok(receipt) => receipt,
        Err(error) => {
            let seen = format!("{}, {:?}", shown(&error.reason), error.certainty);
            return failed("send succeeds", seen);
        }
    };
    expect(!receipt.internet_message_id.is_empty(), "the Message-ID that it went out with", || {
        "an empty text".to_owned()
    })?;
    expect(receipt.refused.is_empty(), "no recipient is refused", || format!("{:?}", receipt.refused))?;
    if stage.supports("find-sent") {
        // A service may take a while to show what it sent.
        for _ in 0..60 {
            let found = session.find_sent(&receipt.internet_message_id).await.works("find-sent")?;
            if found.is_some() {
                session.close().await;
                return Ok(());
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        return failed("find-sent finds what was sent", "nothing within a minute");
    }
    session.close().await;
    Ok(())
}

async fn none(stage: &mut Stage) -> Outcome {
    let mut session = stage.open().await?;
    let found = session.find_sent("<never-sent@conformance.invalid>").await.works("find-sent")?;
    session.close().await;
    expect(found.is_none(), "none", || format!("{found:?}"))
}
