//! Accounts: unsafe settings, shut-off dates, and the way to the mailbox: name, TLS, sign-in.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use wissel_model::description::{Endpoint, HostClass};
use wissel_model::settings::fill;
use wissel_model::{Account, Description};

use super::Findings;
use crate::context::Context;

/// How long a name may take to be resolved.
const RESOLVING: Duration = Duration::from_secs(10);

/// Looks at every account.
pub(super) async fn look(context: &Context, offline: bool, findings: &mut Findings) {
    let accounts = match context.store().await {
        Ok(store) => store.accounts().await.map_err(anyhow::Error::from),
        Err(error) => Err(error),
    };
    let accounts = match accounts {
        Ok(accounts) => accounts,
        Err(error) => return findings.error("accounts", "", &error),
    };
    if accounts.is_empty() {
        let (message, next) = context.language.pick(
            ("there are none yet", "Add one with `wissel account add`."),
            ("er zijn er nog geen", "Voeg er een toe met `wissel account add`."),
        );
        findings.warn("accounts", "", message, next);
    }
    for account in accounts {
        for warning in super::super::account::warnings(context, &account) {
            let (message, next) = warning.split_once("\n  ").unwrap_or((&warning, ""));
            findings.warn("connection", &account.name, message, next);
        }
        let description = match context.description(&account.connector).await {
            Ok(description) => description,
            Err(error) => {
                findings.error("account", &account.name, &error);
                continue;
            }
        };
        let hosts = hosts(&account, &description);
        for (host, _) in &hosts {
            shut_off(context, &account, &description, host, findings);
        }
        if !offline && resolve(&account, &hosts, findings).await {
            sign_in(context, &account, findings).await;
        }
    }
}

/// Host and port of every endpoint of the account.
fn hosts(account: &Account, description: &Description) -> Vec<(String, u16)> {
    let place = |endpoint: &Endpoint| {
        let filled = |template: &Option<String>| template.as_ref().map(|t| fill(t, &account.settings));
        match (filled(&endpoint.host), filled(&endpoint.url)) {
            (Some(host), _) => Some((host, filled(&endpoint.port)?.parse().ok()?)),
            (None, Some(url)) => {
                let url = url::Url::parse(&url).ok()?;
                Some((url.host_str()?.to_owned(), url.port_or_known_default()?))
            }
            (None, None) => None,
        }
    };
    let mut hosts: Vec<(String, u16)> = description.endpoints.iter().filter_map(place).collect();
    hosts.dedup();
    hosts
}

/// Warns about servers on which the connector stops working some day.
fn shut_off(
    context: &Context,
    account: &Account,
    description: &Description,
    host: &str,
    findings: &mut Findings,
) {
    let Some(class) = description.hosts.iter().find(|class| matches(class, host)) else { return };
    let Some(ends) = class.ends_on.as_deref().and_then(|date| date.parse::<Date>().ok()) else { return };
    let label = class.label.get(context.language.tag());
    let message = context.language.pick(
        format!("{label}: this connector stops working there on {ends}"),
        format!("{label}: deze connector werkt daar niet meer vanaf {ends}"),
    );
    let advice = class.advice.get(context.language.tag());
    if ends <= Timestamp::now().to_zoned(TimeZone::system()).date() {
        findings.fail("account", &account.name, message, advice);
    } else {
        findings.warn("account", &account.name, message, advice);
    }
}

fn matches(class: &HostClass, host: &str) -> bool {
    match class.pattern.strip_prefix('*') {
        Some(suffix) => host.to_ascii_lowercase().ends_with(&suffix.to_ascii_lowercase()),
        None => host.eq_ignore_ascii_case(&class.pattern),
    }
}

async fn resolve(account: &Account, hosts: &[(String, u16)], findings: &mut Findings) -> bool {
    for (host, port) in hosts {
        let looked_up =
            tokio::time::timeout(RESOLVING, tokio::net::lookup_host((host.as_str(), *port))).await;
        let problem = match looked_up {
            Ok(Ok(mut addresses)) => addresses.next().is_none().then(|| "it has no address".to_owned()),
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("the name server does not answer".to_owned()),
        };
        if let Some(problem) = problem {
            let message = format!("the name '{host}' cannot be resolved: {problem}");
            let next = format!(
                "Correct it with `wissel account edit \"{}\"`, or look at this machine's name servers.",
                account.name
            );
            findings.fail("account", &account.name, message, next);
            return false;
        }
    }
    true
}

async fn sign_in(context: &Context, account: &Account, findings: &mut Findings) {
    let mut session = match context.open(account, "doctor").await {
        Ok(session) => session,
        Err(error) => return findings.error("account", &account.name, &error),
    };
    let signed_in = context.language.pick("signs in; mailbox", "meldt zich aan; postvak");
    match session.check().await {
        Ok(identity) if identity.denied.is_empty() => {
            findings.ok("account", &account.name, format!("{signed_in} {}", identity.mailbox));
        }
        Ok(identity) => {
            let denied = identity.denied.join(", ");
            let (but, next) = context.language.pick(
                ("but the service denies", "Ask the mailbox's administrator if a job needs it."),
                (
                    "maar de dienst weigert",
                    "Vraag de beheerder van het postvak als een taak dit nodig heeft.",
                ),
            );
            let message = format!("{signed_in} {}, {but}: {denied}", identity.mailbox);
            findings.warn("account", &account.name, message, next);
        }
        Err(error) => {
            let problem = context.explain(account, &error).await;
            findings.fail("account", &account.name, problem.message, problem.next);
        }
    }
    session.close().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leading_star_stands_for_any_labels() {
        let class = |pattern: &str| HostClass {
            class: "c".to_owned(),
            pattern: pattern.to_owned(),
            label: Default::default(),
            ends_on: None,
            advice: Default::default(),
        };
        assert!(matches(&class("*.example.com"), "mail.Example.com"));
        assert!(!matches(&class("*.example.com"), "example.com"));
        assert!(!matches(&class("*.example.com"), "badexample.com"));
        assert!(matches(&class("mail.example.com"), "MAIL.example.com"));
    }
}
