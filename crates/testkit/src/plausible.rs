//! An account that fits a description and belongs to nobody, for what is tried without an account.

use std::collections::BTreeMap;
use std::sync::Arc;

use wissel_model::description::{Setting, SettingKind, SettingOwner};
use wissel_model::{Account, AccountId, ClientId, ConnectionPolicy, Description, OAuthClient, settings};

/// An account with made-up values for every setting that must have one. Its hosts are of the domain `invalid`, which
/// exists nowhere (RFC 2606).
#[must_use]
pub fn account(description: &Description) -> Account {
    let mut given = BTreeMap::new();
    let mut of_client = BTreeMap::new();
    for setting in &description.settings {
        let has_default = settings::default_of(setting, description, &given).is_some();
        if setting.required && !has_default && setting.kind != SettingKind::Secret {
            let owner = match setting.of {
                SettingOwner::Account => &mut given,
                SettingOwner::Client => &mut of_client,
            };
            owner.insert(setting.key.clone(), value(setting));
        }
    }
    let client = OAuthClient {
        id: ClientId::generate(),
        name: "conformance check".to_owned(),
        connector: description.name.clone(),
        settings: of_client,
        redirect: None,
    };
    let has_client = description.settings.iter().any(|setting| setting.of == SettingOwner::Client);
    Account {
        id: AccountId::generate(),
        name: "conformance check".to_owned(),
        connector: description.name.clone(),
        auth: description.auth.first().map(|auth| auth.id.clone()).unwrap_or_default(),
        client: has_client.then(|| Arc::new(client)),
        settings: given,
        connection: ConnectionPolicy { call_timeout_seconds: 30, ..ConnectionPolicy::default() },
        is_default: false,
    }
}

fn value(setting: &Setting) -> String {
    let first = setting.choices.first().map(|choice| choice.value.clone());
    match setting.kind {
        SettingKind::Email => "someone@mail.invalid".to_owned(),
        SettingKind::Url => "https://mail.invalid/".to_owned(),
        SettingKind::Host => "mail.invalid".to_owned(),
        SettingKind::Integer => setting.min.or(setting.max).unwrap_or(1).to_string(),
        SettingKind::Flag => "false".to_owned(),
        SettingKind::Choice => first.unwrap_or_default(),
        SettingKind::Line | SettingKind::MultiLine | SettingKind::Secret => "someone".to_owned(),
    }
}
