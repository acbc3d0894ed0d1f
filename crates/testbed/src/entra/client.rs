//! Whether a client is who it says it is: a secret, an assertion, or nothing where nothing is needed.

use axum::http::HeaderMap;

use super::{
    certificate::{self, ASSERTION_TYPE},
    refusal::{Asking, Refusal},
    request::{Fields, basic},
    state::{Proof, State},
};

/// What a client showed.
pub(super) enum Shown {
    Nothing,
    Secret(String),
    Assertion(String),
}

impl Shown {
    /// The client id, and what came with it.
    pub(super) fn of(headers: &HeaderMap, fields: &Fields) -> Result<(String, Self), Refusal> {
        if let Some((id, secret)) = basic(headers) {
            return Ok((id, Self::Secret(secret)));
        }
        let id = fields.need("client_id")?.to_owned();
        if let Some(assertion) = fields.get("client_assertion") {
            if fields.need("client_assertion_type")? != ASSERTION_TYPE {
                return Err(Refusal::new(50013).saying("The type of the client assertion is not supported."));
            }
            return Ok((id, Self::Assertion(assertion.to_owned())));
        }
        Ok((id, fields.get("client_secret").map_or(Self::Nothing, |secret| Self::Secret(secret.to_owned()))))
    }
}

/// Refuses a client that does not prove who it is. `segments` are the names that an assertion may call the tenant by.
pub(super) fn authenticate(
    state: &mut State,
    client_id: &str,
    shown: &Shown,
    proof: Proof,
    segments: &[&str],
    asking: &Asking,
) -> Result<(), Refusal> {
    let Some(app) = state.directory.apps.get(client_id) else { return Err(Refusal::new(700016)) };
    match (shown, proof) {
        (Shown::Nothing, Proof::Needed) => Err(Refusal::new(7000218)),
        (Shown::Nothing, _) => Ok(()),
        (_, Proof::Forbidden) => Err(Refusal::new(700025)),
        (Shown::Secret(value), _) => {
            let mut named = app.secrets.iter().filter(|secret| secret.value == *value).peekable();
            if named.peek().is_none() {
                return Err(Refusal::new(7000215).saying(format!(
                    "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{client_id}'."
                )));
            }
            if named.all(|secret| secret.expires <= asking.now) {
                return Err(Refusal::new(7000222).saying(format!(
                    "The provided client secret keys for app '{client_id}' are expired. Visit the Azure portal to create new keys for your app, or consider using certificate credentials for added security."
                )));
            }
            Ok(())
        }
        (Shown::Assertion(assertion), _) => {
            let url = &asking.url;
            let audiences: Vec<_> = segments
                .iter()
                .flat_map(|tenant| {
                    [format!("{url}/{tenant}/oauth2/v2.0/token"), format!("{url}/{tenant}/v2.0")]
                })
                .collect();
            let used = certificate::check(assertion, client_id, &app.certificates, &audiences, asking.now)?;
            state.assertions.retain(|_, until| *until >= asking.now);
            if state.assertions.insert(used.id, used.until).is_some() {
                return Err(
                    Refusal::new(50013).saying("Assertion failed validation: its 'jti' was used before.")
                );
            }
            Ok(())
        }
    }
}
