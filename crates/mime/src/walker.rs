//! Finds the structure of a message in octets that come in pieces of any size: header blocks, the contents of leaf
//! parts, the ends of parts and nested messages (RFC 2046, section 5.1).
//!
//! It holds back at most one line, and only where that line may be a delimiter. It decodes nothing and knows no
//! header: a [`Handler`] reads each header block and says what follows it.

use crate::headers::{HeaderBlock, field_name};
use crate::inspection::Defect;
use memchr::{memchr, memmem};

/// Multiparts and messages within each other, the message itself not counted. Part of the digest's recipe.
const MAX_DEPTH: usize = 20;

/// A longer line is no delimiter. Longer than the longest boundary that is accepted.
const MAX_DELIMITER_LINE: usize = 1024;

/// What a header block announces.
pub(crate) enum Follows {
    Leaf,
    Multipart {
        boundary: Vec<u8>,
        /// Parts without Content-Type are messages (RFC 2046, 5.1.5).
        digest: bool,
    },
    Message,
}

/// Where a header block stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// At the top of a message (the outer one or a nested one), not of a part.
    pub(crate) of_message: bool,
    /// In a `multipart/digest`.
    pub(crate) in_digest: bool,
    /// False when what follows must be a leaf as it would lie too deep.
    pub(crate) may_nest: bool,
}

/// Takes what the walker finds, in the order of the message.
pub(crate) trait Handler {
    /// A header block is complete.
    fn headers(&mut self, block: HeaderBlock, place: Place) -> Follows;
    /// Content of the open leaf, still encoded.
    fn content(&mut self, octets: &[u8]);
    /// The open leaf is complete.
    fn leaf_end(&mut self);
    /// Raw octets within a nested message: everything between its announcement and its end.
    fn nested_raw(&mut self, octets: &[u8]);
    /// The innermost nested message is complete.
    fn nested_end(&mut self);
    /// Something is broken.
    fn defect(&mut self, defect: Defect);
}

#[derive(Debug)]
enum Frame {
    Multipart { boundary: Vec<u8>, digest: bool },
    Message,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Headers,
    Leaf,
    /// Preamble or epilogue.
    Between,
}

#[derive(Debug)]
pub(crate) struct Walker {
    state: State,
    frames: Vec<Frame>,
    /// Index of the outermost nested message.
    nested: Option<usize>,
    block: HeaderBlock,
    place: Place,
    /// No line of the header block has been read.
    first_line: bool,
    /// The beginning of the open header line was passed on, as it was too long to be a delimiter.
    long_line: bool,
    /// Headers: the open line. Otherwise, while `holding`: what may be a line end and a delimiter.
    held: Vec<u8>,
    holding: bool,
    /// What is held stands at the beginning of the content: no line end goes before the delimiter.
    at_begin: bool,
    delimiter: memmem::Finder<'static>,
}

impl Walker {
    pub(crate) fn new() -> Self {
        Self {
            state: State::Headers,
            frames: Vec::new(),
            nested: None,
            block: HeaderBlock::default(),
            place: Place { of_message: true, in_digest: false, may_nest: true },
            first_line: true,
            long_line: false,
            held: Vec::new(),
            holding: false,
            at_begin: false,
            delimiter: memmem::Finder::new(b"\n--"),
        }
    }

    pub(crate) fn write(&mut self, mut octets: &[u8], handler: &mut impl Handler) {
        while !octets.is_empty() {
            octets = match self.state {
                State::Headers => self.header_line(octets, handler),
                State::Leaf | State::Between if self.holding => self.hold(octets, handler),
                State::Leaf | State::Between => self.pass(octets, handler),
            };
        }
    }

    pub(crate) fn finish(&mut self, handler: &mut impl Handler) {
        while self.state == State::Headers && !self.held.is_empty() {
            let line = std::mem::take(&mut self.held);
            self.header_line_complete(&line, handler);
        }
        if self.state != State::Headers && self.holding {
            let held = std::mem::take(&mut self.held);
            match self.find_delimiter(line_of(&held, self.at_begin).unwrap_or_default()) {
                Some(found) => self.at_delimiter(&held, found, handler),
                None => self.emit(&held, handler),
            }
        }
        while self.state == State::Headers {
            if !self.first_line {
                handler.defect(Defect::HeadersUnterminated);
            }
            self.end_headers(handler);
        }
        self.close_frames(0, handler);
    }

