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
/// The account on the same mailbox that signs in with a token.
const NEW: &str = "Inkoop-token";

/// Builds what is needed and plays the demonstration. A failure when a message was lost or doubled.
pub fn run(keep: bool) -> Result<ExitCode> {
    connectors::build(&setup::wasm_toolchain()?)?;
    process::run(workspace::cargo().args(["build", "--quiet", "-p", "wissel-cli", "-p", "wissel-testbed"]))?;
    let stage = Stage::set(keep)?;
    let mut post = Post::open(stage.folder())?;
    stage.introduce(&post);
    let played = play(&stage, &mut post);
    if keep {
        if let Err(error) = &played {
            eprintln!("{error:#}");
        }
        play::keep(&stage, &mut post)?;
    }
    played
}

fn play(stage: &Stage, post: &mut Post) -> Result<ExitCode> {
    let mut observer = Observer::new(stage.mail());
    observer.expect(post.tokens()?);
    observer.expect(post.deliver_new(2, BELOW)?);
    accounts(stage, post)?;
    import(stage, &observer)?;

    title("New mail arrives, and the mailbox is to lose its password: over to the token");
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

/// A connector, and two accounts on one mailbox.
fn accounts(stage: &Stage, post: &Post) -> Result<()> {
    title("Install the connector");
    let connector = workspace::built_connectors().join("imap.wasm");
    stage.wissel(&["connector", "install", &connector.to_string_lossy()])?;

    title("Two accounts on one mailbox: one signs in with a password, one with a token");
    let port = format!("port={}", post.port());
    let user = format!("user={}", post.user());
    let server = ["--set", "host=localhost", "--set", &port, "--set", &user, "--ca-file", post::CA_FILE];
    let old = ["account", "add", OLD, "--connector", "imap", "--default", "--password-stdin"];
    stage.wissel_reading(&[old.as_slice(), server.as_slice()].concat(), stage::PASSWORD_FILE)?;
    let new = ["account", "add", NEW, "--connector", "imap", "--token-env", stage::TOKEN_VARIABLE];
    stage.wissel(&[new.as_slice(), server.as_slice()].concat())?;
    stage.wissel(&["account", "test", OLD])?;
    stage.wissel(&["account", "test", NEW])?;
    stage.wissel(&["folder", "list"])
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
