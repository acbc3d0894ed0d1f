//! Keys come and go without a moment in which something cannot be opened, and a wrapped key opens with its passphrase
//! only.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use secrecy::{ExposeSecret, SecretString};
use wissel_model::AccountId;
use wissel_vault::{Key, KeyPlace, KeyPolicy, KeySource, Vault, VaultError};

#[test]
fn while_the_next_key_stands_beside_the_present_one_both_open() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("vault.key");
    let (place, source) = (KeyPlace::File(path.clone()), KeySource::File(path.clone()));
    let old = Vault::open(&source, KeyPolicy::CreateWhenMissing).unwrap();
    let account = AccountId::generate();
    let by_old = old.seal(account, "password", &SecretString::from("geheim")).unwrap();

    let key = Key::generate().unwrap();
    let id = key.id();
    place.put(&key).unwrap();
    let next = Vault::with_key(key, "the next key");
    let by_next = next.seal(account, "password", &SecretString::from("geheim")).unwrap();
    let both = Vault::open(&source, KeyPolicy::MustExist).unwrap();
    for sealed in [&by_old, &by_next] {
        assert_eq!(both.open_sealed(account, "password", sealed).unwrap().expose_secret(), "geheim");
    }
    assert_eq!(both.key().id(), old.key().id(), "the present one seals");

    place.settle(id).unwrap();
    place.settle(id).unwrap();
    let after = Vault::open(&source, KeyPolicy::MustExist).unwrap();
    assert_eq!(after.key().id(), id);
    let error = after.open_sealed(account, "password", &by_old).unwrap_err();
    assert!(matches!(error, VaultError::OtherKey { .. }), "{error}");
    // A key that is not there is not removed, and no other one in its place.
    place.remove(old.key().id()).unwrap();
    assert_eq!(place.stranger(&[]).unwrap(), Some((path.clone(), id)));
    assert_eq!(place.stranger(&[id]).unwrap(), None);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn a_wrapped_key_opens_with_its_passphrase_and_for_its_backup_only() {
    let key = Key::generate().unwrap();
    let passphrase = SecretString::from("vier losse woorden samen");
    let mut wrapped = key.wrap(&passphrase, b"this backup").unwrap();
    assert_eq!(Key::unwrap_with(&wrapped, &passphrase, b"this backup").unwrap().id(), key.id());
    let other = SecretString::from("vier losse woorden sames");
    for (passphrase, bound) in [(&other, &b"this backup"[..]), (&passphrase, b"another one")] {
        let error = Key::unwrap_with(&wrapped, passphrase, bound).unwrap_err();
        assert!(matches!(error, VaultError::WrongPassphrase), "{error}");
    }
    wrapped.memory_kib = 64 << 20;
    let error = Key::unwrap_with(&wrapped, &passphrase, b"this backup").unwrap_err();
    assert!(matches!(error, VaultError::UnreasonableWork), "somebody's file takes all memory: {error}");
}
