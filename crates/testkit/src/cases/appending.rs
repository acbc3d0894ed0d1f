//! Cases about `append`.

use wissel_model::{ErrorKind, FolderId};

use crate::case::Need::{Account, Folder, Operation};
use crate::case::{Answer, Case, Need, Outcome, expect, shown};
use crate::sample::Sample;
use crate::stage::{Stage, ids_of};

const RULE: &str = "email-account.wit: append";
const NEEDS: &[Need] = &[Account, Operation("append"), Operation("list-messages"), Folder];

pub(super) const CASES: &[Case] = &[
    Case {
        name: "append/id",
        demands: "The id that `append` returns, where it returns one, is that of the message in the folder.",
        rule: RULE,
        hint: "Return none where the service does not tell the id; do not guess it.",
        needs: NEEDS,
        run: |stage| Box::pin(id(stage)),
    },
    Case {
        name: "append/unknown-folder",
        demands: "`append` into a folder that does not exist is `not-found`, and the session goes on.",
        rule: "types.wit: error-kind.not-found",
        hint: "The service's own code for a missing folder is not-found, also when it comes late.",
        needs: NEEDS,
        run: |stage| Box::pin(unknown_folder(stage)),
    },
];

async fn id(stage: &mut Stage) -> Outcome {
    let folder = stage.folder().await?;
    let mut session = stage.open().await?;
    let samples = Sample::series(3);
    let mut told = Vec::new();
    for sample in &samples {
        told.push(session.append(&folder.id, sample.source(), sample.info()).await.works("append")?);
    }
    let listed = ids_of(&mut *session, &folder.id, &samples, stage.settling()).await?;
    session.close().await;
    for (told, listed) in told.into_iter().zip(listed) {
        let Some(told) = told else { continue };
        expect(told == listed, format!("'{listed}', as it is listed"), || format!("'{told}'"))?;
    }
    Ok(())
}

async fn unknown_folder(stage: &mut Stage) -> Outcome {
    let folder = stage.folder().await?;
    let sample = Sample::plain(1);
    let mut session = stage.open().await?;
    let nowhere = FolderId::from("wissel-conformance-no-such-folder");
    let answer = session.append(&nowhere, sample.source(), sample.info()).await;
    let error = answer.refused("not-found for a folder that is not there")?;
    expect(
        error.kind == ErrorKind::NotFound && !error.session_lost,
        "not-found, and the session goes on",
        || shown(&error),
    )?;
    session.append(&folder.id, sample.source(), sample.info()).await.works("append, after an error")?;
    session.close().await;
    Ok(())
}
