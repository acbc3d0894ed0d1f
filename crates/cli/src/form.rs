//! The settings of an account as a form: what the connector describes is asked for when a person can be asked, and
//! checked in any case.

use std::collections::BTreeMap;
use std::io::IsTerminal;

use inquire::validator::Validation;
use inquire::{Confirm, InquireError, Password, PasswordDisplayMode, Select, Text};
use jiff::Timestamp;
use secrecy::SecretString;
use wissel_model::description::{AuthKind, AuthMethod, Setting, SettingKind, SettingOwner};
use wissel_model::secrets::field;
use wissel_model::settings::{SettingError, canonical, check, default_of, is_shown, missing_for};
use wissel_model::{Description, OAuthClient};

use crate::problem::Problem;
use crate::secret_expiry;
use crate::text::Language;

/// Settings by key.
pub(crate) type Values = BTreeMap<String, String>;

/// Whose settings a form is about.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Whose<'a> {
    /// An account's, beside the settings of its OAuth client.
    Account(&'a str, &'a Values),
    /// An OAuth client's.
    Client(&'a str),
}

impl Whose<'_> {
    fn owner(self) -> SettingOwner {
        match self {
            Self::Account(..) => SettingOwner::Account,
            Self::Client(_) => SettingOwner::Client,
        }
    }

    fn name(self) -> String {
        match self {
            Self::Account(name, _) => format!("account '{name}'"),
            Self::Client(name) => format!("OAuth client '{name}'"),
        }
    }

    fn canonical(self, description: &Description, given: &Values) -> Result<Values, Vec<SettingError>> {
        match self {
            Self::Account(_, client) => canonical(description, SettingOwner::Account, given, client),
            Self::Client(_) => canonical(description, SettingOwner::Client, given, &Values::new()),
        }
    }
}

/// Reads `KEY=VALUE`.
pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.to_owned())),
        _ => Err("give it as KEY=VALUE".to_owned()),
    }
}

/// Settings as they were given; one that is given twice is refused, as either could be meant.
pub(crate) fn once(what: &str, given: Vec<(String, String)>) -> Result<Values, Problem> {
    let mut values = Values::new();
    for (key, value) in given {
        if values.insert(key.clone(), value).is_some() {
            return Err(Problem::usage(
                format!("{what}: the setting '{key}' is given twice"),
                "Give it once with --set.",
            ));
        }
    }
    Ok(values)
}

/// Whether a person sits at both ends.
pub(crate) fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// The settings in canonical form. When some are missing and a person can be asked, asks for those not given.
pub(crate) fn complete(
    whose: Whose<'_>,
    description: &Description,
    mut given: Values,
    ask: Option<Language>,
) -> Result<Values, Problem> {
    if let (Err(errors), Some(language)) = (whose.canonical(description, &given), ask)
        && errors
            .iter()
            .all(|error| description.setting(&error.key).is_some() && !given.contains_key(&error.key))
    {
        for setting in description.settings.iter().filter(|setting| setting.of == whose.owner()) {
            let asked = setting.kind != SettingKind::Secret && !given.contains_key(&setting.key);
            let mut all = given.clone();
            if let Whose::Account(_, client) = whose {
                all.extend(client.clone());
            }
            if asked && is_shown(setting, description, &all) {
                let default = default_of(setting, description, &all);
                given.insert(setting.key.clone(), ask_setting(setting, default, language)?);
            }
        }
    }
    whose.canonical(description, &given).map_err(|errors| refuse(whose, description, &errors))
}

/// Refuses settings that lack what accounts of this auth method must have.
pub(crate) fn check_needed(
    account: &str,
    description: &Description,
    auth: &AuthMethod,
    settings: &Values,
) -> Result<(), Problem> {
    let missing = missing_for(description, &auth.id, settings);
    let Some(first) = missing.first() else { return Ok(()) };
    let named = |setting: &&Setting| format!("'{}' ({})", setting.key, setting.label.get("en"));
    let names: Vec<String> = missing.iter().map(named).collect();
    Err(Problem::usage(
        format!("account '{account}': the auth method '{}' needs the setting {}", auth.id, names.join(", ")),
        format!("Give it with --set {}=VALUE, or choose another auth method with --auth.", first.key),
    ))
}

/// Refuses keys of settings that are none of the owner's.
pub(crate) fn check_keys<'k>(
    whose: Whose<'_>,
    description: &Description,
    keys: impl Iterator<Item = &'k String>,
) -> Result<(), Problem> {
    let given: Values = keys.map(|key| (key.clone(), String::new())).collect();
    let own = |key: &str| description.setting(key).is_some_and(|setting| setting.of == whose.owner());
    let errors = whose.canonical(description, &given).err().unwrap_or_default();
    let unknown: Vec<_> =
        errors.into_iter().filter(|error| given.contains_key(&error.key) && !own(&error.key)).collect();
    if unknown.is_empty() { Ok(()) } else { Err(refuse(whose, description, &unknown)) }
}

