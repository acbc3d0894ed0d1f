//! Reading bytes that arrive in chunks: what a connection and an HTTP answer have in common.
//!
//! Bytes on their way into a message are handed on as they came; they are copied only where a line or a delimiter
//! spans two chunks, or where the connector itself wants to see them.

use std::future::Future;

use bytes::{Buf, Bytes, BytesMut};
use memchr::memmem;
use wissel_model::{ConnectorError, ErrorKind};

use crate::bindings::wissel::connector::types::Encoding;
use crate::call::Call;
use crate::coding::Unescape;
use crate::intake::Intake;
use crate::refusal::Refusal;

/// Octets that are gathered for the connector at most, whatever it asks for.
const MOST_IN_MEMORY: usize = 64 << 20;

type Result<T> = std::result::Result<T, ConnectorError>;

/// Where chunks come from.
pub(crate) trait Feed: Send {
    /// The next chunk, never empty; none at the end. Waits within the limits of the call.
    fn next(&mut self, call: &Call) -> impl Future<Output = Result<Option<Bytes>>> + Send;
}

/// A feed with what was read from it and not yet used.
#[derive(Debug)]
pub(crate) struct Inlet<F> {
    pub(crate) feed: F,
    front: Bytes,
    ended: bool,
}

impl<F: Feed> Inlet<F> {
    pub(crate) fn new(feed: F) -> Self {
        Self { feed, front: Bytes::new(), ended: false }
    }

    /// Octets that can be read without waiting.
    pub(crate) fn buffered(&self) -> usize {
        self.front.len()
    }

    /// Waits for the next chunk; false at the end.
    pub(crate) async fn more(&mut self, call: &Call) -> Result<bool> {
        if self.ended {
            return Ok(false);
        }
        let Some(chunk) = self.feed.next(call).await? else {
            self.ended = true;
            return Ok(false);
        };
        if self.front.is_empty() {
            self.front = chunk;
        } else {
            let mut joined = BytesMut::with_capacity(self.front.len() + chunk.len());
            joined.extend_from_slice(&self.front);
            joined.extend_from_slice(&chunk);
            self.front = joined.freeze();
        }
        Ok(true)
    }

    /// Makes sure that something is there; false at the end.
    pub(crate) async fn ready(&mut self, call: &Call) -> Result<bool> {
        Ok(!self.front.is_empty() || self.more(call).await?)
    }

    fn take(&mut self, count: usize) -> Bytes {
        self.front.split_to(count.min(self.front.len()))
    }

    /// Up to `max` octets; empty at the end.
    pub(crate) async fn read(&mut self, call: &Call, max: usize) -> Result<Vec<u8>> {
        if max > 0 {
            self.ready(call).await?;
        }
        Ok(self.take(max).to_vec())
    }

    /// All that remains; `too-large` beyond `limit`.
    pub(crate) async fn read_all(&mut self, call: &Call, limit: usize) -> Result<Vec<u8>> {
        let limit = limit.min(MOST_IN_MEMORY);
        let mut all = Vec::new();
        while self.ready(call).await? {
            if all.len() + self.front.len() > limit {
                return Err(too_large(limit));
            }
            all.extend_from_slice(&self.take(usize::MAX));
        }
        Ok(all)
    }

    /// Exactly `count` octets; none when the end comes first.
    pub(crate) async fn read_exact(&mut self, call: &Call, count: usize) -> Result<Option<Vec<u8>>> {
        if count > MOST_IN_MEMORY {
            return Err(too_large(MOST_IN_MEMORY));
        }
        // The count is the connector's word: memory is taken as the octets arrive.
        let mut exact = Vec::with_capacity(count.min(64 << 10));
        while exact.len() < count {
            if !self.ready(call).await? {
                return Ok(None);
            }
            exact.extend_from_slice(&self.take(count - exact.len()));
        }
        Ok(Some(exact))
    }

    /// Up to and including `delimiter`, or what is left at the end; `too-large` when it does not come within `max`.
    pub(crate) async fn read_until(&mut self, call: &Call, delimiter: &[u8], max: usize) -> Result<Vec<u8>> {
        let (finder, max) = (memmem::Finder::new(delimiter), max.min(MOST_IN_MEMORY));
        // Nearly always it is here already, with much behind it that must not be copied.
        if self.ready(call).await?
            && let Some(at) = finder.find(&self.front)
            && at + delimiter.len() <= max
        {
            return Ok(self.take(at + delimiter.len()).to_vec());
        }
        let mut text = Vec::new();
        while self.ready(call).await? {
            let seen = text.len();
            text.extend_from_slice(&self.front);
            let from = seen.saturating_sub(delimiter.len() - 1);
            let found = text.get(from..).and_then(|new| finder.find(new));
            let end = found.map(|at| from + at + delimiter.len());
            if end.unwrap_or(text.len()) > max {
                self.front = Bytes::from(text);
                return Err(too_large(max));
            }
            if let Some(end) = end {
                self.take(end - seen);
                text.truncate(end);
                return Ok(text);
            }
            self.front.clear();
        }
        Ok(text)
    }

