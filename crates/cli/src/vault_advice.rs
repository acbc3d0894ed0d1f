//! What to do when the vault cannot open a secret, by what went wrong. The vault itself knows neither accounts nor
//! commands; a new key is spoken of only where the old one may be lost.

use wissel_vault::VaultError;

use crate::text::quoted;

/// The failure as a sentence with its next step after the last semicolon.
pub(crate) fn sentence(error: &VaultError, account: &str) -> String {
    let text = error.to_string();
    let Some(next) = next_step(error, account) else { return text };
    let what = text.rsplit_once("; ").map_or(text.as_str(), |(what, _)| what);
    format!("{what}; {next}")
}

/// The next step where a command of this program is part of it; else the error's own text has it.
fn next_step(error: &VaultError, account: &str) -> Option<String> {
    let again = format!("`wissel account edit {} --password-stdin", quoted(account));
    match error {
        VaultError::KeyringMissing { .. } => Some(format!(
            "sign in as the user who runs Wissel, or restore a backup. Only if the key is lost: store every secret \
             again, the first one with {again} --new-vault-key` (or --token-stdin)."
        )),
        VaultError::KeyFileMissing { .. } => Some(format!(
            "bring the key back from a backup. Only if it is lost: store every secret again, the first one with \
             {again} --new-vault-key` (or --token-stdin)."
        )),
        VaultError::OtherKey { key, .. } => Some(format!(
            "bring the right key back into {key}. Only if it is lost: store the secret again with {again} \
             --new-vault-key` (or --token-stdin)."
        )),
        VaultError::KeyFileExposed { path, .. } => Some(format!(
            "run `chmod 600 {}`, and `wissel vault rotate` after it if others may have read it.",
            quoted(&path.display().to_string())
        )),
        VaultError::Damaged { .. } | VaultError::Newer { .. } => {
            Some(format!("store it again with {again}` (or --token-stdin)."))
        }
        _ => None,
    }
}
