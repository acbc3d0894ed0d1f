//! Reads a message while it passes by: metadata, a canonical digest, and its attachments.
//!
//! [`Inspector`] is a push parser: it is given the octets of a message in pieces of any size and never holds more
//! than one header block and a few buffers, so a message of any size can be read on its way to where it is stored.
//! It never fails; what is broken is read as far as it goes and noted.
//!
//! It writes no files, changes no message and composes none. The recipe of the digest stands at [`digest`], the
//! rules for file names at [`naming`].

mod attachments;
pub mod digest;
mod headers;
mod inspection;
mod inspector;
pub mod naming;
mod parts;
mod transfer;
mod walker;

pub use attachments::AttachmentSink;
pub use inspection::{Address, Defect, Disposition, Inspection, Part, PartInfo};
pub use inspector::{Inspector, Options};