    /// Moves up to `count` octets into the open message; returns how many there were.
    pub(crate) async fn splice(
        &mut self,
        call: &Call,
        count: u64,
        into: &mut Intake,
        encoding: Encoding,
    ) -> std::result::Result<u64, Refusal> {
        let mut left = count;
        while left > 0 && self.ready(call).await? {
            let chunk = self.take(usize::try_from(left).unwrap_or(usize::MAX));
            left -= chunk.len() as u64;
            into.write(call, &chunk, encoding).await?;
        }
        Ok(count - left)
    }

    /// Moves the octets before `delimiter` into the open message and skips the delimiter.
    pub(crate) async fn splice_until(
        &mut self,
        call: &Call,
        delimiter: &[u8],
        into: &mut Intake,
        encoding: Encoding,
    ) -> std::result::Result<u64, Refusal> {
        let finder = memmem::Finder::new(delimiter);
        let mut unescape = Unescape::default();
        let mut taken = 0;
        loop {
            let found = finder.find(&self.front);
            let safe = found.unwrap_or(self.front.len().saturating_sub(delimiter.len() - 1));
            let chunk = self.take(safe);
            taken += chunk.len() as u64;
            let text = match encoding {
                Encoding::Base64 => unescape.unescape(&chunk)?,
                _ => &chunk,
            };
            if !text.is_empty() {
                into.write(call, text, encoding).await?;
            }
            if found.is_some() {
                self.front.advance(delimiter.len());
                return Ok(taken + delimiter.len() as u64);
            }
            if !self.more(call).await? {
                let problem = "the answer ended within a message";
                return Err(ConnectorError::new(ErrorKind::Protocol, problem).into());
            }
        }
    }
}

fn too_large(limit: usize) -> ConnectorError {
    ConnectorError::new(ErrorKind::TooLarge, format!("the answer is longer than {limit} octets"))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use async_trait::async_trait;
    use tokio_util::sync::CancellationToken;
    use wissel_model::{Delivery, DeliveryInfo, MessageId};

    use super::*;

    struct Pieces(std::vec::IntoIter<Bytes>);

    impl Feed for Pieces {
        async fn next(&mut self, _call: &Call) -> Result<Option<Bytes>> {
            Ok(self.0.next())
        }
    }

    #[derive(Default, Clone)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    #[async_trait]
    impl Delivery for Kept {
        async fn begin(&mut self, _message: &MessageId, _info: DeliveryInfo) -> Result<()> {
            Ok(())
        }
        async fn write(&mut self, bytes: &[u8]) -> Result<()> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(())
        }
        async fn end(&mut self) -> Result<()> {
            Ok(())
        }
        async fn fail(&mut self, _message: &MessageId, _reason: ConnectorError) {}
    }

    fn inlet(text: &'static [u8], cut: usize) -> Inlet<Pieces> {
        let pieces: Vec<Bytes> = text.chunks(cut).map(Bytes::from_static).collect();
        Inlet::new(Pieces(pieces.into_iter()))
    }

    fn call() -> Call {
        Call::new(CancellationToken::new(), CancellationToken::new(), Duration::from_secs(5))
    }

    #[tokio::test]
    async fn a_delimiter_may_be_split_over_chunks() {
        let text = b"head<<>a<<b<>c<>>tail";
        for cut in 1..=text.len() {
            let (mut inlet, call, kept) = (inlet(text, cut), call(), Kept::default());
            let id = MessageId::from("1");
            let mut intake = Intake::new(Box::new(kept.clone()), std::slice::from_ref(&id));
            assert_eq!(inlet.read_until(&call, b"<<>", 7).await.unwrap(), b"head<<>");
            intake.begin(&call, id, DeliveryInfo::default()).await.unwrap();
            let taken = inlet.splice_until(&call, b"<>>", &mut intake, Encoding::Identity).await.unwrap();
            assert_eq!((kept.0.lock().unwrap().as_slice(), taken), (&b"a<<b<>c"[..], 10), "cut at {cut}");
            assert_eq!(inlet.read_all(&call, 4).await.unwrap(), b"tail");
        }
    }

    #[tokio::test]
    async fn limits_hold_wherever_the_text_is_cut() {
        for cut in [1, 4, 100] {
            let call = call();
            let error = inlet(b"0123456789\n", cut).read_until(&call, b"\n", 10).await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::TooLarge);
            let error = inlet(b"0123456789", cut).read_all(&call, 9).await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::TooLarge);
            assert_eq!(inlet(b"01234", cut).read_exact(&call, 6).await.unwrap(), None);
            let huge = usize::try_from(u32::MAX).unwrap();
            assert!(inlet(b"01234", cut).read_exact(&call, huge).await.is_err());
            assert_eq!(inlet(b"no end", cut).read_until(&call, b"\n", 10).await.unwrap(), b"no end");
        }
    }
}