/// All that is wrong with the settings of an account or client, in one go.
fn refuse(whose: Whose<'_>, description: &Description, errors: &[SettingError]) -> Problem {
    let lines: Vec<String> = errors.iter().map(|error| format!("\n  {error}")).collect();
    Problem::usage(
        format!("{} cannot be used with these settings:{}", whose.name(), lines.concat()),
        format!(
            "Give them with --set KEY=VALUE; `wissel connector show {}` explains each.",
            description.name
        ),
    )
}

fn ask_setting(setting: &Setting, default: Option<&str>, language: Language) -> Result<String, Problem> {
    let label = format!("{}:", setting.label.get(language.tag()));
    let help = setting.help.get(language.tag());
    match setting.kind {
        SettingKind::Choice => {
            let labels: Vec<&str> = setting.choices.iter().map(|c| c.label.get(language.tag())).collect();
            let start = setting.choices.iter().position(|c| Some(c.value.as_str()) == default);
            let mut select = Select::new(&label, labels).with_starting_cursor(start.unwrap_or(0));
            select.help_message = (!help.is_empty()).then_some(help);
            let chosen = select.raw_prompt().map_err(given_up)?.index;
            Ok(setting.choices.get(chosen).map(|c| c.value.clone()).unwrap_or_default())
        }
        SettingKind::Flag => {
            let mut confirm = yes_or_no(&label, default == Some("true"), language);
            confirm.help_message = (!help.is_empty()).then_some(help);
            Ok(confirm.prompt().map_err(given_up)?.to_string())
        }
        _ => {
            let (checked, required) = (setting.clone(), setting.required);
            let mut text = Text::new(&label).with_validator(move |value: &str| {
                let value = value.trim();
                Ok(match (value.is_empty(), required) {
                    (true, true) => Validation::Invalid("must be given".into()),
                    (true, false) => Validation::Valid,
                    (false, _) => match check(&checked, value) {
                        Ok(_) => Validation::Valid,
                        Err(problem) => Validation::Invalid(problem.into()),
                    },
                })
            });
            text.default = default;
            text.help_message = (!help.is_empty()).then_some(help);
            text.prompt().map_err(given_up)
        }
    }
}

/// The auth method to use: the one that is named, else the one that takes the kind of secret given, else the only
/// one, else what a person chooses.
pub(crate) fn choose_auth<'a>(
    description: &'a Description,
    named: Option<&str>,
    secret_field: Option<&str>,
    ask: Option<Language>,
) -> Result<&'a AuthMethod, Problem> {
    let ids: Vec<&str> = description.auth.iter().map(|method| method.id.as_str()).collect();
    let wrong = |message: String| Problem::usage(message, format!("Choose with --auth: {}.", ids.join(", ")));
    if let Some(named) = named {
        return description
            .auth_method(named)
            .ok_or_else(|| wrong(format!("connector '{}' has no auth method '{named}'", description.name)));
    }
    if let Some(field) = secret_field {
        return description.auth.iter().find(|method| method.secret_field() == Some(field)).ok_or_else(
            || {
                wrong(format!(
                    "connector '{}' has no auth method that uses a secret '{field}'",
                    description.name
                ))
            },
        );
    }
    match (description.auth.as_slice(), ask) {
        ([only], _) => Ok(only),
        (methods, Some(language)) => {
            let labels: Vec<&str> = methods.iter().map(|method| method.label.get(language.tag())).collect();
            let question = language.pick("Sign in with:", "Inloggen met:");
            let chosen = select(question, labels, language).raw_prompt().map_err(given_up)?.index;
            methods.get(chosen).ok_or_else(|| wrong("no auth method was chosen".to_owned()))
        }
        _ => Err(wrong(format!("connector '{}' has several auth methods", description.name))),
    }
}

/// A choice among these, with how to make it in this language.
fn select<'a>(question: &'a str, labels: Vec<&'a str>, language: Language) -> Select<'a, &'a str> {
    let select = Select::new(question, labels);
    match language {
        Language::En => select,
        Language::Nl => select.with_help_message("↑↓ om te kiezen, Enter om te bevestigen, typ om te zoeken"),
    }
}

/// What an operator calls the credential of this kind.
pub(crate) fn secret_options(kind: AuthKind) -> &'static str {
    if kind.secret_field() == field::PASSWORD {
        "--password-stdin or --password-env VARIABLE"
    } else {
        "--token-stdin or --token-env VARIABLE"
    }
}

