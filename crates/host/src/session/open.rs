//! From an account to a running session.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::{Engine, Store, UpdateDeadline};
use wissel_model::secrets::Secrets;
use wissel_model::{Account, ConnectorError, Description, ErrorKind, OpenOptions, settings};

use super::{Entry, Live, WasmSession, guarded, stopped, with_reason};
use crate::call::Call;
use crate::capability::http::client::Clients;
use crate::convert;
use crate::fault;
use crate::grants::Grants;
use crate::limits::{Meter, SessionLimits};
use crate::loader::Loaded;
use crate::state::{Context, State};
use crate::tls::Trust;

/// Requests under way at once, for a connector that does not say.
const PARALLEL_REQUESTS: u32 = 4;
/// No connector needs more, whatever it says.
const MOST_PARALLEL_REQUESTS: u32 = 64;

/// What a session needs of the host.
#[derive(Clone)]
pub(crate) struct Opening {
    pub(crate) engine: Engine,
    pub(crate) secrets: Arc<dyn Secrets>,
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
    let requests = description.limits.parallel_requests.unwrap_or(PARALLEL_REQUESTS);
    let granted = Grants::new(&description, &account)?;
    let grants = if host.limits.network { granted } else { Grants::default() };
    let context = Context {
        account,
        auth,
        grants,
        secrets: host.secrets,
        trust: host.trust,
        clients: host.clients,
        purpose: options.purpose,
    };
    let call = Call::new(options.cancel, options.interrupt, time);
    let requests = requests.clamp(1, MOST_PARALLEL_REQUESTS) as usize;
    let state = State::new(Arc::new(context), Meter::new(host.limits), call, requests);
    let store = store(&host.engine, state);
    let live = start(store, &loaded, time, handed_over).await?;
    Ok(WasmSession { description, time, live: Ok(live) })
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
    settings: Vec<(String, String)>,
) -> Result<Live, ConnectorError> {
    let name = &loaded.description.name;
    let world = match loaded.pre.instantiate_async(&mut store).await {
        Ok(world) => world,
        Err(trap) => return Err(fault::trapped(name, "open", &trap, &store.data().meter)),
    };
    let guest = world.wissel_connector_email_account();
    let opening = guarded(&mut store, time, async |store: &mut Store<State>| {
        guest.session().call_open(store, &settings).await
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
