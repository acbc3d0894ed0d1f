//! `wissel folder`: the folders of a mailbox, as the service has them now.

use clap::Subcommand;
use serde_json::json;
use wissel_model::{Folder, FolderAddress, FolderRole};

use super::CommandResult;
use crate::context::Context;
use crate::exit::Code;
use crate::{job_rules, output};

/// What can be done with folders.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List folders with their roles and numbers of messages
    List {
        /// The account; the default account when absent
        account: Option<String>,
        /// Only this folder and those below it
        #[arg(long, value_name = "FOLDER", value_parser = job_rules::folder)]
        under: Option<FolderAddress>,
    },
}

/// Carries out the command.
pub(crate) async fn run(context: &Context, command: Command) -> CommandResult {
    let Command::List { account, under } = command;
    let account = super::account::named_or_default(context, account.as_deref()).await?;
    let mut session = context.open(&account, "folder list").await?;
    let listed = list(&mut *session, under.as_ref()).await;
    session.close().await;
    let folders = match listed {
        Ok(folders) => folders,
        Err(error) => return Err(context.explain(&account, &error).await.into()),
    };
    if context.json {
        let folders: Vec<_> = folders
            .iter()
            .map(|folder| {
                json!({
                    "id": folder.id,
                    "path": folder.path,
                    "display_path": folder.display_path(),
                    "role": folder.role,
                    "total": folder.total,
                    "unread": folder.unread,
                    "holds_messages": folder.holds_messages,
                    "denied": folder.denied,
                })
            })
            .collect();
        output::json(&json!({ "account": account.name, "folders": folders }));
    } else {
        let row = |folder: &Folder| {
            vec![
                folder.display_path(),
                folder.role.map(FolderRole::as_str).unwrap_or_default().to_owned(),
                output::number_or_empty(folder.total),
                output::number_or_empty(folder.unread),
                folder.denied.join(", "),
            ]
        };
        output::table(
            &context.language.pick(
                ["Folder", "Role", "Messages", "Unread", "Denied"],
                ["Map", "Rol", "Berichten", "Ongelezen", "Niet toegestaan"],
            ),
            folders.iter().map(row).collect(),
        );
    }
    Ok(Code::Done)
}

/// Lists, and asks for the counts that the listing left out.
async fn list(
    session: &mut dyn wissel_model::Session,
    under: Option<&FolderAddress>,
) -> wissel_model::connector::Result<Vec<Folder>> {
    let top = match under {
        Some(address) => Some(session.find_folder(address).await?),
        None => None,
    };
    let mut folders = session.folders(top.as_ref().map(|folder| &folder.id), true).await?;
    folders.retain(|folder| top.as_ref().is_none_or(|top| top.id != folder.id));
    for folder in &mut folders {
        if folder.total.is_none() && folder.holds_messages {
            // A folder that cannot be opened is still listed.
            if let Ok(found) = session.find_folder(&FolderAddress::Id(folder.id.clone())).await {
                (folder.total, folder.unread) = (found.total, found.unread);
            }
        }
    }
    folders.splice(0..0, top);
    Ok(folders)
}
