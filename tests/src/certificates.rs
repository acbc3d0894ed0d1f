//! Certificates for test servers: one by a CA of its own, one self-signed, and a CA that signed neither.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};

/// Which certificate a server shows. All are for `localhost` and 127.0.0.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shown {
    /// One that the CA in [`Files::ca`] signed.
    #[default]
    Signed,
    /// One that the CA signed, and that ends after so many days.
    Ending(i8),
    /// One that signed itself.
    SelfSigned,
}

/// PEM files in one folder.
#[derive(Clone, Debug)]
pub struct Files {
    /// The CA that signed the server's certificate, if it is not [`Shown::SelfSigned`].
    pub ca: PathBuf,
    /// A CA that has nothing to do with the server.
    pub unrelated_ca: PathBuf,
    /// The server's certificate.
    pub certificate: PathBuf,
    /// The server's private key.
    pub key: PathBuf,
}

impl Files {
    /// Makes new certificates in `folder`.
    #[must_use]
    pub fn write(folder: &Path, shown: Shown) -> Self {
        let files = Self {
            ca: folder.join("ca.pem"),
            unrelated_ca: folder.join("unrelated-ca.pem"),
            certificate: folder.join("certificate.pem"),
            key: folder.join("key.pem"),
        };
        let (ca, issuer) = authority("Wissel test CA");
        fs::write(&files.ca, ca.pem()).unwrap();
        fs::write(&files.unrelated_ca, authority("Unrelated test CA").0.pem()).unwrap();
        let key = KeyPair::generate().unwrap();
        let mut server = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        if let Shown::Ending(days) = shown {
            let end = jiff::Zoned::now().date() + jiff::Span::new().days(days);
            let (month, day) = (end.month().unsigned_abs(), end.day().unsigned_abs());
            server.not_after = rcgen::date_time_ymd(end.year().into(), month, day);
        }
        let certificate = match shown {
            Shown::Signed | Shown::Ending(_) => server.signed_by(&key, &issuer),
            Shown::SelfSigned => server.self_signed(&key),
        };
        fs::write(&files.certificate, certificate.unwrap().pem()).unwrap();
        fs::write(&files.key, key.serialize_pem()).unwrap();
        files
    }
}

fn authority(name: &str) -> (Certificate, Issuer<'static, KeyPair>) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(DnType::CommonName, name);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    (certificate, Issuer::new(params, key))
}
