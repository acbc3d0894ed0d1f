//! `wissel connector check`: holds a connector to the contract, from its file alone or against an account.
//!
//! The file is examined as it is, from a directory of its own: nothing is installed, and what is installed stays as it
//! is.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use clap::Args;
use secrecy::SecretString;
use tempfile::TempDir;
use wissel_auth::Authority;
use wissel_host::{Catalogue, CatalogueOptions, Examined, SessionLimits};
use wissel_model::secrets::{SecretError, Secrets};
use wissel_model::tokens::{NoTokens, Tokens};
use wissel_model::{Account, AccountId, Description};
use wissel_testkit::{Options, Report, Subject, component};

use crate::commands::CommandResult;
use crate::context::Context;
use crate::exit::Code;
use crate::output;
use crate::problem::Problem;

/// What to check, and with what.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The file
    file: PathBuf,
    /// Run every case against this account, whose mailbox gets a folder 'Wissel conformance'; absent: only what needs
    /// no account
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Another account of the same mailbox, which makes folders and puts messages there where this connector cannot
    #[arg(long, value_name = "NAME", requires = "account")]
    seed: Option<String>,
    /// An account whose password or token the service refuses
    #[arg(long, value_name = "NAME", requires = "account")]
    refused: Option<String>,
    /// Send a message to this address, to try sending
    #[arg(long, value_name = "ADDRESS", requires = "account")]
    send_to: Option<String>,
    /// Write the report as JUnit XML too
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// Carries out the command.
pub(crate) async fn run(context: &Context, arguments: &Arguments) -> CommandResult {
    if !arguments.file.is_file() {
        let message = format!("there is no file '{}'", arguments.file.display());
        return Err(Problem::not_found(message, "Name a .wasm file.").into());
    }
    let bench = Bench::with(&arguments.file)?;
    let denied = SessionLimits { network: false, ..SessionLimits::default() };
    let unreachable = bench.catalogue(Arc::new(NoSecrets), Arc::new(NoTokens), denied).await?;
    let begun = Instant::now();
    let examined = unreachable.examine(&arguments.file).await.map_err(|reason| reason.to_string());
    let seconds = begun.elapsed().as_secs_f64();
    let mut report = about_file(context, &arguments.file, &examined, seconds);
    if let Ok(examined) = &examined {
        let cases = cases(context, arguments, &bench, &unreachable, &examined.description);
        let more = tokio::select! {
            report = cases => report?,
            () = context.stop.cancelled() => return Err(stopped().into()),
        };
        let Report { connector, account, .. } = &more;
        report = Report { connector: connector.clone(), account: account.clone(), ..report }.and(more);
    }
    if let Some(file) = &arguments.junit {
        let unwritable = |problem: String| {
            let message = format!("the report cannot be written to '{}': {problem}", file.display());
            Problem::failed(message, "Name a file that can be written.")
        };
        let text = report.junit().map_err(|error| unwritable(error.to_string()))?;
        std::fs::write(file, text).map_err(|error| unwritable(error.to_string()))?;
    }
    if context.json {
        let (passed, failed, not_applicable) = report.counts();
        let mut document = serde_json::to_value(&report)?;
        if let Some(document) = document.as_object_mut() {
            document.insert("passed".to_owned(), passed.into());
            document.insert("failed".to_owned(), failed.into());
            document.insert("not_applicable".to_owned(), not_applicable.into());
        }
        output::json(&document);
    } else {
        output::line(&report.to_string());
    }
    Ok(if report.conforms() { Code::Done } else { Code::Failed })
}

/// What can be said of the file alone.
fn about_file(context: &Context, file: &Path, examined: &Result<Examined, String>, seconds: f64) -> Report {
    let found = match examined {
        Ok(Examined { texts, .. }) => Ok(component::Component { descriptions: texts.clone() }),
        Err(reason) => Err(reason.clone()),
    };
    let facts = examined.iter().flat_map(|examined| {
        [
            ("size".to_owned(), context.language.size(examined.size)),
            ("digest".to_owned(), examined.digest.clone()),
            ("loaded in".to_owned(), format!("{seconds:.2} s")),
        ]
    });
    Report {
        connector: file.display().to_string(),
        account: String::new(),
        facts: facts.collect(),
        cases: component::check(&found),
        left: Vec::new(),
    }
}

/// The cases of the kit: all of them with an account, else those that need none.
async fn cases(
    context: &Context,
    arguments: &Arguments,
    bench: &Bench,
    unreachable: &Arc<Catalogue>,
    description: &Description,
) -> anyhow::Result<Report> {
    let mut options =
        Options { unreachable: Some(Arc::<Catalogue>::clone(unreachable)), ..Options::default() };
    let Some(name) = &arguments.account else {
        let account = wissel_testkit::plausible_account(description);
        let subject = Subject::new(Arc::<Catalogue>::clone(unreachable), account);
        return Ok(wissel_testkit::check(&subject, &options).await);
    };
    let account = own(context, name, description).await?;
    let secrets = Arc::clone(context.secrets().await?);
    let tokens = Arc::<Authority>::clone(context.authority().await?);
    let catalogue = bench.catalogue(secrets, tokens, SessionLimits::default()).await?;
    if let Some(name) = &arguments.seed {
        let account = context.store().await?.account_named(name).await?;
        options.seed = Some(Subject::new(Arc::<Catalogue>::clone(context.catalogue().await?), account));
    }
    if let Some(name) = &arguments.refused {
        let account = own(context, name, description).await?;
        options.refused = Some(Subject::new(Arc::<Catalogue>::clone(&catalogue), account));
    }
    options.recipient.clone_from(&arguments.send_to);
    Ok(wissel_testkit::run(&Subject::new(catalogue, account), &options).await)
}

/// An account of the connector in the file.
async fn own(context: &Context, name: &str, description: &Description) -> anyhow::Result<Account> {
    let account = context.store().await?.account_named(name).await?;
    if account.connector != description.name {
        let message = format!(
            "account '{}' is for connector '{}', and the file has '{}'",
            account.name, account.connector, description.name
        );
        return Err(Problem::usage(message, "Name an account of this connector, or another file.").into());
    }
    Ok(account)
}

fn stopped() -> Problem {
    let next = "Remove what may be left in the folder 'Wissel conformance' by hand.";
    Problem { code: Code::Stopped, name: "stopped", ..Problem::failed("the check was stopped", next) }
}

/// A directory in which the file is the only connector.
struct Bench(TempDir);

impl Bench {
    fn with(file: &Path) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("wissel-check-").tempdir()?;
        let connectors = folder.path().join("connectors");
        std::fs::create_dir(&connectors)?;
        std::fs::copy(file, connectors.join("checked.wasm"))?;
        Ok(Self(folder))
    }

    /// Opens it. Both catalogues of one check share what was compiled.
    async fn catalogue(
        &self,
        secrets: Arc<dyn Secrets>,
        tokens: Arc<dyn Tokens>,
        limits: SessionLimits,
    ) -> anyhow::Result<Arc<Catalogue>> {
        let options = CatalogueOptions {
            connectors_dir: self.0.path().join("connectors"),
            cache_dir: self.0.path().join("cache"),
            secrets,
            tokens,
            limits,
        };
        Ok(Catalogue::open(options).await?)
    }
}

/// For sessions that are nobody's.
struct NoSecrets;

#[async_trait]
impl Secrets for NoSecrets {
    async fn secret(&self, _account: AccountId, field: &str) -> Result<SecretString, SecretError> {
        Err(SecretError::Missing(field.to_owned()))
    }
}
