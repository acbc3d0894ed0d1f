//! Checks an account's settings against what its connector describes, and fills templates from them.

use std::collections::BTreeMap;

use regex::Regex;

use crate::Account;
use crate::description::{Description, Setting, SettingKind, SettingOwner};

/// A setting that cannot be used as it stands. Names the key and what is allowed, never a secret's value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("setting '{key}': {problem}")]
pub struct SettingError {
    /// The key of the setting.
    pub key: String,
    /// What is wrong with it, and what would be right.
    pub problem: String,
}

impl SettingError {
    fn new(key: &str, problem: impl Into<String>) -> Self {
        Self { key: key.to_owned(), problem: problem.into() }
    }
}

/// Brings the settings of one owner into canonical form: trimmed, defaults filled in, whole numbers in decimal, flags as
/// `true` or `false`. `beside` are the settings of the other owner, which may decide defaults and what applies. Secret
/// settings must not be among them: those are sealed, not stored here.
///
/// # Errors
/// One [`SettingError`] for each setting that is unknown, of the other owner, missing or malformed; all of them, so that
/// a person corrects them in one go.
pub fn canonical(
    description: &Description,
    owner: SettingOwner,
    given: &BTreeMap<String, String>,
    beside: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Vec<SettingError>> {
    let mut errors = Vec::new();
    let mut settings = BTreeMap::new();
    let own = || description.settings.iter().filter(|setting| setting.of == owner);
    for key in given.keys().filter(|key| !own().any(|setting| setting.key == **key)) {
        let known: Vec<&str> = own().map(|s| s.key.as_str()).collect();
        let problem = match (description.setting(key), owner) {
            (Some(_), SettingOwner::Account) => "is one of the OAuth client, not of the account".to_owned(),
            (Some(_), SettingOwner::Client) => "is one of each account, not of the OAuth client".to_owned(),
            (None, _) if known.is_empty() => "is not known to this connector".to_owned(),
            (None, _) => format!("is not known to this connector; it knows {}", known.join(", ")),
        };
        errors.push(SettingError::new(key, problem));
    }
    let mut all = beside.clone();
    all.extend(given.clone());
    for setting in own() {
        let value = given.get(&setting.key).map(|v| v.trim()).filter(|v| !v.is_empty());
        if setting.kind == SettingKind::Secret {
            if value.is_some() {
                errors.push(SettingError::new(
                    &setting.key,
                    "is a secret; it is given by prompt, standard input or environment",
                ));
            }
            continue;
        }
        match value.or(default_of(setting, description, &all)) {
            Some(value) => match check(setting, value) {
                Ok(value) => {
                    settings.insert(setting.key.clone(), value);
                }
                Err(problem) => errors.push(SettingError::new(&setting.key, problem)),
            },
            None if setting.required && is_shown(setting, description, &all) => {
                errors.push(SettingError::new(
                    &setting.key,
                    format!("is missing ({})", setting.label.get("en")),
                ));
            }
            None => {}
        }
    }
    if errors.is_empty() { Ok(settings) } else { Err(errors) }
}

/// The settings of an account together with those of its OAuth client, if it has one, in canonical form.
///
/// # Errors
/// Like [`canonical`].
pub fn of_account(
    description: &Description,
    account: &Account,
) -> Result<BTreeMap<String, String>, Vec<SettingError>> {
    let mut values = BTreeMap::new();
    if let Some(client) = &account.client {
        let given = of_client(description, &client.settings);
        values = canonical(description, SettingOwner::Client, &given, &account.settings)?;
    }
    let own = canonical(description, SettingOwner::Account, &account.settings, &values)?;
    values.extend(own);
    Ok(values)
}

/// Those settings of an OAuth client that this connector describes: it may serve accounts of several.
#[must_use]
pub fn of_client(description: &Description, settings: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let described = |key: &str| description.setting(key).is_some_and(|s| s.of == SettingOwner::Client);
    settings.iter().filter(|(key, _)| described(key)).map(|(k, v)| (k.clone(), v.clone())).collect()
}

/// Whether a setting applies, given the values of the others (their defaults where none is given).
#[must_use]
pub fn is_shown(setting: &Setting, description: &Description, given: &BTreeMap<String, String>) -> bool {
    all_fit(&setting.shown_when, description, given)
}

/// The value of a setting when none is given, as far as the values of the others decide it.
#[must_use]
pub fn default_of<'a>(
    setting: &'a Setting,
    description: &Description,
    given: &BTreeMap<String, String>,
) -> Option<&'a str> {
    let fitting = setting.defaults_when.iter().find(|other| all_fit(&other.when, description, given));
    fitting.map(|other| other.value.as_str()).or(setting.default.as_deref())
}

fn all_fit(
    wanted: &BTreeMap<String, String>,
    description: &Description,
    given: &BTreeMap<String, String>,
) -> bool {
    wanted.iter().all(|(key, wanted)| {
        let default = || description.setting(key).and_then(|s| s.default.as_ref());
        given.get(key).or_else(default) == Some(wanted)
    })
}

