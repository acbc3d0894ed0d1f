//! What the author of a Wissel connector depends on.
//!
//! A connector is one WebAssembly component that signs in to a mail service and lists, fetches, moves or sends
//! messages. It is written as plain, blocking code: implement [`Connector`] and [`Session`], and name the connector in
//! [`export!`]. All that a connector needs from its host comes through the traits in [`host`], so it is unit-tested
//! natively with [`testing`], against a scripted service. The README has a walkthrough.
//!
//! This crate does not know the host, and it holds no protocol of any service.

pub mod bindings;
pub mod component;
pub mod description;
mod error;
pub mod host;
#[cfg(target_arch = "wasm32")]
mod random;
mod session;
mod settings;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
pub mod types;

pub use error::{Error, ErrorKind, Result};
pub use host::{
    Delivery, Exchange, Host, HostApi, Pending, Piece, Request, Response, Sealed, Source, Stream,
};
pub use serde_json;
pub use session::{Connector, Session};
pub use settings::Settings;

/// Makes the connector of this type what the component exports. Does nothing on other targets than WebAssembly.
#[macro_export]
macro_rules! export {
    ($connector:ty) => {
        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code, reason = "the generated export is raw functions")]
        const _: () = {
            type Exported = $crate::component::Export<$connector>;
    $crate::bindings::export_component!(Exported with_types_in $crate::bindings);
        };
    };
}

/// Compiles the walkthrough of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
