//! Runs connectors: loads components at run time, gives each session a sandbox of its own, and connects it to the few
//! things that its account grants.
//!
//! [`Catalogue`] is the way in; it implements [`wissel_model::Connectors`], and what it opens implements
//! [`wissel_model::Session`]. From there a call goes through `session` (time, traps) into the component, and the
//! component's own calls come back through `capability`.
//!
//! Not here: what jobs do with mail, where secrets are kept, and anything that knows a provider.

mod address;
mod bindings;
mod call;
mod capability;
mod catalogue;
mod coding;
mod convert;
mod describe;
mod description;
mod echo;
mod engine;
mod fault;
#[cfg(any(test, fuzzing))]
#[allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "fuzzing, where a panic is the report"
)]
pub mod fuzzing;
mod governor;
mod grants;
mod inlet;
mod intake;
mod limits;
mod lines;
mod linker;
mod loader;
mod proxy;
mod refusal;
mod rejection;
mod session;
mod state;
mod text;
mod tls;
mod wallet;

pub use catalogue::{Catalogue, CatalogueError, CatalogueOptions, Entry, Inspected};
pub use limits::SessionLimits;
pub use lines::Lines;
pub use loader::Examined;
pub use rejection::Rejection;