    /// Reads up to one line of a header block.
    fn header_line<'a>(&mut self, octets: &'a [u8], handler: &mut impl Handler) -> &'a [u8] {
        let Some((line, rest)) = memchr(b'\n', octets).and_then(|at| octets.split_at_checked(at + 1)) else {
            if self.long_line {
                self.keep_line(octets, handler);
                return &[];
            }
            let room = MAX_DELIMITER_LINE.saturating_sub(self.held.len());
            let (now, rest) = octets.split_at_checked(room).unwrap_or((octets, &[]));
            self.held.extend_from_slice(now);
            if self.held.len() == MAX_DELIMITER_LINE {
                self.begin_long_line(handler);
            }
            return rest;
        };
        if self.long_line {
            self.keep_line(line, handler);
            self.long_line = false;
        } else if self.held.len() + line.len() > MAX_DELIMITER_LINE {
            // Cut where the same line would be cut if it came in small pieces.
            let room = MAX_DELIMITER_LINE.saturating_sub(self.held.len());
            let (now, rest) = octets.split_at_checked(room).unwrap_or((octets, &[]));
            self.held.extend_from_slice(now);
            self.begin_long_line(handler);
            return rest;
        } else if self.held.is_empty() {
            self.header_line_complete(line, handler);
        } else {
            let mut whole = std::mem::take(&mut self.held);
            whole.extend_from_slice(line);
            self.header_line_complete(&whole, handler);
        }
        rest
    }

    fn begin_long_line(&mut self, handler: &mut impl Handler) {
        let begin = std::mem::take(&mut self.held);
        if self.begins_without_headers(&begin) {
            return self.content_instead_of_headers(&begin, handler);
        }
        self.first_line = false;
        self.raw(&begin, handler);
        self.block.add(&begin, false);
        self.long_line = true;
    }

    fn keep_line(&mut self, more: &[u8], handler: &mut impl Handler) {
        self.raw(more, handler);
        self.block.add(more, true);
    }

    /// A whole line of at most [`MAX_DELIMITER_LINE`] octets, with its line end except at the end of the input.
    fn header_line_complete(&mut self, line: &[u8], handler: &mut impl Handler) {
        if without_line_end(line).is_empty() {
            self.raw(line, handler);
            self.end_headers(handler);
        } else if let Some(found) = self.find_delimiter(line) {
            if !self.first_line {
                handler.defect(Defect::HeadersUnterminated);
            }
            self.end_headers(handler);
            self.at_delimiter(line, found, handler);
        } else if self.begins_without_headers(line) {
            self.content_instead_of_headers(line, handler);
        } else {
            self.first_line = false;
            self.raw(line, handler);
            self.block.add(line, false);
        }
    }

    /// Whether the first line of a block shows that there is none. Mailbox files begin with a line `From `.
    fn begins_without_headers(&self, line: &[u8]) -> bool {
        self.first_line
            && field_name(line).is_none()
            && !line.starts_with(b"From ")
            && !line.starts_with(b">From ")
    }

    fn content_instead_of_headers(&mut self, line: &[u8], handler: &mut impl Handler) {
        handler.defect(Defect::HeadersMissing);
        self.end_headers(handler);
        self.holding = false;
        self.write(line, handler);
    }

    fn end_headers(&mut self, handler: &mut impl Handler) {
        let block = std::mem::take(&mut self.block);
        let place = Place { may_nest: self.frames.len() < MAX_DEPTH, ..self.place };
        match handler.headers(block, place) {
            Follows::Leaf => self.begin_content(State::Leaf),
            Follows::Multipart { boundary, digest } => {
                self.frames.push(Frame::Multipart { boundary, digest });
                self.begin_content(State::Between);
            }
            Follows::Message => {
                self.nested.get_or_insert(self.frames.len());
                self.frames.push(Frame::Message);
                self.begin_headers(Place { of_message: true, in_digest: false, may_nest: true });
            }
        }
    }

    fn begin_headers(&mut self, place: Place) {
        self.state = State::Headers;
        self.place = place;
        self.first_line = true;
        self.long_line = false;
        self.holding = false;
    }

    fn begin_content(&mut self, state: State) {
        self.state = state;
        self.holding = !self.frames.is_empty();
        self.at_begin = true;
    }

    /// Passes content on up to the next place that may be a delimiter.
    fn pass<'a>(&mut self, octets: &'a [u8], handler: &mut impl Handler) -> &'a [u8] {
        if self.frames.is_empty() {
            self.emit(octets, handler);
            return &[];
        }
        let mut end = self.delimiter.find(octets).unwrap_or_else(|| {
            // A delimiter may begin in the last octets.
            let tail = match octets {
                [.., b'\n', b'-'] => 2,
                [.., b'\n' | b'\r'] => 1,
                _ => 0,
            };
            octets.len() - tail
        });
        if let (Some([.., b'\r']), Some(b'\n')) = (octets.get(..end), octets.get(end)) {
            end -= 1;
        }
        let (content, rest) = octets.split_at_checked(end).unwrap_or((octets, &[]));
        self.emit(content, handler);
        if !rest.is_empty() {
            self.holding = true;
            self.at_begin = false;
        }
        rest
    }

    /// Adds to what is held until it is known whether it is a delimiter.
    fn hold<'a>(&mut self, octets: &'a [u8], handler: &mut impl Handler) -> &'a [u8] {
        let mut rest = octets;
        while let Some((&octet, after)) = rest.split_first() {
            self.held.push(octet);
            let Some(line) = line_of(&self.held, self.at_begin) else {
                // Cannot become a delimiter; the last octet may begin a new line end.
                self.held.pop();
                let held = std::mem::take(&mut self.held);
                self.holding = false;
                self.emit(&held, handler);
                return rest;
            };
            rest = after;
            if octet == b'\n' && line.len() > 2 {
                let found = self.find_delimiter(line);
                let held = std::mem::take(&mut self.held);
                match found {
                    Some(found) => self.at_delimiter(&held, found, handler),
                    None => {
                        // The line end may be followed by a delimiter.
                        let text = without_line_end(&held);
                        self.emit(text, handler);
                        self.held = held.get(text.len()..).unwrap_or_default().to_vec();
                        self.at_begin = false;
                    }
                }
                return rest;
            }
        }
        rest
    }

    /// The innermost multipart whose delimiter `line` is, and whether it closes it.
    fn find_delimiter(&self, line: &[u8]) -> Option<(usize, bool)> {
        let text = line.strip_prefix(b"--")?.trim_ascii_end();
        self.frames.iter().enumerate().rev().find_map(|(index, frame)| {
            let Frame::Multipart { boundary, .. } = frame else {
                return None;
            };
            match text.strip_prefix(boundary.as_slice())? {
                b"" => Some((index, false)),
                b"--" => Some((index, true)),
                _ => None,
            }
        })
    }

    /// Ends what lies within the multipart `index`, and begins its next part or leaves it.
    fn at_delimiter(&mut self, line: &[u8], (index, closing): (usize, bool), handler: &mut impl Handler) {
        self.close_frames(index + 1, handler);
        self.raw(line, handler);
        if closing {
            self.frames.truncate(index);
            self.begin_content(State::Between);
        } else {
            let in_digest = matches!(self.frames.get(index), Some(Frame::Multipart { digest: true, .. }));
            self.begin_headers(Place { of_message: false, in_digest, may_nest: true });
        }
    }

    /// Ends the open leaf and all frames from `from` inwards.
    fn close_frames(&mut self, from: usize, handler: &mut impl Handler) {
        if self.state == State::Leaf {
            handler.leaf_end();
            self.state = State::Between;
        }
        while self.frames.len() > from {
            match self.frames.pop() {
                Some(Frame::Multipart { .. }) => handler.defect(Defect::BoundaryUnclosed),
                Some(Frame::Message) => {
                    handler.nested_end();
                    self.nested = self.nested.filter(|nested| *nested < self.frames.len());
                }
                None => {}
            }
        }
    }

    fn emit(&self, octets: &[u8], handler: &mut impl Handler) {
        self.raw(octets, handler);
        if self.state == State::Leaf && !octets.is_empty() {
            handler.content(octets);
        }
    }

    fn raw(&self, octets: &[u8], handler: &mut impl Handler) {
        if self.nested.is_some() {
            handler.nested_raw(octets);
        }
    }
}

/// The line that begins with a delimiter's dashes, or that may still become one; `None` when it cannot.
fn line_of(held: &[u8], at_begin: bool) -> Option<&[u8]> {
    let line = match held {
        _ if at_begin => held,
        [b'\r'] => return Some(&[]),
        [b'\r', b'\n', line @ ..] | [b'\n', line @ ..] => line,
        _ => return None,
    };
    let fits = line.starts_with(b"--") || b"--".starts_with(line);
    (fits && line.len() <= MAX_DELIMITER_LINE).then_some(line)
}

fn without_line_end(line: &[u8]) -> &[u8] {
    let text = line.strip_suffix(b"\n").unwrap_or(line);
    text.strip_suffix(b"\r").unwrap_or(text)
}
