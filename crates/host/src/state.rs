//! What a session's store holds beside the component: who it acts for, what it may reach, and what it has open.

use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmtime::component::ResourceTable;
use wissel_model::description::AuthMethod;
use wissel_model::{Account, ConnectorError};

use crate::call::Call;
use crate::capability::http::client::Clients;
use crate::capability::http::running::Seat;
use crate::capability::log::Budget;
use crate::echo::Echoes;
use crate::grants::Grants;
use crate::intake::Intake;
use crate::limits::Meter;
use crate::refusal::Refusal;
use crate::tls::Trust;
use crate::wallet::Wallet;

/// Resources that a session may hold at once.
pub(crate) const MOST_HANDLES: usize = 10_000;

/// On whose behalf a session acts. Fixed for its life.
pub(crate) struct Context {
    pub(crate) account: Account,
    pub(crate) auth: AuthMethod,
    pub(crate) grants: Grants,
    pub(crate) wallet: Wallet,
    pub(crate) trust: Arc<Trust>,
    pub(crate) clients: Arc<Clients>,
    pub(crate) purpose: String,
    /// The secrets that were asked for; see [`crate::echo`].
    pub(crate) echoes: Echoes,
}

impl Context {
    /// The secret of the account's auth method.
    pub(crate) async fn secret(&self) -> Result<secrecy::SecretString, ConnectorError> {
        self.wallet.secret(&self.account, &self.auth).await
    }

    /// How long a connection may stay silent while an answer is awaited.
    pub(crate) fn idle(&self) -> Duration {
        Duration::from_secs(self.account.connection.idle_timeout_seconds.into())
    }

    /// Who signs in; empty when the connector does not describe it.
    pub(crate) fn user(&self) -> String {
        let template = self.auth.user.as_deref().unwrap_or_default();
        wissel_model::settings::fill(template, &self.account.values()).trim().to_owned()
    }
}

/// The data of one session's store.
pub(crate) struct State {
    pub(crate) table: ResourceTable,
    pub(crate) meter: Meter,
    pub(crate) call: Call,
    pub(crate) context: Arc<Context>,
    /// The messages of the running `fetch`.
    pub(crate) intake: Option<Intake>,
    pub(crate) seat: Seat,
    /// Connections that are open now.
    pub(crate) connections: usize,
    pub(crate) log: Budget,
    pub(crate) started: Instant,
}

impl State {
    pub(crate) fn new(context: Arc<Context>, meter: Meter, call: Call, seat: Seat) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(MOST_HANDLES);
        Self {
            table,
            meter,
            call,
            context,
            intake: None,
            seat,
            connections: 0,
            log: Budget::new(),
            started: Instant::now(),
        }
    }

    /// The delivery of the running call.
    pub(crate) fn intake(&mut self) -> Result<(&mut Intake, &Call), Refusal> {
        let intake = self.intake.as_mut();
        let intake = intake.ok_or_else(|| Refusal::breach("a delivery was used after its call"))?;
        Ok((intake, &self.call))
    }
}