/// The settings that an account of this auth method must have a value for, and has none in `values`.
#[must_use]
pub fn missing_for<'a>(
    description: &'a Description,
    auth: &str,
    values: &BTreeMap<String, String>,
) -> Vec<&'a Setting> {
    let lacks = |setting: &&Setting| {
        setting.required_for.iter().any(|id| id == auth)
            && is_shown(setting, description, values)
            && values.get(&setting.key).is_none_or(String::is_empty)
    };
    description.settings.iter().filter(lacks).collect()
}

/// Checks one value and returns its canonical form.
///
/// # Errors
/// What is wrong, as the end of a sentence that begins with the setting's name.
pub fn check(setting: &Setting, value: &str) -> Result<String, String> {
    if setting.kind != SettingKind::MultiLine && value.contains(char::is_control) {
        return Err("must be one line without control characters".to_owned());
    }
    let value = match setting.kind {
        SettingKind::Line | SettingKind::MultiLine | SettingKind::Secret => value.to_owned(),
        SettingKind::Email => match value.split_once('@') {
            Some((local, domain)) if !local.is_empty() && !domain.is_empty() && !value.contains(' ') => {
                value.to_owned()
            }
            _ => return Err(format!("'{value}' is not an e-mail address")),
        },
        SettingKind::Url => match url::Url::parse(value) {
            // One form: templates continue it with a path of their own.
            Ok(url) if url.has_host() => value.trim_end_matches('/').to_owned(),
            _ => return Err(format!("'{value}' is not a URL such as https://mail.example.com")),
        },
        SettingKind::Host => match url::Host::parse(value) {
            Ok(_) => value.to_ascii_lowercase(),
            Err(_) => {
                return Err(format!(
                    "'{value}' is not a host name or address; give it without https:// and port"
                ));
            }
        },
        SettingKind::Integer => {
            let number: i64 = value.parse().map_err(|_| format!("'{value}' is not a whole number"))?;
            let (min, max) = (setting.min.unwrap_or(i64::MIN), setting.max.unwrap_or(i64::MAX));
            if !(min..=max).contains(&number) {
                return Err(format!("{number} is not between {min} and {max}"));
            }
            number.to_string()
        }
        SettingKind::Flag => match value.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" | "ja" => "true".to_owned(),
            "false" | "no" | "off" | "0" | "nee" => "false".to_owned(),
            _ => return Err(format!("'{value}' is neither true nor false")),
        },
        SettingKind::Choice => {
            let found = setting.choices.iter().find(|c| c.value.eq_ignore_ascii_case(value));
            let values: Vec<&str> = setting.choices.iter().map(|c| c.value.as_str()).collect();
            found
                .map(|c| c.value.clone())
                .ok_or_else(|| format!("'{value}' is not one of {}", values.join(", ")))?
        }
    };
    if let Some(pattern) = &setting.pattern {
        let whole = Regex::new(&format!("^(?:{pattern})$")).map_err(|_| {
            "has a pattern that cannot be read; report this to the connector's author".to_owned()
        })?;
        if !whole.is_match(&value) {
            return Err(match &setting.hint {
                Some(hint) => format!("does not have the right form; wanted is: {}", hint.get("en")),
                None => format!("does not have the form {pattern}"),
            });
        }
    }
    Ok(value)
}

/// Fills a template: each `{key}` becomes the setting's value, or nothing where it has none. Braces around what cannot be
/// a key, such as those of JSON, stay.
#[must_use]
pub fn fill(template: &str, settings: &BTreeMap<String, String>) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let Some((key, after)) = key_before(after) else {
            filled.push('{');
            rest = after;
            continue;
        };
        filled.push_str(settings.get(key).map_or("", String::as_str));
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// The keys that [`fill`] puts values in place of.
pub fn keys(template: &str) -> impl Iterator<Item = &str> {
    template.split('{').skip(1).filter_map(|after| Some(key_before(after)?.0))
}

/// Whether a setting's value names the host of this address: as a URL, or as the host itself, with or without a port.
#[must_use]
pub fn names_host(value: &str, url: &url::Url) -> bool {
    let value = value.trim();
    let same = |text: &str| url::Url::parse(text).is_ok_and(|named| named.host() == url.host());
    if value.contains("://") { same(value) } else { same(&format!("https://{value}")) }
}

