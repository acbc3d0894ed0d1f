//! Accounts, several at a time: unsafe settings, shut-off dates, secrets, and the way to the mailbox: name or proxy, TLS, sign-in.

use std::collections::HashMap;
use std::time::Duration;

use futures::StreamExt;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use wissel_auth::Standing;
use wissel_model::description::{Endpoint, HostClass};
use wissel_model::settings::fill;
use wissel_model::{Account, AccountId, Description, Proxy};

use super::Findings;
use crate::account_status::{self, State};
use crate::authorization;
use crate::context::Context;
use crate::text::quoted;
use crate::{output, views};

/// How long a name may take to be resolved.
const RESOLVING: Duration = Duration::from_secs(10);
/// How long a sign-in may take, whatever the account allows: nobody waits longer for a doctor.
const SIGNING_IN: Duration = Duration::from_secs(60);
/// Accounts that are looked at together.
const AT_ONCE: usize = 8;

/// Mailboxes as the services name them, by account.
pub(super) type Mailboxes = HashMap<AccountId, String>;

/// Looks at every account; says which mailboxes they open, as far as they were signed in to.
pub(super) async fn look(context: &Context, offline: bool, findings: &mut Findings) -> Mailboxes {
    let mut mailboxes = Mailboxes::new();
    let accounts = match context.store().await {
        Ok(store) => store.accounts().await.map_err(anyhow::Error::from),
        Err(error) => Err(error),
    };
    let accounts = match accounts {
        Ok(accounts) => accounts,
        Err(error) => {
            findings.error("accounts", "", &error);
            return mailboxes;
        }
    };
    if accounts.is_empty() {
        let (message, next) = context.language.pick(
            ("there are none yet", "Add one with `wissel account add`."),
            ("er zijn er nog geen", "Voeg er een toe met `wissel account add`."),
        );
        findings.warn("accounts", "", message, next);
    }
    let looks = accounts.into_iter().map(|account| async move {
        let mut own = Findings::apart();
        let mailbox = look_at(context, &account, offline, &mut own).await;
        (own, account.id, mailbox)
    });
    let mut looks = futures::stream::iter(looks).buffered(AT_ONCE);
    while let Some((own, account, mailbox)) = looks.next().await {
        findings.take(own);
        mailboxes.extend(mailbox.map(|mailbox| (account, mailbox)));
    }
    mailboxes
}

/// Looks at one account; its mailbox, when it can be signed in to.
async fn look_at(
    context: &Context,
    account: &Account,
    offline: bool,
    findings: &mut Findings,
) -> Option<String> {
    let language = context.language;
    for warning in super::super::account::warnings(context, account) {
        let (message, next) = warning.split_once("\n  ").unwrap_or((&warning, ""));
        findings.warn("connection", &account.name, message, next);
    }
    let description = match context.description(&account.connector).await {
        Ok(description) => description,
        Err(error) => {
            findings.error("account", &account.name, &error);
            return None;
        }
    };
    let hosts = hosts(account, &description);
    for (host, _) in &hosts {
        shut_off(context, account, &description, host, findings);
    }
    let ready = secrets(context, account, &description, findings).await;
    if offline {
        let (en, nl) =
            ("the network was not looked at (--offline)", "het netwerk is niet bekeken (--offline)");
        if ready {
            refused(context, account, &description, findings).await;
        }
        findings.skip("account", &account.name, language.pick(en, nl));
        return None;
    }
    if !resolve(context, account, &hosts, findings).await || !ready {
        return None;
    }
    let signed_in = tokio::time::timeout(SIGNING_IN, sign_in(context, account, findings)).await;
    if signed_in.is_err() {
        let seconds = SIGNING_IN.as_secs();
        let message = language.pick(
            format!("the sign-in took longer than {seconds} seconds"),
            format!("het inloggen duurde langer dan {seconds} seconden"),
        );
        let next = language.pick(
            format!(
                "Look at the server and the network; `wissel account test {}` waits longer.",
                quoted(&account.name)
            ),
            format!(
                "Kijk naar de server en het netwerk; `wissel account test {}` wacht langer.",
                quoted(&account.name)
            ),
        );
        findings.fail("account", &account.name, message, next);
    }
    for (host, _) in &hosts {
        certificate(context, account, host, findings).await;
    }
    signed_in.ok().flatten()
}

/// What the provider refused last, for whoever looks without the network.
async fn refused(context: &Context, account: &Account, description: &Description, findings: &mut Findings) {
    if let Ok(Some(found)) = authorization::status(context, account, description).await
        && found.standing == Standing::Failing
    {
        findings.fail("authorization", &account.name, found.reason, found.next);
    }
}

