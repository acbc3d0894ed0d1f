//! `content`: the resources by which message bytes pass through the host. The rules of a delivery are in
//! [`crate::intake`], the encodings in [`crate::coding`].

use std::sync::Arc;

use wasmtime::component::Resource;
use wissel_model::{ConnectorError, DeliveryInfo, MessageId, Source};

use crate::bindings::wissel::connector::content::{self, DeliveryInfo as ContractInfo};
use crate::bindings::wissel::connector::types::{self, Encoding};
use crate::coding::Encoder;
use crate::convert;
use crate::refusal::Refusal;
use crate::state::State;

/// Octets read from a source at a time; a multiple of three keeps base64 without a rest.
pub(crate) const SOURCE_PIECE: u32 = 48 << 10;

/// Stands for the delivery of the running call; the session's state holds it.
#[derive(Debug)]
pub struct DeliveryHandle;

/// An outgoing message.
#[derive(Clone)]
pub struct SourceHandle(pub(crate) Arc<dyn Source>);

impl content::Host for State {}

impl content::HostDelivery for State {
    async fn begin(
        &mut self,
        _delivery: Resource<DeliveryHandle>,
        message: String,
        info: ContractInfo,
    ) -> Result<(), Refusal> {
        let (intake, call) = self.intake()?;
        intake.begin(call, MessageId::from(message), delivery_info(info)).await
    }

    async fn write(
        &mut self,
        _delivery: Resource<DeliveryHandle>,
        data: Vec<u8>,
        encoding: Encoding,
    ) -> Result<(), Refusal> {
        let (intake, call) = self.intake()?;
        intake.write(call, &data, encoding).await
    }

    async fn end(&mut self, _delivery: Resource<DeliveryHandle>) -> Result<u32, Refusal> {
        let (intake, call) = self.intake()?;
        intake.end(call).await
    }

    async fn fail(
        &mut self,
        _delivery: Resource<DeliveryHandle>,
        message: String,
        reason: types::Error,
    ) -> wasmtime::Result<()> {
        let reason = convert::error(reason);
        let failed = match self.intake() {
            Ok((intake, _)) => intake.fail(MessageId::from(message), reason).await,
            Err(refusal) => Err(refusal),
        };
        failed.map_err(trap)
    }

    async fn drop(&mut self, delivery: Resource<DeliveryHandle>) -> wasmtime::Result<()> {
        self.table.delete(delivery)?;
        Ok(())
    }
}

impl content::HostSource for State {
    async fn size(&mut self, source: Resource<SourceHandle>) -> wasmtime::Result<u32> {
        Ok(self.table.get(&source)?.0.size())
    }

    async fn encoded_size(
        &mut self,
        source: Resource<SourceHandle>,
        encoding: Encoding,
    ) -> wasmtime::Result<u32> {
        let source = self.table.get(&source)?.clone();
        let size = encoded_size(&source, 0, source.0.size(), encoding).await.map_err(|e| trap(e.into()))?;
        Ok(u32::try_from(size).unwrap_or(u32::MAX))
    }

    async fn read(
        &mut self,
        source: Resource<SourceHandle>,
        offset: u32,
        max: u32,
    ) -> Result<Vec<u8>, Refusal> {
        let source = self.table.get(&source)?.clone();
        Ok(self.call.wait(source.0.read(offset, max)).await??)
    }

    async fn point_of_no_return(&mut self, source: Resource<SourceHandle>) -> wasmtime::Result<()> {
        self.table.get(&source)?.0.point_of_no_return();
        Ok(())
    }

    async fn drop(&mut self, source: Resource<SourceHandle>) -> wasmtime::Result<()> {
        self.table.delete(source)?;
        Ok(())
    }
}

/// Octets of a part of a source once encoded.
pub(crate) async fn encoded_size(
    source: &SourceHandle,
    offset: u32,
    length: u32,
    encoding: Encoding,
) -> Result<u64, ConnectorError> {
    if let Some(size) = Encoder::encoded_size(encoding, length) {
        return Ok(size);
    }
    let mut pieces = Pieces::new(source.clone(), offset, length, encoding);
    let mut size = 0;
    while let Some(piece) = pieces.next().await? {
        size += piece.len() as u64;
    }
    Ok(size)
}

/// A part of a source, encoded piece by piece.
pub(crate) struct Pieces {
    source: SourceHandle,
    offset: u32,
    left: u32,
    encoder: Encoder,
}

impl Pieces {
    pub(crate) fn new(source: SourceHandle, offset: u32, length: u32, encoding: Encoding) -> Self {
        Self { source, offset, left: length, encoder: Encoder::new(encoding) }
    }

    /// The next piece, none at the end. A source that is shorter than it said is `temporary`.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<u8>>, ConnectorError> {
        if self.left == 0 {
            return Ok(None);
        }
        let piece = self.source.0.read(self.offset, self.left.min(SOURCE_PIECE)).await?;
        let read = u32::try_from(piece.len()).unwrap_or(u32::MAX);
        if read == 0 || read > self.left {
            let problem = "the outgoing message changed its size while it was read";
            return Err(ConnectorError::new(wissel_model::ErrorKind::Temporary, problem));
        }
        self.offset += read;
        self.left -= read;
        Ok(Some(self.encoder.encode(piece, self.left == 0)))
    }
}

/// How many octets a part of a source has: `length`, or all that remain.
pub(crate) fn part_length(source: &SourceHandle, offset: u32, length: Option<u32>) -> u32 {
    let remaining = source.0.size().saturating_sub(offset);
    length.map_or(remaining, |length| length.min(remaining))
}

pub(crate) fn delivery_info(info: ContractInfo) -> DeliveryInfo {
    let received = info.received.and_then(|text| convert::date(&text));
    DeliveryInfo { size: info.size, received, read: info.read }
}

/// For host functions that cannot return an error: whatever goes wrong ends the session.
pub(crate) fn trap(refusal: Refusal) -> wasmtime::Error {
    match refusal {
        Refusal::Trap(trap) => trap,
        Refusal::Error(error) => wasmtime::Error::new(error),
    }
}
