//! Cases about `folders`.

use std::collections::BTreeSet;

use wissel_model::{Folder as Node, FolderAddress, FolderRole};

use crate::case::Need::{Account, Folder, Operation};
use crate::case::{Answer, Case, Outcome, expect, failed};
use crate::stage::Stage;

const RULE: &str = "email-account.wit: folders";
const ON_TREE: &[crate::case::Need] =
    &[Account, Operation("folders"), Operation("create-folder"), Operation("find-folder"), Folder];

pub(super) const CASES: &[Case] = &[
    Case {
        name: "folders/all-levels",
        demands: "`folders` with `recursive` gives every level below a folder, each folder once.",
        rule: RULE,
        hint: "Follow paging of the folder list to its end, also below the first level.",
        needs: ON_TREE,
        run: |stage| Box::pin(all_levels(stage)),
    },
    Case {
        name: "folders/one-level",
        demands: "`folders` without `recursive` gives the direct children alone.",
        rule: RULE,
        hint: "Leave out the folder itself, and its children's children.",
        needs: ON_TREE,
        run: |stage| Box::pin(one_level(stage)),
    },
    Case {
        name: "folders/hierarchy",
        demands: "`parent` is the id of the folder above, and `path` the names from the top.",
        rule: "email-account.wit: folder",
        hint: "A folder's path is its parent's path and its own display name.",
        needs: &[Account, Operation("folders")],
        run: |stage| Box::pin(hierarchy(stage)),
    },
    Case {
        name: "folders/ids-stable",
        demands: "A folder's id is the same in every session, and names that folder.",
        rule: "types.wit: folder-id",
        hint: "Build ids of what the service keeps, not of places in a list.",
        needs: ON_TREE,
        run: |stage| Box::pin(ids_stable(stage)),
    },
    Case {
        name: "folders/roles",
        demands: "Well-known folders have their role, no role is given twice, and each is found by it.",
        rule: "email-account.wit: folder-role",
        hint: "There is an inbox at least; take roles from the service's own marks, not from names alone.",
        needs: &[Account, Operation("folders"), Operation("find-folder")],
        run: |stage| Box::pin(roles(stage)),
    },
];

/// The case's folder, with `A`, `A/B`, `A/B/C` and `D` below it.
async fn tree(stage: &mut Stage) -> Outcome<Node> {
    let top = stage.folder().await?;
    let mut session = stage.open().await?;
    for below in [&["A", "B", "C"][..], &["D"]] {
        let path = [top.path.clone(), below.iter().map(|name| (*name).to_owned()).collect()].concat();
        let made = session.create_folder(&path).await.works("create-folder")?;
        stage.remember(&made);
    }
    session.close().await;
    Ok(top)
}

/// The paths below `top`, sorted, as text.
fn below(top: &Node, folders: &[Node]) -> Vec<String> {
    let path = |folder: &Node| match folder.path.strip_prefix(top.path.as_slice()) {
        Some(below) => below.join("/"),
        None => format!("(elsewhere) {}", folder.display_path()),
    };
    let mut paths: Vec<String> = folders.iter().map(path).collect();
    paths.sort();
    paths
}

async fn all_levels(stage: &mut Stage) -> Outcome {
    let top = tree(stage).await?;
    let mut session = stage.open().await?;
    let folders = session.folders(Some(&top.id), true).await.works("folders")?;
    session.close().await;
    let paths = below(&top, &folders);
    expect(paths == ["A", "A/B", "A/B/C", "D"], "A, A/B, A/B/C and D", || paths.join(", "))
}

async fn one_level(stage: &mut Stage) -> Outcome {
    let top = tree(stage).await?;
    let mut session = stage.open().await?;
    let folders = session.folders(Some(&top.id), false).await.works("folders")?;
    let tops = session.folders(None, false).await.works("folders at the top")?;
    session.close().await;
    let paths = below(&top, &folders);
    expect(paths == ["A", "D"], "A and D", || paths.join(", "))?;
    let ids: BTreeSet<_> = tops.iter().map(|folder| &folder.id).collect();
    let nested: Vec<String> = tops
        .iter()
        .filter(|folder| folder.parent.as_ref().is_some_and(|parent| ids.contains(parent)))
        .map(Node::display_path)
        .collect();
    expect(nested.is_empty(), "folders of the top level alone", || nested.join(", "))
}

async fn hierarchy(stage: &mut Stage) -> Outcome {
    let mut session = stage.open().await?;
    let folders = session.folders(None, true).await.works("folders")?;
    session.close().await;
    let mut seen = BTreeSet::new();
    for folder in &folders {
        let shown = folder.display_path();
        expect(seen.insert(&folder.id), "each folder once", || format!("'{shown}' twice"))?;
        let named = folder.path.iter().all(|name| !name.is_empty()) && !folder.path.is_empty();
        expect(named, "a path of names", || format!("{:?}", folder.path))?;
        let Some(parent) = &folder.parent else { continue };
        // A parent that is not listed is a node that the service does not show.
        let Some(parent) = folders.iter().find(|other| other.id == *parent) else { continue };
        let above = folder.path.split_last().map(|(_, above)| above);
        expect(
            above == Some(parent.path.as_slice()),
            format!("'{shown}' lies in the path of its parent"),
            || format!("the parent is '{}'", parent.display_path()),
        )?;
        expect(parent.has_children, "a parent says that it has children", || parent.display_path())?;
    }
    Ok(())
}

async fn ids_stable(stage: &mut Stage) -> Outcome {
    let top = tree(stage).await?;
    let mut first = stage.open().await?;
    let before = first.folders(Some(&top.id), true).await.works("folders")?;
    first.close().await;
    let mut second = stage.open().await?;
    for folder in before.iter().chain([&top]) {
        let shown = folder.display_path();
        let found = second.find_folder(&FolderAddress::Id(folder.id.clone())).await;
        let found = found.works(&format!("find-folder by the id of '{shown}' from another session"))?;
        expect(found.id == folder.id && found.path == folder.path, format!("'{shown}' by its id"), || {
            format!("'{}' with the id '{}'", found.display_path(), found.id)
        })?;
    }
    second.close().await;
    Ok(())
}

async fn roles(stage: &mut Stage) -> Outcome {
    let mut session = stage.open().await?;
    let folders = session.folders(None, true).await.works("folders")?;
    for role in FolderRole::ALL {
        let with: Vec<&Node> = folders.iter().filter(|folder| folder.role == Some(role)).collect();
        let name = role.as_str();
        match with.as_slice() {
            [] if role == FolderRole::Inbox => return failed("a folder with the role inbox", "none"),
            [] => {}
            [one] => {
                let found = session.find_folder(&FolderAddress::Role(role)).await;
                let found = found.works(&format!("find-folder by the role {name}"))?;
                expect(found.id == one.id, format!("'{}' by its role {name}", one.display_path()), || {
                    format!("'{}'", found.display_path())
                })?;
            }
            several => {
                let paths: Vec<String> = several.iter().map(|folder| folder.display_path()).collect();
                return failed(format!("the role {name} once"), paths.join(", "));
            }
        }
    }
    session.close().await;
    Ok(())
}
