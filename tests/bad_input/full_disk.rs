//! No room: on the disk of the target directory, or on that of the database.

use std::fs;

use rustix::process::geteuid;
use wissel_tests::corpus::{self, Sample};
use wissel_tests::dovecot::{ALICE, Options};
use wissel_tests::observer::{SINK, Tokens};
use wissel_tests::scene::{ACCOUNT, Entry, Scene};
use wissel_tests::small_disk::SmallDisk;
use wissel_tests::wissel::Output;

use crate::assert_failed;

/// Twenty messages, of which one has three megabytes.
fn mailbox() -> (Scene, Vec<Sample>) {
    let scene = Scene::start(&Options::default());
    let mut samples = corpus::messages(44, 20);
    while samples[10].bytes.len() < 3_000_000 {
        samples[10].bytes.extend_from_slice(b"Deze regel staat er vaak, want er is weinig plaats.\r\n");
    }
    scene.server.deliver(ALICE, "INBOX", &samples);
    scene.server.create_folder(ALICE, "Verwerkt");
    scene.job("J", &["--folder", "INBOX", "--processed", "Verwerkt"]);
    (scene, samples)
}

/// What was imported is whole and moved, what was not is still in the inbox.
fn assert_nothing_lost(scene: &Scene, samples: &[Sample]) {
    let sink = Tokens::in_sink(&scene.sink("J"));
    let mailbox = Tokens::in_mailbox(&scene.server, ALICE);
    assert_eq!(sink.total(&samples[10].token), 0, "half a message is published");
    for sample in samples {
        assert_eq!(mailbox.total(&sample.token), 1, "a message was lost");
        if mailbox.count(&sample.token, "Verwerkt") == 1 {
            assert_eq!(sink.count(&sample.token, SINK), 1, "moved, but not imported");
        }
    }
}

fn assert_recovers(scene: &Scene, samples: &[Sample]) {
    scene.run(&["job", "run", "J"]).success();
    let tokens = corpus::tokens(samples);
    Tokens::in_sink(&scene.sink("J")).assert_each_once(&tokens, SINK);
    Tokens::in_mailbox(&scene.server, ALICE).assert_each_once(&tokens, "Verwerkt");
    assert_eq!(scene.import("J"), 0);
}

/// Whether messages were imported before the wall was met decides between "failed" and "partly done".
fn assert_full(output: &Output, scene: &Scene) {
    let code = output.code.unwrap_or_default();
    assert!(matches!(code, 1 | 7), "{:?}: {}{}", output.code, output.stdout, output.stderr);
    assert_failed(output, code, &["job 'J'", &scene.sink("J").display().to_string()]);
}

#[test]
fn a_file_that_may_not_grow_stops_the_import_and_loses_nothing() {
    let (scene, samples) = mailbox();
    let full = scene.run_under(&["prlimit", "--fsize=2000000"], &["job", "run", "J"]);
    assert_full(&full, &scene);
    assert!(full.stderr.contains("limit on the size of files"), "{}", full.stderr);
    assert_nothing_lost(&scene, &samples);
    assert_recovers(&scene, &samples);
}

#[test]
fn a_full_disk_stops_the_import_and_loses_nothing() {
    if !geteuid().is_root() {
        // The test above stands in for this one: without root there is no disk to fill.
        println!("not root: a small file system cannot be mounted, the limit on files is tested only");
        return;
    }
    let (scene, samples) = mailbox();
    let disk = SmallDisk::mount(&scene.sink("J"), "2m");
    let full = scene.run(&["job", "run", "J"]);
    assert_full(&full, &scene);
    assert!(full.stderr.contains("free some space"), "{}", full.stderr);
    assert_nothing_lost(&scene, &samples);
    disk.grow("64m");
    assert_recovers(&scene, &samples);
}

#[test]
fn a_full_disk_under_the_database_is_named_as_such() {
    if !geteuid().is_root() {
        println!("not root: a small file system cannot be mounted");
        return;
    }
    let mut scene = Scene::empty(&Options::default());
    let home = scene.wissel.path("small");
    let disk = SmallDisk::mount(&home, "32m");
    scene.wissel.set("WISSEL_HOME", &home);
    let samples = corpus::messages(45, 200);
    scene.server.deliver(ALICE, "INBOX", &samples);
    scene.add(&Entry::of(&scene.server)).success();
    scene.job("J", &["--folder", "INBOX", "--processed", "Verwerkt", "--create-processed"]);
    assert_eq!(scene.run(&["account", "test", ACCOUNT]).code, Some(0));

    let filling = disk.fill();
    let full = scene.run(&["job", "run", "J"]);
    assert!(matches!(full.code, Some(6 | 7)), "{:?}: {}{}", full.code, full.stdout, full.stderr);
    assert_failed(&full, full.code.unwrap(), &["no room is left", "wissel.db"]);
    fs::remove_file(filling).unwrap();
    scene.run(&["job", "run", "J"]).success();
    let tokens = corpus::tokens(&samples);
    Tokens::in_sink(&scene.sink("J")).assert_each_once(&tokens, SINK);
    Tokens::in_mailbox(&scene.server, ALICE).assert_each_once(&tokens, "Verwerkt");
}
