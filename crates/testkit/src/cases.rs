//! The list of cases, one file for each group. A case's name never changes once it was published; its checks may grow.

mod appending;
mod changes;
mod check;
mod creating;
mod describe;
mod errors;
mod fetch;
mod finding;
mod folders;
mod listing;
mod marking;
mod moving;
mod sending;
mod sessions;
mod translate;
mod waiting;

use crate::case::Case;

/// All cases, in the order in which they are run.
pub fn all() -> impl Iterator<Item = &'static Case> {
    [
        describe::CASES,
        sessions::CASES,
        check::CASES,
        folders::CASES,
        finding::CASES,
        creating::CASES,
        appending::CASES,
        listing::CASES,
        changes::CASES,
        fetch::CASES,
        moving::CASES,
        marking::CASES,
        sending::CASES,
        translate::CASES,
        waiting::CASES,
        errors::CASES,
    ]
    .into_iter()
    .flatten()
}
