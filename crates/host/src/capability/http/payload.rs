//! Request bodies as plans: bytes of the connector and parts of an outgoing message, read only when they are sent.

use bytes::Bytes;
use futures::stream::{self, Stream};
use wissel_model::{ConnectorError, ErrorKind};

use crate::bindings::wissel::connector::types::Encoding;
use crate::capability::content::{Pieces, SourceHandle, encoded_size};
use crate::refusal::Refusal;

/// Octets of the connector's own that one body may hold.
const MOST_BYTES: usize = 64 << 20;

#[derive(Clone)]
enum Part {
    Bytes(Bytes),
    Source { source: SourceHandle, offset: u32, length: u32, encoding: Encoding },
}

/// A request body.
#[derive(Clone)]
pub struct Payload {
    parts: Vec<Part>,
    bytes: usize,
    size: u64,
    /// How many requests of the service it holds.
    pub(crate) requests: u32,
}

impl Default for Payload {
    fn default() -> Self {
        Self { parts: Vec::new(), bytes: 0, size: 0, requests: 1 }
    }
}

impl Payload {
    /// Octets so far.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn append(&mut self, data: Vec<u8>) -> Result<(), Refusal> {
        self.bytes += data.len();
        if self.bytes > MOST_BYTES {
            return Err(Refusal::breach(format!("a request body holds more than {MOST_BYTES} octets")));
        }
        self.size += data.len() as u64;
        // What is empty would be sent as a frame of its own, and servers take many of those for an attack.
        if !data.is_empty() {
            self.parts.push(Part::Bytes(data.into()));
        }
        Ok(())
    }

    pub(crate) async fn append_source(
        &mut self,
        source: SourceHandle,
        offset: u32,
        length: u32,
        encoding: Encoding,
    ) -> Result<(), ConnectorError> {
        let size = self.size + encoded_size(&source, offset, length, encoding).await?;
        if size > u64::from(u32::MAX) {
            return Err(ConnectorError::new(ErrorKind::TooLarge, "the request body has 4 GiB or more"));
        }
        self.size = size;
        self.parts.push(Part::Source { source, offset, length, encoding });
        Ok(())
    }

    /// The body as it is sent. Octets that are all here go out in one piece, whose end is that of the request.
    pub(crate) fn body(self) -> reqwest::Body {
        match self.parts.as_slice() {
            [] => Bytes::new().into(),
            [Part::Bytes(bytes)] => bytes.clone().into(),
            _ => reqwest::Body::wrap_stream(self.stream()),
        }
    }

    /// The body's octets in order.
    fn stream(self) -> impl Stream<Item = Result<Bytes, ConnectorError>> + Send + 'static {
        let parts = self.parts.into_iter();
        stream::try_unfold((parts, None::<Pieces>), |(mut parts, mut pieces)| async move {
            loop {
                if let Some(running) = &mut pieces
                    && let Some(piece) = running.next().await?
                {
                    return Ok(Some((Bytes::from(piece), (parts, pieces))));
                }
                match parts.next() {
                    Some(Part::Bytes(bytes)) => return Ok(Some((bytes, (parts, None)))),
                    Some(Part::Source { source, offset, length, encoding }) => {
                        pieces = Some(Pieces::new(source, offset, length, encoding));
                    }
                    None => return Ok(None),
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;

    use super::Payload;

    #[tokio::test]
    async fn nothing_empty_is_sent_and_what_is_here_is_one_piece() {
        let of = |parts: &[&str]| {
            let mut payload = Payload::default();
            for part in parts {
                assert!(payload.append(part.as_bytes().to_vec()).is_ok());
            }
            payload
        };
        // As every connector begins one.
        assert_eq!(of(&["", "{}"]).body().as_bytes(), Some(&b"{}"[..]));
        assert_eq!(of(&[""]).body().as_bytes(), Some(&b""[..]));
        let several = of(&["", "a", "", "b", ""]);
        assert!(several.clone().body().as_bytes().is_none());
        assert_eq!(several.stream().try_collect::<Vec<_>>().await.unwrap(), ["a", "b"]);
    }
}
