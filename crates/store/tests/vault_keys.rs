//! The store's part in a change of the vault's key: all secrets or none, and none sealed with a key that is gone.
#![allow(clippy::indexing_slicing, reason = "helpers of tests are tests")]

mod support;

use jiff::Timestamp;
use serde_json::json;
use support::World;
use wissel_model::{AccountId, secrets};
use wissel_store::{AuditRecord, KeyState, Resealed, StoreError};

const OLD: u8 = 0xaa;
const NEW: u8 = 0xbb;

/// The id of a key, in hexadecimal.
fn id(key: u8) -> String {
    format!("{key:02x}").repeat(secrets::KEY_ID.len())
}

/// A secret that names the key that sealed it.
fn sealed(key: u8, content: u8) -> Vec<u8> {
    let mut octets = vec![content; 60];
    octets[secrets::KEY_ID].fill(key);
    octets
}

fn record() -> AuditRecord {
    AuditRecord {
        at: Timestamp::now(),
        actor: "test".to_owned(),
        action: "vault.rotate".to_owned(),
        subject: id(NEW),
        detail: json!({}),
    }
}

fn resealed(account: AccountId, field: &str, content: u8) -> Resealed {
    let (before, after) = (sealed(OLD, content), sealed(NEW, content));
    Resealed { owner: account.into(), field: field.to_owned(), before, after }
}

#[tokio::test]
async fn all_secrets_change_their_key_together_or_none_does() {
    let w = World::new().await;
    let (one, two) = (w.password.id, w.token.id);
    w.store.adopt_vault_key(&id(OLD), "file").await.unwrap();
    w.store.put_secret(one, "password", &sealed(OLD, 1)).await.unwrap();
    w.store.put_secret(two, "token", &sealed(OLD, 2)).await.unwrap();
    let before = w.store.sealed_secrets().await.unwrap();
    let change = async |secrets| w.store.change_vault_key(&id(NEW), "file", secrets, &record()).await;

    // One that was added meanwhile is missing; one that was replaced meanwhile is not as it was read.
    let missing = vec![resealed(one, "password", 1)];
    let replaced = vec![resealed(one, "password", 1), resealed(two, "token", 3)];
    for secrets in [missing, replaced] {
        let refused = change(secrets).await.unwrap_err();
        assert!(matches!(refused, StoreError::SecretsChanged), "{refused}");
        assert_eq!(w.store.sealed_secrets().await.unwrap(), before);
        assert_eq!(w.store.vault_keys().await.unwrap()[0].id, id(OLD));
    }

    change(vec![resealed(one, "password", 1), resealed(two, "token", 2)]).await.unwrap();
    assert_eq!(w.store.secret(two, "token").await.unwrap(), Some(sealed(NEW, 2)));
    let keys = w.store.vault_keys().await.unwrap();
    let keys: Vec<_> = keys.iter().map(|key| (key.id.clone(), key.state)).collect();
    assert_eq!(keys, [(id(NEW), KeyState::Current), (id(OLD), KeyState::Leaving)]);
}

#[tokio::test]
async fn a_secret_of_a_key_that_was_replaced_is_refused() {
    let w = World::new().await;
    w.store.adopt_vault_key(&id(OLD), "file").await.unwrap();
    w.store.put_secret(w.password.id, "password", &sealed(OLD, 1)).await.unwrap();
    w.store
        .change_vault_key(&id(NEW), "file", vec![resealed(w.password.id, "password", 1)], &record())
        .await
        .unwrap();
    let late = w.store.put_secret(w.token.id, "token", &sealed(OLD, 2)).await.unwrap_err();
    assert!(matches!(late, StoreError::KeyChanged), "{late}");
    let late = [("password".to_owned(), sealed(OLD, 3))];
    let late = w.store.update_account(&w.password, &late).await.unwrap_err();
    assert!(matches!(late, StoreError::KeyChanged), "{late}");
    assert_eq!(w.store.secret(w.password.id, "password").await.unwrap(), Some(sealed(NEW, 1)));
    w.store.put_secret(w.token.id, "token", &sealed(NEW, 2)).await.unwrap();
    // The current key is not forgotten, whoever asks.
    w.store.forget_vault_key(&id(NEW), "file").await.unwrap();
    w.store.forget_vault_key(&id(OLD), "file").await.unwrap();
    let keys = w.store.vault_keys().await.unwrap();
    assert_eq!(keys.iter().map(|key| &key.id).collect::<Vec<_>>(), [&id(NEW)]);
}
