//! The architecture's invariants, each as a test. What clippy and rustfmt check is left to them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "these are tests")]

mod dependencies;
mod sources;
mod text;

use xtask::mutate::guards;
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

/// Each guard of `cargo xtask mutate` is still to be found, and no two have one name.
#[test]
fn the_list_of_guards_fits_the_sources() {
    let guards = guards::read(&workspace::root()).unwrap();
    let names: std::collections::BTreeSet<_> = guards.iter().map(|guard| &guard.name).collect();
    assert_eq!(names.len(), guards.len());
    assert!(guards.iter().all(|guard| guard.find != guard.replace && guard.protects.len() > 20));
}
