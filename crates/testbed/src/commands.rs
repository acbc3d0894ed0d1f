//! What `wissel-testbed` does on a line of input: the answer is a line of JSON.

mod graph;

use std::time::{Duration, Instant};

use jiff::SignedDuration;
use serde_json::{Map, Value, json};
use wissel_testbed::{
    Testbed,
    entra::{
        Place, Rule,
        directory::{Certificate, Policy, Secret},
        sample::{CLIENT_ID, TENANT},
        tokens::GRAPH,
    },
    mailbox::NewMessage,
    person::{Consent, Person},
    sample::Maker,
};

/// One line for each command.
const HELP: &str = "deliver N FOLDER · deliver-large N OCTETS FOLDER · folders · create FOLDER · count TOKEN · renumber FOLDER · sign-ins · \
    sign-in-counts · issued (every token and upload URL ever) · revoke USER · secret VALUE SECONDS (adds one) · secret-expired (all end now) · certificate FILE (registers one, PEM) · \
    fault CODE N [authorize|token|devicecode|adminconsent] · demand CLAIMS-JSON (of Graph tokens; {} ends it) · \
    policy none|block|second-factor|block-device-code · consent given|withdrawn|without PERMISSION (of all apps) · advance SECONDS · \
    set access|code|device|interval SECONDS · set jwt|strict-refresh|dynamic-consent|claims-need-sign-in on|off · \
    browse URL [decline] (as the user, until a page asks nothing more) · \
    throttle SECONDS [silent] (429 for everything) · limit concurrent|requests|window|retry-after|upload-step N · \
    delta-reset · latency MS · move-away TEXT FOLDER · \
    graph-fault STATUS|drop|drop-after|endless|stall:SECONDS N OPERATION ('GET messages/{id}/$value', or *) · faults-off · \
    slash shown|hidden · traffic [reset] · sent";

/// Lets a person with the user's password open an address: `browse URL`, or `browse URL decline`.
pub(crate) async fn browse(bed: &Testbed, user: &str, password: &str, line: &str) -> Option<Value> {
    let mut words = line.strip_prefix("browse ")?.split_whitespace();
    let address = words.next().unwrap_or_default();
    let consent = if words.next() == Some("decline") { Consent::Decline } else { Consent::Accept };
    let person =
        Person { user: user.to_owned(), password: password.to_owned(), consent, ..Person::default() };
    Some(match person.visit(address, bed.ca_pem()).await {
        Ok(visit) => json!({ "url": visit.url.as_str(), "status": visit.status, "text": visit.text }),
        Err(error) => json!({ "error": error.to_string() }),
    })
}

/// Carries out one line of input.
pub(crate) fn answer(bed: &Testbed, maker: &mut Maker, started: Instant, line: &str) -> Value {
    let (command, argument) = line.split_once(' ').unwrap_or((line, ""));
    match command {
        "deliver" => deliver(bed, maker, argument),
        "deliver-large" => deliver_large(bed, maker, argument),
        "folders" => bed
            .mailbox()
            .folders()
            .into_iter()
            .map(|folder| (folder.joined(), json!({ "total": folder.total, "unread": folder.unread })))
            .collect(),
        "create" => match bed.mailbox().ensure_folder(argument) {
            Ok(_) => json!({ "created": argument }),
            Err(error) => json!({ "error": error.to_string() }),
        },
        "count" => json!(bed.mailbox().count_token(argument)),
        "renumber" => match bed.mailbox().renumber(argument) {
            Ok(uid_validity) => json!({ "uid_validity": uid_validity }),
            Err(error) => json!({ "error": error.to_string() }),
        },
        "sign-ins" => {
            let seconds = |times: Vec<Duration>| times.iter().map(Duration::as_secs_f64).collect::<Vec<_>>();
            bed.users()
                .sign_ins(started)
                .into_iter()
                .map(|(user, times)| (user, json!(seconds(times))))
                .collect()
        }
        _ => graph::answer(bed, command, argument)
            .unwrap_or_else(|| entra(bed, command, argument))
            .unwrap_or_else(|error| json!({ "error": error })),
    }
}

