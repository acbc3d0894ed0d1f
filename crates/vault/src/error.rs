//! What can go wrong with the vault, each with the next step. Never holds key or secret bytes.

use std::path::PathBuf;

/// A failure of the vault.
#[derive(Debug, Clone, thiserror::Error)]
pub enum VaultError {
    /// There is no key file, although secrets were sealed with one.
    #[error("the key file {} is missing, and secrets are sealed with it; restore it from the backup, or store every secret again with a new key", .path.display())]
    KeyFileMissing {
        /// The file.
        path: PathBuf,
    },
    /// Others than its owner may read the key file.
    #[error("the key file {} can be read by others (mode {mode:03o}); run `chmod 600` on it, and if others may have read it, store every secret again with a new key", .path.display())]
    KeyFileExposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The key file holds something else than a key.
    #[error("the key file {} holds {found} octets instead of {}; restore it from the backup", .path.display(), crate::key::LENGTH)]
    KeyFileMalformed {
        /// The file.
        path: PathBuf,
        /// Its length.
        found: u64,
    },
    /// The key file cannot be read or made.
    #[error("the key file {} cannot be used: {detail}; give this user the right to its file and directory", .path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
    /// The environment variable is not set.
    #[error(
        "the environment variable {name} is not set; put the key of 32 octets there, as base64 or hexadecimal"
    )]
    VariableMissing {
        /// The variable.
        name: String,
    },
    /// The environment variable is not a key.
    #[error(
        "the environment variable {name} is no key; it must be 32 octets as base64 (44 characters) or hexadecimal (64 characters)"
    )]
    VariableMalformed {
        /// The variable.
        name: String,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {detail}; try again")]
    Random {
        /// What the system said.
        detail: String,
    },
    /// Sealed with another key.
    #[error(
        "the secret '{field}' was sealed with another key than {key}; use that key, or store the secret again with `wissel account edit`"
    )]
    OtherKey {
        /// The field.
        field: String,
        /// Where the present key comes from.
        key: String,
    },
    /// Sealed by a newer version, in a form that this one does not know.
    #[error(
        "the secret '{field}' was sealed by a newer version of Wissel (form {form}); run that version, or store the secret again with `wissel account edit`"
    )]
    Newer {
        /// The field.
        field: String,
        /// The number of the form, or of the key's version.
        form: u32,
    },
    /// Changed since it was sealed, or sealed for another owner or field.
    #[error(
        "the sealed secret '{field}' is damaged or belongs to another owner or field; store it again with `wissel account edit`"
    )]
    Damaged {
        /// The field.
        field: String,
    },
    /// The operating system has no keyring that answers.
    #[error(
        "the keyring of the operating system cannot be used: {detail}; unlock it or start the session that it belongs to (a server without a desktop usually has none: keep the key in a file or a service credential there)"
    )]
    KeyringUnavailable {
        /// What it said.
        detail: String,
    },
    /// This program cannot speak to a keyring.
    #[error(
        "the keyring of the operating system cannot be used: this program was built without it; take one that was built with the feature `keyring`, or keep the key in a file or a service credential"
    )]
    KeyringNotBuilt,
    /// The keyring answers, but does not hold the key.
    #[error(
        "the keyring of the operating system does not hold the key {id} that secrets are sealed with; sign in as the user who runs Wissel, or restore a backup"
    )]
    KeyringMissing {
        /// The key's id.
        id: String,
    },
    /// A credential of the service manager is not a key.
    #[error(
        "the credential {} is no key; it must be 32 octets, or their base64 or hexadecimal notation", .path.display()
    )]
    CredentialMalformed {
        /// The file.
        path: PathBuf,
    },
    /// A wrapped key does not open.
    #[error("the passphrase does not open the key, or the file was changed; try the passphrase again")]
    WrongPassphrase,
    /// A wrapped key asks for more memory or time than any that Wissel makes.
    #[error("the wrapped key asks for unreasonable work to open it; use another copy of the file")]
    UnreasonableWork,
}