/// Asks for a secret without showing it.
pub(crate) fn ask_secret(label: &str, language: Language) -> Result<SecretString, Problem> {
    let label = format!("{label}:");
    let empty = language.pick("it is empty; type it", "het is leeg; typ het in");
    let prompt = Password::new(&label)
        .without_confirmation()
        .with_display_mode(PasswordDisplayMode::Hidden)
        .with_validator(move |secret: &str| {
            Ok(if secret.is_empty() { Validation::Invalid(empty.into()) } else { Validation::Valid })
        });
    crate::secret_input::not_empty(prompt.prompt().map_err(given_up)?, "the answer")
}

/// Asks when a client's secret expires; none when the person does not know.
pub(crate) fn ask_expiry(language: Language) -> Result<Option<Timestamp>, Problem> {
    let question = language.pick("Expires:", "Verloopt op:");
    let help = language.pick(
        "a date such as 2028-11-22, a number of days such as 730d, or never; empty when you do not know",
        "een datum zoals 2028-11-22, een aantal dagen zoals 730d, of never; leeg als u het niet weet",
    );
    let text = Text::new(question).with_help_message(help).with_validator(|text: &str| {
        Ok(match secret_expiry::parse(text) {
            Err(problem) if !text.trim().is_empty() => Validation::Invalid(problem.into()),
            _ => Validation::Valid,
        })
    });
    Ok(secret_expiry::parse(&text.prompt().map_err(given_up)?).ok())
}

/// Asks which OAuth client to use; none means a new one.
pub(crate) fn ask_client(
    clients: &[OAuthClient],
    language: Language,
) -> Result<Option<OAuthClient>, Problem> {
    if clients.is_empty() {
        return Ok(None);
    }
    let mut labels: Vec<&str> = clients.iter().map(|client| client.name.as_str()).collect();
    labels.push(language.pick("a new one", "een nieuwe"));
    let chosen = select(language.pick("OAuth client:", "OAuth-client:"), labels, language)
        .raw_prompt()
        .map_err(given_up)?
        .index;
    Ok(clients.get(chosen).cloned())
}

/// The settings without those that have the value they would have anyway: when others change, these follow.
pub(crate) fn without_defaults(description: &Description, settings: Values) -> Values {
    let own = |key: &str, value: &str| {
        let default = description.setting(key).and_then(|s| default_of(s, description, &settings));
        default != Some(value)
    };
    settings.iter().filter(|(key, value)| own(key, value)).map(|(k, v)| (k.clone(), v.clone())).collect()
}

/// A yes-or-no question in this language. Both languages' answers are taken, whichever it is asked in.
fn yes_or_no(question: &str, default: bool, language: Language) -> Confirm<'_> {
    let mut confirm = Confirm::new(question).with_default(default).with_parser(&answer);
    if language == Language::Nl {
        confirm =
            confirm.with_default_value_formatter(&|default| if default { "J/n" } else { "j/N" }.to_owned());
        confirm = confirm.with_formatter(&|answer| Language::Nl.yes_or_no(answer));
        confirm.error_message = "Antwoord met 'j' of 'n'".to_owned();
    }
    confirm
}

fn answer(text: &str) -> Result<bool, ()> {
    match text.trim().to_lowercase().as_str() {
        "y" | "yes" | "j" | "ja" => Ok(true),
        "n" | "no" | "nee" => Ok(false),
        _ => Err(()),
    }
}

/// Whether what cannot be undone may be done: a person said so with `--yes`, or answers now. With nobody to ask it is
/// refused.
pub(crate) fn agreed(yes: bool, ask: Option<Language>, what: &str, lost: &str) -> Result<bool, Problem> {
    match (yes, ask) {
        (true, _) => Ok(true),
        (false, Some(language)) => {
            let question =
                language.pick(format!("Remove {what}? {lost}"), format!("Verwijderen: {what}? {lost}"));
            yes_or_no(&question, false, language).prompt().map_err(given_up)
        }
        (false, None) => Err(Problem::usage(
            format!("{what} is left as it is: nobody can be asked whether it is to be removed"),
            format!("Repeat it with --yes if that is meant. {lost}"),
        )),
    }
}

fn given_up(error: InquireError) -> Problem {
    match error {
        InquireError::OperationCanceled | InquireError::OperationInterrupted => Problem {
            code: crate::exit::Code::Stopped,
            name: "stopped",
            ..Problem::usage("stopped; nothing was changed", "")
        },
        other => Problem::usage(
            format!("the question could not be asked: {other}"),
            "Give the value as an option.",
        ),
    }
}
