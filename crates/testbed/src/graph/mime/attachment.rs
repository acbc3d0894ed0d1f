//! The bytes of one attachment, taken out of a message while it is read.

use super::{
    fields::Block,
    rewrite::Rewrite,
    summary::is_attachment,
    transfer::Decoder,
    walk::{Kind, Output, Visitor},
};

/// Takes out the attachment at a place in the message: a file decoded, a message as MIME.
pub(crate) struct Extract {
    wanted: usize,
    met: usize,
    nested: usize,
    open: Open,
    out: Vec<u8>,
}

enum Open {
    No,
    File(Decoder),
    Message { rewrite: Rewrite, depth: usize },
}

impl Extract {
    /// The attachment with this number, counted from 0.
    pub(crate) fn new(wanted: usize) -> Self {
        Self { wanted, met: 0, nested: 0, open: Open::No, out: Vec::new() }
    }

    fn is_next(&mut self) -> bool {
        self.met += 1;
        self.met == self.wanted + 1
    }
}

impl Visitor for Extract {
    fn headers(&mut self, block: &Block, kind: &Kind) {
        if let Open::Message { rewrite, .. } = &mut self.open {
            rewrite.headers(block, kind);
        }
        match kind {
            Kind::Message { .. } => {
                if self.nested == 0 && self.is_next() {
                    let rewrite = Rewrite::nested();
                    self.open = Open::Message { rewrite, depth: self.nested };
                }
                self.nested += 1;
            }
            Kind::Leaf { .. } if self.nested == 0 && is_attachment(block) && self.is_next() => {
                self.open = Open::File(Decoder::new(&block.encoding()));
            }
            Kind::Leaf { .. } | Kind::Multipart { .. } => {}
        }
    }

    fn line(&mut self, line: &[u8]) {
        match &mut self.open {
            Open::No => {}
            Open::File(decoder) => decoder.line(line, &mut self.out),
            Open::Message { rewrite, .. } => rewrite.line(line),
        }
    }

    fn line_end(&mut self, written: &'static [u8]) {
        match &mut self.open {
            Open::No => {}
            Open::File(decoder) => decoder.line_end(&mut self.out),
            Open::Message { rewrite, .. } => rewrite.line_end(written),
        }
    }

    fn leaf_end(&mut self, closed: bool) {
        match &mut self.open {
            Open::No => {}
            Open::File(decoder) => {
                decoder.finish(&mut self.out);
                self.open = Open::No;
            }
            Open::Message { rewrite, .. } => rewrite.leaf_end(closed),
        }
    }

    fn boundary(&mut self, depth: usize, last: bool) {
        if let Open::Message { rewrite, .. } = &mut self.open {
            rewrite.boundary(depth, last);
        }
    }

    fn message_end(&mut self) {
        self.nested = self.nested.saturating_sub(1);
        if let Open::Message { rewrite, depth } = &mut self.open
            && *depth == self.nested
        {
            self.out.extend(rewrite.take());
            self.open = Open::No;
        }
    }
}

impl Output for Extract {
    fn take(&mut self) -> Vec<u8> {
        if let Open::Message { rewrite, .. } = &mut self.open {
            self.out.extend(rewrite.take());
        }
        std::mem::take(&mut self.out)
    }
}
