//! From an account to a running session.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::{Engine, Store, UpdateDeadline};
use wissel_model::{Account, ConnectorError, Description, ErrorKind, OpenOptions, settings};

use super::{Entry, Live, WasmSession, guarded, stopped, with_reason};
use crate::call::Call;
use crate::capability::http::client::Clients;
use crate::capability::http::running::Seat;
use crate::convert;
use crate::echo::Echoes;
use crate::fault;
use crate::governor::{Allowance, Governors};
use crate::grants::Grants;
use crate::limits::{Meter, SessionLimits};
use crate::loader::Loaded;
use crate::state::{Context, State};
use crate::tls::Trust;
use crate::wallet::{Sources, Wallet};

/// What a session needs of the host.
#[derive(Clone)]
pub(crate) struct Opening {
    pub(crate) engine: Engine,
    pub(crate) sources: Sources,
    pub(crate) governors: Arc<Governors>,
    pub(crate) trust: Arc<Trust>,
    pub(crate) clients: Arc<Clients>,
    pub(crate) limits: SessionLimits,
}

/// Opens a session of the account on this connector.
pub(crate) async fn open(
    host: Opening,
    loaded: Arc<Loaded>,
    account: &Account,
    options: OpenOptions,
) -> Result<WasmSession, ConnectorError> {
    let description = Arc::clone(&loaded.description);
    let (account, handed_over) = complete(&description, account)?;
    let auth = description.auth_method(&account.auth).cloned().ok_or_else(|| {
        let known: Vec<&str> = description.auth.iter().map(|a| a.id.as_str()).collect();
        let message =
            format!("there is no auth method '{}'; choose one of {}", account.auth, known.join(", "));
        ConnectorError::new(ErrorKind::InvalidSetting, message).with_setting("auth")
    })?;
    if account.connection.allow_untrusted_certificate {
        tracing::warn!(
            account = account.name,
            "any certificate is accepted: whoever sits on the wire can read the credential"
        );
    }
    let time = Duration::from_secs(account.connection.call_timeout_seconds.into());
    let granted = Grants::new(&description, &account)?;
    let grants = if host.limits.network { granted } else { Grants::default() };
    let context = Context {
        account,
        auth,
        grants,
        wallet: Wallet::new(host.sources, Arc::clone(&description)),
        trust: host.trust,
        clients: host.clients,
        purpose: options.purpose,
        echoes: Echoes::default(),
    };
    let call = Call::new(options.cancel, options.interrupt, time);
    let governors = context.grants.has_origins().then(|| (Arc::clone(&host.governors), context.account.id));
    let session = host.governors.admit(context.account.id, &Allowance::of(&description.limits));
    let seat = Seat { governors: host.governors, session };
    let context = Arc::new(context);
    let fresh = || {
        let meter = Meter::new(host.limits);
        store(&host.engine, State::new(Arc::clone(&context), meter, call.clone(), seat.clone()))
    };
    let live = match start(fresh(), &loaded, time, &handed_over).await {
        // A token that a line protocol refused may have been withdrawn before its time: one more, and no third.
        Err(refused) if refused.kind == ErrorKind::AuthorizationNeeded => {
            let renewed = call.wait(context.wallet.renewed_after_sasl(&context.account, &context.auth)).await;
            if !renewed?? {
                return Err(refused);
            }
            start(fresh(), &loaded, time, &handed_over).await?
        }
        started => started?,
    };
    Ok(WasmSession { description, governors, introduced: false, time, live: Ok(live) })
}

/// A store that gives way at each tick and ends with the time of its call.
fn store(engine: &Engine, state: State) -> Store<State> {
    let answer = state.meter.limits().answer;
    let mut store = Store::new(engine, state);
    store.limiter(|state| &mut state.meter);
    store.set_hostcall_fuel(answer);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut context| match context.data_mut().call.overrun() {
        Some(overrun) => Err(wasmtime::Error::new(overrun)),
        // Not wasmtime's own yield: tokio's lets the runtime look at its sockets and timers first.
        None => Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now()))),
    });
    store
}

/// Instantiates the component and lets it open its session.
async fn start(
    mut store: Store<State>,
    loaded: &Loaded,
    time: Duration,
    settings: &[(String, String)],
) -> Result<Live, ConnectorError> {
    let name = &loaded.description.name;
    let world = match loaded.pre.instantiate_async(&mut store).await {
        Ok(world) => world,
        Err(trap) => return Err(fault::trapped(name, "open", &trap, &store.data().meter)),
    };
    let guest = world.wissel_connector_email_account();
    let opening = guarded(&mut store, time, async |store: &mut Store<State>| {
        guest.session().call_open(store, settings).await
    });
    match opening.await {
        Ok(Ok(session)) => Ok(Live { entry: Entry { guest: guest.clone(), session }, store }),
        Ok(Err(error)) => Err(with_reason(convert::error(error), stopped(store.data()))),
        Err(trap) => Err(fault::trapped(name, "open", &trap, &store.data().meter)),
    }
}

/// The account with its settings in canonical form, and those that the component may see.
fn complete(
    description: &Description,
    account: &Account,
) -> Result<(Account, Vec<(String, String)>), ConnectorError> {
    let settings = settings::of_account(description, account).map_err(|errors| {
        let key = errors.first().map(|error| error.key.clone()).unwrap_or_default();
        let problems: Vec<String> = errors.iter().map(ToString::to_string).collect();
        ConnectorError::new(ErrorKind::InvalidSetting, problems.join("; ")).with_setting(key)
    })?;
    // Secret settings are not among the canonical ones.
    let handed_over = settings.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    Ok((Account { settings, ..account.clone() }, handed_over))
}
