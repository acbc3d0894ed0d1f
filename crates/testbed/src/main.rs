//! `wissel-testbed`: the sample mailbox on real ports, for the demonstration and for trying things by hand.
//!
//! Prints one line of JSON with its addresses, its users and the tokens of the messages in 'Postvak IN/Algemeen', then
//! reads commands, one a line, and answers each with a line of JSON (`help` lists them). Ends when its input ends, or on
//! Ctrl-C.
//!
//! With `--fleet N` there are N more users, `fleet-1` and so on, each with the password and a mailbox of his own.

mod commands;

use std::{path::PathBuf, process::ExitCode, time::Instant};

use clap::{Parser, ValueEnum};
use jiff::{Timestamp, ToSpan};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader, stdin};
use wissel_testbed::{
    Options, Testbed,
    entra::{
        self,
        directory::{Secret, User},
    },
    imap,
    mailbox::Mailbox,
    mailboxes::Owner,
    sample::{self, Maker},
    users::Grant,
};

/// A mail server in memory with a Dutch sample mailbox. For demonstration and tests only.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Port for IMAP with TLS; 0 for a free one
    #[arg(long, default_value_t = 0)]
    imaps_port: u16,
    /// Port for IMAP with STARTTLS; 0 for a free one
    #[arg(long, default_value_t = 0)]
    starttls_port: u16,
    /// Port for IMAP without TLS; 0 for a free one
    #[arg(long, default_value_t = 0)]
    plain_port: u16,
    /// Port for the Entra face (https); 0 for a free one
    #[arg(long, default_value_t = 0)]
    entra_port: u16,
    /// Port for the Graph face; 0 for a free one
    #[arg(long, default_value_t = 0)]
    graph_port: u16,
    /// Port for upload sessions of the Graph face; 0 for a free one
    #[arg(long, default_value_t = 0)]
    upload_port: u16,
    /// Where to write the certificate of the authority to trust (PEM)
    #[arg(long)]
    ca_file: Option<PathBuf>,
    /// The same seed makes the same mailbox
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Messages in 'Postvak IN/Algemeen'
    #[arg(long, default_value_t = 60)]
    messages: usize,
    /// Size in bytes of a large message in 'Postvak IN/Algemeen'; 0 for none
    #[arg(long, default_value_t = 0)]
    large: u64,
    /// Further users, fleet-1 and so on, each with the same password and an empty mailbox of his own
    #[arg(long, default_value_t = 0)]
    fleet: usize,
    /// Where the sub folders of the inbox are shown
    #[arg(long, value_enum, default_value_t = Inbox::Localized)]
    inbox: Inbox,
    /// The user, by password and by token
    #[arg(long, default_value = "facturen@voorbeeld.example")]
    user: String,
    /// The user's password
    #[arg(long, env = "WISSEL_TESTBED_PASSWORD", default_value = "wachtwoord", hide_env_values = true)]
    password: String,
    /// The user's bearer token, good for a day
    #[arg(long, env = "WISSEL_TESTBED_TOKEN", default_value = "proef-token", hide_env_values = true)]
    token: String,
    /// The client secret of the app that is registered in the tenant
    #[arg(long, env = "WISSEL_TESTBED_CLIENT_SECRET", default_value = entra::sample::CLIENT_SECRET, hide_env_values = true)]
    client_secret: String,
}

/// How the folders of the inbox are named.
#[derive(Clone, Copy, ValueEnum)]
enum Inbox {
    /// `INBOX`, and beside it `Postvak IN/Algemeen`
    Localized,
    /// `INBOX` and `INBOX/Algemeen`
    Nested,
}

impl From<Inbox> for imap::InboxNaming {
    fn from(inbox: Inbox) -> Self {
        match inbox {
            Inbox::Localized => Self::Localized,
            Inbox::Nested => Self::Nested,
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wissel-testbed: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let (mailbox, mut maker) = (Mailbox::new(), Maker::new(arguments.seed));
    let mut tokens = sample::fill(&mailbox, &mut maker, arguments.messages)?;
    if arguments.large > 0 {
        let token = maker.token();
        mailbox.deliver("Postvak IN/Algemeen", maker.large(&token, arguments.large))?;
        tokens.push(token);
    }
    let bed = Testbed::start(Options {
        mailbox,
        imaps_port: arguments.imaps_port,
        starttls_port: arguments.starttls_port,
        plain_port: arguments.plain_port,
        entra_port: arguments.entra_port,
        graph_port: arguments.graph_port,
        upload_port: arguments.upload_port,
        imap: imap::Settings { inbox: arguments.inbox.into(), ..imap::Settings::default() },
    })
    .await?;
    bed.users().add_password(&arguments.user, &arguments.password);
    register(&bed, &arguments)?;
    bed.mailboxes().add(Owner::new(&arguments.user, "Facturen", bed.mailbox()));
    let started = Instant::now();
    for number in 1..=arguments.fleet {
        let user = format!("fleet-{number}");
        bed.users().add_mailbox(&user, Mailbox::new());
        bed.users().add_password(user, &arguments.password);
    }
    let expires = Timestamp::now() + 24.hours();
    let grant = Grant { user: arguments.user.clone(), expires, scope: "imap".to_owned() };
    bed.users().add_token(&arguments.token, grant);
    if let Some(file) = &arguments.ca_file {
        std::fs::write(file, bed.ca_pem())
            .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    }
    println!(
        "{}",
        json!({
            "imaps": bed.imaps_addr().to_string(),
            "starttls": bed.starttls_addr().to_string(),
            "plain": bed.plain_addr().to_string(),
            "entra": bed.entra_url(),
            "tenant": entra::sample::TENANT,
            "client_id": entra::sample::CLIENT_ID,
            "client_secret": arguments.client_secret,
            "admin": { "user": entra::sample::ADMIN, "password": entra::sample::PASSWORD },
            "shared": entra::sample::SHARED,
            "graph": bed.graph_url(),
            "upload": bed.upload_url(),
            "ca_file": arguments.ca_file,
            "users": [{ "user": arguments.user, "password": arguments.password, "token": arguments.token }],
            "tokens": tokens,
        })
    );
    let mut lines = BufReader::new(stdin()).lines();
    loop {
        tokio::select! {
            line = lines.next_line() => match line? {
                Some(line) => {
                    let line = line.trim();
                    let (user, password) = (&arguments.user, &arguments.password);
                    let answer = match commands::browse(&bed, user, password, line).await {
                        Some(answer) => answer,
                        None => commands::answer(&bed, &mut maker, started, line),
                    };
                    println!("{answer}");
                }
                None => break,
            },
            interrupted = tokio::signal::ctrl_c() => {
                interrupted?;
                break;
            }
        }
    }
    bed.stop().await;
    // A read from a terminal cannot be given up: without this, Ctrl-C would wait for a last line.
    std::process::exit(0)
}

/// Lets the user sign in at the Entra face as well, and gives the app its secret.
fn register(bed: &Testbed, arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let expires = bed.entra().tokens().now().checked_add((730 * 24).hours())?;
    bed.entra().change(|directory| {
        if let Some(tenant) = directory.tenant(entra::sample::TENANT) {
            let mailboxes = tenant.user(entra::sample::USER).map(|user| user.mailboxes.clone());
            let user = User::new(&arguments.user, &arguments.password);
            tenant.add_user(User { mailboxes: mailboxes.unwrap_or_default(), ..user });
        }
        if let Some(app) = directory.app(entra::sample::CLIENT_ID) {
            app.secrets = vec![Secret::new(&arguments.client_secret, expires)];
        }
    });
    Ok(())
}
