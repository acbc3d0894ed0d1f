//! Modified UTF-7, the way folder names are written without UTF8=ACCEPT (RFC 3501, section 5.1.3).

use base64::{
    Engine,
    alphabet::IMAP_MUTF7,
    engine::{GeneralPurpose, general_purpose::NO_PAD},
};

const BASE64: GeneralPurpose = GeneralPurpose::new(&IMAP_MUTF7, NO_PAD);

/// Writes `name` in ASCII.
pub(super) fn encode(name: &str) -> String {
    let mut written = String::with_capacity(name.len());
    let mut shifted: Vec<u8> = Vec::new();
    let flush = |shifted: &mut Vec<u8>, written: &mut String| {
        if !shifted.is_empty() {
            written.push('&');
            BASE64.encode_string(&*shifted, written);
            written.push('-');
            shifted.clear();
        }
    };
    for character in name.chars() {
        if matches!(character, ' '..='~') {
            flush(&mut shifted, &mut written);
            written.push(character);
            if character == '&' {
                written.push('-');
            }
        } else {
            let mut units = [0; 2];
            shifted.extend(character.encode_utf16(&mut units).iter().flat_map(|unit| unit.to_be_bytes()));
        }
    }
    flush(&mut shifted, &mut written);
    written
}

/// Reads a name; `None` when it is malformed.
pub(super) fn decode(written: &str) -> Option<String> {
    let mut name = String::with_capacity(written.len());
    let mut rest = written;
    while let Some((before, after)) = rest.split_once('&') {
        name.push_str(before);
        let (shifted, after) = after.split_once('-')?;
        if shifted.is_empty() {
            name.push('&');
        } else {
            let bytes = BASE64.decode(shifted).ok()?;
            let (pairs, []) = bytes.as_chunks::<2>() else { return None };
            let units: Vec<u16> = pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
            name.push_str(&String::from_utf16(&units).ok()?);
        }
        rest = after;
    }
    name.push_str(rest);
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_as_the_rfc_shows_and_read_back() {
        for (name, written) in [
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("R&D", "R&-D"),
            ("Geïmporteerd", "Ge&AO8-mporteerd"),
            ("📎", "&2D3czg-"),
            ("Postvak IN", "Postvak IN"),
        ] {
            assert_eq!(encode(name), written);
            assert_eq!(decode(written).as_deref(), Some(name));
        }
        for malformed in ["a&", "&AO8", "&A-", "&2D0-"] {
            assert_eq!(decode(malformed), None);
        }
    }
}
