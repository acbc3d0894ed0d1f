//! The directory sink as the software behind it sees it: by the files that are there, after success, after errors and
//! after a power failure.

mod attachments;
mod crash;
mod full;
mod layout;
mod speed;
mod support;
mod target;
