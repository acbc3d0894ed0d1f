//! Which certificates an account trusts: the system's, those of a file, or any; and which of them end soon.
//!
//! Name checking and protocol versions are rustls' defaults; the only provider is aws-lc-rs.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use wissel_model::{ConnectionPolicy, ConnectorError, ErrorKind};

/// What an account trusts. A CA file that changes is another profile.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Profile {
    System,
    File(PathBuf, Option<SystemTime>),
    Anything,
}

impl Profile {
    /// The profile that the operator chose.
    pub(crate) fn of(policy: &ConnectionPolicy) -> Self {
        match &policy.ca_file {
            _ if policy.allow_untrusted_certificate => Self::Anything,
            Some(file) => {
                let changed = std::fs::metadata(file).and_then(|meta| meta.modified()).ok();
                Self::File(file.clone(), changed)
            }
            None => Self::System,
        }
    }
}

/// How long a certificate has to last for nobody to be told: renewals by themselves come earlier than this.
const AHEAD: Duration = Duration::from_secs(21 * 24 * 60 * 60);

/// What was seen of each server's certificates, once for each process: when they end, if that is soon.
type Ends = Arc<Mutex<HashMap<String, Option<UnixTime>>>>;

/// The TLS configurations in use, one for each profile; sessions are resumed within one.
#[derive(Debug, Default)]
pub(crate) struct Trust {
    configs: Mutex<HashMap<Profile, Arc<ClientConfig>>>,
    ends: Ends,
}

impl Trust {
    /// When the certificates end that this server showed, if that is within three weeks.
    pub(crate) fn ends_soon(&self, server: &str) -> Option<SystemTime> {
        let ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        let end = ends.get(&server.to_ascii_lowercase()).copied().flatten()?;
        Some(SystemTime::UNIX_EPOCH + Duration::from_secs(end.as_secs()))
    }

    /// The configuration of this profile, made at first use off the workers: it reads files.
    ///
    /// # Errors
    /// `invalid-setting` when the CA file or the system's certificates cannot be read.
    pub(crate) async fn config(&self, profile: Profile) -> Result<Arc<ClientConfig>, ConnectorError> {
        let known = self.configs.lock().unwrap_or_else(PoisonError::into_inner).get(&profile).cloned();
        if let Some(config) = known {
            return Ok(config);
        }
        let (wanted, ends) = (profile.clone(), Arc::clone(&self.ends));
        let config = tokio::task::spawn_blocking(move || make(&wanted, ends))
            .await
            .map_err(|error| ConnectorError::new(ErrorKind::Temporary, error.to_string()))??;
        let config = Arc::new(config);
        self.configs.lock().unwrap_or_else(PoisonError::into_inner).insert(profile, Arc::clone(&config));
        Ok(config)
    }
}

fn make(profile: &Profile, ends: Ends) -> Result<ClientConfig, ConnectorError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| ConnectorError::new(ErrorKind::Unsupported, error.to_string()))?;
    let roots = match profile {
        Profile::Anything => None,
        Profile::File(file, _) => Some(from_file(file)?),
        Profile::System => Some(from_system()?),
    };
    let verifier: Arc<dyn ServerCertVerifier> = match roots {
        None => Arc::new(AnyCertificate(provider)),
        Some(roots) => {
            let strict = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .map_err(|error| ConnectorError::new(ErrorKind::Unsupported, error.to_string()))?;
            Arc::new(Foresighted { strict, ends })
        }
    };
    Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

fn from_file(file: &PathBuf) -> Result<RootCertStore, ConnectorError> {
    let invalid = |problem: String| {
        ConnectorError::new(ErrorKind::InvalidSetting, format!("the CA file {}: {problem}", file.display()))
            .with_setting("ca-file")
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| invalid(error.to_string()))? {
        let certificate = certificate.map_err(|error| invalid(error.to_string()))?;
        roots.add(certificate).map_err(|error| invalid(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(invalid("no certificate in PEM form is in it".to_owned()));
    }
    Ok(roots)
}

fn from_system() -> Result<RootCertStore, ConnectorError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why = found.errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
        let message = format!(
            "this system has no trusted certificates{why}; install its CA certificates, or give the account a CA file"
        );
        return Err(ConnectorError::new(ErrorKind::InvalidSetting, message).with_setting("ca-file"));
    }
    Ok(roots)
}

/// Accepts any certificate; that the other side holds its key is still proven.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Verifies as rustls does, and looks once for each server whether the same would fail in [`AHEAD`] from now.
#[derive(Debug)]
struct Foresighted {
    strict: Arc<WebPkiServerVerifier>,
    ends: Ends,
}

impl ServerCertVerifier for Foresighted {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verify =
            |at| self.strict.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, at);
        let verified = verify(now)?;
        let server = server_name.to_str().to_ascii_lowercase();
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        ends.entry(server).or_insert_with(|| {
            let later = Duration::from_secs(now.as_secs()) + AHEAD;
            match verify(UnixTime::since_unix_epoch(later)) {
                Err(rustls::Error::InvalidCertificate(CertificateError::ExpiredContext {
                    not_after,
                    ..
                })) => Some(not_after),
                _ => None,
            }
        });
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.strict.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.strict.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.strict.supported_verify_schemes()
    }
}
