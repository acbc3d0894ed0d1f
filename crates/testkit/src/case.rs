//! What a case is, and how it ends. The cases themselves are in [`crate::cases`].

use std::fmt;

use futures::future::BoxFuture;
use serde::Serialize;
use wissel_model::ConnectorError;

use crate::stage::Stage;

/// A rule of the contract that is tried.
pub struct Case {
    /// Its name, such as `fetch/bytes`: stable, so that a list of known failures can be kept.
    pub name: &'static str,
    /// What the contract demands, in one sentence.
    pub demands: &'static str,
    /// Where the contract says so, such as `email-account.wit: fetch`.
    pub rule: &'static str,
    /// Where an author looks first when it fails.
    pub hint: &'static str,
    /// What it cannot be run without.
    pub needs: &'static [Need],
    pub(crate) run: for<'a> fn(&'a mut Stage) -> BoxFuture<'a, Outcome>,
}

/// What a case cannot be run without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// A signed-in account. Cases without it only look at the description.
    Account,
    /// An operation that the description declares.
    Operation(&'static str),
    /// A folder of the kit's own: `create-folder`, here or in the seeding account.
    Folder,
    /// Messages of the kit's own: `append`, here or in the seeding account.
    Messages,
    /// An account whose credential the service refuses.
    Refused,
    /// Connectors whose sessions reach nothing.
    Unreachable,
    /// An address that may be sent to.
    Recipient,
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Account => "an account",
            Self::Operation(name) => name,
            Self::Folder => "a folder",
            Self::Messages => "messages",
            Self::Refused => "a refused account",
            Self::Unreachable => "no network",
            Self::Recipient => "a recipient",
        })
    }
}

/// What a case expected, what it saw, and where to look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// What the contract demands here.
    pub expected: String,
    /// What came instead.
    pub seen: String,
    /// Where an author looks first.
    pub hint: String,
}

/// Why a case did not pass.
#[derive(Debug)]
pub(crate) enum Stop {
    Failed { expected: String, seen: String },
    NotApplicable(String),
}

/// How the body of a case ends.
pub(crate) type Outcome<T = ()> = Result<T, Stop>;

/// Ends the case as failed unless `holds`.
pub(crate) fn expect(holds: bool, expected: impl Into<String>, seen: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(Stop::Failed { expected: expected.into(), seen: seen() }) }
}

/// Ends the case as failed.
pub(crate) fn failed<T>(expected: impl Into<String>, seen: impl Into<String>) -> Outcome<T> {
    Err(Stop::Failed { expected: expected.into(), seen: seen.into() })
}

/// An error as a report shows it: kind, sentence, code.
pub(crate) fn shown(error: &ConnectorError) -> String {
    let lost = if error.session_lost { ", session lost" } else { "" };
    format!("error {}{lost}: {error}", error.kind)
}

/// Turns the answer of an operation that has to succeed, or has to fail, into the case's own end.
pub(crate) trait Answer<T> {
    /// The value; an error fails the case.
    fn works(self, operation: &str) -> Outcome<T>;
    /// The error; a value fails the case.
    fn refused(self, expected: &str) -> Outcome<ConnectorError>;
}

impl<T> Answer<T> for Result<T, ConnectorError> {
    fn works(self, operation: &str) -> Outcome<T> {
        self.map_err(|error| Stop::Failed { expected: format!("{operation} succeeds"), seen: shown(&error) })
    }

    fn refused(self, expected: &str) -> Outcome<ConnectorError> {
        match self {
            Err(error) => Ok(error),
            Ok(_) => failed(expected, "it succeeded"),
        }
    }
}
