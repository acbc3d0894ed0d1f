//! A person moves and copies messages between the folders of a job, over a connection of his own.

use wissel_tests::corpus;
use wissel_tests::dovecot::{ALICE, Options};
use wissel_tests::observer::{SINK, Tokens};
use wissel_tests::scene::Scene;

const ABOVE: &str = "Facturen";
const BELOW: &str = "Facturen/Later";
const BESIDE: &str = "Offertes";
const PROCESSED: &str = "Facturen/Verwerkt";

/// Two folders of a job and one beside it, and so many messages in the first.
fn with_mail(count: u64) -> (Scene, Vec<String>) {
    let scene = Scene::start(&Options::default());
    for folder in [ABOVE, BELOW, BESIDE] {
        scene.server.create_folder(ALICE, folder);
    }
    let samples = corpus::messages(700, count);
    scene.server.deliver(ALICE, ABOVE, &samples);
    let tokens = samples.into_iter().map(|sample| sample.token).collect();
    (scene, tokens)
}

/// Carries out a command with messages of a folder.
fn person(scene: &Scene, folder: &str, command: &str) {
    let mut session = scene.server.imap(ALICE);
    session.command(&format!("SELECT {folder}"));
    session.command(command);
}

#[test]
fn where_messages_stay_one_that_is_moved_is_known_and_a_copy_is_new() {
    for action in ["leave", "mark-read"] {
        let (scene, tokens) = with_mail(4);
        scene.job("J", &["--folder", ABOVE, "--subfolders", "--action", action]);
        assert_eq!(scene.import("J"), 4);
        person(&scene, ABOVE, &format!("UID MOVE 1 {BELOW}"));
        person(&scene, ABOVE, &format!("UID COPY 2 {BELOW}"));
        person(&scene, ABOVE, &format!("UID MOVE 3 {BESIDE}"));
        assert_eq!(scene.import("J"), 1, "{action}: the copy");
        person(&scene, BELOW, &format!("UID MOVE 1 {ABOVE}"));
        assert_eq!(scene.import("J"), 0, "{action}: back again");
        // By way of a folder that is not the job's, it is new in its own folder.
        person(&scene, BESIDE, &format!("UID MOVE 1 {ABOVE}"));
        assert_eq!((scene.import("J"), scene.import("J")), (1, 0), "{action}");
        let sink = Tokens::in_sink(&scene.sink("J"));
        let counts: Vec<u32> = tokens.iter().map(|token| sink.count(token, SINK)).collect();
        assert_eq!(counts, [1, 2, 2, 1], "{action}");
    }
}

#[test]
fn one_that_is_moved_to_another_folder_before_we_move_it_is_imported_once() {
    // Within the job, where it is moved on, and beside it, where it stays.
    for (to, end) in [(BELOW, PROCESSED), (BESIDE, BESIDE)] {
        let (mut scene, tokens) = with_mail(1);
        let job = ["--folder", ABOVE, "--subfolders", "--processed", PROCESSED, "--create-processed"];
        scene.job("J", &job);
        scene.wissel.set("WISSEL_FAULT", "ledger-delivered");
        assert_eq!(scene.run(&["job", "run", "J"]).code, None);
        scene.wissel.set("WISSEL_FAULT", "none");
        person(&scene, ABOVE, &format!("UID MOVE 1 {to}"));
        assert_eq!((scene.import("J"), scene.import("J")), (0, 0), "to {to}");
        Tokens::in_sink(&scene.sink("J")).assert_each_once(&tokens, SINK);
        Tokens::in_mailbox(&scene.server, ALICE).assert_each_once(&tokens, end);
        assert_eq!(scene.ledger()["messages"][0]["state"], "done", "to {to}: {:#}", scene.ledger());
        // A person puts it back to have it imported again.
        person(&scene, end, &format!("UID MOVE 1 {BELOW}"));
        assert_eq!(scene.import("J"), 1, "from {end}");
    }
}
