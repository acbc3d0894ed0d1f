//! `docs/conformance.md` lists the cases as the code has them.

use std::fmt::Write;
use std::path::Path;

use wissel_testkit::{Need, cases, component};

const BEGIN: &str = "<!-- cases -->\n";
const END: &str = "<!-- end of cases -->";

fn table() -> String {
    let mut table = "| case | what the contract demands | needs |\n|---|---|---|\n".to_owned();
    for case in &component::CASES {
        let _ = writeln!(table, "| `{}` | {} | the file |", case.name, case.demands);
    }
    for case in cases() {
        let needs = case.needs.iter().filter(|need| **need != Need::Account).map(|need| match need {
            Need::Operation(name) => format!("`{name}`"),
            other => other.to_string(),
        });
        let needs = needs.collect::<Vec<_>>().join(", ");
        let _ = writeln!(table, "| `{}` | {} | {needs} |", case.name, case.demands);
    }
    table
}

#[test]
fn the_documentation_lists_every_case() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/conformance.md");
    let text = std::fs::read_to_string(&file).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (listed, after) = rest.split_once(END).unwrap();
    let table = table();
    if std::env::var_os("WISSEL_WRITE_DOCS").is_some() {
        std::fs::write(&file, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
        return;
    }
    assert!(
        listed == table,
        "the list is old: run this test once with WISSEL_WRITE_DOCS=1. It should be:\n{table}"
    );
}

#[test]
fn names_are_unique_and_every_case_says_what_it_is_about() {
    let mut names: Vec<&str> =
        cases().map(|case| case.name).chain(component::CASES.iter().map(|c| c.name)).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
    for case in cases() {
        assert!(case.name.contains('/') && case.demands.ends_with('.'), "{}", case.name);
        assert!(!case.rule.is_empty() && !case.hint.is_empty(), "{}", case.name);
    }
}
