//! Five hundred folders: found, listed and imported from in a bounded number of commands.

use std::time::Instant;

use wissel_tests::corpus;
use wissel_tests::dovecot::{ALICE, Options};
use wissel_tests::imap::mailbox;
use wissel_tests::observer::{SINK, Tokens};
use wissel_tests::proxy::Proxy;
use wissel_tests::scene::{ACCOUNT, Entry, Scene};

const FOLDERS: usize = 500;

/// How many commands the client has sent in the clear.
fn commands(wire: &Proxy) -> usize {
    let tagged = |line: &String| line.split(' ').next().is_some_and(|tag| tag.starts_with('A'));
    wire.lines().iter().filter(|line| tagged(line)).count()
}

#[test]
fn five_hundred_folders_cost_few_commands() {
    let scene = Scene::empty(&Options::default());
    let wire = Proxy::to(scene.server.port);
    scene.add(&Entry::clear(&scene.server, wire.port)).success();
    let mut session = scene.server.imap(ALICE);
    for index in 0..FOLDERS {
        session.command(&format!("CREATE {}", mailbox(&format!("Klanten/Klant één {index:03}"))));
    }
    let samples = corpus::messages(1, 10);
    for (index, sample) in samples.iter().enumerate() {
        session.append(&format!("Klanten/Klant één {:03}", index * 50), &[sample]);
    }

    let begun = Instant::now();
    let listed = scene.wissel.json(&["folder", "list", ACCOUNT]);
    let took = begun.elapsed();
    let folders = listed["folders"].as_array().unwrap();
    assert!(folders.len() > FOLDERS, "{}", folders.len());
    let with_mail = folders.iter().filter(|folder| folder["total"] == 1).count();
    assert_eq!(with_mail, samples.len());
    println!("{} folders listed by {} commands in {took:.1?}", folders.len(), commands(&wire));
    assert!(commands(&wire) < 20, "{} commands: {:?}", commands(&wire), wire.lines());

    wire.forget();
    scene.job("one", &["--folder", "Klanten/Klant één 450", "--action", "leave"]);
    assert_eq!(scene.import("one"), 1);
    assert!(commands(&wire) < 30, "{} commands for one folder", commands(&wire));

    wire.forget();
    scene.job("all", &["--folder", "Klanten", "--subfolders", "--action", "leave"]);
    let begun = Instant::now();
    assert_eq!(scene.import("all"), samples.len() as u64);
    let took = begun.elapsed();
    println!("{FOLDERS} folders imported by {} commands in {took:.1?}", commands(&wire));
    Tokens::in_sink(&scene.sink("all")).assert_each_once(&corpus::tokens(&samples), SINK);
    assert!(commands(&wire) < 5 * FOLDERS, "{} commands", commands(&wire));
}
