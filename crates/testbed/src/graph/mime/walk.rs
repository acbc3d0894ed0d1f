//! Walks through a message line by line: header blocks, leaves, boundaries (RFC 2046).
//!
//! It holds one header block and one line, so a message of any size passes. What lies before the first boundary of a
//! multipart and after its last one is passed over. What is broken is taken as far as it goes; nothing fails.

use bytes::Bytes;

use super::fields::Block;
use crate::mailbox::Content;

/// A longer line is handed on in pieces.
const LONGEST_LINE: usize = 64 * 1024;
/// Bytes that are read at once.
const PIECE: usize = 64 * 1024;
/// Deeper nesting is not taken apart.
const DEEPEST: usize = 20;

/// What the walk meets, in the order of the message.
pub(crate) trait Visitor {
    /// A header block: of a message (the whole one, or a nested one), or of a part.
    fn headers(&mut self, block: &Block, kind: &Kind);
    /// A line of a leaf or a piece of a long one, without its line end.
    fn line(&mut self, line: &[u8]);
    /// The end of the line before, as it was written, when the leaf goes on after it.
    fn line_end(&mut self, written: &'static [u8]);
    /// The leaf ends. `closed` says that a boundary comes next, to which the line end before it belongs.
    fn leaf_end(&mut self, closed: bool);
    /// A boundary of the multipart at `depth`; `last` when it closes it.
    fn boundary(&mut self, depth: usize, last: bool);
    /// A nested message ends.
    fn message_end(&mut self);
}

/// What a header block belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A leaf, whose lines come next.
    Leaf { of_message: bool },
    /// A multipart at this depth.
    Multipart { of_message: bool, depth: usize },
    /// A message within the message, whose header block comes next.
    Message { of_message: bool },
}

enum Frame {
    Multipart(Vec<u8>),
    Message,
}

#[derive(PartialEq)]
enum State {
    Headers { of_message: bool },
    Leaf,
    Between,
}

/// The walk. It is given the message in pieces of any size.
pub(crate) struct Walk<V> {
    visitor: V,
    frames: Vec<Frame>,
    state: State,
    block: Block,
    held: Vec<u8>,
    /// A line end that was met in a leaf and not handed on yet.
    line_end: Option<&'static [u8]>,
    /// The line that is held was begun before: it cannot be a boundary.
    continued: bool,
}

impl<V: Visitor> Walk<V> {
    pub(crate) fn new(visitor: V) -> Self {
        Self {
            visitor,
            frames: Vec::new(),
            state: State::Headers { of_message: true },
            block: Block::default(),
            held: Vec::new(),
            line_end: None,
            continued: false,
        }
    }

