//! The form of sealed bytes.
//!
//! `form (1) | version (4, big endian) | key id (8) | nonce (24) | ciphertext and tag (16 more)`.
//! The tag covers form, version, owner and field as associated data. The key id says which key opens it, while a
//! rotation is under way and when the wrong key is there; a changed id leads to a key that does not open it.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use crate::VaultError;
use crate::key::{ID, Key};

/// The form described above.
const FORM: u8 = 1;
/// The version of what the tag covers. Keys are told apart by their ids, not by this.
const KEY_VERSION: u32 = 1;
const NONCE: usize = 24;

/// Seals the octets for a field of an owner.
pub(crate) fn seal(key: &Key, owner: &str, field: &str, plain: &[u8]) -> Result<Vec<u8>, VaultError> {
    let mut nonce = [0; NONCE];
    getrandom::fill(&mut nonce).map_err(|e| VaultError::Random { detail: e.to_string() })?;
    let aad = associated(owner, field);
    let ciphertext = cipher(key)
        .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: &aad })
        .map_err(|_| VaultError::Damaged { field: field.to_owned() })?;
    let mut sealed = vec![FORM];
    sealed.extend(KEY_VERSION.to_be_bytes());
    sealed.extend(key.id().octets());
    sealed.extend(nonce);
    sealed.extend(ciphertext);
    Ok(sealed)
}

/// Opens what [`seal`] made with one of the keys. `name` says where they come from, for an error.
pub(crate) fn open<'k>(
    mut keys: impl Iterator<Item = &'k Key>,
    name: &str,
    owner: &str,
    field: &str,
    sealed: &[u8],
) -> Result<Vec<u8>, VaultError> {
    let damaged = || VaultError::Damaged { field: field.to_owned() };
    let (form, rest) = sealed.split_first().ok_or_else(damaged)?;
    match *form {
        FORM => {}
        0 => return Err(damaged()),
        newer => return Err(VaultError::Newer { field: field.to_owned(), form: newer.into() }),
    }
    let (version, rest) = rest.split_first_chunk::<4>().ok_or_else(damaged)?;
    let (id, rest) = rest.split_first_chunk::<ID>().ok_or_else(damaged)?;
    let (nonce, ciphertext) = rest.split_first_chunk::<NONCE>().ok_or_else(damaged)?;
    let Some(key) = keys.find(|key| key.id().octets() == id) else {
        return Err(VaultError::OtherKey { field: field.to_owned(), key: name.to_owned() });
    };
    if u32::from_be_bytes(*version) != KEY_VERSION {
        return Err(damaged());
    }
    let aad = associated(owner, field);
    cipher(key).decrypt(&XNonce::from(*nonce), Payload { msg: ciphertext, aad: &aad }).map_err(|_| damaged())
}

fn cipher(key: &Key) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.bytes().into())
}

/// Form, key version, and owner and field with their lengths before them, so that no two pairs give the same octets.
fn associated(owner: &str, field: &str) -> Vec<u8> {
    let mut data = vec![FORM];
    data.extend(KEY_VERSION.to_be_bytes());
    for part in [owner, field] {
        data.extend((part.len() as u64).to_be_bytes());
        data.extend(part.as_bytes());
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_id_stands_where_the_store_looks_for_it() {
        let key = Key::generate().unwrap();
        let sealed = seal(&key, "account", "field", b"secret").unwrap();
        assert_eq!(sealed[wissel_model::secrets::KEY_ID], *key.id().octets());
    }

    #[test]
    fn owner_and_field_cannot_run_into_each_other() {
        assert_ne!(associated("ab", "c"), associated("a", "bc"));
        assert_ne!(associated("a", ""), associated("", "a"));
    }
}
