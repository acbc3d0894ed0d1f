//! Names that nobody can guess: codes, tokens, contexts of forms.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// So many random bytes, base64url.
pub(super) fn text(bytes: usize) -> String {
    let mut random = vec![0; bytes];
    // Fails only where the operating system has no randomness; then TLS could not have started either.
    let _ = aws_lc_rs::rand::fill(&mut random);
    URL_SAFE_NO_PAD.encode(random)
}

/// A code that a person types: eight characters that are not mistaken for each other.
pub(super) fn user_code() -> String {
    const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let mut random = [0; 8];
    let _ = aws_lc_rs::rand::fill(&mut random);
    random
        .iter()
        .filter_map(|byte| LETTERS.get(usize::from(*byte) % LETTERS.len()))
        .map(|b| char::from(*b))
        .collect()
}