    /// The next bytes of the message.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some(at) = memchr::memchr(b'\n', rest) {
            let (line, after) = rest.split_at_checked(at + 1).unwrap_or((rest, &[]));
            if self.held.is_empty() {
                self.whole_line(line);
            } else {
                self.held.extend_from_slice(line);
                let held = std::mem::take(&mut self.held);
                self.whole_line(&held);
                self.held = held;
                self.held.clear();
            }
            rest = after;
        }
        self.held.extend_from_slice(rest);
        if self.held.len() > LONGEST_LINE && self.state == State::Leaf {
            let held = std::mem::take(&mut self.held);
            self.content(&held);
            self.continued = true;
        }
    }

    /// The message is complete.
    pub(crate) fn finish(mut self) -> V {
        let held = std::mem::take(&mut self.held);
        if !held.is_empty() {
            self.line(&held);
        }
        if let State::Headers { of_message } = self.state {
            self.end_of_headers(of_message);
        }
        self.close(0, false);
        self.visitor
    }

    fn whole_line(&mut self, line: &[u8]) {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let (text, end) = text.strip_suffix(b"\r").map_or((text, &b"\n"[..]), |text| (text, b"\r\n"));
        if !self.line(text) && self.state == State::Leaf {
            self.line_end = Some(end);
        }
        self.continued = false;
    }

    /// Takes a line; true when it was no content.
    fn line(&mut self, line: &[u8]) -> bool {
        if !self.continued
            && let Some((index, last)) = self.boundary_of(line)
        {
            if let State::Headers { of_message } = self.state {
                self.end_of_headers(of_message);
            }
            self.close(index + 1, true);
            let depth = self.frames.iter().take(index).filter(|frame| matches!(frame, Frame::Multipart(_)));
            let depth = depth.count();
            self.visitor.boundary(depth, last);
            self.state = if last { State::Between } else { State::Headers { of_message: false } };
            if last {
                self.frames.truncate(index);
            }
            return true;
        }
        match self.state {
            State::Headers { of_message } => {
                if line.is_empty() {
                    self.end_of_headers(of_message);
                } else {
                    self.block.add(line);
                }
                true
            }
            State::Leaf => {
                self.content(line);
                false
            }
            State::Between => true,
        }
    }

    fn content(&mut self, line: &[u8]) {
        if let Some(end) = self.line_end.take() {
            self.visitor.line_end(end);
        }
        self.visitor.line(line);
    }

    fn boundary_of(&self, line: &[u8]) -> Option<(usize, bool)> {
        let text = line.strip_prefix(b"--")?.trim_ascii_end();
        self.frames.iter().enumerate().rev().find_map(|(index, frame)| {
            let Frame::Multipart(boundary) = frame else { return None };
            match text.strip_prefix(boundary.as_slice())? {
                b"" => Some((index, false)),
                b"--" => Some((index, true)),
                _ => None,
            }
        })
    }

    fn end_of_headers(&mut self, of_message: bool) {
        let block = std::mem::take(&mut self.block);
        let room = self.frames.len() < DEEPEST;
        let (kind, state) = match block.content_type().as_deref() {
            Some(kind) if kind.starts_with("multipart/") && room && block.boundary().is_some() => {
                let depth = self.frames.iter().filter(|frame| matches!(frame, Frame::Multipart(_))).count();
                self.frames.extend(block.boundary().map(Frame::Multipart));
                (Kind::Multipart { of_message, depth }, State::Between)
            }
            Some("message/rfc822" | "message/global") if room && !block.is_encoded() => {
                self.frames.push(Frame::Message);
                (Kind::Message { of_message }, State::Headers { of_message: true })
            }
            _ => (Kind::Leaf { of_message }, State::Leaf),
        };
        self.visitor.headers(&block, &kind);
        self.state = state;
        self.line_end = None;
    }

    /// Ends the open leaf and every frame from `from` inwards.
    fn close(&mut self, from: usize, closed: bool) {
        if self.state == State::Leaf {
            if let Some(end) = self.line_end.take().filter(|_| !closed) {
                self.visitor.line_end(end);
            }
            self.visitor.leaf_end(closed);
            self.state = State::Between;
        }
        while self.frames.len() > from {
            if let Some(Frame::Message) = self.frames.pop() {
                self.visitor.message_end();
            }
        }
    }
}

/// A visitor that makes bytes.
pub(crate) trait Output: Visitor {
    /// What it made since the last call.
    fn take(&mut self) -> Vec<u8>;
}

/// What `visitor` makes of a message, piece by piece while the message is read.
pub(crate) fn stream<V: Output>(content: &Content, visitor: V) -> impl Iterator<Item = Bytes> + use<V> {
    let mut walk = Some(Walk::new(visitor));
    let mut pieces = pieces(content);
    std::iter::from_fn(move || {
        loop {
            let made = match pieces.next() {
                Some(piece) => {
                    let walk = walk.as_mut()?;
                    walk.push(&piece);
                    walk.visitor.take()
                }
                None => walk.take()?.finish().take(),
            };
            if !made.is_empty() {
                return Some(Bytes::from(made));
            }
        }
    })
}

/// Walks through a whole message.
pub(crate) fn walk<V: Visitor>(content: &Content, visitor: V) -> V {
    let mut walk = Walk::new(visitor);
    pieces(content).for_each(|piece| walk.push(&piece));
    walk.finish()
}

/// The bytes of a message in pieces of a bounded size; none is copied.
fn pieces(content: &Content) -> impl Iterator<Item = Bytes> + use<> {
    content.chunks().flat_map(|chunk| {
        (0..chunk.len()).step_by(PIECE).map(move |at| chunk.slice(at..chunk.len().min(at + PIECE)))
    })
}
