//! Cases about `create-folder`, and names that services and connectors stumble over.

use wissel_model::{ErrorKind, Folder as Node, FolderAddress, Session};

use crate::case::Need::{Account, Folder, Operation};
use crate::case::{Answer, Case, Need, Outcome, expect, failed, shown};
use crate::stage::Stage;

const RULE: &str = "email-account.wit: create-folder";
const NEEDS: &[Need] =
    &[Account, Operation("create-folder"), Operation("find-folder"), Operation("folders"), Folder];

/// Names that every service can hold, in one way or another.
const NAMES: [&str; 10] = [
    "Entw\u{fc}rfe & \u{c4}nderungen",
    "R&D",
    "&-",
    "Facturen (2026), deel 1",
    "It's here",
    "caf\u{e9} \u{20ac}",
    "\u{6536}\u{4ef6}\u{7bb1}",
    "\u{1f4e7} post",
    "with  two spaces",
    "~tilde+plus=equals",
];

/// Names with characters that mean something to some services, which may refuse them.
const RISKY: [&str; 6] = ["50% done", "star*", "say \"hello\"", "back\\slash", "sl/ash", "dotted.name"];

pub(super) const CASES: &[Case] = &[
    Case {
        name: "create-folder/nested",
        demands: "`create-folder` makes the folder and its missing parents.",
        rule: RULE,
        hint: "Make each missing part of the path, from the top.",
        needs: NEEDS,
        run: |stage| Box::pin(nested(stage)),
    },
    Case {
        name: "create-folder/again",
        demands: "`create-folder` returns the folder that is there already.",
        rule: RULE,
        hint: "Where the service answers that it exists, look it up.",
        needs: NEEDS,
        run: |stage| Box::pin(again(stage)),
    },
    Case {
        name: "create-folder/odd-names",
        demands: "A name with accents, ampersands, quotes, spaces, other scripts or emoji is kept as it is.",
        rule: "email-account.wit: folder",
        hint: "Encode names as the service wants them, some in an alphabet of their own, and decode them when listing.",
        needs: NEEDS,
        run: |stage| Box::pin(odd_names(stage)),
    },
    Case {
        name: "create-folder/separators",
        demands: "A name with a separator, wildcard, quote or backslash makes one folder of that name, or is refused with \
                  a typed error; it never makes another folder.",
        rule: "email-account.wit: folder",
        hint: "Refuse with `unsupported` what the service cannot hold; escape wildcards where it can.",
        needs: NEEDS,
        run: |stage| Box::pin(separators(stage)),
    },
];

fn path(folder: &Node, names: &[&str]) -> Vec<String> {
    folder.path.iter().cloned().chain(names.iter().map(|name| (*name).to_owned())).collect()
}

async fn nested(stage: &mut Stage) -> Outcome {
    let top = stage.folder().await?;
    let mut session = stage.open().await?;
    let wanted = path(&top, &["One", "Two", "Three"]);
    let made = session.create_folder(&wanted).await.works("create-folder")?;
    stage.remember(&made);
    expect(made.path == wanted, format!("the path {wanted:?}"), || format!("{:?}", made.path))?;
    for depth in 1..=3 {
        let part: Vec<String> = wanted.iter().take(top.path.len() + depth).cloned().collect();
        let text = part.join("/");
        session.find_folder(&FolderAddress::Path(part)).await.works(&format!("find-folder '{text}'"))?;
    }
    session.close().await;
    Ok(())
}

async fn again(stage: &mut Stage) -> Outcome {
    let top = stage.folder().await?;
    let mut session = stage.open().await?;
    let wanted = path(&top, &["Once"]);
    let first = session.create_folder(&wanted).await.works("create-folder")?;
    stage.remember(&first);
    let second = session.create_folder(&wanted).await.works("create-folder, of a folder that is there")?;
    let mut other = stage.open().await?;
    let third = other.create_folder(&wanted).await.works("create-folder, from another session")?;
    other.close().await;
    expect(second.id == first.id && third.id == first.id, format!("'{}' each time", first.id), || {
        format!("'{}' and '{}'", second.id, third.id)
    })?;
    let below = session.folders(Some(&top.id), true).await.works("folders")?;
    session.close().await;
    expect(below.len() == 1, "one folder", || format!("{} folders", below.len()))
}

/// Checks that the folder that was made has this name, is the one below `top` that is listed, and is found by name.
async fn expect_kept(session: &mut dyn Session, top: &Node, made: &Node, name: &str) -> Outcome {
    let wanted = path(top, &[name]);
    expect(made.path == wanted, format!("a folder named '{name}'"), || format!("{:?}", made.path))?;
    let listed = session.folders(Some(&top.id), true).await.works("folders")?;
    let same = listed.iter().filter(|folder| folder.id == made.id && folder.path == wanted).count();
    expect(same == 1, format!("'{name}' in the list of folders"), || {
        listed.iter().map(Node::display_path).collect::<Vec<_>>().join(", ")
    })?;
    let found = session.find_folder(&FolderAddress::Path(wanted)).await;
    let found = found.works(&format!("find-folder '{name}'"))?;
    expect(found.id == made.id, format!("'{name}' by its path"), || found.display_path())
}

async fn odd_names(stage: &mut Stage) -> Outcome {
    let top = stage.folder().await?;
    let mut session = stage.open().await?;
    for name in NAMES {
        let made = session.create_folder(&path(&top, &[name])).await;
        let made = made.works(&format!("create-folder '{name}'"))?;
        stage.remember(&made);
        expect_kept(&mut *session, &top, &made, name).await?;
    }
    session.close().await;
    Ok(())
}

async fn separators(stage: &mut Stage) -> Outcome {
    let top = stage.folder().await?;
    let mut session = stage.open().await?;
    for name in RISKY {
        let before = session.folders(Some(&top.id), true).await.works("folders")?.len();
        match session.create_folder(&path(&top, &[name])).await {
            Ok(made) => {
                stage.remember(&made);
                expect_kept(&mut *session, &top, &made, name).await?;
            }
            Err(error) => {
                let typed = !matches!(
                    error.kind,
                    ErrorKind::Fault | ErrorKind::Temporary | ErrorKind::Cancelled | ErrorKind::Throttled
                );
                if !typed || error.session_lost {
                    let expected =
                        format!("'{name}' is made, or refused in a way that the host does not repeat");
                    return failed(expected, shown(&error));
                }
                let after = session.folders(Some(&top.id), true).await.works("folders")?.len();
                expect(after == before, format!("nothing is made when '{name}' is refused"), || {
                    format!("{after} folders instead of {before}")
                })?;
            }
        }
    }
    session.close().await;
    Ok(())
}
