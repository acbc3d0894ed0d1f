//! What a person can do about a failure of an account, as far as its way to sign in decides that: the connector's own advice
//! by code, else what helps with tokens that the host asks for. Advice by kind of failure is [`crate::ErrorKind::advice`].

use std::collections::BTreeMap;

use crate::description::{AuthKind, AuthMethod};
use crate::secrets::code;
use crate::settings::fill;
use crate::{ConnectorError, ErrorKind};

/// The commands that advice and the steps of a guide may name, by the key of the template; `account` as it is typed.
#[must_use]
pub fn commands(account: &str) -> BTreeMap<String, String> {
    [
        ("authorize-command", format!("wissel account authorize {account}")),
        ("secret-add-command", format!("wissel account secret add {account}")),
        ("secret-test-command", format!("wissel account secret test {account}")),
        ("secret-use-command", format!("wissel account secret use {account}")),
    ]
    .map(|(key, command)| (key.to_owned(), command))
    .into()
}

impl AuthMethod {
    /// What a person can do about this failure of an account that signs in like this, in a language such as `nl`; none where
    /// nothing is known that [`ErrorKind::advice`] does not say. `account` is its name as it is typed in a command.
    #[must_use]
    pub fn advise(&self, error: &ConnectorError, account: &str, language: &str) -> Option<String> {
        let commands = commands(account);
        let filled = |text: &str| fill(text, &commands);
        let code = error.code.as_deref();
        if let Some(known) = self.advice.iter().find(|advice| code == Some(advice.code.as_str())) {
            return Some(filled(known.text.get(language)));
        }
        if error.kind != ErrorKind::AuthorizationNeeded || !self.needs_client() {
            return None;
        }
        let (en, nl) = match (code, self.kind) {
            (Some(code::VAULT), _) => return None,
            (Some(code::NO_SECRET), _) => {
                ("Add one with `{secret-add-command}`.", "Voeg er een toe met `{secret-add-command}`.")
            }
            (_, AuthKind::OAuth2Client | AuthKind::OAuth2Jwt) => (
                "Try the secret of its OAuth client with `{secret-test-command}`; a new one is added with \
                 `{secret-add-command}`.",
                "Test het geheim van de OAuth-client met `{secret-test-command}`; een nieuw voegt u toe met \
                 `{secret-add-command}`.",
            ),
            (Some(code::NOT_AUTHORIZED), _) => {
                ("Authorise it with `{authorize-command}`.", "Machtig het met `{authorize-command}`.")
            }
            _ => (
                "Authorise the account again with `{authorize-command}`.",
                "Machtig het account opnieuw met `{authorize-command}`.",
            ),
        };
        Some(filled(if language == "nl" { nl } else { en }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn method(kind: &str) -> AuthMethod {
        serde_json::from_value(serde_json::json!({
            "id": "x", "type": kind, "label": {"en": "X", "nl": "X"}, "token": "https://example.com/token",
            "advice": [{"code": "E1", "text": {"en": "Go there ({authorize-command}).", "nl": "Ga daarheen."}}]
        }))
        .unwrap()
    }

    #[test]
    fn advice_is_that_of_the_way_to_sign_in() {
        let refused = |code: &str| ConnectorError::new(ErrorKind::AuthorizationNeeded, "no").with_code(code);
        let said = |kind: &str, code: &str| method(kind).advise(&refused(code), "\"A b\"", "en").unwrap();
        assert_eq!(said("oauth2-code", "E1"), "Go there (wissel account authorize \"A b\").");
        assert!(said("oauth2-code", "E2").contains("again with `wissel account authorize \"A b\"`"));
        assert!(!said("oauth2-device", code::NOT_AUTHORIZED).contains("again"));
        assert!(said("oauth2-client", "E2").contains("account secret test \"A b\""));
        assert!(said("oauth2-code", code::NO_SECRET).contains("account secret add \"A b\""));
        assert_eq!(method("oauth2-code").advise(&refused(code::VAULT), "A", "en"), None);
        let by_password = AuthMethod { token: None, ..method("password") };
        assert_eq!(by_password.advise(&refused("E2"), "A", "en"), None);
    }
}
