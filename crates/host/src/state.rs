//! What a session's store holds beside the component: who it acts for, what it may reach, and what it has open.

use std::sync::Arc;
use std::time::Instant;

use wasmtime::component::ResourceTable;
use wissel_model::description::AuthMethod;
use wissel_model::secrets::{SecretError, Secrets, code};
use wissel_model::{Account, ConnectorError, ErrorKind};

use crate::call::Call;
use crate::capability::http::client::Clients;
use crate::capability::http::slots::Slots;
use crate::capability::log::Budget;
use crate::echo::Echoes;
use crate::grants::Grants;
use crate::intake::Intake;
use crate::limits::Meter;
use crate::refusal::Refusal;
use crate::tls::Trust;

/// Resources that a session may hold at once.
pub(crate) const MOST_HANDLES: usize = 10_000;

/// On whose behalf a session acts. Fixed for its life.
pub(crate) struct Context {
    pub(crate) account: Account,
    pub(crate) auth: AuthMethod,
    pub(crate) grants: Grants,
    pub(crate) secrets: Arc<dyn Secrets>,
    pub(crate) trust: Arc<Trust>,
    pub(crate) clients: Arc<Clients>,
    pub(crate) purpose: String,
}

impl Context {
    /// The secret of the account's auth method.
    pub(crate) async fn secret(&self) -> Result<secrecy::SecretString, ConnectorError> {
        let field = self.auth.kind.secret_field();
        self.secrets.secret(self.account.id, field).await.map_err(|error| {
            let code = match error {
                SecretError::Missing(_) => code::NO_SECRET,
                SecretError::Unreadable(_) => code::VAULT,
            };
            ConnectorError::new(ErrorKind::AuthorizationNeeded, error.to_string()).with_code(code)
        })
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
    pub(crate) slots: Slots,
    /// Connections that are open now.
    pub(crate) connections: usize,
    pub(crate) log: Budget,
    /// The secrets that were asked for; see [`crate::echo`].
    pub(crate) echoes: Echoes,
    pub(crate) started: Instant,
}

impl State {
    pub(crate) fn new(context: Arc<Context>, meter: Meter, call: Call, parallel_requests: usize) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(MOST_HANDLES);
        Self {
            table,
            meter,
            call,
            context,
            intake: None,
            slots: Slots::new(parallel_requests),
            connections: 0,
            log: Budget::new(),
            echoes: Echoes::default(),
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
