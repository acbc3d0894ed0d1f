//! Completions and manual pages: they can be made, and name every command.

use std::collections::BTreeSet;
use std::fs;

use wissel_tests::wissel::Wissel;

/// The commands below `path`, as `--help` lists them.
fn commands(wissel: &Wissel, path: &[&str]) -> Vec<String> {
    let help = wissel.run(&[path, &["--help"]].concat()).success().stdout;
    let Some((_, rest)) = help.split_once("Commands:\n") else { return Vec::new() };
    let lines = rest.lines().take_while(|line| !line.is_empty());
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names
        .map(|line| line.split_whitespace().next().unwrap().to_owned())
        .filter(|name| name != "help")
        .collect()
}

#[test]
fn every_shell_completes_every_command() {
    let wissel = Wissel::new();
    let top = commands(&wissel, &[]);
    assert!(top.len() > 10, "{top:?}");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = wissel.run(&["completions", shell]).success().stdout;
        for command in &top {
            assert!(script.contains(command.as_str()), "{shell} does not complete {command}");
        }
        assert!(script.contains("rotate"), "{shell} does not complete `vault rotate`");
    }
    let refused = wissel.run(&["completions", "tcsh"]);
    assert_eq!(refused.code, Some(2));
    // A script that a shell refuses would break every new terminal.
    let script = wissel.path("wissel.bash");
    fs::write(&script, wissel.run(&["completions", "bash"]).success().stdout).unwrap();
    let checked = std::process::Command::new("bash").arg("-n").arg(&script).status().unwrap();
    assert!(checked.success());
}

#[test]
fn every_command_has_a_manual_page() {
    let wissel = Wissel::new();
    let folder = wissel.path("man1");
    wissel.run(&["man", folder.to_str().unwrap()]).success();
    let pages: BTreeSet<_> =
        fs::read_dir(&folder).unwrap().map(|page| page.unwrap().file_name().into_string().unwrap()).collect();
    let mut expected = BTreeSet::from(["wissel.1".to_owned()]);
    for command in commands(&wissel, &[]) {
        for below in commands(&wissel, &[&command]) {
            expected.insert(format!("wissel-{command}-{below}.1"));
        }
        expected.insert(format!("wissel-{command}.1"));
    }
    let missing: Vec<_> = expected.difference(&pages).collect();
    assert!(missing.is_empty(), "{missing:?}");
    for page in &pages {
        let text = fs::read_to_string(folder.join(page)).unwrap();
        assert!(text.contains(".SH NAME"), "{page}");
    }
    let page = fs::read_to_string(folder.join("wissel-vault-rotate.1")).unwrap();
    assert!(page.contains("Seal every secret with a new key"), "{page}");
}
