//! How an account stands with its provider: one of four words, why, and what to do next. Nothing is asked over the network.

use serde::Serialize;
use serde_json::{Value, json};
use wissel_auth::Standing;
use wissel_model::description::AuthKind;
use wissel_model::{Account, ClientSecret, Description, SecretState, Stage};

use crate::authorization::{self, Authorization};
use crate::context::Context;
use crate::problem::INSTALL;
use crate::secret_expiry;
use crate::text::{Language, quoted};
use crate::views;

/// How an account stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    /// It can sign in, as far as is known here.
    Authorized,
    /// It can sign in, and will not when nobody acts.
    Expiring,
    /// It could sign in, and cannot any more.
    Failing,
    /// It was never able to sign in: something is missing.
    Unauthorized,
}

impl State {
    /// The word that a person reads.
    pub(crate) fn word(self, language: Language) -> &'static str {
        match self {
            Self::Authorized => language.pick("Authorized", "Gemachtigd"),
            Self::Expiring => language.pick("Expiring", "Verloopt"),
            Self::Failing => language.pick("Failing", "Werkt niet"),
            Self::Unauthorized => language.pick("Unauthorized", "Niet gemachtigd"),
        }
    }
}

/// How an account stands, why, and what to do.
#[derive(Debug, Clone)]
pub(crate) struct Status {
    pub(crate) state: State,
    /// Empty when all is well.
    pub(crate) reason: String,
    /// Empty when there is nothing to do.
    pub(crate) next: String,
    /// What is known of the grant; none where there is none to know.
    pub(crate) grant: Option<Authorization>,
}

impl Status {
    fn new(state: State, reason: impl Into<String>, next: impl Into<String>) -> Self {
        Self { state, reason: reason.into(), next: next.into(), grant: None }
    }

    /// As a document.
    pub(crate) fn json(&self) -> Value {
        json!({ "state": self.state, "reason": self.reason, "next": self.next })
    }

    /// In one line.
    pub(crate) fn line(&self, language: Language) -> String {
        let word = self.state.word(language);
        if self.reason.is_empty() { word.to_owned() } else { format!("{word}: {}", self.reason) }
    }
}

/// How the account stands; `stored` are the fields that it has secrets for.
pub(crate) async fn of(
    context: &Context,
    account: &Account,
    description: Option<&Description>,
    stored: &[String],
) -> anyhow::Result<Status> {
    let language = context.language;
    let Some(description) = description else {
        let reason = language.pick(
            format!("its connector '{}' is not installed", account.connector),
            format!("de connector '{}' is niet geïnstalleerd", account.connector),
        );
        return Ok(Status::new(State::Failing, reason, INSTALL));
    };
    let name = quoted(&account.name);
    let Some(method) = description.auth_method(&account.auth) else {
        let (reason, next) = language.pick(
            (
                format!("its connector has no auth method '{}' any more", account.auth),
                format!("Choose one: `wissel account edit {name} --auth ID`."),
            ),
            (
                format!("de connector kent de manier van inloggen '{}' niet meer", account.auth),
                format!("Kies er een: `wissel account edit {name} --auth ID`."),
            ),
        );
        return Ok(Status::new(State::Failing, reason, next));
    };
    let missing: Vec<String> = views::secret_fields(account, Some(description), stored)
        .into_iter()
        .filter_map(|(field, stored)| (!stored).then_some(field))
        .collect();
    if !missing.is_empty() {
        let reason = language.pick(
            format!("not stored: {}", missing.join(", ")),
            format!("niet opgeslagen: {}", missing.join(", ")),
        );
        let next = language.pick(
            format!("Store it with `wissel account edit {name}`."),
            format!("Sla het op met `wissel account edit {name}`."),
        );
        return Ok(Status::new(State::Unauthorized, reason, next));
    }
    if !method.needs_client() {
        return Ok(Status::new(State::Authorized, "", ""));
    }
    let Some(client) = &account.client else {
        let (reason, next) = language.pick(
            ("it has no OAuth client", format!("Give it one: `wissel account edit {name} --client CLIENT`.")),
            (
                "er is geen OAuth-client",
                format!("Geef hem er een: `wissel account edit {name} --client CLIENT`."),
            ),
        );
        return Ok(Status::new(State::Unauthorized, reason, next));
    };
    let secrets = context.store().await?.client_secrets(client.id).await?;
    let in_use = secrets.iter().find(|secret| secret.state == SecretState::InUse);
    if in_use.is_none() && method.needs_client_secret() {
        let client = quoted(&client.name);
        let (reason, next) = language.pick(
            ("its OAuth client has no secret", format!("Add one: `wissel client secret add {client}`.")),
            (
                "de OAuth-client heeft geen geheim",
                format!("Voeg er een toe: `wissel client secret add {client}`."),
            ),
        );
        return Ok(Status::new(State::Unauthorized, reason, next));
    }
    let now = wissel_model::clock::now();
    let stage = in_use.map_or(Stage::Far, |secret| Stage::of(secret.expires, now));
    let alone = matches!(method.kind, AuthKind::OAuth2Client | AuthKind::OAuth2Jwt);
    let of_secret = |state| {
        let warning = in_use
            .and_then(|secret: &ClientSecret| secret_expiry::warning(&client.name, secret, now, language));
        let (reason, next) = warning.unwrap_or_default();
        Status::new(state, reason, next)
    };
    let own = match stage {
        Stage::Expired => of_secret(State::Failing),
        Stage::Within(_) => of_secret(State::Expiring),
        Stage::Unknown => of_secret(State::Authorized),
        Stage::Far => Status::new(State::Authorized, "", ""),
    };
    let Some(grant) = authorization::status(context, account, description).await? else { return Ok(own) };
    let state = match grant.standing {
        // Nobody has to authorise what signs in as itself: it asks for its first token when it needs one.
        Standing::Unauthorized if alone => State::Authorized,
        Standing::Unauthorized => State::Unauthorized,
        Standing::Authorized => State::Authorized,
        Standing::Expiring => State::Expiring,
        Standing::Failing => State::Failing,
    };
    // What is worse is told; of two that are as bad, what the provider says.
    if state > own.state || (state == own.state && state != State::Authorized) {
        let (reason, next) = (grant.reason.clone(), grant.next.clone());
        return Ok(Status { state, reason, next, grant: Some(grant) });
    }
    Ok(Status { grant: Some(grant), ..own })
}
