//! `streams`: connections to the stream endpoints that the account grants, for line protocols.
//!
//! Name, port, TLS and certificates are the host's; a connector names an endpoint. A secret is written only under TLS,
//! or where the operator allowed that endpoint by name. A proxy of the account is passed through; see [`crate::proxy`].

mod wire;

use std::time::Duration;

use wasmtime::component::Resource;
use wissel_model::{ConnectorError, ErrorKind};

use self::wire::Wire;
use crate::bindings::wissel::connector::streams::{self, Readiness, Security};
use crate::bindings::wissel::connector::types::Encoding;
use crate::capability::content::{DeliveryHandle, Pieces, SourceHandle, part_length};
use crate::capability::credentials::Sealed;
use crate::grants::{StreamGrant, TlsMode};
use crate::inlet::Inlet;
use crate::proxy;
use crate::refusal::Refusal;
use crate::state::State;
use crate::tls::Profile;

/// Connections that one session may hold open.
const MOST_CONNECTIONS: usize = 4;
/// Octets that one read hands over at most.
const MOST_READ: usize = 1 << 20;

/// A connection of the session.
pub struct Connection {
    grant: StreamGrant,
    security: Security,
    inlet: Inlet<Wire>,
    open: bool,
}

impl Connection {
    /// Message content and secrets wait for TLS where the account demands it.
    fn expect_protected(&self) -> Result<(), ConnectorError> {
        if self.security == Security::StartTlsRequired {
            let message = format!("endpoint '{}' demands STARTTLS first", self.grant.name);
            return Err(ConnectorError::new(ErrorKind::PermissionMissing, message).with_code("clear-text"));
        }
        Ok(())
    }

    fn expect_secret_allowed(&self) -> Result<(), ConnectorError> {
        self.expect_protected()?;
        if self.security == Security::Tls || self.grant.clear_text {
            return Ok(());
        }
        Err(clear_text_refused(&self.grant.name))
    }
}

/// What a secret is refused with that would go out in the clear.
pub(super) fn clear_text_refused(endpoint: &str) -> ConnectorError {
    let message = format!(
        "a secret may not go to endpoint '{endpoint}' in the clear; use TLS, or allow it with \
         allow-clear-text = [\"{endpoint}\"] in the account's connection"
    );
    ConnectorError::new(ErrorKind::PermissionMissing, message).with_code("clear-text")
}

impl streams::Host for State {
    async fn connect(&mut self, endpoint: String) -> Result<Resource<Connection>, Refusal> {
        if self.connections >= MOST_CONNECTIONS {
            let message = format!("{MOST_CONNECTIONS} connections are open already; close one first");
            return Err(ConnectorError::new(ErrorKind::Unsupported, message).into());
        }
        let context = &self.context;
        let policy = &context.account.connection;
        let grant = context.grants.stream(&endpoint)?.clone();
        let within = Duration::from_secs(policy.connect_timeout_seconds.into());
        let idle = Duration::from_secs(policy.idle_timeout_seconds.into());
        let via = proxy::via(&context.account, context.wallet.stored(), &grant.host, grant.port).await?;
        let mut wire = Wire::dial(&grant, via.as_ref(), &self.call, within, idle).await?;
        let security = match grant.tls {
            TlsMode::Clear => Security::Clear,
            TlsMode::StartTls => Security::StartTlsRequired,
            TlsMode::Implicit => {
                let config = context.trust.config(Profile::of(policy)).await?;
                wire.start_tls(&grant, config, &self.call, within).await?;
                Security::Tls
            }
        };
        let (account, host, port) = (context.account.name.as_str(), grant.host.as_str(), grant.port);
        tracing::debug!(account, endpoint, host, port, ?security, proxied = via.is_some(), "connected");
        let connection = Connection { grant, security, inlet: Inlet::new(wire), open: true };
        let connection = self.table.push(connection)?;
        self.connections += 1;
        Ok(connection)
    }
}

impl streams::HostConnection for State {
    async fn security(&mut self, this: Resource<Connection>) -> wasmtime::Result<Security> {
        Ok(self.table.get(&this)?.security)
    }

    async fn read(&mut self, this: Resource<Connection>, max: u32) -> Result<Vec<u8>, Refusal> {
        let connection = self.table.get_mut(&this)?;
        let read = connection.inlet.read(&self.call, (max as usize).min(MOST_READ)).await?;
        Ok(self.context.echoes.mask(read))
    }

    async fn read_line(&mut self, this: Resource<Connection>, max: u32) -> Result<Vec<u8>, Refusal> {
        let connection = self.table.get_mut(&this)?;
        let read = connection.inlet.read_until(&self.call, b"\n", max as usize).await?;
        Ok(self.context.echoes.mask(read))
    }

    async fn read_exact(&mut self, this: Resource<Connection>, count: u32) -> Result<Vec<u8>, Refusal> {
        let connection = self.table.get_mut(&this)?;
        let read = connection.inlet.read_exact(&self.call, count as usize).await?;
        let read = read.ok_or_else(|| closed_early(&connection.grant))?;
        Ok(self.context.echoes.mask(read))
    }

