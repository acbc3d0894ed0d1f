//! Checks a description: against its schema, and what a schema cannot say.

use std::collections::BTreeSet;

use jsonschema::Validator;
use regex::Regex;
use serde_json::Value;
use wissel_model::Description;
use wissel_model::description::{Endpoint, EndpointKind, Setting, SettingKind};
use wissel_model::settings;

use crate::rejection::Rejection;
use crate::text::cleaned;

const SCHEMA: &str = include_str!("../../../wit/description.schema.json");

/// Octets of a description.
pub(crate) const LARGEST: usize = 1 << 20;

/// The compiled schema.
#[derive(Debug)]
pub(crate) struct Checker {
    schema: Validator,
}

impl Checker {
    /// Compiles the schema that is built in.
    pub(crate) fn new() -> Result<Self, String> {
        let schema: Value = serde_json::from_str(SCHEMA).map_err(|error| error.to_string())?;
        let schema = jsonschema::validator_for(&schema).map_err(|error| error.to_string())?;
        Ok(Self { schema })
    }

    /// The description, if it keeps all rules; else the first that it breaks.
    pub(crate) fn check(&self, text: &str) -> Result<Description, Rejection> {
        if text.len() > LARGEST {
            return Err(wrong("document", format!("it is longer than {LARGEST} octets")));
        }
        let document: Value = serde_json::from_str(text).map_err(|e| wrong("document", e.to_string()))?;
        if let Some(text) = with_control(&document) {
            let problem = format!("control characters in '{}'", cleaned(text, 60));
            return Err(wrong("document", problem));
        }
        if let Err(error) = self.schema.validate(&document) {
            let field = error.instance_path().to_string();
            return Err(wrong(&field, cleaned(&error.to_string(), 300)));
        }
        let description: Description =
            serde_json::from_value(document).map_err(|e| wrong("document", e.to_string()))?;
        check_settings(&description)?;
        check_endpoints(&description)?;
        check_auth(&description)?;
        Ok(description)
    }
}

