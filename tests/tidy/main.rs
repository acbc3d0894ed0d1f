//! The architecture's invariants, each as a test. What clippy and rustfmt check is left to them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "these are tests")]

mod dependencies;
mod sources;
mod text;

use xtask::{component, licences, workspace};

#[test]
fn first_party_components_import_only_the_contract() {
    if !workspace::has_plugins() {
        return;
    }
    let folder = wissel_tests::paths::connectors();
    let built: Vec<_> = std::fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "wasm"))
        .collect();
    assert!(!built.is_empty(), "no component in {}: run `cargo xtask connectors`", folder.display());
    for path in built {
        component::check(&path).unwrap();
    }
}

#[test]
fn every_dependency_has_a_licence_of_the_allow_list() {
    assert!(licences::check().unwrap() > 10);
}
