//! Masks the session's own secrets where a server repeats them: servers quote the command they refuse, and what reaches
//! a connector may reach an error, a log or the store.
//!
//! Only what goes to the component is masked; a spliced message stays as it is, byte for byte. The length stays too,
//! so a protocol is not put out of step. A secret of fewer than [`SHORTEST`] octets is left alone: masking it would
//! spoil ordinary text, and it protects nothing.

use std::sync::{Mutex, PoisonError};

use memchr::memmem;
use zeroize::Zeroizing;

/// Octets of the shortest secret that is masked.
const SHORTEST: usize = 6;

/// The secrets that a session has asked for, as they are and as they go over the wire.
#[derive(Default)]
pub(crate) struct Echoes(Mutex<Vec<Zeroizing<Vec<u8>>>>);

impl Echoes {
    /// Remembers a form of a secret.
    pub(crate) fn remember(&self, octets: &[u8]) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if octets.len() >= SHORTEST && known.iter().all(|known| known.as_slice() != octets) {
            known.push(Zeroizing::new(octets.to_vec()));
        }
    }

    /// The text with each secret in it replaced by as many stars.
    pub(crate) fn mask(&self, mut text: Vec<u8>) -> Vec<u8> {
        for secret in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let mut from = 0;
            while let Some(found) = text.get(from..).and_then(|rest| memmem::find(rest, secret)) {
                let (start, end) = (from + found, from + found + secret.len());
                text.get_mut(start..end).unwrap_or_default().fill(b'*');
                from = end;
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_secret_is_masked_wherever_it_stands_and_the_length_stays() {
        let echoes = Echoes::default();
        echoes.remember(b"wachtwoord");
        echoes.remember(b"kort");
        let masked = echoes.mask(b"BAD LOGIN u wachtwoord wachtwoord kort\r\n".to_vec());
        assert_eq!(masked, b"BAD LOGIN u ********** ********** kort\r\n");
    }
}
