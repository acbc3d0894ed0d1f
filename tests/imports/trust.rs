//! Whose certificate is trusted: the server's own CA, no other, and any certificate only by permission.

use wissel_tests::certificates::Shown;
use wissel_tests::dovecot::{Dovecot, Options};
use wissel_tests::scene::{ACCOUNT, Entry, Scene};

/// The account over implicit TLS and over STARTTLS.
fn both(server: &Dovecot, entry: Entry) -> [Entry; 2] {
    let starttls = Entry {
        name: format!("{ACCOUNT} STARTTLS"),
        security: "starttls",
        port: server.port,
        ..entry.clone()
    };
    [entry, starttls]
}

/// The test fails because of the certificate, and the server never sees a sign-in.
fn is_refused(scene: &Scene, name: &str) {
    let refused = scene.run(&["account", "test", name]);
    assert!(
        matches!(refused.code, Some(1 | 2 | 4)),
        "{:?}: {}{}",
        refused.code,
        refused.stdout,
        refused.stderr
    );
    assert!(refused.stderr.contains(&format!("account '{name}'")), "{}", refused.stderr);
    assert!(refused.stderr.contains("certificate"), "{}", refused.stderr);
    assert!(refused.stderr.contains("ca-file") || refused.stderr.contains("CA file"), "{}", refused.stderr);
    assert!(!scene.server.log().contains("Login: user="), "{}", scene.server.log());
}

#[test]
fn a_ca_that_did_not_sign_the_certificate_is_of_no_use() {
    let scene = Scene::empty(&Options::default());
    let unrelated = scene.server.certificates().unrelated_ca.clone();
    for ca in [Some(unrelated), None] {
        for mut entry in both(&scene.server, Entry { ca: ca.clone(), ..Entry::of(&scene.server) }) {
            entry.name = format!("{} {}", entry.name, ca.is_some());
            scene.add(&entry).success();
            is_refused(&scene, &entry.name);
        }
    }
}

#[test]
fn a_self_signed_certificate_needs_permission_and_is_warned_about() {
    let scene = Scene::empty(&Options { certificate: Shown::SelfSigned, ..Options::default() });
    for entry in both(&scene.server, Entry { ca: None, ..Entry::of(&scene.server) }) {
        scene.add(&entry).success();
        is_refused(&scene, &entry.name);
    }
    for name in [ACCOUNT.to_owned(), format!("{ACCOUNT} STARTTLS")] {
        let edited = scene.run(&["account", "edit", &name, "--allow-untrusted-certificate"]).success();
        assert!(edited.stderr.contains("WARNING"), "{}", edited.stderr);
        let tested = scene.run(&["account", "test", &name]).success();
        assert!(tested.stderr.contains("WARNING"), "each use warns: {}", tested.stderr);
        scene.run(&["account", "edit", &name, "--allow-untrusted-certificate=false"]).success();
        let refused = scene.run(&["account", "test", &name]);
        assert_ne!(refused.code, Some(0), "permission is taken back");
    }
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let scene = Scene::empty(&Options::default());
    let entry = Entry { host: "127.0.0.2".to_owned(), ..Entry::of(&scene.server) };
    let forward = wissel_tests::proxy::Proxy::on([127, 0, 0, 2], scene.server.tls_port);
    scene.add(&Entry { port: forward.port, ..entry }).success();
    is_refused(&scene, ACCOUNT);
    assert!(forward.connections() > 0, "it was the certificate, not the way there");
}

#[test]
fn the_doctor_tells_of_a_certificate_that_ends_soon_and_of_no_other() {
    for (days, told) in [(10, true), (60, false)] {
        let scene = Scene::start(&Options { certificate: Shown::Ending(days), ..Options::default() });
        let report = scene.run(&["doctor", "--json"]);
        assert_eq!(report.code, Some(8), "there is something to look at: {report:?}");
        let report = report.json();
        let findings = report["findings"].as_array().unwrap();
        let warned: Vec<_> = findings.iter().filter(|finding| finding["check"] == "certificate").collect();
        assert_eq!(warned.len(), usize::from(told), "{days} days: {report:#}");
        if told {
            assert_eq!(warned[0]["status"], "warn");
            assert_eq!(warned[0]["subject"], "Inkoop");
            let message = warned[0]["message"].as_str().unwrap();
            let end = jiff::Zoned::now().date() + jiff::Span::new().days(days);
            // Told in the machine's own time, whatever that is.
            let around = [end.yesterday().unwrap(), end, end.tomorrow().unwrap()].map(|day| day.to_string());
            assert!(around.iter().any(|day| message.contains(day)), "{message}");
        }
    }
}
