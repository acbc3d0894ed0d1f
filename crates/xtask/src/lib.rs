//! Work on Wissel itself: set-up, building of connectors, the demonstration, benchmarks, the test run, the proof that tests
//! hold guards.
//!
//! A library as well as a program, so that the tidy tests hold the project to the same rules by the same
//! code. Depends on no other crate of the workspace: it has to build before anything else does.

pub mod bench;
pub mod component;
pub mod connectors;
pub mod demo;
pub mod fuzz;
pub mod licences;
pub mod mutate;
pub mod peers;
pub mod process;
pub mod setup;
pub mod tally;
pub mod test;
pub mod wasm;
pub mod workspace;
