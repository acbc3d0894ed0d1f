//! The body of an answer as it was before it was compressed.
//!
//! A little that is sent can become very much: what a connector gathers in memory has its own limit, and here what is
//! passed on by the host must not have grown beyond reason.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_compression::tokio::bufread::GzipDecoder;
use bytes::{Bytes, BytesMut};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use reqwest::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap};
use tokio::io::AsyncReadExt;
use tokio_util::io::StreamReader;
use wissel_model::{ConnectorError, ErrorKind};

use super::failure;

/// Octets that are decompressed at a time.
const CHUNK: usize = 32 << 10;
/// Octets that may come out of anything: as many as a connector may hold.
const HARMLESS: u64 = 64 << 20;
/// How many times longer than it was sent the rest may be. Mail is seldom 10, zeros in base64 are 1,000.
const MOST_GROWTH: u64 = 200;

type Chunks = BoxStream<'static, io::Result<Bytes>>;

/// An answer's body, in chunks.
pub(super) enum Content {
    Plain(Chunks),
    Gzip { decoder: Pin<Box<GzipDecoder<StreamReader<Chunks, Bytes>>>>, taken: Arc<AtomicU64>, given: u64 },
}

impl Content {
    /// The body of `response`. Headers that describe the compressed form are taken out of `headers`.
    pub(super) async fn new(response: reqwest::Response, headers: &mut HeaderMap) -> Self {
        let mut chunks: Chunks = response
            .bytes_stream()
            .map_err(|error| io::Error::other(error.without_url()))
            .try_filter(|chunk| std::future::ready(!chunk.is_empty()))
            .boxed();
        if !is_gzip(headers) {
            return Self::Plain(chunks);
        }
        // Answers without a body may be said to be compressed all the same.
        let Some(first) = chunks.next().await else { return Self::Plain(chunks) };
        headers.remove(CONTENT_ENCODING);
        headers.remove(CONTENT_LENGTH);
        let taken = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&taken);
        let chunks =
            futures::stream::once(std::future::ready(first)).chain(chunks).inspect_ok(move |chunk| {
                counter.fetch_add(chunk.len() as u64, Ordering::Relaxed);
            });
        let mut decoder = GzipDecoder::new(StreamReader::new(chunks.boxed()));
        decoder.multiple_members(true);
        Self::Gzip { decoder: Box::pin(decoder), taken, given: 0 }
    }

    /// The next octets, never none; nothing at the end.
    pub(super) async fn next(&mut self, host: &str) -> Result<Option<Bytes>, ConnectorError> {
        match self {
            Self::Plain(chunks) => chunks.next().await.transpose().map_err(|error| failure::of(host, &error)),
            Self::Gzip { decoder, taken, given } => {
                let mut chunk = BytesMut::with_capacity(CHUNK);
                let read = decoder.read_buf(&mut chunk).await.map_err(|error| match error.get_ref() {
                    Some(_) if error.kind() == io::ErrorKind::Other => failure::of(host, &error),
                    _ => malformed(host, &error),
                })?;
                *given += read as u64;
                if *given > HARMLESS && *given / MOST_GROWTH > taken.load(Ordering::Relaxed) {
                    return Err(bomb(host));
                }
                Ok((read > 0).then(|| chunk.freeze()))
            }
        }
    }
}

fn is_gzip(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.eq_ignore_ascii_case("gzip") || value.eq_ignore_ascii_case("x-gzip")
}

fn malformed(host: &str, error: &io::Error) -> ConnectorError {
    let message = format!("{host}: the answer is not compressed as it says: {error}");
    ConnectorError::new(ErrorKind::Protocol, message).with_code("content-encoding")
}

fn bomb(host: &str) -> ConnectorError {
    let message = format!("{host}: the answer grows to more than {MOST_GROWTH} times what was sent");
    ConnectorError::new(ErrorKind::TooLarge, message).with_code("decompression")
}
