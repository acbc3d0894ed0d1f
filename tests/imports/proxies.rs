//! Accounts behind a proxy: both kinds, with and without a sign-in, and whose refusal it was.

use wissel_tests::dovecot::{ALICE, Options};
use wissel_tests::scene::{ACCOUNT, Entry, Scene};
use wissel_tests::way::{LOGIN, Way};
use wissel_tests::wissel::Output;

fn test(scene: &Scene, account: &str) -> Output {
    let output = scene.run(&["account", "test", account, "--json"]);
    assert!(!output.stdout.contains(LOGIN.1) && !output.stderr.contains(LOGIN.1), "{}", output.stderr);
    output
}

fn problem(scene: &Scene, account: &str, exit: i32, says: &str) {
    let output = test(scene, account);
    assert_eq!(output.code, Some(exit), "{}\n{}", output.stdout, output.stderr);
    assert!(output.stdout.contains(says), "{says}: {}", output.stdout);
}

/// Alice's account, whose server is named by a name, through a proxy.
fn behind(scene: &Scene, name: &str, proxy: &str) -> Entry {
    let more = vec!["--proxy".to_owned(), proxy.to_owned()];
    Entry { name: name.to_owned(), more, ..Entry::of(&scene.server) }
}

#[test]
fn mail_is_imported_through_a_proxy_with_and_without_a_sign_in() {
    let mut scene = Scene::empty(&Options::default());
    scene.wissel.set("PROXY_PASSWORD", LOGIN.1);
    let (port, tls_port) = (scene.server.port, scene.server.tls_port);
    let open =
        [("open-socks", "socks5h", Way::socks(false)), ("open-http", "http", Way::http(false, &[tls_port]))];
    for (name, scheme, way) in &open {
        scene.add(&behind(&scene, name, &format!("{scheme}://127.0.0.1:{}", way.port))).success();
        test(&scene, name).success();
    }
    let locked =
        [("socks", "socks5h", Way::socks(true)), ("http", "http", Way::http(true, &[tls_port, port]))];
    for (name, scheme, way) in &locked {
        let mut entry = behind(&scene, name, &format!("{scheme}://{}@127.0.0.1:{}", LOGIN.0, way.port));
        entry.security = "starttls";
        entry.port = port;
        entry.more.extend(["--proxy-password-env".to_owned(), "PROXY_PASSWORD".to_owned()]);
        scene.add(&entry).success();
        test(&scene, name).success();
        scene.server.deliver(ALICE, "INBOX", &["Subject: through\r\n\r\nx\r\n"]);
        scene.job_of(name, name, &["--folder", "@inbox", "--action", "delete"]);
        assert_eq!(scene.import(name), 1);
        let shown = scene.run(&["account", "show", name]).success().stdout;
        assert!(shown.contains("proxy-password: stored") && shown.contains(&way.port.to_string()), "{shown}");
    }
    let exported = scene.run(&["export"]).success().stdout;
    assert!(
        exported.contains("proxy = \"socks5h://inkoop@127.0.0.1:") && !exported.contains(LOGIN.1),
        "{exported}"
    );

    // Whose refusal it was: the proxy's for its password, its rules, or because it is not there; or the server's.
    scene.wissel.set("WRONG", "wrong-proxy-password");
    for (name, ..) in &locked {
        scene.run(&["account", "edit", name, "--proxy-password-env", "WRONG"]).success();
        problem(&scene, name, 4, "the proxy");
    }
    let nowhere = ["--set", "port=9"];
    scene.run(&[&["account", "edit", "open-http"][..], &nowhere].concat()).success();
    problem(&scene, "open-http", 4, "refuses to connect to localhost:9");
    scene.run(&[&["account", "edit", "open-socks"][..], &nowhere].concat()).success();
    problem(&scene, "open-socks", 1, "does not reach localhost:9");
    scene.run(&["account", "edit", "open-socks", "--proxy", "socks5h://127.0.0.1:9"]).success();
    problem(&scene, "open-socks", 1, "the proxy socks5h://127.0.0.1:9");
    let port = format!("port={tls_port}");
    scene.run(&["account", "edit", "open-socks", "--set", &port, "--no-proxy"]).success();
    test(&scene, "open-socks").success();
}

#[test]
fn the_systems_proxy_is_used_only_where_the_account_says_so() {
    let mut scene = Scene::start(&Options::default());
    for variable in ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"] {
        scene.wissel.set(variable, "http://127.0.0.1:9");
    }
    test(&scene, ACCOUNT).success();
    scene.run(&["account", "edit", ACCOUNT, "--proxy", "system"]).success();
    problem(&scene, ACCOUNT, 1, "the proxy http://127.0.0.1:9");
    let way = Way::http(true, &[scene.server.tls_port]);
    scene.wissel.set("HTTPS_PROXY", format!("http://{}:{}@127.0.0.1:{}", LOGIN.0, LOGIN.1, way.port));
    test(&scene, ACCOUNT).success();
    scene.wissel.set("NO_PROXY", "localhost");
    scene.wissel.set("HTTPS_PROXY", "http://127.0.0.1:9");
    test(&scene, ACCOUNT).success();
}

#[test]
fn a_proxy_that_cannot_be_one_is_refused_and_its_password_is_not_repeated() {
    let scene = Scene::start(&Options::default());
    for wrong in ["socks5://127.0.0.1:1080", "http://u:hidden-in-url@127.0.0.1:3128", "ftp://x", "nonsense"] {
        let output = scene.run(&["account", "edit", ACCOUNT, "--proxy", wrong]);
        assert_eq!(output.code, Some(2), "{wrong}: {}", output.stderr);
        assert!(!output.stderr.contains("hidden-in-url"), "{}", output.stderr);
    }
}
