//! Cases about `find-folder`.

use wissel_model::{ErrorKind, FolderAddress, FolderId};

use crate::case::Need::{Account, Folder, Messages, Operation};
use crate::case::{Answer, Case, Outcome, expect, shown};
use crate::sample::Sample;
use crate::stage::{Stage, list_settled};

const RULE: &str = "email-account.wit: find-folder";

pub(super) const CASES: &[Case] = &[
    Case {
        name: "find-folder/by-path",
        demands: "A path of display names finds the folder, without regard to case.",
        rule: "email-account.wit: folder-address",
        hint: "Compare names as the service shows them, folded to one case.",
        needs: &[Account, Operation("find-folder"), Folder],
        run: |stage| Box::pin(by_path(stage)),
    },
    Case {
        name: "find-folder/by-id",
        demands: "An id that the connector gave finds the folder.",
        rule: "email-account.wit: folder-address",
        hint: "The host stores ids and returns them unchanged.",
        needs: &[Account, Operation("find-folder"), Folder],
        run: |stage| Box::pin(by_id(stage)),
    },
    Case {
        name: "find-folder/not-found",
        demands: "A folder that is not there is `not-found`, the error names the part of the path that is missing, and \
                  the session goes on.",
        rule: RULE,
        hint: "Go through the path name by name and stop at the first that is missing.",
        needs: &[Account, Operation("find-folder"), Folder],
        run: |stage| Box::pin(not_found(stage)),
    },
    Case {
        name: "find-folder/unknown-id",
        demands: "An id that names no folder is `not-found`, whatever it looks like.",
        rule: RULE,
        hint: "An id that cannot be read was not made by this connector: not-found, no trap.",
        needs: &[Account, Operation("find-folder")],
        run: |stage| Box::pin(unknown_id(stage)),
    },
    Case {
        name: "find-folder/counts",
        demands: "`total` and `unread` are current where they are given.",
        rule: RULE,
        hint: "Ask the service anew at each call.",
        needs: &[Account, Operation("find-folder"), Operation("list-messages"), Folder, Messages],
        run: |stage| Box::pin(counts(stage)),
    },
];

async fn by_path(stage: &mut Stage) -> Outcome {
    let made = stage.folder().await?;
    let upper = made.path.iter().map(|name| name.to_uppercase()).collect();
    let mut session = stage.open().await?;
    for path in [made.path.clone(), upper] {
        let text = path.join("/");
        let found = session.find_folder(&FolderAddress::Path(path)).await;
        let found = found.works(&format!("find-folder '{text}'"))?;
        expect(found.id == made.id, format!("'{text}' is '{}'", made.id), || format!("'{}'", found.id))?;
        expect(found.path == made.path, format!("the path {:?}", made.path), || format!("{:?}", found.path))?;
    }
    session.close().await;
    Ok(())
}

async fn by_id(stage: &mut Stage) -> Outcome {
    let made = stage.folder().await?;
    let mut session = stage.open().await?;
    let found = session.find_folder(&FolderAddress::Id(made.id.clone())).await.works("find-folder by id")?;
    session.close().await;
    expect(found.id == made.id && found.path == made.path, format!("'{}'", made.display_path()), || {
        format!("'{}' with the id '{}'", found.display_path(), found.id)
    })
}

async fn not_found(stage: &mut Stage) -> Outcome {
    let made = stage.folder().await?;
    let mut session = stage.open().await?;
    let gone = ["Nowhere at all", "Below it"].map(str::to_owned);
    let path = [made.path.as_slice(), &gone].concat();
    let answer = session.find_folder(&FolderAddress::Path(path)).await;
    let error = answer.refused("not-found for a path that is not there")?;
    expect(
        error.kind == ErrorKind::NotFound && !error.session_lost,
        "not-found, and the session goes on",
        || shown(&error),
    )?;
    expect(
        error.message.contains("Nowhere at all"),
        "the error names 'Nowhere at all', which is missing",
        || error.message.clone(),
    )?;
    session.find_folder(&FolderAddress::Id(made.id)).await.works("find-folder, after an error")?;
    session.close().await;
    Ok(())
}

async fn unknown_id(stage: &mut Stage) -> Outcome {
    let mut session = stage.open().await?;
    for id in ["wissel-conformance-no-such-folder", "\u{2603}", "%00", "../..", "a\"b\\c"] {
        let answer = session.find_folder(&FolderAddress::Id(FolderId::from(id))).await;
        let error = answer.refused(&format!("not-found for the id '{id}'"))?;
        expect(error.kind == ErrorKind::NotFound, format!("not-found for the id '{id}'"), || shown(&error))?;
        expect(!error.session_lost, "the session goes on", || shown(&error))?;
    }
    session.close().await;
    Ok(())
}

async fn counts(stage: &mut Stage) -> Outcome {
    let folder = stage.folder().await?;
    stage.put(&folder, &[Sample::plain(3), Sample::plain(2).read(), Sample::plain(1)]).await?;
    let mut session = stage.open().await?;
    let at = FolderAddress::Id(folder.id.clone());
    // Once before, and with the folder listed, so that a count that is kept too long shows.
    session.find_folder(&at).await.works("find-folder")?;
    list_settled(&mut *session, &folder.id, 3, stage.settling()).await?;
    stage.put(&folder, &[Sample::plain(1)]).await?;
    let mut other = stage.open().await?;
    list_settled(&mut *other, &folder.id, 4, stage.settling()).await?;
    other.close().await;
    let found = session.find_folder(&at).await.works("find-folder")?;
    session.close().await;
    let (total, unread) = (found.total.unwrap_or(4), found.unread.unwrap_or(3));
    expect((total, unread) == (4, 3), "4 messages, 3 of them unread", || format!("{total}, {unread} unread"))
}
