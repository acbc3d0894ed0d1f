//! Bytes in and out of one connection: whole commands in, answers out, long messages streamed.
//!
//! What a fault does to bytes (cut them off, hold them back) is done here, so that no command knows of it.

use std::{
    io::{self, ErrorKind},
    sync::Arc,
};

use bytes::Bytes;
use imap_codec::{
    CommandCodec, ResponseCodec,
    decode::Decoder,
    encode::Encoder,
    fragmentizer::{FragmentInfo, Fragmentizer, LiteralAnnouncement},
    imap_types::{
        IntoStatic,
        command::Command,
        core::{LiteralMode, Tag},
        response::{CommandContinuationRequest, Response},
    },
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::Face;
use crate::{faults::MessageFault, mailbox::Content};

/// Answers are gathered up to this size, so that many small ones make one packet.
const GATHER: usize = 32 * 1024;
/// The largest command: an APPEND holds its message in memory.
const LARGEST_COMMAND: u32 = 256 * 1024 * 1024;

/// What a connection runs over: TCP, or TLS over it.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// What came in.
pub(super) enum Input {
    Command(Box<Command<'static>>),
    /// It could not be read; with its tag, if that could.
    Malformed(Option<Tag<'static>>),
}

pub(super) struct Wire<S> {
    stream: S,
    face: Arc<Face>,
    incoming: Fragmentizer,
    outgoing: Vec<u8>,
}

impl<S: Stream> Wire<S> {
    pub(super) fn new(face: Arc<Face>, stream: S) -> Self {
        let incoming = Fragmentizer::new(LARGEST_COMMAND);
        Self { stream, face, incoming, outgoing: Vec::new() }
    }

    /// Gives the stream back; what was read and not used is forgotten.
    pub(super) fn into_stream(self) -> S {
        self.stream
    }

    /// The next command.
    pub(super) async fn command(&mut self) -> io::Result<Input> {
        self.message().await?;
        let decoded = self.incoming.decode_message(&CommandCodec::default());
        if let Ok(command) = decoded {
            return Ok(Input::Command(Box::new(command.into_static())));
        }
        Ok(Input::Malformed(self.incoming.decode_tag().map(IntoStatic::into_static)))
    }

    /// The next line within a command (SASL answers, the end of IDLE); `None` when it could not be read.
    pub(super) async fn line<C, M>(&mut self, codec: &C) -> io::Result<Option<M>>
    where
        C: for<'a> Decoder<Message<'a>: IntoStatic<Static = M>>,
    {
        self.message().await?;
        Ok(self.incoming.decode_message(codec).ok().map(IntoStatic::into_static))
    }

    /// Reads until a line is complete with its literals. Safe to be given up: nothing read is lost.
    async fn message(&mut self) -> io::Result<()> {
        loop {
            match self.incoming.progress() {
                Some(FragmentInfo::Line {
                    announcement: Some(LiteralAnnouncement { mode: LiteralMode::Sync, .. }),
                    ..
                }) => self.proceed("Ready").await?,
                Some(_) if self.incoming.is_message_complete() => return Ok(()),
                Some(_) => {}
                None => self.read().await?,
            }
        }
    }

    async fn read(&mut self) -> io::Result<()> {
        self.flush().await?;
        self.face.counters.count_round_trip();
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer).await? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            count => {
                self.incoming.enqueue_bytes(buffer.get(..count).unwrap_or_default());
                Ok(())
            }
        }
    }

    /// Asks the client to go on.
    pub(super) async fn proceed(&mut self, text: &'static str) -> io::Result<()> {
        let request = CommandContinuationRequest::basic(None, text).map_err(unsendable)?;
        self.send(Response::CommandContinuationRequest(request)).await?;
        self.flush().await
    }

    /// Asks for the next SASL answer.
    pub(super) async fn challenge(&mut self, challenge: &[u8]) -> io::Result<()> {
        let request = CommandContinuationRequest::base64(challenge.to_vec());
        self.send(Response::CommandContinuationRequest(request)).await?;
        self.flush().await
    }

    /// Queues an answer.
    pub(super) async fn send(&mut self, response: Response<'_>) -> io::Result<()> {
        let bytes = ResponseCodec::default().encode(&response).dump();
        self.send_raw(&bytes).await
    }

    /// Queues bytes as they are.
    pub(super) async fn send_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.outgoing.extend_from_slice(bytes);
        if self.outgoing.len() >= GATHER { self.flush().await } else { Ok(()) }
    }

    /// Sends what is queued.
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        if !self.outgoing.is_empty() {
            self.stream.write_all(&self.outgoing).await?;
            self.outgoing.clear();
        }
        self.stream.flush().await
    }

    /// Says goodbye to the stream below: TLS sends its close_notify, TCP its FIN.
    pub(super) async fn close(&mut self) {
        // The client may be gone already; then there is nobody to tell.
        let _ = self.flush().await;
        let _ = self.stream.shutdown().await;
    }

    /// Sends part of a message as a literal, straight from its content.
    pub(super) async fn literal(&mut self, content: &Content, start: u64, length: u64) -> io::Result<()> {
        let length = length.min(content.size().saturating_sub(start));
        self.send_raw(format!("{{{length}}}\r\n").as_bytes()).await?;
        let Some((after, action)) = self.face.faults.in_message(length) else {
            return self.chunks(content.range(start, length)).await;
        };
        self.chunks(content.range(start, after)).await?;
        self.flush().await?;
        match action {
            MessageFault::Drop => Err(ErrorKind::ConnectionAborted.into()),
            MessageFault::Stall(time) => {
                tokio::time::sleep(time).await;
                self.chunks(content.range(start + after, length - after)).await
            }
        }
    }

    async fn chunks(&mut self, chunks: impl Iterator<Item = Bytes>) -> io::Result<()> {
        for chunk in chunks {
            self.face.counters.count_message_bytes(chunk.len() as u64);
            if chunk.len() < GATHER {
                self.send_raw(&chunk).await?;
            } else {
                self.flush().await?;
                self.stream.write_all(&chunk).await?;
            }
        }
        Ok(())
    }
}

/// An answer that imap-codec refuses: a mistake in this crate, reported as a broken connection.
pub(super) fn unsendable(error: impl std::fmt::Display) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, error.to_string())
}
