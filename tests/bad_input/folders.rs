//! Jobs whose folders are not there, or do not go together.

use wissel_tests::corpus;
use wissel_tests::dovecot::ALICE;
use wissel_tests::scene::ACCOUNT;

use crate::{Case, PROCESSED, assert_failed, assert_failed_in_json};

#[test]
fn a_folder_that_is_not_there_is_answered_with_the_nearest() {
    let case = Case::new();
    for folder in ["Facturen", "INBOX/Algemeen", "Klanten/België/2026"] {
        case.scene.server.create_folder(ALICE, folder);
    }
    for (index, (typed, nearest)) in
        [("Facturn", "'Facturen'"), ("Postvak IN/Algemen", "Algemeen"), ("Klanten/Belgie/2026", "België")]
            .into_iter()
            .enumerate()
    {
        let job = format!("K{index}");
        case.scene.job(&job, &["--folder", typed, "--action", "leave"]);
        let refused = case.scene.run(&["job", "run", &job]);
        assert_failed(&refused, 3, &[ACCOUNT, typed, nearest, "wissel folder list"]);
        assert_failed_in_json(&case.scene.run(&["job", "run", &job, "--json"]), 3, "not-found");
        let tested = case.scene.run(&["job", "test", &job]);
        assert!(matches!(tested.code, Some(1 | 3)), "{:?}: {}{}", tested.code, tested.stdout, tested.stderr);
        assert!(tested.stderr.contains(nearest), "{}", tested.stderr);
    }
    case.assert_untouched();
    case.assert_recovers();
}

#[test]
fn folders_that_cannot_go_together_are_refused_when_the_job_is_added() {
    let case = Case::new();
    let sink = case.scene.sink("K").display().to_string();
    for (options, says) in [
        (&["--folder", "INBOX"][..], "processed folder"),
        (&["--folder", "INBOX", "--processed", "inbox"], "the same"),
        (&["--folder", "INBOX/A", "--processed", "INBOX"], "lies inside"),
        (&["--folder", " / ", "--action", "leave"], "folder"),
        (&["--folder", "@nowhere", "--action", "leave"], "@"),
    ] {
        let add = ["job", "add", "K", "--account", ACCOUNT, "--to", &sink];
        let refused = case.scene.run(&[&add[..], options].concat());
        assert_eq!(refused.code, Some(2), "{options:?}: {}{}", refused.stdout, refused.stderr);
        assert!(refused.stderr.contains(says), "{options:?}: {}", refused.stderr);
    }
    assert_eq!(case.scene.run(&["job", "show", "K"]).code, Some(3));
}

#[test]
fn folders_that_turn_out_to_be_the_same_are_refused_before_anything_is_imported() {
    let case = Case::new();
    // By path and by role: only the server knows that both are one.
    case.scene.job("K", &["--folder", "Postvak IN", "--processed", "@inbox"]);
    let refused = case.scene.run(&["job", "run", "K"]);
    assert_failed(&refused, 2, &["job 'K'", ACCOUNT, "wissel job edit"]);
    case.assert_untouched();
    case.assert_recovers();
}

#[test]
fn a_folder_that_goes_away_is_missed_and_its_return_is_noticed() {
    let case = Case::new();
    case.assert_recovers();
    case.scene.server.doveadm(&["mailbox", "delete", "-u", ALICE, PROCESSED]);
    let more = corpus::messages(43, 3);
    case.scene.server.deliver(ALICE, "INBOX", &more);
    assert_failed(&case.scene.run(&["job", "run", "J"]), 3, &[ACCOUNT, PROCESSED]);
    case.scene.server.create_folder(ALICE, PROCESSED);
    assert_eq!(case.scene.import("J"), 3);
}