/// The key that a brace which was opened before this text closes in, and what follows it.
fn key_before(text: &str) -> Option<(&str, &str)> {
    let is_key = |text: &str| {
        let mut letters = text.bytes();
        letters.next().is_some_and(|first| first.is_ascii_lowercase())
            && letters.all(|letter| matches!(letter, b'a'..=b'z' | b'0'..=b'9' | b'-'))
    };
    text.split_once('}').filter(|(key, _)| is_key(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn description() -> Description {
        serde_json::from_value(serde_json::json!({
            "schema": 1, "name": "x", "version": "1", "title": {"en": "X", "nl": "X"},
            "settings": [
                {"key": "host", "type": "host", "label": {"en": "Server", "nl": "Server"}, "required": true},
                {"key": "port", "type": "integer", "label": {"en": "Port", "nl": "Poort"}, "default": "993", "min": 1, "max": 65535,
                 "defaultsWhen": [{"when": {"security": "none"}, "value": "143"}]},
                {"key": "security", "type": "choice", "label": {"en": "S", "nl": "S"}, "default": "implicit",
                 "choices": [{"value": "implicit", "label": {"en": "TLS", "nl": "TLS"}}, {"value": "none", "label": {"en": "-", "nl": "-"}}]},
                {"key": "token", "type": "secret", "label": {"en": "T", "nl": "T"}},
                {"key": "why", "type": "line", "label": {"en": "W", "nl": "W"}, "required": true, "shownWhen": {"security": "none"}}
            ],
            "endpoints": [], "auth": [], "operations": [], "limits": {}
        }))
        .unwrap()
    }

    fn canonical(
        description: &Description,
        given: &BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, String>, Vec<SettingError>> {
        super::canonical(description, SettingOwner::Account, given, &BTreeMap::new())
    }

    #[test]
    fn settings_of_the_client_and_of_the_account_are_told_apart_and_know_each_other() {
        let description: Description = serde_json::from_value(serde_json::json!({
            "schema": 1, "name": "x", "version": "1", "title": {"en": "X", "nl": "X"},
            "settings": [
                {"key": "tenant", "type": "line", "label": {"en": "T", "nl": "T"}, "required": true, "of": "client"},
                {"key": "cloud", "type": "line", "label": {"en": "C", "nl": "C"}, "default": "global", "of": "client"},
                {"key": "mailbox", "type": "line", "label": {"en": "M", "nl": "M"},
                 "defaultsWhen": [{"when": {"cloud": "china"}, "value": "ni"}]}
            ],
            "endpoints": [], "auth": [], "operations": [], "limits": {}
        }))
        .unwrap();
        let of = |owner, pairs: &[(&str, &str)], beside: &[(&str, &str)]| {
            super::canonical(&description, owner, &given(pairs), &given(beside))
        };
        // The account lacks nothing that is the client's.
        assert_eq!(of(SettingOwner::Account, &[], &[]).unwrap(), given(&[]));
        assert_eq!(
            of(SettingOwner::Account, &[], &[("cloud", "china")]).unwrap(),
            given(&[("mailbox", "ni")])
        );
        let wrong = of(SettingOwner::Account, &[("tenant", "t")], &[]).unwrap_err();
        assert!(wrong[0].to_string().contains("one of the OAuth client"), "{wrong:?}");
        assert_eq!(of(SettingOwner::Client, &[], &[]).unwrap_err()[0].key, "tenant");
        let client = of(SettingOwner::Client, &[("tenant", "t")], &[]).unwrap();
        assert_eq!(client, given(&[("cloud", "global"), ("tenant", "t")]));
    }

    fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn defaults_are_filled_in_and_values_are_made_canonical() {
        let settings =
            canonical(&description(), &given(&[("host", " Mail.Example.COM "), ("port", "0993")])).unwrap();
        assert_eq!(
            settings,
            given(&[("host", "mail.example.com"), ("port", "993"), ("security", "implicit")])
        );
    }

    #[test]
    fn every_wrong_setting_is_named_at_once() {
        let wrong = given(&[("port", "70000"), ("security", "tls9"), ("colour", "red"), ("token", "s3cret")]);
        let errors = canonical(&description(), &wrong).unwrap_err();
        let keys: Vec<&str> = errors.iter().map(|e| e.key.as_str()).collect();
        assert_eq!(keys, ["colour", "host", "port", "security", "token"]);
        assert!(errors.iter().all(|e| !e.to_string().contains("s3cret")));
    }

    #[test]
    fn a_required_setting_that_does_not_apply_may_be_missing() {
        assert!(canonical(&description(), &given(&[("host", "h")])).is_ok());
        let errors = canonical(&description(), &given(&[("host", "h"), ("security", "none")])).unwrap_err();
        assert_eq!(errors[0].key, "why");
    }

    #[test]
    fn a_default_may_follow_another_setting_but_what_is_given_stays() {
        let with = |pairs: &[(&str, &str)]| {
            let pairs = [&[("host", "h"), ("why", "w"), ("security", "none")], pairs].concat();
            canonical(&description(), &given(&pairs)).unwrap().remove("port").unwrap()
        };
        assert_eq!(with(&[]), "143");
        assert_eq!(with(&[("port", "993")]), "993");
    }

    #[test]
    fn templates_take_values_and_keep_what_is_not_one() {
        let settings = given(&[("tenant", "contoso"), ("x", "{tenant}")]);
        assert_eq!(fill("https://login/{tenant}/v2{gone}", &settings), "https://login/contoso/v2");
        assert_eq!(fill("{x} {open", &settings), "{tenant} {open");
        let json = r#"{"a_b":{"c":["{tenant}"]}}"#;
        assert_eq!(fill(json, &settings), r#"{"a_b":{"c":["contoso"]}}"#);
    }
}
