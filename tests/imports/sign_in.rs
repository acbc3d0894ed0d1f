//! Signing in: each SASL mechanism over both TLS modes, refused passwords, ended tokens.

use wissel_tests::dovecot::{ALICE, BOB, Dovecot, Options, SCOPE};
use wissel_tests::scene::{ACCOUNT, Entry, Scene};

/// A server that offers this mechanism only.
fn offering(mechanism: &str) -> Options {
    Options { extra: format!("auth_mechanisms = {mechanism}\n"), ..Options::default() }
}

/// Over STARTTLS and over implicit TLS.
fn both(server: &Dovecot, entry: &Entry) -> [Entry; 2] {
    [
        Entry { name: "TLS".to_owned(), ..entry.clone() },
        Entry { name: "STARTTLS".to_owned(), security: "starttls", port: server.port, ..entry.clone() },
    ]
}

fn signs_in_by(mechanism: &str, token: bool) {
    let scene = Scene::empty(&offering(&mechanism.to_lowercase()));
    let mut entry = Entry::of(&scene.server);
    if token {
        entry.secret = scene.server.token(ALICE, 3600, SCOPE);
        entry.token = true;
    }
    for entry in both(&scene.server, &entry) {
        scene.add(&entry).success();
        let tested = scene.run(&["account", "test", &entry.name]).success();
        assert!(tested.stdout.contains("Successfully signed in"), "{}", tested.stdout);
        assert!(!tested.stdout.contains(&entry.secret) && !tested.stderr.contains(&entry.secret));
    }
    let log = scene.server.log();
    let sign_ins: Vec<_> = log.lines().filter(|line| line.contains("Login: user=<")).collect();
    assert_eq!(sign_ins.len(), 2, "{log}");
    let by = format!("method={mechanism},");
    assert!(sign_ins.iter().all(|line| line.contains(&by) && line.contains("TLS")), "{sign_ins:?}");
}

#[test]
fn plain_over_both_kinds_of_tls() {
    signs_in_by("PLAIN", false);
}

#[test]
fn login_over_both_kinds_of_tls() {
    signs_in_by("LOGIN", false);
}

#[test]
fn xoauth2_over_both_kinds_of_tls() {
    signs_in_by("XOAUTH2", true);
}

#[test]
fn oauthbearer_over_both_kinds_of_tls() {
    signs_in_by("OAUTHBEARER", true);
}

#[test]
fn a_wrong_password_is_named_as_such_and_can_be_corrected() {
    let scene = Scene::empty(&Options::default());
    let right = Entry::of(&scene.server);
    scene.add(&Entry { secret: "not this one".to_owned(), ..right.clone() }).success();
    scene.job("J", &["--folder", "INBOX", "--action", "leave"]);
    for command in [["account", "test", ACCOUNT], ["job", "run", "J"]] {
        let refused = scene.run(&command);
        assert_eq!(refused.code, Some(4), "{}", refused.stderr);
        assert!(refused.stderr.contains(&format!("account '{ACCOUNT}'")), "{}", refused.stderr);
        assert!(refused.stderr.contains("AUTHENTICATIONFAILED"), "{}", refused.stderr);
        assert!(!refused.stderr.contains("not this one"), "{}", refused.stderr);
        assert!(refused.stderr.lines().count() > 1, "no next step: {}", refused.stderr);
    }
    // A refused password is not tried again: servers lock accounts for that.
    let failures = scene.server.log().lines().filter(|line| line.contains("auth failed")).count();
    assert_eq!(failures, 2, "{}", scene.server.log());

    let edited = scene
        .wissel
        .run_with(&["account", "edit", ACCOUNT, "--password-stdin"], &format!("{}\n", right.secret));
    edited.success();
    assert_eq!(scene.import("J"), 0);
}

#[test]
fn an_ended_token_asks_for_a_new_one() {
    for mechanism in ["xoauth2", "oauthbearer"] {
        let scene = Scene::empty(&offering(mechanism));
        let entry = Entry { token: true, ..Entry::of(&scene.server) };
        let tokens = [
            ("ended", scene.server.token(ALICE, -60, SCOPE)),
            ("of another scope", scene.server.token(ALICE, 3600, "Mail.Read")),
            ("of another user", scene.server.token(BOB, 3600, SCOPE)),
        ];
        for (name, token) in tokens {
            let entry = Entry { name: name.to_owned(), secret: token.clone(), ..entry.clone() };
            scene.add(&entry).success();
            let refused = scene.run(&["account", "test", name]);
            assert_eq!(refused.code, Some(4), "{mechanism}, {name}: {}{}", refused.stdout, refused.stderr);
            assert!(refused.stderr.contains(&format!("account '{name}'")), "{}", refused.stderr);
            assert!(refused.stderr.to_lowercase().contains("token"), "{}", refused.stderr);
            assert!(!refused.stderr.contains(&token), "the token shows: {}", refused.stderr);
        }
        let fresh = scene.server.token(ALICE, 3600, SCOPE);
        let edited = scene.wissel.run_with(&["account", "edit", "ended", "--token-stdin"], &fresh);
        edited.success();
        scene.run(&["account", "test", "ended"]).success();
    }
}
