//! How the secrets of OAuth clients come in: typed, from standard input or the environment, or as a certificate with its
//! key in files. What is no secret, such as its id at the provider, is refused here.

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use wissel_model::description::ClientAuthentication;
use wissel_model::{
    ClientId, ClientSecret, ClientSecretId, Description, OAuthClient, SecretKind, SecretState,
};

use crate::certificate;
use crate::form::{self, Values};
use crate::job_rules;
use crate::problem::Problem;
use crate::secret_expiry;
use crate::secret_input::{from_environment, from_stdin};
use crate::text::Language;

/// Where a client's secret comes from, and what is known of it.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Secret of the OAuth client")]
pub(crate) struct ClientSecretOptions {
    /// Read the client's secret from standard input
    #[arg(long, conflicts_with_all = ["client_secret_env", "certificate"])]
    client_secret_stdin: bool,
    /// Read the client's secret from this environment variable
    #[arg(long, value_name = "VARIABLE", conflicts_with = "certificate")]
    client_secret_env: Option<String>,
    /// Use this certificate, a PEM file, in place of a secret; when it expires is read from it
    #[arg(long, value_name = "FILE", requires = "key", conflicts_with = "expires")]
    certificate: Option<PathBuf>,
    /// The private key of the certificate, a PEM file without a passphrase
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
    /// When the secret expires: a date, a number of days such as 730d, or `never`
    #[arg(long, value_name = "WHEN", value_parser = secret_expiry::parse)]
    expires: Option<Timestamp>,
    /// What to call the secret, such as the description it has at the provider [default: today's date]
    #[arg(long, value_name = "LABEL", value_parser = job_rules::name)]
    label: Option<String>,
}

/// A secret that is to be stored.
pub(crate) struct NewSecret {
    pub(crate) kind: SecretKind,
    pub(crate) value: SecretString,
    pub(crate) expires: Option<Timestamp>,
    pub(crate) label: Option<String>,
}

impl ClientSecretOptions {
    /// Whether anything of it is given.
    pub(crate) fn any(&self) -> bool {
        self.names_one() || self.expires.is_some() || self.label.is_some()
    }

    fn names_one(&self) -> bool {
        self.client_secret_stdin || self.client_secret_env.is_some() || self.certificate.is_some()
    }

    /// Reads what the options name, or asks; none when nothing is named and nobody can be asked.
    pub(crate) fn read(&self, ask: Option<Language>) -> Result<Option<NewSecret>, Problem> {
        if let (Some(certificate), Some(key)) = (&self.certificate, &self.key) {
            let (value, expires) = certificate::with_key(certificate, key)?;
            let (kind, expires, label) = (SecretKind::Certificate, Some(expires), self.label.clone());
            return Ok(Some(NewSecret { kind, value, expires, label }));
        }
        let mut expires = self.expires;
        let value = match (&self.client_secret_env, ask) {
            (Some(variable), _) => from_environment(variable)?,
            (None, _) if self.client_secret_stdin => from_stdin()?,
            (None, Some(language)) => {
                let label = language.pick("Client secret (its value)", "Client secret (de waarde)");
                let value = form::ask_secret(label, language)?;
                if expires.is_none() {
                    expires = form::ask_expiry(language)?;
                }
                value
            }
            (None, None) if self.any() => {
                return Err(Problem::usage(
                    "the client's secret itself is not given",
                    "Give it with --client-secret-stdin, --client-secret-env VARIABLE, or --certificate and --key.",
                ));
            }
            (None, None) => return Ok(None),
        };
        let value = SecretString::from(value.expose_secret().trim());
        Ok(Some(NewSecret { kind: SecretKind::Secret, value, expires, label: self.label.clone() }))
    }
}

impl NewSecret {
    /// Refuses what the provider would refuse, with words that help.
    pub(crate) fn check(&self, client: &OAuthClient, description: &Description) -> Result<(), Problem> {
        let wanted = match self.kind {
            SecretKind::Secret => ClientAuthentication::Secret,
            SecretKind::Certificate => ClientAuthentication::Certificate,
        };
        let taken = |wanted| description.auth.iter().any(|auth| auth.client_authentication.contains(&wanted));
        if !taken(wanted) {
            let (other, what) = match self.kind {
                SecretKind::Secret => (ClientAuthentication::Certificate, "secret"),
                SecretKind::Certificate => (ClientAuthentication::Secret, "certificate"),
            };
            let next = if taken(other) {
                "Give the other kind: a certificate with --certificate and --key, or a secret."
            } else {
                "Leave it out: its clients prove nothing."
            };
            return Err(Problem::usage(
                format!("connector '{}' has no use for a client's {what}", description.name),
                next,
            ));
        }
        // Where the provider's ids have this form, a secret never has.
        let ids = || client.settings.values().any(|value| is_guid(value));
        if self.kind == SecretKind::Secret && is_guid(self.value.expose_secret()) && ids() {
            return Err(Problem::usage(
                "what was given is not the secret but its id (the Secret ID), which opens nothing",
                "Copy the column Value: the provider shows it once, when the secret is made. If it was not kept, make a \
                 new secret there.",
            ));
        }
        Ok(())
    }

    /// What is stored of it beside its value. The label is one that the client does not have yet.
    pub(crate) fn describe(&self, client: ClientId, others: &[ClientSecret]) -> ClientSecret {
        let taken = |label: &str| others.iter().any(|o| o.label.to_lowercase() == label.to_lowercase());
        let label = self.label.clone().unwrap_or_else(|| {
            let today = jiff::Zoned::now().date().to_string();
            let numbered = (2..).map(|number| format!("{today} ({number})"));
            std::iter::once(today.clone()).chain(numbered).find(|label| !taken(label)).unwrap_or(today)
        });
        ClientSecret {
            id: ClientSecretId::generate(),
            client,
            label,
            kind: self.kind,
            expires: self.expires,
            added: Timestamp::now(),
            tested: None,
            state: if others.is_empty() { SecretState::InUse } else { SecretState::Standby },
        }
    }
}

/// Whether the text has the form of a GUID (RFC 9562, section 4).
fn is_guid(text: &str) -> bool {
    let text = text.trim().trim_start_matches('{').trim_end_matches('}');
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.chars().all(|c| c.is_ascii_hexdigit()))
}

/// The settings of a client, checked.
pub(crate) fn settings(
    name: &str,
    description: &Description,
    given: Values,
    ask: Option<Language>,
) -> Result<Values, Problem> {
    form::complete(form::Whose::Client(name), description, given, ask)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_secret_is_told_from_its_value() {
        for id in ["066150ce-aff5-4041-bded-0030fddb37ef", " {066150CE-AFF5-4041-BDED-0030FDDB37EF}\n"] {
            assert!(is_guid(id), "{id}");
        }
        for value in ["HGg8Q~niTBTAONWXOL2ZnPQHNZC-Tek", "066150ce-aff5-4041-bded-0030fddb37e", ""] {
            assert!(!is_guid(value), "{value}");
        }
    }
}
