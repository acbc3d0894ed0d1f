//! Home directory, database, clock, vault and connectors.

use std::io::Write as _;
use std::path::Path;

use jiff::Timestamp;
use wissel_model::SecretOwner;

use super::Findings;
use crate::context::Context;
use crate::output;

/// No machine with a right clock runs this program before this moment: the day that it was written.
const WRITTEN: &str = "2026-11-22T00:00:00Z";

/// Octets free below which the home directory is warned about.
const LITTLE: u64 = 256 << 20;
/// There while systemd's time service keeps the clock right.
const SYNCHRONIZED: &str = "/run/systemd/timesync/synchronized";

/// Looks; false when nothing further can be looked at.
pub(super) async fn look(context: &Context, findings: &mut Findings) -> bool {
    let language = context.language;
    let home = context.home.root().display().to_string();
    if let Err(problem) = context.home.create() {
        findings.fail("home", &home, problem.message, problem.next);
        return false;
    }
    let tried = tempfile::tempfile_in(context.home.root()).and_then(|mut file| {
        file.write_all(b"probe")?;
        file.sync_all()
    });
    match tried {
        Ok(()) => room(context, &home, findings),
        Err(error) => {
            let next = "Give this user the right to write there, or name another directory with --home.";
            findings.fail("home", &home, format!("cannot be written to: {error}"), next);
            return false;
        }
    }
    let file = context.home.database().display().to_string();
    let store = match context.store().await {
        Ok(store) => store,
        Err(error) => {
            findings.error("database", &file, &error);
            return false;
        }
    };
    match store.check().await {
        Ok(()) => findings.ok("database", &file, language.pick("opens and is sound", "gaat open en is gaaf")),
        Err(error) => {
            findings.error("database", &file, &error.into());
            return false;
        }
    }
    clock(context, findings).await;
    vault(context, findings).await;
    connectors(context, findings).await;
    true
}

/// The database needs room to grow, and to record what it imports.
fn room(context: &Context, home: &str, findings: &mut Findings) {
    let language = context.language;
    let written = language.pick("can be written to and synced", "kan worden beschreven en bewaard");
    match fs4::available_space(context.home.root()) {
        Ok(free) if free < LITTLE => {
            let message = format!("{written}, {} {}", language.size(free), language.pick("free", "vrij"));
            let next =
                language.pick("Free some room before it runs full.", "Maak ruimte voordat hij vol raakt.");
            findings.warn("home", home, message, next);
        }
        Ok(free) => {
            let free = format!("{written}, {} {}", language.size(free), language.pick("free", "vrij"));
            findings.ok("home", home, free);
        }
        Err(_) => findings.ok("home", home, written),
    }
}

/// A clock that stands in the past spoils certificates, tokens and the schedule.
async fn clock(context: &Context, findings: &mut Findings) {
    let now = Timestamp::now();
    let mut latest = WRITTEN.parse::<Timestamp>().unwrap_or(Timestamp::UNIX_EPOCH);
    if let Ok(store) = context.store().await {
        for job in store.jobs().await.unwrap_or_default() {
            let runs = store.runs(job.id, 1).await.unwrap_or_default();
            latest = runs.first().map_or(latest, |run| latest.max(run.started));
        }
    }
    if now < latest {
        let message =
            format!("it shows {}, before the last run at {}", output::moment(now), output::moment(latest));
        findings.fail(
            "clock",
            "",
            message,
            "Set the clock: certificates, tokens and the schedule depend on it.",
        );
    } else {
        let compared = context.language.pick(
            "not before the last run, nor before this program was made",
            "niet voor de laatste keer dat een taak liep, noch voor dit programma is gemaakt",
        );
        let synced = match Path::new(SYNCHRONIZED).exists() {
            true => context.language.pick("; set by a time service", "; gezet door een tijddienst"),
            false => "",
        };
        findings.ok("clock", "", format!("{}, {compared}{synced}", output::moment(now)));
    }
}

/// Opens every stored secret: the key must fit each.
async fn vault(context: &Context, findings: &mut Findings) {
    let (Ok(store), Ok(secrets)) = (context.store().await, context.secrets().await) else { return };
    let mut opened = 0;
    for sealed in store.sealed_secrets().await.unwrap_or_default() {
        match secrets.find(sealed.owner, &sealed.field).await {
            Ok(_) => opened += 1,
            Err(error) => {
                let (whose, _) = secrets.owner_of(&sealed).await;
                let field = match sealed.owner {
                    SecretOwner::Client(_) => "secret",
                    _ => &sealed.field,
                };
                findings.error("vault", &format!("{whose} / {field}"), &error);
            }
        }
    }
    match store.any_secret().await {
        Ok(false) => findings.ok(
            "vault",
            "",
            context.language.pick("no secret is stored yet", "er is nog geen geheim opgeslagen"),
        ),
        Ok(true) if opened > 0 => findings.ok("vault", "", context.language.secrets_opened(opened)),
        _ => {}
    }
}

async fn connectors(context: &Context, findings: &mut Findings) {
    let catalogue = match context.catalogue().await {
        Ok(catalogue) => catalogue,
        Err(error) => return findings.error("connectors", "", &error),
    };
    let entries = catalogue.entries().await;
    if entries.is_empty() {
        let directory = context.home.connectors().display();
        let (message, next) = context.language.pick(
            (
                format!("none is installed in {directory}"),
                "Install one with `wissel connector install FILE`.",
            ),
            (
                format!("er is er geen geïnstalleerd in {directory}"),
                "Installeer er een met `wissel connector install BESTAND`.",
            ),
        );
        findings.warn("connectors", "", message, next);
    }
    for entry in entries {
        match entry.connector {
            Ok(found) => findings.ok(
                "connector",
                &found.description.name,
                format!("{} {}", context.language.pick("version", "versie"), found.description.version),
            ),
            Err(reason) => findings.fail(
                "connector",
                &entry.path.display().to_string(),
                format!("is not used: {reason}"),
                "Install another version, or remove the file.",
            ),
        }
    }
}
