//! The form of sealed bytes.
//!
//! `form (1) | key version (4, big endian) | key fingerprint (8) | nonce (24) | ciphertext and tag (16 more)`.
//! The tag covers form, key version, account and field as associated data. The fingerprint is not needed for safety;
//! it only tells "another key" from "damaged".

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use crate::VaultError;
use crate::key::{FINGERPRINT, Key};

/// The form described above.
const FORM: u8 = 1;
/// Which key of the installation it is; there is one until keys are rotated.
const KEY_VERSION: u32 = 1;
const NONCE: usize = 24;

/// Seals the octets for an account's field.
pub(crate) fn seal(key: &Key, account: &str, field: &str, plain: &[u8]) -> Result<Vec<u8>, VaultError> {
    let mut nonce = [0; NONCE];
    getrandom::fill(&mut nonce).map_err(|e| VaultError::Random { detail: e.to_string() })?;
    let aad = associated(account, field);
    let ciphertext = cipher(key)
        .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: &aad })
        .map_err(|_| VaultError::Damaged { field: field.to_owned() })?;
    let mut sealed = vec![FORM];
    sealed.extend(KEY_VERSION.to_be_bytes());
    sealed.extend(key.fingerprint());
    sealed.extend(nonce);
    sealed.extend(ciphertext);
    Ok(sealed)
}

/// Opens what [`seal`] made. `name` says where the key comes from, for an error.
pub(crate) fn open(
    key: &Key,
    name: &str,
    account: &str,
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
    let (print, rest) = rest.split_first_chunk::<FINGERPRINT>().ok_or_else(damaged)?;
    let (nonce, ciphertext) = rest.split_first_chunk::<NONCE>().ok_or_else(damaged)?;
    if *print != key.fingerprint() {
        return Err(VaultError::OtherKey { field: field.to_owned(), key: name.to_owned() });
    }
    if u32::from_be_bytes(*version) != KEY_VERSION {
        return Err(damaged());
    }
    let aad = associated(account, field);
    cipher(key).decrypt(&XNonce::from(*nonce), Payload { msg: ciphertext, aad: &aad }).map_err(|_| damaged())
}

fn cipher(key: &Key) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.bytes().into())
}

/// Form, key version, and account and field with their lengths before them, so that no two pairs give the same octets.
fn associated(account: &str, field: &str) -> Vec<u8> {
    let mut data = vec![FORM];
    data.extend(KEY_VERSION.to_be_bytes());
    for part in [account, field] {
        data.extend((part.len() as u64).to_be_bytes());
        data.extend(part.as_bytes());
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_and_field_cannot_run_into_each_other() {
        assert_ne!(associated("ab", "c"), associated("a", "bc"));
        assert_ne!(associated("a", ""), associated("", "a"));
    }
}
