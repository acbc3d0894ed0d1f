//! Where attachments go while a message passes. The crate writes no files itself.

use crate::inspection::{Part, PartInfo};

/// Takes the attachments of a message, one after the other, decoded, while the message is being read.
///
/// Offered are all leaf parts but the message's own text (see [`PartInfo::file_name`]). A nested message is offered
/// whole, in its raw form, and what is attached to *it* stays in there. Methods return no errors: a sink that cannot
/// write keeps its error and lets the rest pass, so that the message itself is still read to its end.
pub trait AttachmentSink {
    /// An attachment begins. With `false` its content is not wanted and neither `write` nor `end` follows.
    fn begin(&mut self, part: &PartInfo) -> bool;
    /// More of the wanted attachment; pieces are at most about 256 KiB, unless the message is given in larger ones.
    fn write(&mut self, octets: &[u8]);
    /// The wanted attachment is complete.
    fn end(&mut self, part: &Part);
}

/// Wants nothing.
impl AttachmentSink for () {
    fn begin(&mut self, _: &PartInfo) -> bool {
        false
    }
    fn write(&mut self, _: &[u8]) {}
    fn end(&mut self, _: &Part) {}
}

impl<S: AttachmentSink + ?Sized> AttachmentSink for &mut S {
    fn begin(&mut self, part: &PartInfo) -> bool {
        (**self).begin(part)
    }
    fn write(&mut self, octets: &[u8]) {
        (**self).write(octets);
    }
    fn end(&mut self, part: &Part) {
        (**self).end(part);
    }
}

impl<S: AttachmentSink + ?Sized> AttachmentSink for Box<S> {
    fn begin(&mut self, part: &PartInfo) -> bool {
        (**self).begin(part)
    }
    fn write(&mut self, octets: &[u8]) {
        (**self).write(octets);
    }
    fn end(&mut self, part: &Part) {
        (**self).end(part);
    }
}
