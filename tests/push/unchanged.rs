//! A folder that did not change since everything in it was settled is not listed again, and that never costs a message:
//! after each run the plain way, a dry run, which always lists, finds nothing that was left.

use wissel_tests::corpus;
use wissel_tests::dovecot::{ALICE, Options};
use wissel_tests::observer::{SINK, Tokens};
use wissel_tests::proxy::Proxy;
use wissel_tests::scene::{Entry, Scene};

const PLAIN: &str = "IMAP4rev1 SASL-IR LITERAL+ UIDPLUS MOVE NAMESPACE IDLE";

fn scene(capability: Option<&str>) -> (Scene, Proxy) {
    let capability = capability.map(str::to_owned);
    let scene = Scene::empty(&Options { capability, ..Options::default() });
    let proxy = Proxy::to(scene.server.port);
    scene.add(&Entry::clear(&scene.server, proxy.port)).success();
    scene.job("J", &["--folder", "INBOX", "--action", "leave"]);
    (scene, proxy)
}

fn commands(proxy: &Proxy) -> Vec<String> {
    let lines = proxy.lines();
    let tagged = lines.iter().filter_map(|line| line.split_once(' '));
    tagged.map(|(_, command)| command.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect()
}

/// What a run sends that finds nothing new.
fn poll(scene: &Scene, proxy: &Proxy) -> Vec<String> {
    proxy.forget();
    assert_eq!(scene.import("J"), 0);
    let commands = commands(proxy);
    println!("{} commands: {commands:?}", commands.len());
    commands
}

fn lists(commands: &[String]) -> bool {
    commands.iter().any(|command| command == "UID SEARCH")
}

#[test]
fn a_poll_of_an_unchanged_folder_lists_nothing_where_the_server_vouches_for_it() {
    for (capability, listed) in [(None, false), (Some(PLAIN), true)] {
        let (scene, proxy) = scene(capability);
        scene.server.deliver(ALICE, "INBOX", &corpus::messages(20, 30));
        assert_eq!(scene.import("J"), 30);
        let sent = poll(&scene, &proxy);
        assert_eq!(lists(&sent), listed, "{sent:?}");
        assert!(sent.len() <= if listed { 9 } else { 7 }, "more round trips than needed: {sent:?}");
        let mut session = scene.server.imap(ALICE);
        session.command("SELECT INBOX");
        session.command("STORE 3 +FLAGS (\\Flagged)");
        assert!(lists(&poll(&scene, &proxy)), "a flag was changed");
        // An empty folder is not searched, whatever the server tells.
        session.command("STORE 1:* +FLAGS.SILENT (\\Deleted)");
        session.command("EXPUNGE");
        assert!(!lists(&poll(&scene, &proxy)));
    }
}

#[test]
fn a_random_history_comes_to_the_same_as_the_plain_way() {
    for (capability, seed) in [(None, 7), (Some(PLAIN), 8)] {
        let (scene, _proxy) = scene(capability);
        let mut random = fastrand::Rng::with_seed(seed);
        let mut tokens: Vec<String> = Vec::new();
        let mut session = scene.server.imap(ALICE);
        session.command("SELECT INBOX");
        let mut there = 0;
        for step in 0..14 {
            let count = 1 + random.u64(..3);
            let what = if there == 0 { 0 } else { random.u64(..6) };
            match what {
                // Arrives, or arrives unseen: what is marked as deleted is not listed.
                0 | 1 => {
                    let samples = corpus::messages(100 + step, count);
                    session.append("INBOX", &samples);
                    tokens.extend(corpus::tokens(&samples).into_iter().map(str::to_owned));
                    there += count;
                    session.command("NOOP");
                    if what == 1 {
                        session.command("STORE * +FLAGS (\\Deleted)");
                    }
                }
                2 => drop(session.command("STORE 1:* -FLAGS (\\Deleted)")),
                3 => drop(session.command(&format!("STORE {} +FLAGS (\\Seen)", 1 + random.u64(..there)))),
                4 => drop(session.command(&format!("STORE {} +FLAGS (\\Deleted)", 1 + random.u64(..there)))),
                _ => {}
            }
            let imported = scene.import("J");
            let plain = scene.run(&["job", "run", "J", "--dry-run", "--json"]).success().json();
            let left = plain["candidates"].as_array().map_or(0, Vec::len);
            println!("step {step}: {what}, {imported} imported");
            assert_eq!(left, 0, "step {step} ({what}) left messages behind: {plain}");
        }
        session.command("STORE 1:* -FLAGS (\\Deleted)");
        scene.import("J");
        Tokens::in_sink(&scene.sink("J")).assert_each_once(&tokens, SINK);
    }
}
