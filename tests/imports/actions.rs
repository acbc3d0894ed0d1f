//! What becomes of imported messages: moved, marked, deleted or left, also on servers without MOVE and UIDPLUS.
//!
//! The proxy listens in the clear, so that a test knows by which commands the server was asked.

use wissel_tests::corpus;
use wissel_tests::dovecot::{ALICE, Options};
use wissel_tests::observer::{SINK, Tokens};
use wissel_tests::proxy::Proxy;
use wissel_tests::scene::{Entry, Scene};

const COUNT: usize = 12;

/// What the server claims to have beside the base.
#[derive(Clone, Copy)]
struct Server {
    moves: bool,
    uidplus: bool,
}

const SERVERS: [Server; 4] = [
    Server { moves: true, uidplus: true },
    Server { moves: false, uidplus: true },
    Server { moves: true, uidplus: false },
    Server { moves: false, uidplus: false },
];

impl Server {
    fn options(self) -> Options {
        let mut capability =
            "IMAP4rev1 SASL-IR ID ENABLE IDLE NAMESPACE LIST-EXTENDED SPECIAL-USE LITERAL+ CHILDREN UNSELECT CONDSTORE"
                .to_owned();
        if self.moves {
            capability += " MOVE";
        }
        if self.uidplus {
            capability += " UIDPLUS";
        }
        Options { capability: Some(capability), ..Options::default() }
    }
}

/// A job with this action has run on twelve messages; and again, with nothing left to do.
struct Played {
    scene: Scene,
    wire: Proxy,
    tokens: Vec<String>,
}

fn play(server: Server, action: &str) -> Played {
    let scene = Scene::empty(&server.options());
    let wire = Proxy::to(scene.server.port);
    scene.add(&Entry::clear(&scene.server, wire.port)).success();
    let samples = corpus::messages(200, COUNT as u64);
    scene.server.deliver(ALICE, "INBOX", &samples);
    // Somebody else has marked one of another program's messages as deleted, and will look at it again.
    let marked = corpus::messages(201, 1);
    scene.server.deliver(ALICE, "INBOX", &marked);
    let mut session = scene.server.imap(ALICE);
    session.command("SELECT INBOX");
    session.command(&format!("UID STORE {} +FLAGS (\\Deleted)", COUNT + 1));
    drop(session);
    let mut options = vec!["--folder", "INBOX", "--action", action];
    if action == "move" {
        options.extend(["--processed", "Verwerkt", "--create-processed"]);
    }
    scene.job("J", &options);
    assert_eq!(scene.import("J"), COUNT as u64, "{action}");
    let tokens: Vec<String> = samples.into_iter().map(|sample| sample.token).collect();
    Tokens::in_sink(&scene.sink("J")).assert_each_once(&tokens, SINK);
    assert_eq!(scene.import("J"), 0, "{action}: nothing is new");
    assert_eq!(Tokens::in_sink(&scene.sink("J")).different(SINK), COUNT, "{action}");
    let kept = Tokens::in_mailbox(&scene.server, ALICE).count(&marked[0].token, "INBOX");
    assert_eq!(kept, 1, "{action}: a message marked by somebody else was removed");
    assert!(
        !wire.lines().iter().any(|line| line.ends_with(" EXPUNGE")),
        "a bare EXPUNGE removes others' mail"
    );
    Played { scene, wire, tokens }
}

impl Played {
    fn sent(&self, command: &str) -> bool {
        self.wire.lines().iter().any(|line| line.contains(command))
    }

    fn flags(&self) -> Vec<String> {
        self.scene.server.imap(ALICE).flags("INBOX")
    }
}

#[test]
fn moved_messages_are_in_the_processed_folder_once() {
    for server in SERVERS {
        let played = play(server, "move");
        assert_eq!(played.sent(" UID MOVE "), server.moves);
        assert_eq!(played.sent(" UID COPY "), !server.moves);
        let seen = Tokens::in_mailbox(&played.scene.server, ALICE);
        if server.moves || server.uidplus {
            seen.assert_each_once(&played.tokens, "Verwerkt");
            assert_eq!(played.flags(), ["\\Deleted"], "only the one that somebody else marked is left");
        } else {
            // Nothing but a bare EXPUNGE could remove them: they stay, marked.
            assert!(played.tokens.iter().all(|token| seen.count(token, "Verwerkt") == 1));
            assert!(played.flags().iter().all(|flags| flags.contains("\\Deleted")), "{:?}", played.flags());
        }
    }
}

#[test]
fn read_messages_are_marked_and_stay() {
    for server in SERVERS {
        let played = play(server, "mark-read");
        Tokens::in_mailbox(&played.scene.server, ALICE).assert_each_once(&played.tokens, "INBOX");
        let seen = played.flags().iter().filter(|flags| *flags == "\\Seen").count();
        assert_eq!(seen, COUNT, "{:?}", played.flags());
    }
}

#[test]
fn deleted_messages_are_gone_or_marked() {
    for server in SERVERS {
        let played = play(server, "delete");
        let seen = Tokens::in_mailbox(&played.scene.server, ALICE);
        let flags = played.flags();
        if server.uidplus {
            assert!(played.tokens.iter().all(|token| seen.total(token) == 0));
            assert_eq!(flags, ["\\Deleted"]);
        } else {
            assert!(flags.iter().all(|flags| flags.contains("\\Deleted")), "{flags:?}");
        }
    }
}

#[test]
fn left_messages_stay_as_they_are() {
    for server in SERVERS {
        let played = play(server, "leave");
        Tokens::in_mailbox(&played.scene.server, ALICE).assert_each_once(&played.tokens, "INBOX");
        let untouched = played.flags().iter().filter(|flags| flags.is_empty()).count();
        assert_eq!(untouched, COUNT, "{:?}", played.flags());
        for command in [" STORE ", " MOVE ", " COPY ", " SELECT ", "CREATE"] {
            assert!(!played.sent(command), "{command} while nothing is to change");
        }
    }
}
