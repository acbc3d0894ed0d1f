//! Modified UTF-7, the encoding of mailbox names (RFC 3501, section 5.1.3). No maintained crate has it.
//!
//! Both directions are strict: what cannot be read as the standard demands gives none, so that a name that a server
//! keeps in another form is never changed on its way back.

use base64::Engine;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};

const BASE64: GeneralPurpose = GeneralPurpose::new(&IMAP_MUTF7, NO_PAD);

/// The name that `text` encodes; none when `text` is not modified UTF-7.
pub(crate) fn decode(text: &str) -> Option<String> {
    let mut name = String::with_capacity(text.len());
    let mut parts = text.split('&');
    name.push_str(parts.next()?);
    for part in parts {
        let (shifted, plain) = part.split_once('-')?;
        if shifted.is_empty() {
            name.push('&');
        } else {
            let octets = BASE64.decode(shifted).ok()?;
            let (pairs, []) = octets.as_chunks::<2>() else { return None };
            let units = pairs.iter().map(|pair| u16::from_be_bytes(*pair));
            name.push_str(&char::decode_utf16(units).collect::<Result<String, _>>().ok()?);
        }
        name.push_str(plain);
    }
    name.bytes().all(|b| b != 0 && b != b'\r' && b != b'\n').then_some(name)
}

/// `name` in modified UTF-7.
pub(crate) fn encode(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    let mut shifted: Vec<u8> = Vec::new();
    for c in name.chars() {
        if matches!(c, ' '..='~') {
            end_shift(&mut shifted, &mut text);
            text.push(c);
            if c == '&' {
                text.push('-');
            }
        } else {
            shifted.extend(c.encode_utf16(&mut [0; 2]).iter().flat_map(|unit| unit.to_be_bytes()));
        }
    }
    end_shift(&mut shifted, &mut text);
    text
}

fn end_shift(shifted: &mut Vec<u8>, text: &mut String) {
    if !shifted.is_empty() {
        text.push('&');
        text.push_str(&BASE64.encode(&shifted));
        text.push('-');
        shifted.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn names_go_there_and_back() {
        for (name, text) in [
            ("Facturen", "Facturen"),
            ("A & B", "A &- B"),
            ("Entwürfe", "Entw&APw-rfe"),
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("é&é", "&AOk-&-&AOk-"),
            ("🧾", "&2D7d,g-"),
            ("", ""),
        ] {
            assert_eq!(encode(name), text);
            assert_eq!(decode(text).as_deref(), Some(name));
        }
    }

    #[test]
    fn what_is_not_modified_utf7_is_left_alone() {
        for text in ["A & B", "&", "&AOk", "&A-", "&2D4-", "&AAA-", "&AO$-"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
