//! No core dump is written of a process that holds opened secrets, whatever the shell that starts it allows.

use std::fs;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use wissel_tests::dovecot::Options;
use wissel_tests::scene::Scene;

#[test]
fn core_dumps_are_switched_off_before_the_first_secret_is_read() {
    // As much as may be allowed here is allowed to the program.
    let most = getrlimit(Resource::Core).maximum;
    assert_ne!(most, Some(0), "core dumps are forbidden to the tests themselves: raise `ulimit -Hc`");
    setrlimit(Resource::Core, Rlimit { current: most, maximum: most }).unwrap();
    let scene = Scene::empty(&Options::default());
    let mut service = scene.wissel.spawn(&["run"]);
    let limits = format!("/proc/{}/limits", service.pid());
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(60);
    loop {
        let text = fs::read_to_string(&limits).unwrap();
        let core = text.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        let words: Vec<&str> = core.split_whitespace().collect();
        if words[4..6] == ["0", "0"] {
            break;
        }
        assert!(service.is_running() && std::time::Instant::now() < patience, "{core}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
