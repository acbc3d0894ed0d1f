//! What a message consists of: bytes at hand, or bytes that are made while they are read.
//!
//! It deliberately knows nothing of MIME: whoever builds a message decides what the bytes mean.

use std::sync::Arc;

use bytes::Bytes;

/// The raw bytes of one message (RFC 5322), never copied when a message is copied or moved.
#[derive(Clone, Debug)]
pub enum Content {
    /// The whole message, held in memory.
    Whole(Bytes),
    /// `head`, then `block` repeated `times`, then `tail`. A message of any size costs one block of memory.
    Repeated {
        /// Header and the beginning of the body.
        head: Bytes,
        /// The part that is repeated.
        block: Bytes,
        /// How often `block` comes.
        times: u64,
        /// The end of the body.
        tail: Bytes,
    },
    /// Pieces one after the other; the first one holds the whole header.
    Pieces(Arc<[Bytes]>),
}

impl<T: Into<Bytes>> From<T> for Content {
    fn from(bytes: T) -> Self {
        Self::Whole(bytes.into())
    }
}

impl Content {
    /// The size in bytes.
    pub fn size(&self) -> u64 {
        match self {
            Self::Whole(bytes) => bytes.len() as u64,
            Self::Repeated { head, block, times, tail } => {
                head.len() as u64 + block.len() as u64 * times + tail.len() as u64
            }
            Self::Pieces(pieces) => pieces.iter().map(|piece| piece.len() as u64).sum(),
        }
    }

    /// The bytes in order, piece by piece; a piece is shared, not copied.
    pub fn chunks(&self) -> Box<dyn Iterator<Item = Bytes> + Send> {
        match self {
            Self::Whole(bytes) => Box::new(std::iter::once(bytes.clone())),
            Self::Repeated { head, block, times, tail } => {
                let block = block.clone();
                let blocks = (0..*times).map(move |_| block.clone());
                Box::new(std::iter::once(head.clone()).chain(blocks).chain(std::iter::once(tail.clone())))
            }
            Self::Pieces(pieces) => {
                let pieces = pieces.clone();
                Box::new((0..pieces.len()).filter_map(move |at| pieces.get(at).cloned()))
            }
        }
    }

    /// At most `length` bytes from `start` on, piece by piece.
    pub fn range(&self, start: u64, length: u64) -> impl Iterator<Item = Bytes> + Send + use<> {
        let (mut skip, mut left) = (start, length);
        self.chunks().filter_map(move |chunk| {
            let size = chunk.len() as u64;
            let from = skip.min(size);
            skip -= from;
            let to = from + left.min(size - from);
            left -= to - from;
            // Both are at most the length of a chunk, so they fit.
            (to > from).then(|| chunk.slice(from as usize..to as usize))
        })
    }

    /// The header with the empty line that ends it; the whole first piece when there is no such line.
    pub fn header(&self) -> Bytes {
        let empty = Bytes::new();
        let first = match self {
            Self::Whole(bytes) => bytes,
            Self::Repeated { head, .. } => head,
            Self::Pieces(pieces) => pieces.first().unwrap_or(&empty),
        };
        let end = memchr::memmem::find(first, b"\r\n\r\n").map_or(first.len(), |at| at + 4);
        first.slice(..end)
    }

    /// Whether `needle` occurs in the bytes, also across the edge between two pieces.
    pub fn contains(&self, needle: &[u8]) -> bool {
        if needle.is_empty() {
            return true;
        }
        // What is not in two blocks side by side is not in a thousand of them.
        let searched = match self {
            Self::Repeated { head, block, times, tail } if needle.len() <= block.len() => Self::Repeated {
                head: head.clone(),
                block: block.clone(),
                times: 2.min(*times),
                tail: tail.clone(),
            },
            other => other.clone(),
        };
        let mut kept: Vec<u8> = Vec::new();
        searched.chunks().any(|chunk| {
            kept.extend_from_slice(&chunk);
            let found = kept.windows(needle.len()).any(|window| window == needle);
            kept.drain(..kept.len().saturating_sub(needle.len() - 1));
            found
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Content {
        Content::Repeated {
            head: Bytes::from_static(b"Subject: x\r\n\r\n"),
            block: Bytes::from_static(b"abc"),
            times: 3,
            tail: Bytes::from_static(b"end"),
        }
    }

    #[test]
    fn a_range_is_cut_from_the_same_bytes_as_the_whole() {
        let content = sample();
        let whole: Vec<u8> = content.chunks().flatten().collect();
        assert_eq!(whole, b"Subject: x\r\n\r\nabcabcabcend");
        assert_eq!(content.size(), whole.len() as u64);
        for start in 0..whole.len() + 2 {
            for length in 0..whole.len() + 2 {
                let cut: Vec<u8> = content.range(start as u64, length as u64).flatten().collect();
                let from = start.min(whole.len());
                assert_eq!(cut, whole[from..(from + length).min(whole.len())]);
            }
        }
    }

    #[test]
    fn what_lies_across_two_pieces_is_found() {
        assert!(sample().contains(b"cabce"));
        assert!(!sample().contains(b"cabcd"));
        assert_eq!(&sample().header()[..], b"Subject: x\r\n\r\n");
    }
}
