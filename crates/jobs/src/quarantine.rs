//! Sets a poison message aside: its raw bytes into a file, as far as they came, and a row that says why.

use std::path::PathBuf;

use wissel_model::{Account, Folder, MessageKey};
use wissel_store::{Lease, QuarantineItem};

use crate::intake::FailedMessage;
use crate::{JobError, Workshop};

/// Sets the message aside. The file is durable before the row refers to it.
pub(crate) async fn set_aside(
    shop: &Workshop,
    lease: &Lease,
    account: &Account,
    folder: &Folder,
    key: MessageKey,
    failed: FailedMessage,
) -> Result<(), JobError> {
    let mut file = None;
    let mut size = None;
    if let Some(partial) = failed.partial {
        let path = shop.home.join("quarantine").join(format!("{key}.eml"));
        let octets = keep(partial, path.clone()).await?;
        file = Some(path);
        size = Some(octets);
    }
    tracing::warn!(
        account = account.name,
        folder = folder.display_path(),
        id = ?failed.message.as_str(),
        reason = %failed.reason,
        "message set aside in quarantine"
    );
    let item = QuarantineItem {
        key,
        account: account.id,
        folder: folder.id.clone(),
        message: failed.message,
        reason: failed.reason.message,
        code: failed.reason.code,
        file,
        size,
    };
    Ok(shop.store.quarantine(lease, &item).await?)
}

async fn keep(partial: wissel_sink::Incoming, path: PathBuf) -> Result<u64, JobError> {
    let home_error =
        |path: &std::path::Path, source| JobError::Home { path: path.display().to_string(), source };
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory).map_err(|source| home_error(directory, source))?;
    }
    partial.into_raw_file(path.clone()).await.map_err(|error| home_error(&path, std::io::Error::other(error)))
}
