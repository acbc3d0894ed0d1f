//! How the authorisation of an account stands, for whoever shows it: `account list`, `account show`, `doctor`.

use serde_json::{Value, json};
use wissel_auth::{AuthError, Changed, Plan, Standing, Status};
use wissel_model::description::AuthMethod;
use wissel_model::{Account, ConnectorError, Description};

use crate::context::Context;
use crate::output;
use crate::text::{Language, quoted};

/// How it stands, why, and what to do.
#[derive(Debug, Clone)]
pub(crate) struct Authorization {
    /// In one word.
    pub(crate) standing: Standing,
    /// Why it is so; empty when all is well.
    pub(crate) reason: String,
    /// What a person can do; empty when there is nothing to do.
    pub(crate) next: String,
    /// What is known of the grant; none when it cannot be read.
    pub(crate) status: Option<Status>,
}

/// Whether tokens of this method are asked for by Wissel, and not stored by the operator.
pub(crate) fn is_authorized_by_wissel(method: &AuthMethod) -> bool {
    method.token.is_some()
}

/// How an account's authorisation stands; none for one that signs in by what the operator stored.
pub(crate) async fn status(
    context: &Context,
    account: &Account,
    description: &Description,
) -> anyhow::Result<Option<Authorization>> {
    let Some(method) = description.auth_method(&account.auth).filter(|m| is_authorized_by_wissel(m)) else {
        return Ok(None);
    };
    let language = context.language;
    let again = format!("`wissel account authorize {}`", quoted(&account.name));
    let authorize = language.pick(format!("Authorise it with {again}."), format!("Machtig het met {again}."));
    let broken = |reason: String| Authorization {
        standing: Standing::Failing,
        reason,
        next: authorize.clone(),
        status: None,
    };
    let plan = match Plan::new(account, method) {
        Ok(plan) => plan,
        Err(error) => {
            let next = language.pick("Correct the settings.", "Corrigeer de instellingen.").to_owned();
            return Ok(Some(Authorization { next, ..broken(error.to_string()) }));
        }
    };
    let status = match context.authority().await?.granted(account, &plan).await {
        Ok(grant) => wissel_auth::status(&plan, grant.as_ref()),
        Err(error) => return Ok(Some(broken(error.to_string()))),
    };
    let advice = |error: AuthError| {
        method.advise(&ConnectorError::from(error), &quoted(&account.name), language.tag())
    };
    let reason = match (&status.failure, status.ends) {
        (Some(failure), _) => failure.error().to_string(),
        (None, Some(ends)) => language.pick(
            format!("the token ends at {} and cannot be renewed", output::moment(ends)),
            format!("het token eindigt op {} en kan niet worden vernieuwd", output::moment(ends)),
        ),
        (None, None) => reason_of(&status, language),
    };
    let next = match (&status.failure, status.standing) {
        (Some(failure), _) => advice(failure.error()).unwrap_or(authorize),
        (None, Standing::Authorized) => String::new(),
        (None, _) => authorize,
    };
    Ok(Some(Authorization { standing: status.standing, reason, next, status: Some(status) }))
}

fn reason_of(status: &Status, language: Language) -> String {
    if let Some(changed) = status.changed {
        return language.pick(changed.to_string(), in_dutch(changed).to_owned());
    }
    match status.standing {
        Standing::Unauthorized if status.user.is_some() => {
            language.pick("the authorisation has ended", "de autorisatie is verlopen").to_owned()
        }
        Standing::Unauthorized => {
            language.pick("nobody has authorised it yet", "nog niemand heeft het gemachtigd").to_owned()
        }
        _ if !status.missing.is_empty() => {
            let missing = status.missing.join(", ");
            language.pick(format!("not granted: {missing}"), format!("niet verleend: {missing}"))
        }
        _ => String::new(),
    }
}

fn in_dutch(changed: Changed) -> &'static str {
    match changed {
        Changed::Endpoint => {
            "het is gemachtigd bij een ander token-endpoint dan waar de instellingen nu heen wijzen"
        }
        Changed::Client => "het is gemachtigd voor een ander client-id dan nu is ingesteld",
        Changed::Method => "het is gemachtigd met een andere methode dan het nu gebruikt",
    }
}

impl Authorization {
    /// Who authorised, what, and when, for a person.
    pub(crate) fn fields(&self, language: Language) -> Vec<(&'static str, String)> {
        let Some(status) = &self.status else { return Vec::new() };
        vec![
            (language.pick("Signed in as", "Aangemeld als"), status.user.clone().unwrap_or_default()),
            (language.pick("Granted", "Verleend"), status.scopes.join(", ")),
            (language.pick("Authorised", "Gemachtigd"), output::moment_or_empty(status.authorized)),
        ]
    }

    /// The document for programs.
    pub(crate) fn view(&self) -> Value {
        let status = self.status.as_ref();
        json!({
            "standing": self.standing.as_str(),
            "reason": self.reason,
            "next": self.next,
            "signed_in_as": status.and_then(|status| status.user.clone()),
            "scopes": status.map(|status| status.scopes.clone()).unwrap_or_default(),
            "missing": status.map(|status| status.missing.clone()).unwrap_or_default(),
            "authorized": status.and_then(|status| status.authorized),
            "ends": status.and_then(|status| status.ends),
            "code": status.and_then(|status| status.failure.as_ref()).map(|failure| failure.code.clone()),
            "failing_since": status.and_then(|status| status.failure.as_ref()).map(|failure| failure.since),
        })
    }
}
