//! `http`: requests to the origins that the account's endpoints grant, several at a time behind one blocking connector.
//!
//! A connector sees the final answer only: renewing a token, waiting where the service asks for it, and sending again
//! what may be sent again is done in [`attempts`], under the governor of the mailbox. Redirects are answers like any
//! other: where they lead is for the connector to ask, and to be granted.

pub(crate) mod attempts;
mod challenge;
pub(crate) mod client;
pub(crate) mod failure;
mod inflate;
pub mod payload;
mod request;
mod retry_after;
pub(crate) mod running;

use std::sync::Arc;

use wasmtime::component::Resource;
use wissel_model::{ConnectorError, ErrorKind};

use self::payload::Payload;
use self::request::Checked;
use self::running::{Body, Head, Running};
use crate::bindings::wissel::connector::http;
use crate::bindings::wissel::connector::types::Encoding;
use crate::capability::content::{DeliveryHandle, SourceHandle, part_length, trap};
use crate::inlet::Inlet;
use crate::refusal::Refusal;
use crate::state::State;

/// Octets that one read hands over at most.
const MOST_READ: usize = 1 << 20;

/// A request under way.
pub struct Pending(Option<Result<Running, ConnectorError>>);

/// An answer; closed, it has no body any more.
pub struct Response {
    head: Head,
    body: Option<Inlet<Body>>,
}

impl Response {
    fn body(&mut self) -> Result<&mut Inlet<Body>, ConnectorError> {
        let closed = || ConnectorError::new(ErrorKind::Unsupported, "the answer was closed");
        self.body.as_mut().ok_or_else(closed)
    }
}

impl State {
    fn begin(&mut self, mut request: http::Request) -> Result<Pending, Refusal> {
        let body = request.body.take().map(|body| self.table.delete(body)).transpose()?;
        let checked = Checked::new(&self.context.grants, &request, body);
        let start = |checked| self.seat.start(Arc::clone(&self.context), self.call.clone(), checked);
        Ok(Pending(Some(checked.map(start))))
    }

    /// A header's value, without the session's own secrets.
    fn shown(&self, value: &[u8]) -> String {
        String::from_utf8_lossy(&self.context.echoes.mask(value.to_vec())).into_owned()
    }

    async fn answer(&mut self, pending: Pending) -> Result<Resource<Response>, Refusal> {
        let running = pending.0.ok_or_else(|| Refusal::breach("a request was waited for twice"))??;
        let (head, body) = running.answer(&self.call).await?;
        Ok(self.table.push(Response { head, body: Some(Inlet::new(body)) })?)
    }
}

impl http::Host for State {
    async fn send(&mut self, request: http::Request) -> Result<Resource<Response>, Refusal> {
        let pending = self.begin(request)?;
        self.answer(pending).await
    }

    async fn start(&mut self, request: http::Request) -> wasmtime::Result<Resource<Pending>> {
        let pending = self.begin(request).map_err(trap)?;
        Ok(self.table.push(pending)?)
    }
}

impl http::HostPending for State {
    async fn wait(&mut self, this: Resource<Pending>) -> Result<Resource<Response>, Refusal> {
        let pending = Pending(self.table.get_mut(&this)?.0.take());
        self.answer(pending).await
    }

