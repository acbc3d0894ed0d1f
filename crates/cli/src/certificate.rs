//! Certificates that an OAuth client proves itself with: a PEM file and its key's, which must belong together, and when it
//! ends. Whether the provider knows the certificate is seen when a token is asked for.

use std::path::Path;

use aws_lc_rs::signature::{KeyPair, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use yasna::tags::TAG_UTCTIME;
use yasna::{ASN1Result, Tag};

use crate::problem::Problem;

const CERTIFICATE: &str = "CERTIFICATE";
/// PKCS#8, PKCS#1 and SEC1.
const KEYS: [&str; 3] = ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"];
/// How to come by what can be used.
const MAKE: &str = "Make a pair with `openssl req -x509 -newkey rsa:3072 -nodes -days 365 -subj /CN=wissel -keyout key.pem -out \
                    certificate.pem`, and upload the certificate at the provider.";

/// A certificate and its key as one PEM text, key first, and from when on the certificate is not valid any more.
pub(crate) fn with_key(certificate: &Path, key: &Path) -> Result<(SecretString, Timestamp), Problem> {
    let wrong = |path: &Path, problem: &str, next: &str| {
        Problem::usage(format!("'{}' {problem}", path.display()), next.to_owned())
    };
    let read = |path: &Path| {
        std::fs::read_to_string(path)
            .map(Zeroizing::new)
            .map_err(|error| wrong(path, &format!("cannot be read: {error}"), "Name a file in PEM form."))
    };
    let (certificate_text, key_text) = (read(certificate)?, read(key)?);
    let no_certificate =
        || wrong(certificate, "holds no certificate in PEM form", "Name the file with the certificate.");
    let certificate = block(&certificate_text, CERTIFICATE).ok_or_else(no_certificate)?;
    let Content { ends, public_key } =
        octets(certificate).and_then(|der| content(&der)).ok_or_else(no_certificate)?;
    if key_text.contains("ENCRYPTED") {
        return Err(wrong(
            key,
            "is a key with a passphrase, which nobody could type when a token is asked for",
            "Take the passphrase off, such as with `openssl pkey -in KEY -out PLAIN`, give that file, and remove it \
             afterwards: Wissel seals the key itself.",
        ));
    }
    let found = KEYS.iter().find_map(|kind| block(&key_text, kind)).ok_or_else(|| {
        wrong(key, "holds no private key in PEM form", "Name the file with the certificate's private key.")
    })?;
    // What is signed with it is signed as RS256 (RFC 7518, section 3.3).
    let pair = octets(found)
        .map(Zeroizing::new)
        .and_then(|der| RsaKeyPair::from_pkcs8(&der).or_else(|_| RsaKeyPair::from_der(&der)).ok())
        .ok_or_else(|| wrong(key, "holds no RSA key of 2048 to 8192 bits", MAKE))?;
    if pair.public_key().as_ref() != public_key {
        return Err(wrong(
            key,
            "is not the key of this certificate",
            "Name the key that the certificate was made with.",
        ));
    }
    Ok((SecretString::from(format!("{found}\n{certificate}\n")), ends))
}

/// What is read of a certificate.
#[derive(Debug, PartialEq)]
struct Content {
    /// When its validity ends.
    ends: Timestamp,
    /// The key in it, as its algorithm encodes it.
    public_key: Vec<u8>,
}

/// The first block of this label (RFC 7468), without what stands around it.
fn block<'t>(text: &'t str, label: &str) -> Option<&'t str> {
    let end = format!("-----END {label}-----");
    let start = text.find(&format!("-----BEGIN {label}-----"))?;
    let rest = text.get(start..)?;
    rest.get(..rest.find(&end)? + end.len())
}

/// What a block holds.
fn octets(block: &str) -> Option<Vec<u8>> {
    let text: String = block.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect();
    STANDARD.decode(text).ok()
}

/// The end of a certificate's validity and its key (RFC 5280, section 4.1); none for what is no certificate.
fn content(der: &[u8]) -> Option<Content> {
    let read = yasna::parse_der(der, |certificate| {
        certificate.read_sequence(|parts| {
            let content = parts.next().read_sequence(|signed| {
                let _version = signed.read_optional(|r| r.read_tagged(Tag::context(0), |r| r.read_der()))?;
                let (_serial, _algorithm, _issuer) =
                    (signed.next().read_der()?, signed.next().read_der()?, signed.next().read_der()?);
                let ends = signed.next().read_sequence(|validity| {
                    let _begins = validity.next().read_der()?;
                    let ends = validity.next();
                    let is_short = ends.lookahead_tag()? == TAG_UTCTIME;
                    ASN1Result::Ok(if is_short {
                        ends.read_utctime()?.datetime().unix_timestamp()
                    } else {
                        ends.read_generalized_time()?.datetime().unix_timestamp()
                    })
                })?;
                let _subject = signed.next().read_der()?;
                let (public_key, _unused_bits) = signed.next().read_sequence(|key| {
                    let _algorithm = key.next().read_der()?;
                    key.next().read_bitvec_bytes()
                })?;
                while signed.read_optional(|rest| rest.read_der())?.is_some() {}
                Ok((ends, public_key))
            })?;
            let (_algorithm, _signature) = (parts.next().read_der()?, parts.next().read_der()?);
            Ok(content)
        })
    });
    let (ends, public_key) = read.ok()?;
    Some(Content { ends: Timestamp::from_second(ends).ok()?, public_key })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEM: &str = include_str!("../tests/data/client.pem");

    #[test]
    fn the_end_of_a_certificate_is_read_and_damage_is_no_certificate() {
        let der = octets(block(PEM, CERTIFICATE).unwrap()).unwrap();
        assert_eq!(content(&der).unwrap().ends, "2049-12-31T23:59:59Z".parse().unwrap());
        for length in 0..der.len() {
            assert_eq!(content(&der[..length]), None, "cut at {length}");
        }
        for at in 0..der.len() {
            let mut changed = der.clone();
            changed[at] ^= 0x55;
            let _ = content(&changed);
        }
    }
}
