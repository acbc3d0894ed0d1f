//! Unit tests of a connector, natively and without a network: a host whose connections follow a written dialogue and
//! whose HTTP requests are answered from a script, and a delivery that keeps what it got.
//!
//! ```
//! use wissel_connector::testing::ScriptedHost;
//!
//! let host = ScriptedHost::new(
//!     "S: * OK ready
//!      C: A1 NOOP
//!      S: A1 OK done",
//! );
//! let mut stream = host.api().connect("mail").unwrap();
//! assert_eq!(stream.read_line(100).unwrap(), b"* OK ready\r\n");
//! stream.write(b"A1 NOOP\r\n").unwrap();
//! assert_eq!(stream.read_line(100).unwrap(), b"A1 OK done\r\n");
//! host.finish();
//! ```
//!
//! Not compiled into components. A test fails by panic, with the line of the script that was expected.

mod content;
mod host;
mod http;
mod script;
mod stream;
#[cfg(test)]
mod tests;

pub use content::{BytesSource, Delivered, RecordingDelivery};
pub use host::ScriptedHost;
pub use http::Requested;
