//! Certificates that an OAuth client proves itself with: a PEM file and its key's, put together, and when it ends.
//! Whether they belong together is seen when a token is asked for.

use std::path::Path;

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
    let ends = octets(certificate).and_then(|der| ends(&der)).ok_or_else(no_certificate)?;
    if key_text.contains("ENCRYPTED") {
        return Err(wrong(
            key,
            "is a key with a passphrase, which nobody could type when a token is asked for",
            "Take the passphrase off, such as with `openssl pkey -in KEY -out PLAIN`, give that file, and remove it \
             afterwards: Wissel seals the key itself.",
        ));
    }
    let key = KEYS.iter().find_map(|kind| block(&key_text, kind)).ok_or_else(|| {
        wrong(key, "holds no private key in PEM form", "Name the file with the certificate's private key.")
    })?;
    Ok((SecretString::from(format!("{key}\n{certificate}\n")), ends))
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

/// The end of a certificate's validity (RFC 5280, section 4.1.2.5); none for what is no certificate.
fn ends(der: &[u8]) -> Option<Timestamp> {
    let read = yasna::parse_der(der, |certificate| {
        certificate.read_sequence(|parts| {
            let ends = parts.next().read_sequence(|signed| {
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
                while signed.read_optional(|rest| rest.read_der())?.is_some() {}
                Ok(ends)
            })?;
            let (_algorithm, _signature) = (parts.next().read_der()?, parts.next().read_der()?);
            Ok(ends)
        })
    });
    Timestamp::from_second(read.ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEM: &str = include_str!("../tests/data/client.pem");

    #[test]
    fn the_end_of_a_certificate_is_read_and_damage_is_no_certificate() {
        let der = octets(block(PEM, CERTIFICATE).unwrap()).unwrap();
        assert_eq!(ends(&der), Some("2049-12-31T23:59:59Z".parse().unwrap()));
        for length in 0..der.len() {
            assert_eq!(ends(&der[..length]), None, "cut at {length}");
        }
        for at in 0..der.len() {
            let mut changed = der.clone();
            changed[at] ^= 0x55;
            let _ = ends(&changed);
        }
    }
}