/// The commands about sign-ins and tokens.
fn entra(bed: &Testbed, command: &str, argument: &str) -> Result<Value, String> {
    let (entra, words) = (bed.entra(), argument.split_whitespace().collect::<Vec<_>>());
    match (command, words.as_slice()) {
        ("sign-in-counts", []) => Ok(json!(entra.sign_in_counts())),
        ("issued", []) => {
            let urls = bed.graph().control().upload_urls();
            Ok(json!([entra.tokens().ever_issued(), urls].concat()))
        }
        ("revoke", [user]) if entra.revoke(user) => Ok(json!({ "revoked": user })),
        ("revoke", [user]) => Err(format!("there is no user {user}")),
        ("secret", [value, seconds]) => {
            let expires = entra.tokens().now().checked_add(span(seconds)?);
            let expires = expires.map_err(|error| error.to_string())?;
            entra.change(|directory| {
                directory.app(CLIENT_ID).map(|app| app.secrets.push(Secret::new(*value, expires)))
            });
            Ok(json!({ "expires": expires.to_string() }))
        }
        ("secret-expired", []) => {
            let now = entra.tokens().now();
            entra.change(|directory| {
                let secrets = directory.app(CLIENT_ID).map(|app| app.secrets.iter_mut());
                secrets.into_iter().flatten().for_each(|secret| secret.expires = secret.expires.min(now));
            });
            Ok(json!({ "expired": now.to_string() }))
        }
        ("certificate", [file]) => {
            let pem = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
            let certificate = Certificate::from_pem(&pem).ok_or("no certificate with an RSA key")?;
            let expires = certificate.expires.to_string();
            entra.change(|directory| {
                if let Some(app) = directory.app(CLIENT_ID) {
                    app.certificates.push(certificate);
                }
            });
            Ok(json!({ "expires": expires }))
        }
        ("fault", [code, times, place @ ..]) => {
            let place = match place {
                [] | ["token"] => Place::Token,
                ["authorize"] => Place::Authorize,
                ["devicecode"] => Place::DeviceCode,
                ["adminconsent"] => Place::AdminConsent,
                _ => return Err("no such place".to_owned()),
            };
            entra.fail(place, number(code)?, number(times)?);
            Ok(json!({ "armed": code }))
        }
        ("demand", _) => {
            let claims: Map<String, Value> =
                serde_json::from_str(argument).map_err(|error| error.to_string())?;
            entra.tokens().demand(GRAPH, claims);
            Ok(json!({ "demanded": argument }))
        }
        ("policy", [rule]) => {
            let rules = match *rule {
                "none" => Vec::new(),
                "block" => vec![Rule::Block],
                "second-factor" => vec![Rule::RequireSecondFactor],
                "block-device-code" => vec![Rule::BlockDeviceCode],
                _ => return Err("no such policy".to_owned()),
            };
            let policies = rules.into_iter().map(Policy::new).collect();
            entra.change(|directory| directory.tenant(TENANT).map(|tenant| tenant.policies = policies));
            Ok(json!({ "policy": rule }))
        }
        ("consent", [how @ ("given" | "withdrawn")]) => {
            entra.change(|directory| {
                let app = directory.app(CLIENT_ID).cloned();
                let consents = directory.tenant(TENANT).map(|tenant| tenant.consents(CLIENT_ID));
                if let Some((app, consents)) = app.zip(consents) {
                    *consents = Default::default();
                    if *how == "given" {
                        consents.everybody = app.delegated;
                        consents.application = app.application;
                    }
                }
            });
            Ok(json!({ "consent": how }))
        }
        ("consent", ["without", name]) => {
            let other = |one: &String| one.rsplit_once('/').is_none_or(|(_, other)| other != *name);
            entra.change(|directory| {
                for consents in directory.tenants.values_mut().flat_map(|tenant| tenant.consents.values_mut())
                {
                    consents.everybody.retain(other);
                    consents.users.values_mut().for_each(|held| held.retain(other));
                }
            });
            Ok(json!({ "without": name }))
        }
        ("advance", [seconds]) => {
            entra.tokens().advance(span(seconds)?);
            Ok(json!({ "now": entra.tokens().now().to_string() }))
        }
        ("set", [name, value]) => {
            set(bed, name, value)?;
            Ok(json!({ *name: value }))
        }
        _ => Err(format!("commands: {HELP}")),
    }
}

fn set(bed: &Testbed, name: &str, value: &str) -> Result<(), String> {
    let on = value == "on";
    bed.entra().change(|directory| {
        let settings = &mut directory.settings;
        match name {
            "access" => {
                settings.access = span(value)?;
                settings.access_with_challenges = span(value)?;
            }
            "code" => settings.code = span(value)?,
            "device" => settings.device = span(value)?,
            "interval" => settings.device_interval = span(value)?,
            "jwt" => settings.jwt = on,
            "strict-refresh" => settings.strict_refresh = on,
            "dynamic-consent" => settings.dynamic_consent = on,
            "claims-need-sign-in" => settings.claims_need_sign_in = on,
            _ => return Err(format!("no such setting: {name}")),
        }
        Ok(())
    })
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("not a number: {text}"))
}

fn span(seconds: &str) -> Result<SignedDuration, String> {
    number(seconds).map(SignedDuration::from_secs)
}

fn deliver(bed: &Testbed, maker: &mut Maker, argument: &str) -> Value {
    match argument.split_once(' ').map(|(count, folder)| (count.parse(), folder)) {
        Some((Ok(count), folder)) => deliver_each(bed, maker, count, folder, |maker, token| maker.any(token)),
        _ => json!({ "error": "deliver needs a number and a folder" }),
    }
}

fn deliver_large(bed: &Testbed, maker: &mut Maker, argument: &str) -> Value {
    let mut parts = argument.splitn(3, ' ');
    let mut number = || parts.next().and_then(|part| part.parse::<u64>().ok());
    match (number(), number(), parts.next()) {
        (Some(count), Some(size), Some(folder)) => {
            deliver_each(bed, maker, count, folder, |maker, token| maker.large(token, size))
        }
        _ => json!({ "error": "deliver-large needs a number, a size and a folder" }),
    }
}

fn deliver_each(
    bed: &Testbed,
    maker: &mut Maker,
    count: u64,
    folder: &str,
    make: impl Fn(&mut Maker, &str) -> NewMessage,
) -> Value {
    let mut tokens = Vec::new();
    for _ in 0..count {
        let token = maker.token();
        let message = make(maker, &token);
        if let Err(error) = bed.mailbox().deliver(folder, message) {
            return json!({ "error": error.to_string() });
        }
        tokens.push(token);
    }
    json!({ "delivered": tokens })
}
