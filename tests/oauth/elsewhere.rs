//! A link for somebody who signs in on another machine, and what comes of it, pasted later.

use wissel_tests::issuer::sign_in;

use crate::office::{ACCOUNT, ALICE, Office};

fn link(office: &Office) -> String {
    let said = office.wissel.json(&["account", "authorize", ACCOUNT, "--link"]);
    said["link"].as_str().unwrap().to_owned()
}

#[test]
fn the_answer_to_a_link_is_pasted_later_and_counts_once() {
    let office = Office::new();
    let begun = link(&office);
    let answer = sign_in(&begun, ALICE, false);
    let paste = |text: &str| {
        office.wissel.run_with(&["account", "authorize", ACCOUNT, "--paste", "-", "--json"], text)
    };
    let consent = "http://localhost/?admin_consent=True&tenant=1&state=2";
    // None of these uses up what is waited for.
    for (mistake, told) in [
        (begun.as_str(), "this is the link itself"),
        (consent, "nobody has signed in yet"),
        ("", "nothing was pasted"),
        ("a-code-that-nobody-was-given", "too old"),
    ] {
        let refused = paste(mistake);
        assert_eq!(refused.code, Some(4), "{refused:?}");
        assert!(refused.stdout.contains(told) && !refused.stdout.contains("account edit"), "{refused:?}");
    }
    assert_eq!(paste(&format!("{answer}\n")).success().json()["signed_in_as"], ALICE);
    let again = paste(&answer);
    assert_eq!(again.code, Some(4), "{again:?}");
    assert!(again.stdout.contains("--link"), "{again:?}");
}

#[test]
fn just_the_code_does_as_well() {
    let office = Office::new();
    let answer = sign_in(&link(&office), ALICE, false);
    let code = answer.split_once("code=").unwrap().1.split('&').next().unwrap();
    office.wissel.run(&["account", "authorize", ACCOUNT, "--paste", code]).success();
}

#[test]
fn an_answer_to_an_older_link_or_from_somebody_else_is_refused() {
    let office = Office::new();
    let old = sign_in(&link(&office), ALICE, false);
    let new = sign_in(&link(&office), ALICE, false);
    let paste = |text: &str| office.wissel.run(&["account", "authorize", ACCOUNT, "--paste", text]);
    let refused = paste(&old);
    assert_eq!(refused.code, Some(4), "{refused:?}");
    assert!(refused.stderr.contains("newest link"), "{refused:?}");
    let (before, issuer) = new.split_once("iss=").unwrap();
    assert!(issuer.starts_with("http"), "the issuer says who it is");
    let other = paste(&format!("{before}iss=https%3A%2F%2Fevil.example"));
    assert_eq!(other.code, Some(4), "{other:?}");
    assert!(other.stderr.contains("https://evil.example"), "{other:?}");
    paste(&new).success();
}

#[test]
fn nothing_of_a_sign_in_lies_about_in_the_open() {
    let office = Office::new();
    let begun = link(&office);
    let state = begun.split_once("state=").unwrap().1.split('&').next().unwrap().to_owned();
    let answer = sign_in(&begun, ALICE, false);
    office.wissel.run(&["account", "authorize", ACCOUNT, "--paste", &answer]).success();
    for entry in std::fs::read_dir(office.wissel.home()).unwrap().map(Result::unwrap) {
        let Ok(bytes) = std::fs::read(entry.path()) else { continue };
        for secret in [state.as_bytes(), b"refresh_token".as_slice(), b"eyJ".as_slice()] {
            assert!(memchr::memmem::find(&bytes, secret).is_none(), "{}", entry.path().display());
        }
    }
}
