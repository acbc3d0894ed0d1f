//! `wissel account guide`: what a person has to do at the provider, chapter by chapter, as the connector describes it,
//! with this account's values filled in. Asks nobody and changes nothing.

use std::collections::BTreeMap;

use serde_json::json;
use wissel_model::description::{AuthMethod, Chapter};
use wissel_model::settings::fill;
use wissel_model::{Account, Description, SecretState, clock};

use crate::commands::CommandResult;
use crate::context::Context;
use crate::exit::Code;
use crate::problem::Problem;
use crate::text::quoted;
use crate::{output, secret_expiry};

/// The redirect address of a client that has none of its own: a provider takes any port of it (RFC 8252, section 7.3).
const LOOPBACK: &str = "http://localhost/";

/// Carries out the command.
pub(super) async fn run(context: &Context, name: Option<&str>, chapter: Option<&str>) -> CommandResult {
    let account = super::named_or_default(context, name).await?;
    let description = context.description(&account.connector).await?;
    let values = values(context, &account, &description).await?;
    let shown: Vec<&Chapter> =
        description.guide.iter().filter(|chapter| applies(chapter, &description, &values)).collect();
    let chapters = match chapter {
        None => shown,
        Some(id) => {
            let found: Vec<&Chapter> = shown.iter().copied().filter(|chapter| chapter.id == id).collect();
            if found.is_empty() {
                let known: Vec<&str> = shown.iter().map(|chapter| chapter.id.as_str()).collect();
                return Err(Problem::not_found(
                    format!("the guide for account '{}' has no chapter '{id}'", account.name),
                    format!("Its chapters are: {}.", known.join(", ")),
                )
                .into());
            }
            found
        }
    };
    let language = context.language;
    let steps = |chapter: &Chapter| -> Vec<String> {
        chapter.steps.iter().map(|step| fill(step.get(language.tag()), &values)).collect()
    };
    if context.json {
        let chapters: Vec<_> = chapters
            .iter()
            .map(|c| json!({ "id": c.id, "title": c.title.get(language.tag()), "steps": steps(c) }))
            .collect();
        output::json(&json!({
            "account": account.name,
            "redirect_uri": values.get("redirect-uri"),
            "scopes": values.get("scopes").map(|scopes| scopes.split(' ').collect::<Vec<_>>()),
            "admin_consent_link": values.get("admin-consent-link").filter(|link| !link.is_empty()),
            "chapters": chapters,
        }));
        return Ok(Code::Done);
    }
    if chapters.is_empty() {
        output::note(&language.pick(
            format!("the connector of account '{}' has no guide", account.name),
            format!("de connector van account '{}' heeft geen handleiding", account.name),
        ));
    }
    for (at, chapter) in chapters.iter().enumerate() {
        if at > 0 {
            output::line("");
        }
        output::line(&format!("{} ({})", chapter.title.get(language.tag()), chapter.id));
        for (number, step) in steps(chapter).iter().enumerate() {
            output::line(&format!("  {}. {step}", number + 1));
        }
    }
    if chapter.is_none() && !chapters.is_empty() {
        let shell = quoted(&account.name);
        output::note(&language.pick(
            format!("\nOne chapter: `wissel account guide {shell} CHAPTER`."),
            format!("\nEén hoofdstuk: `wissel account guide {shell} HOOFDSTUK`."),
        ));
    }
    Ok(Code::Done)
}

/// Whether a chapter is for an account with these values.
fn applies(chapter: &Chapter, description: &Description, values: &BTreeMap<String, String>) -> bool {
    chapter.shown_when.iter().all(|(key, wanted)| {
        let default = || description.setting(key).and_then(|setting| setting.default.as_ref());
        values.get(key).or_else(default) == Some(wanted)
    })
}

/// The values of the settings, and what is known besides.
async fn values(
    context: &Context,
    account: &Account,
    description: &Description,
) -> anyhow::Result<BTreeMap<String, String>> {
    let mut values = account.values();
    let method = description.auth_method(&account.auth);
    let scopes = method.map(|method| method.scopes(&values)).unwrap_or_default().join(" ");
    let client = account.client.as_deref();
    let redirect = client.and_then(|client| client.redirect.clone()).unwrap_or_else(|| LOOPBACK.to_owned());
    let secrets = match client {
        Some(client) => context.store().await?.client_secrets(client.id).await?,
        None => Vec::new(),
    };
    let in_use = secrets.iter().find(|secret| secret.state == SecretState::InUse);
    let expires = in_use.and_then(|secret| secret.expires);
    // An administrator may have to consent to permissions that this method does not ask a user for.
    let consent = method
        .filter(|method| method.admin_consent.is_some())
        .or_else(|| description.auth.iter().find(|method| method.admin_consent.is_some()));
    let link = consent.and_then(|method| admin_consent(method, &values, &redirect)).unwrap_or_default();
    let known = [
        ("account", account.name.clone()),
        ("client", client.map(|client| client.name.clone()).unwrap_or_default()),
        ("redirect-uri", redirect),
        ("scopes", scopes),
        ("admin-consent-link", link),
        ("secret-expires", secret_expiry::shown(expires, clock::now(), context.language)),
    ];
    values.extend(known.map(|(key, value)| (key.to_owned(), value)));
    Ok(values)
}

/// The link that an administrator follows to consent for everybody; none where the provider has no such page.
fn admin_consent(method: &AuthMethod, values: &BTreeMap<String, String>, redirect: &str) -> Option<String> {
    let mut link = url::Url::parse(&fill(method.admin_consent.as_deref()?, values)).ok()?;
    // The answer is not waited for: nothing is believed of it but what the next sign-in proves.
    let state = wissel_model::ClientSecretId::generate().to_string();
    let client = values.get("client-id").map(String::as_str).unwrap_or_default();
    link.query_pairs_mut()
        .append_pair("client_id", client)
        .append_pair("scope", &method.scopes(values).join(" "))
        .append_pair("redirect_uri", redirect)
        .append_pair("state", &state);
    // A space as `+` is only good in forms.
    let query = link.query()?.replace('+', "%20");
    link.set_query(Some(&query));
    Some(link.into())
}
