//! Nothing secret goes out unencrypted unless the operator allowed that endpoint by name; loopback is no exception.

use wissel_tests::dovecot::Options;
use wissel_tests::proxy::Proxy;
use wissel_tests::scene::{ACCOUNT, Entry, Scene, secrets};

fn holds_a_secret(sent: &[u8]) -> bool {
    let text = String::from_utf8_lossy(sent);
    secrets().iter().any(|secret| text.contains(secret))
}

#[test]
fn a_password_goes_out_in_the_clear_only_where_it_is_allowed_by_name() {
    let scene = Scene::empty(&Options::default());
    let wire = Proxy::to(scene.server.port);
    let allowed = Entry::clear(&scene.server, wire.port);
    scene.add(&Entry { more: Vec::new(), ..allowed.clone() }).success();
    scene.job("J", &["--folder", "INBOX", "--action", "leave"]);
    for command in [["account", "test", ACCOUNT], ["job", "test", "J"], ["job", "run", "J"]] {
        let refused = scene.run(&command);
        assert_ne!(refused.code, Some(0), "{}", refused.stdout);
        assert!(refused.stderr.contains(ACCOUNT) || refused.stdout.contains(ACCOUNT), "{}", refused.stderr);
        assert!(refused.stderr.contains("clear-text"), "{}", refused.stderr);
        assert!(!holds_a_secret(&wire.sent()), "the secret went out");
    }
    assert_eq!(scene.run(&["account", "test", ACCOUNT]).code, Some(4));
    assert!(!scene.server.log().contains("Login: user="), "{}", scene.server.log());

    let other = scene.run(&["account", "edit", ACCOUNT, "--allow-clear-text", "smtp"]);
    assert_eq!(other.code, Some(2), "an endpoint that the connector lacks: {}", other.stderr);
    let edited = scene.run(&["account", "edit", ACCOUNT, "--allow-clear-text", "imap"]).success();
    assert!(edited.stderr.contains("WARNING"), "{}", edited.stderr);
    let tested = scene.run(&["account", "test", ACCOUNT]).success();
    assert!(tested.stderr.contains("WARNING"), "{}", tested.stderr);
    // The proof that the wire was really watched.
    assert!(holds_a_secret(&wire.sent()));
}

#[test]
fn starttls_hides_the_password_and_cannot_be_taken_away() {
    let scene = Scene::empty(&Options::default());
    let wire = Proxy::to(scene.server.port);
    let entry = Entry { security: "starttls", port: wire.port, ..Entry::of(&scene.server) };
    scene.add(&entry).success();
    scene.run(&["account", "test", ACCOUNT]).success();
    assert!(!holds_a_secret(&wire.sent()));
    assert!(wire.lines().iter().any(|line| line.ends_with("STARTTLS")), "it was STARTTLS");

    let scene = Scene::empty(&Options { extra: "ssl = no\n".to_owned(), ..Options::default() });
    let wire = Proxy::to(scene.server.port);
    let entry = Entry { security: "starttls", port: wire.port, ..Entry::of(&scene.server) };
    // Permission for clear text does not turn STARTTLS into clear text.
    let more = vec!["--allow-clear-text".to_owned(), "imap".to_owned()];
    scene.add(&Entry { more, ..entry }).success();
    let refused = scene.run(&["account", "test", ACCOUNT]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(refused.stderr.contains("STARTTLS"), "{}", refused.stderr);
    assert!(!holds_a_secret(&wire.sent()), "the password went out");
}
