//! What the tests work with: a fake mailbox, a connector over it in two id schemes, and a bench with a real store.

pub mod bench;
pub mod connector;
pub mod mailbox;
pub mod script;

pub use bench::*;
pub use connector::*;
pub use mailbox::*;
pub use script::*;
