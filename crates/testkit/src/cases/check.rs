//! Cases about `check`.

use crate::case::Need::{Account, Folder, Messages, Operation};
use crate::case::{Answer, Case, Outcome, expect};
use crate::sample::Sample;
use crate::stage::{LARGE_PAGE, Stage, list};

const RULE: &str = "email-account.wit: check";

pub(super) const CASES: &[Case] = &[
    Case {
        name: "check/identity",
        demands: "`check` says which mailbox the session works on, the same each time, in texts that can be shown.",
        rule: RULE,
        hint: "Fill `mailbox` with an address or user name; keep control characters out of facts.",
        needs: &[Account, Operation("check")],
        run: |stage| Box::pin(identity(stage)),
    },
    Case {
        name: "check/changes-nothing",
        demands: "`check` never changes anything in the mailbox.",
        rule: RULE,
        hint: "Look for commands that open a folder for writing, make folders or mark messages.",
        needs: &[
            Account,
            Operation("check"),
            Operation("folders"),
            Operation("list-messages"),
            Folder,
            Messages,
        ],
        run: |stage| Box::pin(changes_nothing(stage)),
    },
];

async fn identity(stage: &mut Stage) -> Outcome {
    let mut session = stage.open().await?;
    let first = session.check().await.works("check")?;
    let second = session.check().await.works("check, the second time")?;
    session.close().await;
    expect(!first.mailbox.trim().is_empty(), "the mailbox is named", || "an empty text".to_owned())?;
    expect(first.mailbox == second.mailbox, format!("'{}' each time", first.mailbox), || {
        format!("'{}' the second time", second.mailbox)
    })?;
    let texts = first.facts.iter().flat_map(|(label, value)| [label, value]).chain([&first.mailbox]);
    let raw: Vec<&String> = texts.filter(|text| text.contains(char::is_control)).collect();
    expect(raw.is_empty(), "texts without control characters", || format!("{raw:?}"))?;
    let nameless = first.facts.iter().filter(|(label, _)| label.trim().is_empty()).count();
    expect(nameless == 0, "facts with labels", || format!("{nameless} without"))
}

async fn changes_nothing(stage: &mut Stage) -> Outcome {
    let (folder, mut session, _) = stage.set_up(&[Sample::plain(2), Sample::plain(1).read()]).await?;
    let tree = |folders: Vec<wissel_model::Folder>| {
        let mut ids: Vec<_> = folders.into_iter().map(|folder| folder.id).collect();
        ids.sort();
        ids
    };
    let before = list(&mut *session, &folder.id, LARGE_PAGE).await?;
    let folders = tree(session.folders(None, true).await.works("folders")?);
    session.check().await.works("check")?;
    let after = list(&mut *session, &folder.id, LARGE_PAGE).await?;
    let folders_after = tree(session.folders(None, true).await.works("folders")?);
    session.close().await;
    expect(before == after, "the messages as before", || format!("{after:?} instead of {before:?}"))?;
    expect(folders == folders_after, "the folders as before", || {
        format!("{} folders instead of {}", folders_after.len(), folders.len())
    })
}
