//! Where the programs and components under test are: named by the environment, or where a build puts them.

use std::path::PathBuf;

use xtask::workspace;

/// The program `wissel` (`WISSEL_BIN`).
#[must_use]
pub fn wissel() -> PathBuf {
    given("WISSEL_BIN").unwrap_or_else(|| program("wissel"))
}

/// The program that serves the testbed's mailboxes (`WISSEL_TESTBED`).
#[must_use]
pub fn testbed() -> PathBuf {
    given("WISSEL_TESTBED").unwrap_or_else(|| program("wissel-testbed"))
}

/// The folder of the built connectors (`WISSEL_CONNECTORS`).
#[must_use]
pub fn connectors() -> PathBuf {
    given("WISSEL_CONNECTORS").unwrap_or_else(workspace::built_connectors)
}

/// The folder of the built test guests (`WISSEL_GUESTS`).
#[must_use]
pub fn guests() -> PathBuf {
    given("WISSEL_GUESTS").unwrap_or_else(workspace::built_guests)
}

fn given(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(PathBuf::from)
}

fn program(name: &str) -> PathBuf {
    workspace::target().join("debug").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}
