//! The contract in Rust, generated from `wit/`. Nothing here is written by hand; connectors use it through the types
//! and traits that the crate re-exports.

#![allow(
    unsafe_code,
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::todo,
    clippy::unimplemented,
    reason = "generated code"
)]

wit_bindgen::generate!({
    path: "../../wit",
    world: "connector",
    generate_all,
    pub_export_macro: true,
    export_macro_name: "export_component",
    default_bindings_module: "wissel_connector::bindings",
    additional_derives: [PartialEq],
    additional_derives_ignore: ["request"],
});
