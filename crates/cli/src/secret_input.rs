//! How secrets come in: asked for without showing them, from standard input, or from the environment. Never from the
//! command line, where every user of the machine can read them.

use std::io::Read;

use clap::Args;
use secrecy::{ExposeSecret, SecretString};
use wissel_model::description::{AuthKind, AuthMethod, SettingKind};
use wissel_model::secrets::field;
use wissel_model::settings::is_shown;
use wissel_model::{Description, Proxy};

use crate::form::{self, Values};
use crate::problem::Problem;
use crate::text::Language;

/// Where the secrets of an account come from.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Secrets")]
pub(crate) struct SecretOptions {
    /// Read the password from standard input
    #[arg(long, conflicts_with_all = ["password_env", "token_stdin", "token_env"])]
    pub(crate) password_stdin: bool,
    /// Read the password from this environment variable
    #[arg(long, value_name = "VARIABLE", conflicts_with_all = ["token_stdin", "token_env"])]
    pub(crate) password_env: Option<String>,
    /// Read an access token from standard input
    #[arg(long, conflicts_with = "token_env")]
    pub(crate) token_stdin: bool,
    /// Read an access token from this environment variable
    #[arg(long, value_name = "VARIABLE")]
    pub(crate) token_env: Option<String>,
    /// Read the password for the proxy from standard input
    #[arg(long, conflicts_with_all = ["password_stdin", "token_stdin", "proxy_password_env"])]
    pub(crate) proxy_password_stdin: bool,
    /// Read the password for the proxy from this environment variable
    #[arg(long, value_name = "VARIABLE")]
    pub(crate) proxy_password_env: Option<String>,
    /// Read a secret setting of the connector from an environment variable
    #[arg(long = "secret-env", value_name = "KEY=VARIABLE", value_parser = form::pair)]
    pub(crate) settings_env: Vec<(String, String)>,
}

/// Where the passphrase of a backup comes from.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Passphrase")]
pub(crate) struct PassphraseOptions {
    /// Read the passphrase from standard input, such as `< FILE`
    #[arg(long, conflicts_with = "passphrase_env")]
    passphrase_stdin: bool,
    /// Read the passphrase from this environment variable
    #[arg(long, value_name = "VARIABLE")]
    passphrase_env: Option<String>,
}

impl PassphraseOptions {
    /// The passphrase, asked for when it is not given; `new` asks twice.
    pub(crate) fn read(
        &self,
        interactive: bool,
        new: bool,
        language: Language,
    ) -> Result<SecretString, Problem> {
        if let Some(variable) = &self.passphrase_env {
            return from_environment(variable);
        }
        if self.passphrase_stdin {
            return from_stdin();
        }
        if !interactive {
            return Err(Problem::usage(
                "the vault's key in a backup is wrapped with a passphrase, and nobody can be asked for it",
                "Give it with --passphrase-stdin or --passphrase-env VARIABLE.",
            ));
        }
        let first =
            form::ask_secret(language.pick("Passphrase of the backup", "Wachtzin van de back-up"), language)?;
        if new {
            let again =
                form::ask_secret(language.pick("The same once more", "Nog een keer dezelfde"), language)?;
            if first.expose_secret() != again.expose_secret() {
                return Err(Problem::usage(
                    "the two passphrases differ",
                    "Nothing was written; begin again.",
                ));
            }
        }
        Ok(first)
    }
}

/// Secrets by field.
pub(crate) type SecretValues = Vec<(String, SecretString)>;

impl SecretOptions {
    /// Whether any secret is given.
    pub(crate) fn any(&self) -> bool {
        self.field().is_some()
            || !self.settings_env.is_empty()
            || self.proxy_password_stdin
            || self.proxy_password_env.is_some()
    }

    /// The field that the credential goes to.
    pub(crate) fn field(&self) -> Option<&'static str> {
        if self.password_stdin || self.password_env.is_some() {
            Some(field::PASSWORD)
        } else if self.token_stdin || self.token_env.is_some() {
            Some(field::ACCESS_TOKEN)
        } else {
            None
        }
    }

    /// Reads what the options name.
    pub(crate) fn read(&self) -> Result<SecretValues, Problem> {
        let mut secrets = Vec::new();
        if let Some(field) = self.field() {
            let variable = self.password_env.as_ref().or(self.token_env.as_ref());
            let secret = match variable {
                Some(variable) => from_environment(variable)?,
                None => from_stdin()?,
            };
            secrets.push((field.to_owned(), secret));
        }
        if self.proxy_password_stdin {
            secrets.push((field::PROXY_PASSWORD.to_owned(), from_stdin()?));
        } else if let Some(variable) = &self.proxy_password_env {
            secrets.push((field::PROXY_PASSWORD.to_owned(), from_environment(variable)?));
        }
        for (key, variable) in &self.settings_env {
            secrets.push((key.clone(), from_environment(variable)?));
        }
        Ok(secrets)
    }
}