/// Warns about a server whose certificates end soon: from then on nothing is imported.
async fn certificate(context: &Context, account: &Account, host: &str, findings: &mut Findings) {
    let Ok(catalogue) = context.catalogue().await else { return };
    let ends = catalogue.certificate_ends_soon(host).and_then(|ends| Timestamp::try_from(ends).ok());
    let Some(ends) = ends.map(output::moment) else { return };
    let (message, next) = context.language.pick(
        (
            format!("the certificate of {host} is valid until {ends}"),
            "Ask its administrator to renew it: after that, connecting is refused.",
        ),
        (
            format!("het certificaat van {host} is geldig tot {ends}"),
            "Vraag de beheerder het te vernieuwen: daarna wordt de verbinding geweigerd.",
        ),
    );
    findings.warn("certificate", &account.name, message, next);
}

/// Whether every secret is stored that the account needs. That each can be opened is looked at with the vault.
async fn secrets(
    context: &Context,
    account: &Account,
    description: &Description,
    findings: &mut Findings,
) -> bool {
    let stored = match context.store().await {
        Ok(store) => store.secret_fields(account.id).await.map_err(anyhow::Error::from),
        Err(error) => Err(error),
    };
    let stored = match stored {
        Ok(stored) => stored,
        Err(error) => {
            findings.error("secrets", &account.name, &error);
            return false;
        }
    };
    let missing: Vec<String> = views::secret_fields(account, Some(description), &stored)
        .into_iter()
        .filter_map(|(field, stored)| (!stored).then_some(field))
        .collect();
    if missing.is_empty() {
        return stands(context, account, description, &stored, findings).await;
    }
    let fields = missing.join(", ");
    let message =
        context.language.pick(format!("not stored: {fields}"), format!("niet opgeslagen: {fields}"));
    let next = context.language.pick(
        format!("Store it with `wissel account edit {}`.", quoted(&account.name)),
        format!("Sla het op met `wissel account edit {}`.", quoted(&account.name)),
    );
    findings.fail("secrets", &account.name, message, next);
    false
}

/// Whether the account can sign in, as far as is known here. What its client's secret lacks is said of the client.
async fn stands(
    context: &Context,
    account: &Account,
    description: &Description,
    stored: &[String],
    findings: &mut Findings,
) -> bool {
    match account_status::of(context, account, Some(description), stored).await {
        Ok(status) if status.state == State::Unauthorized => {
            findings.fail("authorization", &account.name, status.reason, status.next);
            false
        }
        Ok(_) => true,
        Err(error) => {
            findings.error("authorization", &account.name, &error);
            false
        }
    }
}

/// Host and port of every endpoint of the account.
fn hosts(account: &Account, description: &Description) -> Vec<(String, u16)> {
    let place = |endpoint: &Endpoint| {
        let filled = |template: &Option<String>| template.as_ref().map(|t| fill(t, &account.values()));
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

/// Whether the names of the endpoints can be resolved; behind a proxy, its name: it resolves the others itself.
async fn resolve(
    context: &Context,
    account: &Account,
    hosts: &[(String, u16)],
    findings: &mut Findings,
) -> bool {
    let by_proxy = match &account.connection.proxy {
        Some(Proxy::System) => return true,
        Some(Proxy::Server(server)) => Some((server.host.clone(), server.port)),
        None => None,
    };
    let check = if by_proxy.is_some() { "proxy" } else { "dns" };
    let mut resolved = Vec::new();
    for (host, port) in by_proxy.as_slice().iter().chain(hosts.iter().filter(|_| by_proxy.is_none())) {
        let looked_up =
            tokio::time::timeout(RESOLVING, tokio::net::lookup_host((host.as_str(), *port))).await;
        let problem = match looked_up {
            Ok(Ok(mut addresses)) => addresses.next().is_none().then(|| "it has no address".to_owned()),
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("the name server does not answer".to_owned()),
        };
        if let Some(problem) = problem {
            let name = quoted(&account.name);
            let (message, next) = context.language.pick(
                (
                    format!("the name '{host}' cannot be resolved: {problem}"),
                    format!("Correct it with `wissel account edit {name}`, or look at this machine's name servers."),
                ),
                (
                    format!("de naam '{host}' is niet te vinden: {problem}"),
                    format!("Verbeter hem met `wissel account edit {name}`, of kijk naar de DNS-servers van deze computer."),
                ),
            );
            findings.fail(check, &account.name, message, next);
            return false;
        }
        resolved.push(host.as_str());
    }
    let names = resolved.join(", ");
    let message =
        context.language.pick(format!("{names} can be resolved"), format!("{names} is bekend bij DNS"));
    findings.ok(check, &account.name, message);
    true
}

/// Signs in; the mailbox that it opens.
async fn sign_in(context: &Context, account: &Account, findings: &mut Findings) -> Option<String> {
    let mut session = match context.open(account, "doctor").await {
        Ok(session) => session,
        Err(error) => {
            findings.error("account", &account.name, &error);
            return None;
        }
    };
    let signed_in = context.language.pick("signs in; mailbox", "logt in; postvak");
    let checked = session.check().await;
    let mailbox = checked.as_ref().ok().map(|identity| identity.mailbox.clone());
    match checked {
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
    mailbox
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