/// A text or a key that would command a terminal where it is shown. Line breaks may stand in longer texts.
fn with_control(value: &Value) -> Option<&str> {
    let bad = |text: &str| text.contains(|c: char| c.is_control() && c != '\n');
    match value {
        Value::String(text) => bad(text).then_some(text),
        Value::Array(items) => items.iter().find_map(with_control),
        Value::Object(members) => members
            .iter()
            .find_map(|(key, value)| if bad(key) { Some(key.as_str()) } else { with_control(value) }),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

fn wrong(field: &str, problem: impl Into<String>) -> Rejection {
    let field = if field.is_empty() { "document" } else { field };
    Rejection::BadDescription { field: field.to_owned(), problem: problem.into() }
}

/// Names in a list that is looked up by name must differ.
fn unique<'a>(names: impl Iterator<Item = &'a str>, list: &str) -> Result<(), Rejection> {
    let mut seen = BTreeSet::new();
    for (index, name) in names.enumerate() {
        if !seen.insert(name) {
            return Err(wrong(&format!("/{list}/{index}"), format!("'{name}' is there twice")));
        }
    }
    Ok(())
}

fn check_settings(description: &Description) -> Result<(), Rejection> {
    unique(description.settings.iter().map(|s| s.key.as_str()), "settings")?;
    for (index, setting) in description.settings.iter().enumerate() {
        let field = |member: &str| format!("/settings/{index}/{member}");
        if let Some(pattern) = &setting.pattern
            && let Err(error) = Regex::new(&format!("^(?:{pattern})$"))
        {
            return Err(wrong(&field("pattern"), cleaned(&error.to_string(), 300)));
        }
        if setting.kind == SettingKind::Choice && setting.choices.is_empty() {
            return Err(wrong(&field("choices"), "a choice needs values to choose from"));
        }
        if setting.min.zip(setting.max).is_some_and(|(min, max)| min > max) {
            return Err(wrong(&field("min"), "it is greater than max"));
        }
        if let Some(default) = &setting.default {
            check_default(setting, default).map_err(|problem| wrong(&field("default"), problem))?;
        }
        for other in &setting.defaults_when {
            let problem = |problem| wrong(&field("defaultsWhen"), problem);
            check_default(setting, &other.value).map_err(problem)?;
            if let Some(key) = other.when.keys().find(|key| description.setting(key).is_none()) {
                return Err(problem(format!("there is no setting '{key}'")));
            }
        }
        if let Some(key) = setting.shown_when.keys().find(|key| description.setting(key).is_none()) {
            return Err(wrong(&field("shownWhen"), format!("there is no setting '{key}'")));
        }
    }
    Ok(())
}

fn check_default(setting: &Setting, default: &str) -> Result<(), String> {
    if setting.kind == SettingKind::Secret {
        return Err("a secret has no default".to_owned());
    }
    settings::check(setting, default).map(|_| ())
}

fn check_endpoints(description: &Description) -> Result<(), Rejection> {
    unique(description.endpoints.iter().map(|e| e.name.as_str()), "endpoints")?;
    for (index, endpoint) in description.endpoints.iter().enumerate() {
        let field = |member: &str| format!("/endpoints/{index}/{member}");
        for (member, present) in needed(endpoint) {
            if !present {
                return Err(wrong(&field(member), "it is missing for an endpoint of this kind"));
            }
        }
        let templates = [
            ("url", &endpoint.url),
            ("host", &endpoint.host),
            ("port", &endpoint.port),
            ("tls", &endpoint.tls),
        ];
        for (member, template) in templates {
            check_template(description, template.as_deref(), &field(member))?;
        }
        if let Some(tls) = &endpoint.tls
            && !tls.contains('{')
            && !matches!(tls.as_str(), "implicit" | "starttls" | "none")
        {
            return Err(wrong(&field("tls"), format!("'{tls}' is none of implicit, starttls and none")));
        }
        if let Some(id) = endpoint.authenticate.iter().find(|id| description.auth_method(id).is_none()) {
            return Err(wrong(&field("authenticate"), format!("there is no auth method '{id}'")));
        }
    }
    Ok(())
}

/// The members that an endpoint's kind demands, and whether they are there.
fn needed(endpoint: &Endpoint) -> Vec<(&'static str, bool)> {
    match endpoint.kind {
        EndpointKind::Http => vec![("url", endpoint.url.is_some())],
        EndpointKind::Stream => vec![("host", endpoint.host.is_some()), ("port", endpoint.port.is_some())],
    }
}

fn check_auth(description: &Description) -> Result<(), Rejection> {
    unique(description.auth.iter().map(|a| a.id.as_str()), "auth")?;
    for (index, auth) in description.auth.iter().enumerate() {
        let templates = [
            ("user", &auth.user),
            ("identity", &auth.identity),
            ("authorize", &auth.authorize),
            ("device", &auth.device),
            ("token", &auth.token),
            ("adminConsent", &auth.admin_consent),
        ];
        for (member, template) in templates {
            check_template(description, template.as_deref(), &format!("/auth/{index}/{member}"))?;
        }
        for (at, template) in auth.issuers.iter().enumerate() {
            check_template(description, Some(template), &format!("/auth/{index}/issuers/{at}"))?;
        }
        // A value may be JSON, which has braces of its own.
        for (name, template) in &auth.parameters {
            for key in settings::keys(template) {
                check_key(description, key, &format!("/auth/{index}/parameters/{name}"))?;
            }
        }
    }
    Ok(())
}

fn check_template(description: &Description, template: Option<&str>, field: &str) -> Result<(), Rejection> {
    let mut rest = template.unwrap_or_default();
    while let Some((_, after)) = rest.split_once('{') {
        let Some((key, after)) = after.split_once('}') else {
            return Err(wrong(field, "a '{' is not closed"));
        };
        check_key(description, key, field)?;
        rest = after;
    }
    Ok(())
}

fn check_key(description: &Description, key: &str, field: &str) -> Result<(), Rejection> {
    match description.setting(key) {
        None => Err(wrong(field, format!("there is no setting '{key}'"))),
        Some(setting) if setting.kind == SettingKind::Secret => {
            Err(wrong(field, format!("the secret '{key}' may not be part of a template")))
        }
        Some(_) => Ok(()),
    }
}
