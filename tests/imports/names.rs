//! Folder names as people type them: Dutch, any script, both separators, names that hold a separator themselves.

use wissel_tests::corpus;
use wissel_tests::dovecot::{ALICE, Options};
use wissel_tests::observer::{SINK, Tokens};
use wissel_tests::scene::Scene;

/// Delivers a message to `folder`, and imports it by a job that names the folder as `typed`.
fn imports_from(scene: &Scene, seed: u64, folder: &str, typed: &str) {
    let samples = corpus::messages(seed, 1);
    scene.server.deliver(ALICE, folder, &samples);
    let job = format!("J{seed}");
    scene.job(&job, &["--folder", typed, "--action", "leave"]);
    let output = scene.run(&["job", "run", &job, "--json"]);
    assert_eq!(output.code, Some(0), "'{typed}' for '{folder}': {}{}", output.stdout, output.stderr);
    let sink = Tokens::in_sink(&scene.sink(&job));
    sink.assert_each_once(&corpus::tokens(&samples), SINK);
    assert_eq!(sink.different(SINK), 1, "'{typed}' for '{folder}'");
}

/// The same, and moves it to the folder named `processed`, which is made.
fn moves_to(scene: &Scene, seed: u64, processed: &str) {
    let samples = corpus::messages(seed, 1);
    scene.server.deliver(ALICE, "INBOX", &samples);
    let job = format!("M{seed}");
    scene.job(&job, &["--folder", "INBOX", "--processed", processed, "--create-processed"]);
    assert_eq!(scene.import(&job), 1, "{processed}");
    Tokens::in_mailbox(&scene.server, ALICE).assert_each_once(&corpus::tokens(&samples), processed);
}

#[test]
fn names_of_every_script_are_found_and_made() {
    let scene = Scene::start(&Options::default());
    let names = [
        "Facturen één",
        "Inkoop & Verkoop",
        "R&D-",
        "Größe",
        "日本語/請求書",
        "📨 nieuw",
        "met \"aanhalingstekens\"",
        "100% & meer_*",
        "jan.2026",
    ];
    for (seed, name) in (1..).zip(names) {
        imports_from(&scene, seed, name, name);
    }
    for (seed, name) in (50..).zip(["Verwerkt één & twee", "処理済み/二〇二六", "Post.2026"]) {
        moves_to(&scene, seed, name);
    }
}

#[test]
fn both_separators_and_any_case_lead_to_the_folder() {
    for separator in ['/', '.'] {
        let scene = Scene::start(&Options { separator, ..Options::default() });
        let path = |names: &[&str]| names.join(&separator.to_string());
        let inbox = path(&["INBOX", "Algemeen"]);
        let deep = path(&["één", "twee", "drie", "vier", "vijf", "zes", "zeven", "acht"]);
        for (seed, (folder, typed)) in (1..).zip([
            (&inbox, "INBOX/Algemeen"),
            (&inbox, "Postvak IN/Algemeen"),
            (&inbox, "Postvak IN\\Algemeen"),
            (&inbox, "postvak in/ALGEMEEN/"),
            (&deep, "één/twee/drie/vier/vijf/zes/zeven/acht"),
            (&deep, "één\\twee\\drie\\vier\\vijf\\zes\\zeven\\acht"),
            (&deep, "ÉÉN/twee\\drie/vier/vijf\\zes/zeven/acht"),
        ]) {
            // One message each, in one folder: what an earlier job left is taken out first.
            if scene.server.folders(ALICE).contains(folder) {
                scene.server.doveadm(&["expunge", "-u", ALICE, "mailbox", folder, "ALL"]);
            }
            imports_from(&scene, seed, folder, typed);
        }
    }
}

#[test]
fn a_name_may_hold_the_other_separator() {
    let scene = Scene::start(&Options { separator: '.', special_use: false, ..Options::default() });
    for (seed, (folder, typed)) in
        (1..).zip([("a/b", "a/b"), ("c\\d", "c\\d"), ("e/f.g\\h", "e/f/g\\h"), ("2026/11.é&", "2026/11/é&")])
    {
        imports_from(&scene, seed, folder, typed);
    }
    let scene = Scene::start(&Options { special_use: false, ..Options::default() });
    for (seed, (folder, typed)) in (1..).zip([("a.b", "a.b"), ("c\\d", "c\\d"), ("e.f/g\\h", "e.f/g\\h")]) {
        imports_from(&scene, seed, folder, typed);
    }
}

#[test]
fn a_name_that_the_server_cannot_have_is_said_so() {
    let scene = Scene::start(&Options { separator: '.', ..Options::default() });
    scene.server.deliver(ALICE, "INBOX", &corpus::messages(1, 1));
    scene.job("J", &["--folder", "INBOX", "--processed", "Verwerkt 1.0", "--create-processed"]);
    let refused = scene.run(&["job", "run", "J"]);
    assert_ne!(refused.code, Some(0));
    assert!(refused.stderr.contains("Verwerkt 1.0") && refused.stderr.contains('.'), "{}", refused.stderr);
    assert_eq!(Tokens::in_mailbox(&scene.server, ALICE).different("INBOX"), 1);
}
