//! Metadata of a message: the same however its bytes are cut, and no more of it than the message has bytes for.

use wissel_mime::{AttachmentSink, Inspection, Inspector, Options, Part, PartInfo};

use crate::naming::assert_safe;

/// Counts what it is offered, and holds the order of the calls.
#[derive(Default, Debug, PartialEq, Eq)]
struct Counted {
    open: bool,
    octets: u64,
    parts: usize,
}

impl AttachmentSink for Counted {
    fn begin(&mut self, info: &PartInfo) -> bool {
        assert!(!self.open, "a part begins within another");
        // Not wanted, every third.
        self.open = info.index % 3 != 0;
        self.open
    }

    fn write(&mut self, content: &[u8]) {
        assert!(self.open, "content without a part");
        self.octets += content.len() as u64;
    }

    fn end(&mut self, _part: &Part) {
        assert!(self.open, "a part ends that did not begin");
        self.open = false;
        self.parts += 1;
    }
}

fn read(message: &[u8], cut: usize) -> (Inspection, Counted) {
    let mut inspector = Inspector::with_attachments(Options { max_parts: 50 }, Counted::default());
    message.chunks(cut.max(1)).for_each(|piece| inspector.write(piece));
    inspector.finish_with_attachments()
}

/// Reads `data` as a message, whole and cut in several ways.
pub fn metadata(data: &[u8]) {
    let whole = read(data, usize::MAX);
    for cut in [1, 2, 3, 7, 61] {
        assert_eq!(read(data, cut), whole, "cut at {cut}");
    }
    let (inspection, counted) = whole;
    assert!(!counted.open, "a part never ends");
    assert_eq!(inspection.size, data.len() as u64);
    assert!(inspection.parts.len() <= 50 && counted.parts <= 50);
    // No encoding of mail makes content longer than it was sent.
    assert!(counted.octets <= data.len() as u64, "{} octets of attachments", counted.octets);
    inspection.parts.iter().filter_map(|part| part.info.file_name.as_deref()).for_each(assert_safe);
    let shown = format!("{inspection:?}").len();
    assert!(shown <= 40_000 + 60 * data.len(), "{shown} octets of metadata for {}", data.len());
}
