//! What an operator can rely on: secrets open only in their place and under their key, and a key file is private.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::path::Path;

use secrecy::{ExposeSecret, SecretString};
use wissel_model::AccountId;
use wissel_vault::{KeyPolicy, KeySource, Vault, VaultError};

fn vault(directory: &Path) -> Vault {
    Vault::open(&KeySource::File(directory.join("key")), KeyPolicy::CreateWhenMissing).unwrap()
}

fn secret() -> SecretString {
    SecretString::from("geheim wachtwoord ✓")
}

#[test]
fn a_secret_opens_again_also_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let account = AccountId::generate();
    let sealed = vault(directory.path()).seal(account, "password", &secret()).unwrap();
    assert!(!sealed.windows(6).any(|w| w == b"geheim"));
    let again = Vault::open(&KeySource::File(directory.path().join("key")), KeyPolicy::MustExist).unwrap();
    let opened = again.open_sealed(account, "password", &sealed).unwrap();
    assert_eq!(opened.expose_secret(), secret().expose_secret());
    assert_ne!(sealed, again.seal(account, "password", &secret()).unwrap(), "two seals look alike");
}

#[test]
fn sealed_bytes_do_not_open_in_another_place_or_changed() {
    let directory = tempfile::tempdir().unwrap();
    let vault = vault(directory.path());
    let account = AccountId::generate();
    let sealed = vault.seal(account, "password", &secret()).unwrap();
    for (account, field) in [(AccountId::generate(), "password"), (account, "access-token")] {
        let error = vault.open_sealed(account, field, &sealed).unwrap_err();
        assert!(matches!(error, VaultError::Damaged { .. }), "{error}");
    }
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 0x80;
        assert!(vault.open_sealed(account, "password", &changed).is_err(), "octet {at} is not covered");
        assert!(vault.open_sealed(account, "password", &sealed[..at]).is_err(), "cut at {at}");
    }
}

#[test]
fn another_key_a_newer_form_and_damage_are_told_apart() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let account = AccountId::generate();
    let mut sealed = vault(one.path()).seal(account, "password", &secret()).unwrap();
    let error = vault(two.path()).open_sealed(account, "password", &sealed).unwrap_err();
    assert!(matches!(error, VaultError::OtherKey { .. }), "{error}");
    assert!(error.to_string().contains(&*two.path().join("key").to_string_lossy()), "{error}");
    *sealed.last_mut().unwrap() ^= 1;
    let error = vault(one.path()).open_sealed(account, "password", &sealed).unwrap_err();
    assert!(matches!(error, VaultError::Damaged { .. }), "{error}");
    sealed[0] = 2;
    let error = vault(one.path()).open_sealed(account, "password", &sealed).unwrap_err();
    assert!(matches!(error, VaultError::Newer { form: 2, .. }), "{error}");
}

#[test]
fn a_missing_key_is_not_replaced_when_secrets_depend_on_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    let error = Vault::open(&KeySource::File(path.clone()), KeyPolicy::MustExist).unwrap_err();
    assert!(matches!(error, VaultError::KeyFileMissing { .. }), "{error}");
    assert!(!path.exists());
}

#[test]
fn a_key_file_of_wrong_length_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    vault(directory.path());
    let path = directory.path().join("key");
    let half = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    half.set_len(16).unwrap();
    let error = Vault::open(&KeySource::File(path), KeyPolicy::CreateWhenMissing).unwrap_err();
    assert!(matches!(error, VaultError::KeyFileMalformed { found: 16, .. }), "{error}");
}

#[cfg(unix)]
#[test]
fn a_key_file_is_private_and_one_that_is_not_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    vault(directory.path());
    let path = directory.path().join("key");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let error = Vault::open(&KeySource::File(path), KeyPolicy::MustExist).unwrap_err();
    assert!(error.to_string().contains("640") && error.to_string().contains("chmod 600"), "{error}");
}

#[test]
fn creators_that_race_end_with_the_same_key_and_leave_nothing_beside_it() {
    for _ in 0..20 {
        let directory = tempfile::tempdir().unwrap();
        let vaults: Vec<Vault> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| vault(directory.path()))).collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        let account = AccountId::generate();
        let sealed = vaults[0].seal(account, "password", &secret()).unwrap();
        for vault in &vaults {
            vault.open_sealed(account, "password", &sealed).unwrap();
        }
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}

#[test]
fn a_variable_that_is_missing_is_named() {
    let source = KeySource::Environment("WISSEL_TEST_NO_SUCH_KEY".to_owned());
    let error = Vault::open(&source, KeyPolicy::CreateWhenMissing).unwrap_err();
    assert!(error.to_string().contains("WISSEL_TEST_NO_SUCH_KEY"), "{error}");
}

/// Runs itself with the variable set: changing the environment of a process with threads is not safe.
#[test]
fn a_key_from_the_environment_opens_what_it_sealed_in_either_notation() {
    const NAME: &str = "WISSEL_TEST_KEY";
    let source = KeySource::Environment(NAME.to_owned());
    if std::env::var_os(NAME).is_some() {
        let vault = Vault::open(&source, KeyPolicy::MustExist).unwrap();
        let account = AccountId::generate();
        let sealed = vault.seal(account, "password", &secret()).unwrap();
        vault.open_sealed(account, "password", &sealed).unwrap();
        return;
    }
    let succeeds = |key: &str| {
        std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_key_from_the_environment_opens_what_it_sealed_in_either_notation"])
            .env(NAME, key)
            .output()
            .unwrap()
            .status
            .success()
    };
    assert!(succeeds(&"0f".repeat(32)));
    assert!(succeeds(&format!("{}=", "Dw8P".repeat(10) + "Dw8")));
    assert!(!succeeds("hunter2"));
}
