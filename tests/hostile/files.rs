//! Files that are no connectors, beside one that is: each is named with its reason, refused at installation, and holds
//! up nobody.

use std::fs;
use std::time::{Duration, Instant};

use wissel_tests::paths;

use crate::yard::{List, Yard, changed, printable, rogue};

/// Time that `describe` may take, and its grace.
const DESCRIBE: u64 = 7;
/// For starting the program and compiling, on a slow and busy machine.
const SLACK: u64 = 240;

/// The files, each with what is said of it and how long that may take.
fn bad_files() -> Vec<(&'static str, Vec<u8>, &'static str, u64)> {
    let good = rogue();
    let described = |mode: &str| changed(&good, "describe-mode=pure", &format!("describe-mode={mode}"));
    let import = |name: &str| changed(&good, "wissel:connector/random", name);
    vec![
        ("text", b"this is not wasm".to_vec(), "it is not a WebAssembly file", 0),
        ("empty", Vec::new(), "it is not a WebAssembly file", 0),
        ("cut-in-half", good[..good.len() / 2].to_vec(), "it cannot be compiled", 0),
        ("cut-short", good[..good.len() - 1].to_vec(), "it cannot be compiled", 0),
        ("garbage", [&b"\0asm\x0d\0\x01\0"[..], &[0xff; 1000]].concat(), "it cannot be compiled", 0),
        ("module", b"\0asm\x01\0\0\0".to_vec(), "not a component", 0),
        ("other-contract", import("wissel:connectos/random"), "'wissel:connectos/random@0.1.0'", 0),
        ("other-interface", import("wissel:connector/files0"), "'wissel:connector/files0@0.1.0'", 0),
        ("system", import("wasi:connectorab/random"), "'wasi:connectorab/random@0.1.0'", 0),
        ("describe-loops", described("spin"), "describe() failed: it did not finish in time", DESCRIBE),
        ("describe-traps", described("trap"), "describe() failed", 0),
        ("describe-bombs", described("bomb"), "describe() failed", 0),
        ("describe-calls", described("call"), "describe() failed", 0),
        (
            "wrong-description",
            changed(&good, r#""type": "host""#, r#""type": "hozt""#),
            "/settings/3/type",
            0,
        ),
        ("same-name", changed(&good, "0.1.0-rogue", "0.1.1-rogue"), "rogue.wasm", 0),
    ]
}

#[test]
fn each_bad_file_is_refused_with_its_reason() {
    let yard = Yard::new();
    let list = List::new("`connector install` of a bad file");
    for (name, bytes, says, seconds) in bad_files() {
        if name == "same-name" {
            continue; // An update, which may be installed.
        }
        let file = yard.wissel().path(&format!("{name}.wasm"));
        fs::write(&file, bytes).unwrap();
        let begun = Instant::now();
        let refused = printable(yard.scene.run(&["connector", "install", file.to_str().unwrap(), "--json"]));
        let (time, error) = (begun.elapsed(), &refused.json()["error"]);
        let message = error["message"].as_str().unwrap_or_default();
        list.add(name, format!("{} ({:?})", error["code"].as_str().unwrap_or("-"), refused.code), time);
        let shown = format!("{name}: {error:#}\n{}", refused.stderr);
        assert!(refused.code == Some(1) && error["code"] == "failed", "{shown}");
        assert!(message.contains(says) && message.contains(name), "{shown}");
        assert!(time < Duration::from_secs(seconds + SLACK), "{time:?}: {shown}");
    }
    assert_eq!(fs::read_dir(&yard.connectors).unwrap().count(), 2, "something was installed");
    yard.assert_neighbour_works(31);
}

#[test]
fn bad_files_in_the_directory_are_listed_and_the_good_ones_work() {
    let yard = Yard::new();
    let list = List::new("a directory full of bad files");
    let bad = bad_files();
    for (name, bytes, ..) in &bad {
        // After the good ones in the order of names, but for the first.
        let name = if *name == "text" { "a-text" } else { name };
        fs::write(yard.connectors.join(format!("z-{name}.wasm")), bytes).unwrap();
    }
    fs::write(yard.connectors.join("a-first.wasm"), b"").unwrap();
    let begun = Instant::now();
    let listed = yard.wissel().json(&["connector", "list"]);
    list.add("connector list", "every file with its reason", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(DESCRIBE + SLACK));
    let entry = |file: &str| {
        let entries = listed["connectors"].as_array().unwrap();
        let found = entries.iter().find(|entry| entry["file"].as_str().unwrap().ends_with(file));
        found.unwrap_or_else(|| panic!("{file} is not listed: {listed:#}")).clone()
    };
    for (name, _, says, _) in &bad {
        let entry = entry(&format!("{name}.wasm"));
        assert_eq!(entry["usable"], false, "{entry:#}");
        assert!(entry["reason"].as_str().unwrap().contains(says), "{name}: {entry:#}");
    }
    for good in ["imap.wasm", "rogue.wasm"] {
        assert_eq!(entry(good)["usable"], true);
    }
    let begun = Instant::now();
    yard.assert_neighbour_works(32);
    list.add("import by the good connector", "3 messages", begun.elapsed());
    assert_eq!(fs::read(yard.connectors.join("imap.wasm")).unwrap(), connector());
}

fn connector() -> Vec<u8> {
    fs::read(paths::connectors().join("imap.wasm")).unwrap()
}