    async fn drop(&mut self, this: Resource<Pending>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl http::HostPayload for State {
    async fn new(&mut self, data: Vec<u8>) -> wasmtime::Result<Resource<Payload>> {
        let mut payload = Payload::default();
        payload.append(data).map_err(trap)?;
        Ok(self.table.push(payload)?)
    }

    async fn append(&mut self, this: Resource<Payload>, data: Vec<u8>) -> wasmtime::Result<()> {
        self.table.get_mut(&this)?.append(data).map_err(trap)
    }

    async fn append_source(
        &mut self,
        this: Resource<Payload>,
        message: Resource<SourceHandle>,
        offset: u32,
        length: Option<u32>,
        encoding: Encoding,
    ) -> Result<(), Refusal> {
        let source = self.table.get(&message)?.clone();
        let length = part_length(&source, offset, length);
        let payload = self.table.get_mut(&this)?;
        Ok(self.call.wait(payload.append_source(source, offset, length, encoding)).await??)
    }

    async fn counts_as(&mut self, this: Resource<Payload>, requests: u32) -> wasmtime::Result<()> {
        self.table.get_mut(&this)?.requests = requests.max(1);
        Ok(())
    }

    async fn size(&mut self, this: Resource<Payload>) -> wasmtime::Result<u32> {
        Ok(u32::try_from(self.table.get(&this)?.size()).unwrap_or(u32::MAX))
    }

    async fn drop(&mut self, this: Resource<Payload>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl http::HostResponse for State {
    async fn status(&mut self, this: Resource<Response>) -> wasmtime::Result<u16> {
        Ok(self.table.get(&this)?.head.status.as_u16())
    }

    async fn header(&mut self, this: Resource<Response>, name: String) -> wasmtime::Result<Option<String>> {
        let values = self.table.get(&this)?.head.headers.get_all(name.as_str());
        let values: Vec<_> = values.iter().map(|value| self.shown(value.as_bytes())).collect();
        Ok((!values.is_empty() && !is_secret(&name)).then(|| values.join(", ")))
    }

    async fn headers(&mut self, this: Resource<Response>) -> wasmtime::Result<Vec<(String, String)>> {
        let headers = self.table.get(&this)?.head.headers.iter();
        Ok(headers
            .filter(|(name, _)| !is_secret(name.as_str()))
            .map(|(name, value)| (name.to_string(), self.shown(value.as_bytes())))
            .collect())
    }

    async fn read(&mut self, this: Resource<Response>, max: u32) -> Result<Vec<u8>, Refusal> {
        let response = self.table.get_mut(&this)?;
        let read = response.body()?.read(&self.call, (max as usize).min(MOST_READ)).await?;
        Ok(self.context.echoes.mask(read))
    }

    async fn read_all(&mut self, this: Resource<Response>, limit: u32) -> Result<Vec<u8>, Refusal> {
        let response = self.table.get_mut(&this)?;
        let read = response.body()?.read_all(&self.call, limit as usize).await?;
        Ok(self.context.echoes.mask(read))
    }

    async fn read_until(
        &mut self,
        this: Resource<Response>,
        delimiter: Vec<u8>,
        max: u32,
    ) -> Result<Vec<u8>, Refusal> {
        expect_delimiter(&delimiter)?;
        let response = self.table.get_mut(&this)?;
        let read = response.body()?.read_until(&self.call, &delimiter, max as usize).await?;
        Ok(self.context.echoes.mask(read))
    }

    async fn splice(
        &mut self,
        this: Resource<Response>,
        _into: Resource<DeliveryHandle>,
        encoding: Encoding,
    ) -> Result<u32, Refusal> {
        let response = self.table.get_mut(&this)?;
        let intake =
            self.intake.as_mut().ok_or_else(|| Refusal::breach("a delivery was used after its call"))?;
        let taken = response.body()?.splice(&self.call, u64::MAX, intake, encoding).await?;
        Ok(u32::try_from(taken).unwrap_or(u32::MAX))
    }

    async fn splice_until(
        &mut self,
        this: Resource<Response>,
        delimiter: Vec<u8>,
        _into: Resource<DeliveryHandle>,
        encoding: Encoding,
    ) -> Result<u32, Refusal> {
        expect_delimiter(&delimiter)?;
        let response = self.table.get_mut(&this)?;
        let intake =
            self.intake.as_mut().ok_or_else(|| Refusal::breach("a delivery was used after its call"))?;
        let taken = response.body()?.splice_until(&self.call, &delimiter, intake, encoding).await?;
        Ok(u32::try_from(taken).unwrap_or(u32::MAX))
    }

    async fn close(&mut self, this: Resource<Response>) -> wasmtime::Result<()> {
        self.table.get_mut(&this)?.body = None;
        Ok(())
    }

    async fn drop(&mut self, this: Resource<Response>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

/// Cookies are the host's, and often credentials.
fn is_secret(header: &str) -> bool {
    header.eq_ignore_ascii_case("set-cookie")
}

fn expect_delimiter(delimiter: &[u8]) -> Result<(), Refusal> {
    if delimiter.is_empty() { Err(Refusal::breach("a delimiter was empty")) } else { Ok(()) }
}