/// What an account of this kind keeps as secrets: field and the label to ask with.
pub(crate) fn fields_needed(
    description: &Description,
    auth: &AuthMethod,
    settings: &Values,
    language: Language,
) -> Vec<(String, String)> {
    let label = match auth.kind {
        AuthKind::Password | AuthKind::Ntlm => language.pick("Password", "Wachtwoord"),
        _ => language.pick("Access token", "Toegangstoken"),
    };
    let credential = auth.secret_field().map(|field| (field.to_owned(), label.to_owned()));
    let shown = description
        .settings
        .iter()
        .filter(|setting| setting.kind == SettingKind::Secret && is_shown(setting, description, settings))
        .map(|setting| (setting.key.clone(), setting.label.get(language.tag()).to_owned()));
    credential.into_iter().chain(shown).collect()
}

/// Asks for the password of the account's proxy.
pub(crate) fn ask_for_proxy(language: Language) -> Result<(String, SecretString), Problem> {
    let label = language.pick("Password for the proxy", "Wachtwoord voor de proxy");
    Ok((field::PROXY_PASSWORD.to_owned(), form::ask_secret(label, language)?))
}

/// Refuses secrets that the connector and the proxy have no use for.
pub(crate) fn check_fields(
    secrets: &SecretValues,
    description: &Description,
    auth: &AuthMethod,
    proxy: Option<&Proxy>,
) -> Result<(), Problem> {
    for (name, _) in secrets {
        if name == field::PROXY_PASSWORD {
            if proxy.is_some_and(Proxy::takes_password) {
                continue;
            }
            return Err(Problem::usage(
                "there is no proxy that a password could be for",
                "Name the proxy and its user with --proxy, such as socks5h://USER@HOST:1080.",
            ));
        }
        let setting = description.setting(name).is_some_and(|setting| setting.kind == SettingKind::Secret);
        if !setting && auth.secret_field() != Some(name) {
            let next = match auth.secret_field() {
                Some(field) => {
                    format!("It needs '{field}'; choose another method with --auth, or give that one.")
                }
                None => {
                    "Its tokens come from the provider; choose another method with --auth, or leave that out."
                        .to_owned()
                }
            };
            return Err(Problem::usage(
                format!(
                    "the auth method '{}' of connector '{}' has no use for a secret '{name}'",
                    auth.id, description.name
                ),
                next,
            ));
        }
    }
    Ok(())
}

/// Reads a secret from the environment.
pub(crate) fn from_environment(variable: &str) -> Result<SecretString, Problem> {
    check_variable(variable)?;
    let value = std::env::var(variable).map_err(|_| {
        Problem::usage(
            format!("the environment variable {variable} is not set, or is not text"),
            "Set it for this command, or give the secret by prompt or standard input.",
        )
    })?;
    not_empty(value, &format!("the environment variable {variable}"))
}

/// Refuses what cannot be the name of a variable, and does not repeat it: it may be the secret itself.
pub(crate) fn check_variable(name: &str) -> Result<(), Problem> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    if !name.is_empty() && name.chars().all(fits) && !name.starts_with(|first: char| first.is_ascii_digit()) {
        return Ok(());
    }
    Err(Problem::usage(
        "what stands where the name of an environment variable belongs is no such name, and not shown here: it may be \
         a secret",
        "Put the secret into a variable and give the variable's name. If it was a secret, the shell's history and \
         other users may have seen it: replace it.",
    ))
}

/// Takes a secret as it was read, without the end of its line.
pub(crate) fn not_empty(mut value: String, place: &str) -> Result<SecretString, Problem> {
    value.truncate(value.trim_end_matches(['\r', '\n']).len());
    if value.is_empty() {
        return Err(Problem::usage(
            format!("{place} holds no secret: it is empty"),
            "Give the secret there.",
        ));
    }
    Ok(SecretString::from(value))
}

/// Reads a secret from standard input.
pub(crate) fn from_stdin() -> Result<SecretString, Problem> {
    let mut value = String::new();
    std::io::stdin().read_to_string(&mut value).map_err(|error| {
        Problem::usage(
            format!("the secret cannot be read from standard input: {error}"),
            "Give it as UTF-8 text.",
        )
    })?;
    not_empty(value, "standard input")
}