    async fn splice(
        &mut self,
        this: Resource<Connection>,
        count: u32,
        _into: Resource<DeliveryHandle>,
        encoding: Encoding,
    ) -> Result<(), Refusal> {
        let connection = self.table.get_mut(&this)?;
        connection.expect_protected()?;
        let intake =
            self.intake.as_mut().ok_or_else(|| Refusal::breach("a delivery was used after its call"))?;
        let moved = connection.inlet.splice(&self.call, count.into(), intake, encoding).await?;
        if moved < u64::from(count) {
            return Err(closed_early(&connection.grant).into());
        }
        Ok(())
    }

    async fn poll(&mut self, this: Resource<Connection>, timeout_ms: u32) -> Result<Readiness, Refusal> {
        let connection = self.table.get_mut(&this)?;
        connection.inlet.feed.flush(&self.call).await?;
        if connection.inlet.buffered() > 0 {
            return Ok(Readiness::Ready);
        }
        connection.inlet.feed.patient = true;
        let interrupt = self.call.interrupt.clone();
        let readiness = tokio::select! {
            biased;
            more = connection.inlet.more(&self.call) => more.map(|_| Readiness::Ready),
            () = interrupt.cancelled() => Ok(Readiness::Interrupted),
            () = tokio::time::sleep(Duration::from_millis(timeout_ms.into())) => Ok(Readiness::TimedOut),
        };
        connection.inlet.feed.patient = false;
        Ok(readiness?)
    }

    async fn write(&mut self, this: Resource<Connection>, data: Vec<u8>) -> Result<(), Refusal> {
        let connection = self.table.get_mut(&this)?;
        Ok(connection.inlet.feed.write(&data, &self.call).await?)
    }

    async fn write_source(
        &mut self,
        this: Resource<Connection>,
        message: Resource<SourceHandle>,
        offset: u32,
        length: Option<u32>,
        encoding: Encoding,
    ) -> Result<(), Refusal> {
        let source = self.table.get(&message)?.clone();
        let connection = self.table.get_mut(&this)?;
        connection.expect_protected()?;
        let length = part_length(&source, offset, length);
        let mut pieces = Pieces::new(source, offset, length, encoding);
        while let Some(piece) = self.call.wait(pieces.next()).await?? {
            connection.inlet.feed.write(&piece, &self.call).await?;
        }
        Ok(())
    }

    async fn write_sealed(
        &mut self,
        this: Resource<Connection>,
        secret: Resource<Sealed>,
    ) -> Result<(), Refusal> {
        let connection = self.table.get(&this)?;
        connection.expect_secret_allowed()?;
        let secret = self.table.get(&secret)?.open_for(&connection.grant.name)?;
        let connection = self.table.get_mut(&this)?;
        Ok(connection.inlet.feed.write_secret(&secret, &self.call).await?)
    }

    async fn flush(&mut self, this: Resource<Connection>) -> Result<(), Refusal> {
        let connection = self.table.get_mut(&this)?;
        Ok(connection.inlet.feed.flush(&self.call).await?)
    }

    async fn start_tls(&mut self, this: Resource<Connection>) -> Result<(), Refusal> {
        let policy = &self.context.account.connection;
        let config = self.context.trust.config(Profile::of(policy)).await?;
        let connection = self.table.get_mut(&this)?;
        if connection.security == Security::Tls {
            return Err(ConnectorError::new(ErrorKind::Protocol, "TLS was begun already").into());
        }
        connection.inlet.feed.flush(&self.call).await?;
        if connection.inlet.buffered() > 0 {
            connection.inlet.feed.close();
            let message = format!(
                "endpoint '{}' sent more before TLS began than it was asked for; somebody may sit on the wire",
                connection.grant.name
            );
            let error = ConnectorError::new(ErrorKind::Protocol, message).with_code("command-injection");
            return Err(error.lost().into());
        }
        let within = Duration::from_secs(policy.connect_timeout_seconds.into());
        connection.inlet.feed.start_tls(&connection.grant, config, &self.call, within).await?;
        connection.security = Security::Tls;
        Ok(())
    }

    async fn close(&mut self, this: Resource<Connection>) -> wasmtime::Result<()> {
        let connection = self.table.get_mut(&this)?;
        connection.inlet.feed.close();
        if std::mem::take(&mut connection.open) {
            self.connections -= 1;
        }
        Ok(())
    }

    async fn drop(&mut self, this: Resource<Connection>) -> wasmtime::Result<()> {
        if self.table.delete(this)?.open {
            self.connections -= 1;
        }
        Ok(())
    }
}

fn closed_early(grant: &StreamGrant) -> ConnectorError {
    let message = format!("endpoint '{}' closed the connection in the middle of an answer", grant.name);
    ConnectorError::new(ErrorKind::Temporary, message).with_code("connection-lost").lost()
}
