//! `wissel account guide` and `wissel connector guide`: what a person has to do at the provider, chapter by chapter, as the
//! connector describes it, with this account's values filled in where there is an account. Asks nobody and changes nothing.

use std::collections::BTreeMap;

use serde_json::json;
use wissel_model::advice::commands;
use wissel_model::description::{AuthMethod, Chapter, Setting};
use wissel_model::settings::{default_of, fill};
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
    print(context, &Of::Account(&account.name), &description, values, chapter)
}

/// The guide before there is an account, with the names of settings in place of their values.
pub(crate) async fn of_connector(context: &Context, name: &str, chapter: Option<&str>) -> CommandResult {
    let description = context.description(name).await?;
    let language = context.language;
    let given = BTreeMap::new();
    let default = |setting: &Setting| default_of(setting, &description, &given).map(str::to_owned);
    let mut values: BTreeMap<String, String> =
        description.settings.iter().filter_map(|s| Some((s.key.clone(), default(s)?))).collect();
    let method = description.auth.iter().find(|method| method.needs_client());
    let scopes = method.map(|method| method.scopes(&values)).unwrap_or_default().join(" ");
    let account = "ACCOUNT".to_owned();
    values.extend(commands(&account));
    let known = [
        ("account", account),
        ("client", "Wissel".to_owned()),
        ("redirect-uri", LOOPBACK.to_owned()),
        ("scopes", scopes),
        ("secret-expires", secret_expiry::shown(None, clock::now(), language)),
    ];
    values.extend(known.map(|(key, value)| (key.to_owned(), value)));
    print(context, &Of::Connector(name), &description, values, chapter)
}

/// What a guide is for.
enum Of<'a> {
    Account(&'a str),
    Connector(&'a str),
}

impl Of<'_> {
    /// As errors name it, the key of its name in a document, and the command that prints it.
    fn parts(&self) -> (String, &'static str, String) {
        match self {
            Self::Account(name) => {
                (format!("account '{name}'"), "account", format!("wissel account guide {}", quoted(name)))
            }
            Self::Connector(name) => {
                (format!("connector '{name}'"), "connector", format!("wissel connector guide {name}"))
            }
        }
    }
}

/// Prints it, or one chapter of it.
fn print(
    context: &Context,
    of: &Of<'_>,
    description: &Description,
    mut values: BTreeMap<String, String>,
    chapter: Option<&str>,
) -> CommandResult {
    let (whose, key, command) = of.parts();
    let (Of::Account(name) | Of::Connector(name)) = of;
    let language = context.language;
    let shown: Vec<&Chapter> =
        description.guide.iter().filter(|chapter| applies(chapter, description, &values)).collect();
    let given = values.clone();
    // What has no value is named by its label, so that no sentence has a hole.
    let link = language.pick("the link of `wissel account guide`", "de link van `wissel account guide`");
    let named = |key: &str, label: &str| (key.to_owned(), format!("<{label}>"));
    let holes = description.settings.iter().map(|s| named(&s.key, s.label.get(language.tag())));
    for (key, hole) in holes.chain([named("admin-consent-link", link), named("client", "OAuth client")]) {
        let value = values.entry(key).or_default();
        if value.is_empty() {
            *value = hole;
        }
    }
    let chapters = match chapter {
        None => shown,
        Some(id) => {
            let found: Vec<&Chapter> = shown.iter().copied().filter(|chapter| chapter.id == id).collect();
            if found.is_empty() {
                let known: Vec<&str> = shown.iter().map(|chapter| chapter.id.as_str()).collect();
                return Err(Problem::not_found(
                    format!("the guide for {whose} has no chapter '{id}'"),
                    format!("Its chapters are: {}.", known.join(", ")),
                )
                .into());
            }
            found
        }
    };
    let steps = |chapter: &Chapter| -> Vec<String> {
        chapter.steps.iter().map(|step| fill(step.get(language.tag()), &values)).collect()
    };
    if context.json {
        let chapters: Vec<_> = chapters
            .iter()
            .map(|c| json!({ "id": c.id, "title": c.title.get(language.tag()), "steps": steps(c) }))
            .collect();
        output::json(&json!({
            key: name,
            "redirect_uri": given.get("redirect-uri"),
            "scopes": given.get("scopes").map(|scopes| scopes.split(' ').collect::<Vec<_>>()),
            "admin_consent_link": given.get("admin-consent-link").filter(|link| !link.is_empty()),
            "chapters": chapters,
        }));
        return Ok(Code::Done);
    }
    if chapters.is_empty() {
        output::note(
            &language.pick(
                format!("there is no guide for {whose}"),
                format!("er is geen handleiding voor {whose}"),
            ),
        );
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
        output::note(&language.pick(
            format!("\nOne chapter: `{command} CHAPTER`."),
            format!("\nEén hoofdstuk: `{command} HOOFDSTUK`."),
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
    values.extend(commands(&quoted(&account.name)));
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
