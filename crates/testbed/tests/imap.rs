//! The IMAP face against clients that were not written for it, and its faults over a bare connection.

#![allow(clippy::unwrap_used, reason = "clippy does not see helpers of a test as tests")]

use std::{process::Stdio, time::Duration};

use jiff::{Timestamp, ToSpan};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    process::Command,
};
use wissel_testbed::{
    Options, Testbed,
    faults::{CommandFault, Fault, MessageFault},
    mailbox::Mailbox,
    sample::{self, Maker},
    users::Grant,
};

const USER: &str = "facturen@voorbeeld.example";

async fn bed() -> (Testbed, Vec<String>) {
    let mailbox = Mailbox::new();
    let tokens = sample::fill(&mailbox, &mut Maker::new(3), 24).unwrap();
    let bed = Testbed::start(Options { mailbox, ..Options::default() }).await.unwrap();
    bed.users().add_password(USER, "geheim");
    let expires = Timestamp::now() + 1.hour();
    bed.users().add_token("tok", Grant { user: USER.into(), expires, scope: "openid imap".into() });
    (bed, tokens)
}

/// A signed-in connection that speaks in lines.
struct Line(BufReader<TcpStream>);

impl Line {
    async fn open(bed: &Testbed) -> Self {
        let mut line = Self(BufReader::new(TcpStream::connect(bed.plain_addr()).await.unwrap()));
        line.read().await;
        line.ask(&format!("LOGIN {USER} geheim")).await;
        line
    }

    async fn read(&mut self) -> String {
        let mut bytes = Vec::new();
        self.0.read_until(b'\n', &mut bytes).await.unwrap();
        String::from_utf8_lossy(&bytes).trim_end().to_owned()
    }

    async fn say(&mut self, command: &str) {
        self.0.get_mut().write_all(format!("t {command}\r\n").as_bytes()).await.unwrap();
    }

    /// Every line up to the tagged answer, or to the end of the connection.
    async fn ask(&mut self, command: &str) -> Vec<String> {
        self.say(command).await;
        let mut lines = Vec::new();
        loop {
            let line = self.read().await;
            let last = line.is_empty() && self.0.buffer().is_empty() || line.starts_with("t ");
            lines.push(line);
            if last {
                return lines;
            }
        }
    }

    async fn last(&mut self, command: &str) -> String {
        self.ask(command).await.pop().unwrap()
    }
}

