//! The demonstration: the product at work on a mailbox of its own, in the steps that a person would take.
//!
//! Shows every command line that it runs. Knows what became of the mail from the files and the mailbox alone: see
//! [`observer`]. Needs no server, no network and no rights, and leaves nothing behind unless it is asked to.

mod observer;
mod play;
mod post;
mod shell;
mod stage;

use std::process::ExitCode;

use anyhow::{Result, bail};

use self::observer::Observer;
use self::post::Post;
use self::stage::Stage;
use crate::{connectors, process, setup, workspace};

/// The folder that the job imports from, with what lies below it.
const IMPORT: &str = "Postvak IN/Algemeen";
/// A folder below it.
const BELOW: &str = "Postvak IN/Algemeen/Spoed";
/// Where the job puts what it has imported: inside the import folder, and missing at the start.
const PROCESSED: &str = "Postvak IN/Algemeen/Geïmporteerd";
/// The job.
const JOB: &str = "Facturen";
/// The account that signs in with a password.
const OLD: &str = "Inkoop-wachtwoord";
/// The account on the same mailbox that is authorised at the provider.
const NEW: &str = "Inkoop-Graph";
/// What the provider knows Wissel as.
const CLIENT: &str = "Microsoft 365";

/// Builds what is needed and plays the demonstration. A failure when a message was lost or doubled.
///
/// With `browser`, a person signs in at the provider's page; without, the test bed acts as one.
pub fn run(keep: bool, browser: bool) -> Result<ExitCode> {
    connectors::build(&setup::wasm_toolchain()?)?;
    process::run(workspace::cargo().args(["build", "--quiet", "-p", "wissel-cli", "-p", "wissel-testbed"]))?;
    let stage = Stage::set(keep)?;
    let mut post = Post::open(stage.folder())?;
    stage.introduce(&post);
    let played = play(&stage, &mut post, browser);
    if keep {
        if let Err(error) = &played {
            eprintln!("{error:#}");
        }
        play::keep(&stage, &mut post)?;
    }
    played
}

fn play(stage: &Stage, post: &mut Post, browser: bool) -> Result<ExitCode> {
    let mut observer = Observer::new(stage.mail());
    observer.expect(post.tokens()?);
    observer.expect(post.deliver_new(2, BELOW)?);
    old_account(stage, post)?;
    import(stage, &observer)?;
    new_account(stage, post, browser)?;

    title("New mail arrives, and the mailbox is to lose its password: over to Microsoft Graph");
    observer.expect(post.deliver(3, IMPORT)?);
    observer.expect(post.deliver(2, BELOW)?);
    println!("(5 messages were delivered, 2 of them below '{IMPORT}')");
    stage.wissel(&["job", "switch", JOB, "--from", OLD, "--to", NEW, "--dry-run"])?;
    stage.wissel(&["job", "switch", JOB, "--from", OLD, "--to", NEW])?;
    stage.wissel(&["job", "run", JOB])?;

    title("What there is now");
    stage.wissel(&["job", "show", JOB])?;
    stage.wissel(&["ledger", JOB, "--limit", "5"])?;
    observer.show_files()?;

    title("An independent count, of the files and of the mailbox");
    let count = observer.count(post, PROCESSED)?;
    println!("on disk: {} messages; in '{PROCESSED}': {}", count.imported, count.processed);
    println!("{count}");
    Ok(if count.is_exactly_once() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The connectors, and the account of today.
fn old_account(stage: &Stage, post: &Post) -> Result<()> {
    title("Install the connectors");
    for name in ["imap.wasm", "graph.wasm"] {
        stage.wissel(&[
            "connector",
            "install",
            &workspace::built_connectors().join(name).to_string_lossy(),
        ])?;
    }

    title("The account that signs in with a password");
    let port = format!("port={}", post.port());
    let user = format!("user={}", post.user());
    let server = ["--set", "host=localhost", "--set", &port, "--set", &user, "--ca-file", post::CA_FILE];
    let add =
        ["account", "add", OLD, "--connector", "imap", "--auth", "password", "--default", "--password-stdin"];
    stage.wissel_reading(&[add.as_slice(), server.as_slice()].concat(), stage::PASSWORD_FILE)?;
    stage.wissel(&["account", "test", OLD])?;
    stage.wissel(&["folder", "list"])
}

/// The account of tomorrow, on the same mailbox, side by side with the other.
fn new_account(stage: &Stage, post: &mut Post, browser: bool) -> Result<()> {
    title("The account that is authorised at Microsoft 365: a client with its secret, and who signs in");
    let settings =
        [("client-id", "client_id"), ("tenant", "tenant"), ("authority", "entra"), ("service", "graph")];
    let settings = settings.map(|(key, fact)| format!("{key}={}", post.fact(fact).trim_end_matches('/')));
    let mut client = vec!["client", "add", CLIENT, "--connector", "graph", "--client-secret-env"];
    client.extend([stage::SECRET_VARIABLE, "--expires", "730d"]);
    client.extend(settings.iter().flat_map(|setting| ["--set", setting.as_str()]));
    stage.wissel(&client)?;
    let account = ["account", "add", NEW, "--connector", "graph", "--auth", "oauth", "--client", CLIENT];
    stage.wissel(&[account.as_slice(), &["--ca-file", post::CA_FILE]].concat())?;
    stage.authorize(NEW, post, browser)?;
    stage.wissel(&["account", "test", NEW])?;
    stage.wissel(&["account", "list"])
}

/// A job, tested, and run twice.
fn import(stage: &Stage, observer: &Observer) -> Result<()> {
    title("A job, and a test of the folders that it really uses");
    let folders = ["--folder", IMPORT, "--subfolders", "--processed", PROCESSED, "--create-processed"];
    let add = ["job", "add", JOB, "--account", OLD];
    let target = ["--to", stage::MAIL_FOLDER, "--attachments", "--every", "5m"];
    stage.wissel(&[add.as_slice(), folders.as_slice(), target.as_slice()].concat())?;
    stage.wissel(&["job", "test", JOB])?;

    title("Import, twice: the second run finds nothing new");
    stage.wissel(&["job", "run", JOB])?;
    let first = observer.files()?;
    stage.wissel(&["job", "run", JOB])?;
    let second = observer.files()?;
    if first != second {
        bail!("the second run changed what lies in {}: it should have found nothing new", stage::MAIL_FOLDER);
    }
    Ok(())
}

fn title(text: &str) {
    println!("\n== {text}");
}
