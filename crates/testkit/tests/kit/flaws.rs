//! Each flaw, and the cases that it has to fail in.

use crate::memory::{Flaw, Memory};
use crate::{failed, run};

/// Every flaw with the cases that see it.
const FLAWS: &[(Flaw, &[&str])] = &[
    (Flaw::DutchIsMissing, &["describe/texts"]),
    (Flaw::DescribesAnew, &["describe/stable"]),
    (Flaw::NoInbox, &["folders/roles"]),
    (Flaw::CheckMakesAFolder, &["check/changes-nothing"]),
    (Flaw::FoldersOfOneLevelOnly, &["folders/all-levels"]),
    (Flaw::IdsOfTheSession, &["folders/ids-stable"]),
    (Flaw::CaseCounts, &["find-folder/by-path"]),
    (Flaw::NotFoundIsTemporary, &["find-folder/not-found"]),
    (Flaw::CountsAreOld, &["find-folder/counts"]),
    (Flaw::SlashMakesTwoFolders, &["create-folder/separators"]),
    (Flaw::AmpersandIsLost, &["create-folder/odd-names"]),
    (Flaw::ExistingIsAnError, &["create-folder/again"]),
    (Flaw::PagesOverlap, &["list-messages/pages"]),
    (Flaw::PagesByNumber, &["list-messages/meanwhile"]),
    (Flaw::EndlessPages, &["list-messages/pages"]),
    (Flaw::NewestFirst, &["list-messages/order"]),
    (Flaw::FilterOnTheFirstPageAlone, &["list-messages/unread-only"]),
    (Flaw::SinceIsExclusive, &["list-messages/received-since"]),
    (Flaw::ReportsWhatStays, &["changes/nothing", "changes/removed"]),
    (Flaw::ForgetsWhatIsNew, &["changes/new-message"]),
    (Flaw::GarbageCursorIsCurrent, &["changes/strange-cursor"]),
    (Flaw::LineEndsAreMended, &["fetch/bytes"]),
    (Flaw::BeginsStrangers, &["fetch/several", "fetch/none"]),
    (Flaw::StopsAtAnUnknownId, &["fetch/unknown-id"]),
    (Flaw::NeverEnds, &["fetch/several"]),
    (Flaw::LargeIsCut, &["fetch/large"]),
    (Flaw::FetchingMarks, &["fetch/changes-nothing"]),
    (Flaw::MoveCopies, &["move-messages/moves"]),
    (Flaw::AgainDoubles, &["move-messages/again"]),
    (Flaw::MovesIntoNothing, &["move-messages/no-target"]),
    (Flaw::MarksAll, &["mark-messages/there-and-back"]),
    (Flaw::DeletesTheNeighbour, &["delete-messages/gone"]),
    (Flaw::GuessesIds, &["append/id"]),
    (Flaw::SendForgetsTheId, &["send/receipt"]),
    (Flaw::FindsWhatWasNeverSent, &["find-sent/none"]),
    (Flaw::TranslatesInAnotherOrder, &["translate/there-and-back"]),
    (Flaw::WaitsTooShort, &["wait/times-out"]),
    (Flaw::DeafToInterrupts, &["wait/interrupted"]),
    (Flaw::DeafToCancels, &["wait/cancelled"]),
    (Flaw::NeverWakes, &["wait/wakes"]),
    (Flaw::RefusalIsTemporary, &["session/refused"]),
    (Flaw::SessionsShareTheListing, &["session/two-at-once"]),
    (Flaw::HostileText, &["check/identity"]),
    (Flaw::Panics, &["check/identity"]),
    (Flaw::Hangs, &["session/close"]),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_flaw_fails_the_cases_that_are_about_it() {
    let mut missed = Vec::new();
    // All at once: what takes time in them is waiting.
    let runs =
        FLAWS.iter().map(|(flaw, _)| tokio::spawn(run(Memory { flaw: Some(*flaw), ..Memory::good() })));
    let runs: Vec<_> = runs.collect();
    for ((flaw, wanted), running) in FLAWS.iter().zip(runs) {
        let report = running.await.unwrap();
        let failed = failed(&report);
        println!("{flaw:?}: {}", failed.join(", "));
        for case in *wanted {
            if !failed.contains(case) {
                missed.push(format!("{flaw:?} was not seen by {case}; failed: {failed:?}"));
            }
        }
        for (case, failure) in report.failures() {
            assert!(!failure.hint.is_empty() && !failure.seen.is_empty(), "{}: {failure:?}", case.name);
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// A flaw in one place does not drag the other groups down: a report that is all red tells an author nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_flaw_leaves_the_cases_of_other_groups_alone() {
    for (flaw, group) in [
        (Flaw::MarksAll, "mark-messages/"),
        (Flaw::AgainDoubles, "move-messages/"),
        (Flaw::LineEndsAreMended, "fetch/"),
        (Flaw::GarbageCursorIsCurrent, "changes/"),
        (Flaw::WaitsTooShort, "wait/"),
        (Flaw::AmpersandIsLost, "create-folder/"),
    ] {
        let report = run(Memory { flaw: Some(flaw), ..Memory::good() }).await;
        let failed = failed(&report);
        assert!(failed.iter().all(|name| name.starts_with(group)), "{flaw:?}: {failed:?}");
    }
}
