//! How a run ended: for people as text, for programs as JSON and JUnit XML.

use std::fmt;

use serde::Serialize;

use crate::case::{Case, Failure};
use crate::junit;

/// How a case ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "ending", rename_all = "kebab-case")]
pub enum Ending {
    /// The rule is kept.
    Passed,
    /// The rule is broken.
    Failed(Failure),
    /// The rule does not concern this connector, or cannot be tried here.
    NotApplicable {
        /// Why, such as the operation that is not declared.
        because: String,
    },
}

/// One case of a run.
#[derive(Debug, Clone, Serialize)]
pub struct CaseReport {
    /// The case's name.
    pub name: String,
    /// What the contract demands.
    pub demands: String,
    /// Where the contract says so.
    pub rule: String,
    /// How it ended.
    #[serde(flatten)]
    pub ending: Ending,
    /// How long it took, in seconds. For orientation: nothing is judged by it.
    pub seconds: f64,
}

impl CaseReport {
    pub(crate) fn of(case: &Case, ending: Ending, seconds: f64) -> Self {
        Self {
            name: case.name.to_owned(),
            demands: case.demands.to_owned(),
            rule: case.rule.to_owned(),
            ending,
            seconds,
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The connector's name and version, as far as it could be described.
    pub connector: String,
    /// The account, or what was examined instead.
    pub account: String,
    /// Facts about what was examined: label and value.
    pub facts: Vec<(String, String)>,
    /// Every case, in the order of the list.
    pub cases: Vec<CaseReport>,
    /// What the kit leaves behind, in sentences for the operator.
    pub left: Vec<String>,
}

impl Report {
    /// How many cases passed, failed, and do not apply.
    #[must_use]
    pub fn counts(&self) -> (usize, usize, usize) {
        let count = |wanted: fn(&Ending) -> bool| self.cases.iter().filter(|c| wanted(&c.ending)).count();
        (
            count(|ending| matches!(ending, Ending::Passed)),
            count(|ending| matches!(ending, Ending::Failed(_))),
            count(|ending| matches!(ending, Ending::NotApplicable { .. })),
        )
    }

    /// Whether something was tried and nothing failed.
    #[must_use]
    pub fn conforms(&self) -> bool {
        let (passed, failed, _) = self.counts();
        passed > 0 && failed == 0
    }

    /// The cases that failed, with why.
    pub fn failures(&self) -> impl Iterator<Item = (&CaseReport, &Failure)> {
        self.cases.iter().filter_map(|case| match &case.ending {
            Ending::Failed(failure) => Some((case, failure)),
            _ => None,
        })
    }

    /// Puts the cases of another run on the same connector behind these.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.facts.extend(other.facts);
        self.cases.extend(other.cases);
        self.left.extend(other.left);
        self
    }

    /// The report as JUnit XML, for continuous integration.
    ///
    /// # Errors
    /// When it cannot be written as XML.
    pub fn junit(&self) -> Result<String, quick_junit::SerializeError> {
        junit::write(self)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, {}", self.connector, self.account)?;
        for (label, value) in &self.facts {
            writeln!(f, "  {label}: {value}")?;
        }
        let width = self.cases.iter().map(|case| case.name.len()).max().unwrap_or(0);
        for case in &self.cases {
            let (word, more) = match &case.ending {
                Ending::Passed => ("passed", String::new()),
                Ending::Failed(_) => ("FAILED", String::new()),
                Ending::NotApplicable { because } => ("not applicable", format!("  ({because})")),
            };
            writeln!(f, "  {:width$}  {word}{more}", case.name)?;
        }
        for (case, failure) in self.failures() {
            writeln!(f, "\n{} failed. {} ({})", case.name, case.demands, case.rule)?;
            writeln!(f, "  expected: {}", failure.expected)?;
            writeln!(f, "  seen:     {}", failure.seen)?;
            writeln!(f, "  hint:     {}", failure.hint)?;
        }
        for sentence in &self.left {
            writeln!(f, "\n{sentence}")?;
        }
        let (passed, failed, other) = self.counts();
        write!(f, "\n{passed} passed, {failed} failed, {other} not applicable")
    }
}
