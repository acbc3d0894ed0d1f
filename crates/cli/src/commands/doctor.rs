//! `wissel doctor`: looks at everything that has to work, from the disk to the mailboxes, and says what to do where it
//! does not. Changes nothing but to make the home directory and database when they are missing.

mod accounts;
mod clients;
mod installation;
mod jobs;

use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::CommandResult;
use crate::context::Context;
use crate::exit::{self, Code};
use crate::text::{Language, quoted};
use crate::{alerts, output};

/// What is looked at.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Do not connect to mail services
    #[arg(long)]
    offline: bool,
    /// Tell the alert channels what they were not told yet, such as that a client's secret expires
    #[arg(long)]
    alert: bool,
}

/// How one thing fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Status {
    Ok,
    Warn,
    Fail,
    /// It was not looked at.
    Skip,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    /// The kind of check, such as `vault`.
    check: &'static str,
    /// What was checked, such as an account's name; may be empty.
    subject: String,
    status: Status,
    message: String,
    /// What to do; empty when all is well.
    next: String,
}

/// Everything that was found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    list: Vec<Finding>,
    /// The language that a person reads them in at once; none when nobody does.
    shown: Option<Language>,
}

impl Findings {
    /// Adds a finding; a person sees it at once.
    fn add(
        &mut self,
        status: Status,
        check: &'static str,
        subject: &str,
        message: impl Into<String>,
        next: impl Into<String>,
    ) {
        // Advice that is meant for other commands ends here.
        let here = |text: String| text.replace(" with `wissel doctor`", "");
        // An error names its account itself.
        let message = here(message.into());
        let own = message.strip_prefix(&format!("{check} '{subject}': ")).unwrap_or(&message);
        let finding = Finding {
            check,
            subject: subject.to_owned(),
            status,
            message: own.to_owned(),
            next: here(next.into()),
        };
        self.push(finding);
    }

    fn push(&mut self, finding: Finding) {
        if let Some(language) = self.shown {
            print(&finding, language);
        }
        self.list.push(finding);
    }

    /// Takes over what was found apart.
    pub(crate) fn take(&mut self, other: Self) {
        other.list.into_iter().for_each(|finding| self.push(finding));
    }

    /// A place for what is found beside others; shown when it is taken over.
    pub(crate) fn apart() -> Self {
        Self::default()
    }

    /// It was not looked at, and why.
    pub(crate) fn skip(&mut self, check: &'static str, subject: &str, message: impl Into<String>) {
        self.add(Status::Skip, check, subject, message, "");
    }

    /// All is well with it.
    pub(crate) fn ok(&mut self, check: &'static str, subject: &str, message: impl Into<String>) {
        self.add(Status::Ok, check, subject, message, "");
    }

    /// It works, but a person should know.
    pub(crate) fn warn(
        &mut self,
        check: &'static str,
        subject: &str,
        message: impl Into<String>,
        next: impl Into<String>,
    ) {
        self.add(Status::Warn, check, subject, message, next);
    }

    /// It does not work.
    pub(crate) fn fail(
        &mut self,
        check: &'static str,
        subject: &str,
        message: impl Into<String>,
        next: impl Into<String>,
    ) {
        self.add(Status::Fail, check, subject, message, next);
    }

    /// It does not work, as an error says.
    pub(crate) fn error(&mut self, check: &'static str, subject: &str, error: &anyhow::Error) {
        let shown = exit::show(error).lines();
        let (message, next) = shown.split_once("\n  ").unwrap_or((&shown, ""));
        self.fail(check, subject, message, next);
    }

    fn count(&self, status: Status) -> usize {
        self.list.iter().filter(|finding| finding.status == status).count()
    }
}

fn print(finding: &Finding, language: Language) {
    let mark = match finding.status {
        Status::Ok => language.pick("ok  ", "ok    "),
        Status::Warn => language.pick("warn", "let op"),
        Status::Fail => language.pick("FAIL", "FOUT  "),
        Status::Skip => language.pick("skip", "n.v.t."),
    };
    let subject = if finding.subject.is_empty() { String::new() } else { format!(" '{}'", finding.subject) };
    let check = language.pick(finding.check, dutch(finding.check));
    output::line(&format!("{mark}  {check}{subject}: {}", finding.message));
    if !finding.next.is_empty() {
        output::line(&format!("        -> {}", finding.next));
    }
}

/// What a check is called in Dutch.
fn dutch(check: &'static str) -> &'static str {
    match check {
        "home" => "map",
        "clock" => "klok",
        "vault" => "kluis",
        "jobs" => "taken",
        "job" => "taak",
        "schedule" => "planning",
        "directory" => "doelmap",
        "secrets" => "geheimen",
        "client-secret" => "OAuth-client",
        "authorization" => "autorisatie",
        "connection" => "verbinding",
        "certificate" => "certificaat",
        "alert" | "alerts" => "melding",
        other => other,
    }
}

/// Tells the alert channels, and says how that went.
async fn alert(context: &Context, findings: &mut Findings) {
    let told = async { alerts::tell(context, &alerts::gather(context).await?).await };
    match told.await {
        Err(error) => findings.error("alerts", "", &error),
        Ok(told) => {
            for told in told {
                match told.failure {
                    None => findings.ok("alert", &told.channel, told.alert),
                    Some(failure) => findings.fail(
                        "alert",
                        &told.channel,
                        failure,
                        format!("Try it with `wissel alert test {}`.", quoted(&told.channel)),
                    ),
                }
            }
        }
    }
}

/// Carries out the command.
pub(crate) async fn run(context: &Context, arguments: &Arguments) -> CommandResult {
    let mut findings = Findings { shown: (!context.json).then_some(context.language), ..Findings::default() };
    if installation::look(context, &mut findings).await {
        clients::look(context, &mut findings).await;
        let mailboxes = accounts::look(context, arguments.offline, &mut findings).await;
        jobs::look(context, &mailboxes, &mut findings).await;
    }
    if arguments.alert {
        alert(context, &mut findings).await;
    }
    let (warnings, failures) = (findings.count(Status::Warn), findings.count(Status::Fail));
    if context.json {
        output::json(
            &json!({ "healthy": failures == 0, "warnings": warnings, "failures": failures, "findings": findings.list }),
        );
    } else {
        output::line(&match (failures, warnings) {
            (0, 0) => context.language.pick("All is well.".to_owned(), "Alles is in orde.".to_owned()),
            _ => context.language.pick(
                format!("{failures} failed, {warnings} to look at."),
                format!(
                    "{failures} niet in orde, {warnings} {}.",
                    if warnings == 1 { "aandachtspunt" } else { "aandachtspunten" }
                ),
            ),
        });
    }
    let installation = ["home", "database", "vault"];
    let broken = |finding: &&Finding| finding.status == Status::Fail;
    Ok(match findings.list.iter().filter(broken).map(|finding| finding.check).next() {
        None if warnings > 0 => Code::Attention,
        None => Code::Done,
        Some(check) if installation.contains(&check) => Code::Home,
        Some(_) => Code::Failed,
    })
}