#[tokio::test]
async fn python_reads_sorts_and_files_the_mail() {
    let (bed, tokens) = bed().await;
    let folder = tempdir();
    let ca_file = folder.join("ca.pem");
    std::fs::write(&ca_file, bed.ca_pem()).unwrap();
    let arguments = json!({
        "imaps": bed.imaps_addr().port(), "starttls": bed.starttls_addr().port(), "plain": bed.plain_addr().port(),
        "ca_file": ca_file, "user": USER, "password": "geheim", "token": "tok",
    });
    let python = if cfg!(windows) { "python" } else { "python3" };
    let output = Command::new(python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/imap_client.py"))
        .arg(arguments.to_string())
        .stdin(Stdio::null())
        .output()
        .await
        .expect("python3 has to be installed for this test");
    std::fs::remove_dir_all(folder).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // The observer's word: what was moved is once in the target, what was expunged is gone.
    let places = |at: usize| bed.mailbox().count_token(&tokens[at]).into_iter().collect::<Vec<_>>();
    assert_eq!(places(0), [("Verplaatst".to_owned(), 1)]);
    assert_eq!(places(1), [("Postvak IN/Algemeen".to_owned(), 1)]);
    assert_eq!(places(2), [("Verplaatst".to_owned(), 1)]);
    assert_eq!(places(3), []);
    assert!(bed.counters().command("MOVE") == 1 && bed.counters().connections_made() >= 6);
    bed.stop().await;
}

#[tokio::test]
async fn a_connection_is_lost_in_the_middle_of_a_message_and_the_next_one_serves() {
    let (bed, _) = bed().await;
    bed.faults().arm(Fault::Message { after: 50, action: MessageFault::Drop });
    let mut line = Line::open(&bed).await;
    line.ask("SELECT \"Postvak IN/Algemeen\"").await;
    line.say("UID FETCH 1 (BODY.PEEK[])").await;
    let begin = line.read().await;
    let announced: usize = begin.rsplit_once('{').unwrap().1.trim_end_matches('}').parse().unwrap();
    let mut rest = Vec::new();
    line.0.read_to_end(&mut rest).await.unwrap();
    assert!(announced > 50 && rest.len() == 50);
    assert_eq!(bed.faults().pending(), 0);
    let mut line = Line::open(&bed).await;
    assert!(line.last("SELECT \"Postvak IN/Algemeen\"").await.starts_with("t OK [READ-WRITE]"));
    bed.stop().await;
}

#[tokio::test]
async fn a_large_message_is_made_while_it_is_read() {
    let (bed, _) = bed().await;
    let size = 80 * 1024 * 1024;
    let large = Maker::new(9).large("GROOT", size);
    let exact = large.content.size();
    bed.mailbox().deliver("Postvak IN/Facturen", large).unwrap();
    let mut line = Line::open(&bed).await;
    line.ask("SELECT \"Postvak IN/Facturen\"").await;
    line.say("UID FETCH 3 (BODY.PEEK[])").await;
    assert!(line.read().await.ends_with(&format!("{{{exact}}}")));
    let copied = tokio::io::copy(&mut (&mut line.0).take(exact), &mut tokio::io::sink()).await.unwrap();
    assert_eq!((copied, line.read().await), (exact, ")".to_owned()));
    assert_eq!(bed.counters().message_bytes(), exact);
    bed.stop().await;
}

#[tokio::test]
async fn a_move_whose_answer_is_lost_has_happened_once() {
    let (bed, tokens) = bed().await;
    bed.faults().arm_command("MOVE", CommandFault::DropAfter);
    let mut line = Line::open(&bed).await;
    line.ask("SELECT \"Postvak IN/Algemeen\"").await;
    assert_eq!(line.ask("UID MOVE 1 \"Postvak IN/Facturen\"").await, [""]);
    let places = bed.mailbox().count_token(&tokens[0]);
    assert_eq!(places.into_iter().collect::<Vec<_>>(), [("Postvak IN/Facturen".to_owned(), 1)]);
    bed.stop().await;
}

#[tokio::test]
async fn refusals_say_what_servers_say_and_pass() {
    let (bed, _) = bed().await;
    let faults = bed.faults();
    let mut line = Line::open(&bed).await;
    faults.arm_command("STATUS", CommandFault::Throttle(Duration::from_secs(1)));
    let throttled = line.last("STATUS INBOX (MESSAGES)").await;
    assert!(throttled.starts_with("t NO [UNAVAILABLE]"), "{throttled}");
    assert!(throttled.ends_with("Suggested Backoff Time: 1000 milliseconds"), "{throttled}");
    assert!(line.last("STATUS INBOX (MESSAGES)").await.starts_with("t OK"));
    faults.arm_command("NOOP", CommandFault::Malformed("not now".into()));
    assert_eq!(line.last("NOOP").await, "t BAD not now");
    faults.arm_command("NOOP", CommandFault::Unasked("* 23 EXISTS".into()));
    assert_eq!(line.ask("NOOP").await, ["* 23 EXISTS", "t OK Done"]);
    assert!(line.last("CAPABILITY").await.starts_with("t OK"));
    faults.switch(|switches| (switches.without_move, switches.without_uidplus) = (true, true));
    let capabilities = line.ask("CAPABILITY").await.remove(0);
    assert!(!capabilities.contains("MOVE") && !capabilities.contains("UIDPLUS"), "{capabilities}");
    line.ask("SELECT INBOX").await;
    assert!(line.last("UID MOVE 1 \"Postvak IN/Facturen\"").await.starts_with("t BAD"));
    assert_eq!(line.last("UID COPY 1 \"Postvak IN/Facturen\"").await, "t OK Copied");
    faults.switch(|switches| switches.over_quota = true);
    assert!(line.last("APPEND INBOX {3+}\r\na\r\n").await.starts_with("t NO [OVERQUOTA]"));
    faults.clear();
    faults.switch(|switches| switches.read_only = true);
    assert!(line.last("UID STORE 1 +FLAGS (\\Seen)").await.starts_with("t NO [NOPERM]"));
    assert!(line.last("SELECT INBOX").await.starts_with("t OK [READ-ONLY]"));
    assert!(line.last("this is no command").await.starts_with("t BAD"));
    bed.stop().await;
}

#[tokio::test]
async fn a_renumbered_folder_is_not_served_under_its_old_numbers() {
    let (bed, _) = bed().await;
    let mut line = Line::open(&bed).await;
    line.ask("SELECT \"Postvak IN/Algemeen\"").await;
    let validity = bed.mailbox().renumber("Postvak IN/Algemeen").unwrap();
    assert!(line.ask("NOOP").await[0].starts_with("* BYE"));
    let mut line = Line::open(&bed).await;
    let status = line.ask("STATUS \"Postvak IN/Algemeen\" (UIDVALIDITY)").await.remove(0);
    assert!(status.ends_with(&format!("(UIDVALIDITY {validity})")), "{status}");
    bed.stop().await;
}

#[tokio::test]
async fn clear_text_after_starttls_comes_with_the_answer_and_a_greeting_can_break_off() {
    let (bed, _) = bed().await;
    bed.faults().arm(Fault::ClearTextBeforeTls("* PREAUTH injected\r\n".into()));
    let mut line = Line(BufReader::new(TcpStream::connect(bed.starttls_addr()).await.unwrap()));
    line.read().await;
    assert_eq!(line.ask("STARTTLS").await, ["t OK Begin TLS"]);
    assert_eq!(line.0.buffer(), b"* PREAUTH injected\r\n");
    bed.faults().arm(Fault::TruncatedGreeting);
    let mut line = Line(BufReader::new(TcpStream::connect(bed.plain_addr()).await.unwrap()));
    let mut greeting = Vec::new();
    line.0.read_to_end(&mut greeting).await.unwrap();
    assert!(!greeting.is_empty() && !greeting.ends_with(b"\r\n"));
    bed.stop().await;
}

#[tokio::test]
async fn idle_tells_of_new_and_of_removed_mail() {
    let (bed, _) = bed().await;
    let mut line = Line::open(&bed).await;
    line.ask("SELECT INBOX").await;
    line.say("IDLE").await;
    assert!(line.read().await.starts_with('+'));
    let mut maker = Maker::new(5);
    bed.mailbox().deliver("Postvak IN", maker.invoice("NIEUW")).unwrap();
    assert_eq!(line.read().await, "* 2 EXISTS");
    let inbox = bed.mailbox().folder("Postvak IN").unwrap().id;
    bed.mailbox().remove(inbox, &[1]).unwrap();
    assert_eq!(line.read().await, "* 1 EXPUNGE");
    line.0.get_mut().write_all(b"DONE\r\n").await.unwrap();
    assert_eq!(line.read().await, "t OK Done");
    assert_eq!(bed.counters().connections_open(), 1);
    bed.stop().await;
}

#[tokio::test]
async fn names_are_utf8_after_enable_and_a_mailbox_can_nest_under_inbox() {
    let mailbox = Mailbox::new();
    sample::fill(&mailbox, &mut Maker::new(3), 1).unwrap();
    let inbox = mailbox.folder("Postvak IN").unwrap().id;
    mailbox.create_folder(Some(inbox), "In/uit").unwrap();
    let imap = wissel_testbed::imap::Settings {
        inbox: wissel_testbed::imap::InboxNaming::Nested,
        ..Default::default()
    };
    let bed = Testbed::start(Options { mailbox, imap, ..Options::default() }).await.unwrap();
    bed.users().add_password(USER, "geheim");
    let mut line = Line::open(&bed).await;
    line.ask("ENABLE UTF8=ACCEPT").await;
    let names = line.ask("LIST \"\" INBOX*").await.join("\n");
    assert!(names.contains("\"INBOX/Geïmporteerd\"") && names.contains("INBOX/In_uit"), "{names}");
    assert!(names.contains("INBOX/R&D inkoop"), "{names}");
    assert!(line.last("SELECT \"INBOX/R&D inkoop\"").await.starts_with("t OK"));
    assert!(line.last("SELECT INBOX/In_uit").await.starts_with("t OK"));
    assert!(line.last("SELECT \"INBOX/Geïmporteerd\"").await.starts_with("t OK"));
    bed.stop().await;
}

fn tempdir() -> std::path::PathBuf {
    let path = std::env::temp_dir().join(format!("wissel-testbed-{}", std::process::id()));
    std::fs::create_dir_all(&path).unwrap();
    path
}
