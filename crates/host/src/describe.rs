//! Asks a component for its description with every import cut off: whatever it calls, traps.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store, UpdateDeadline};

use crate::call::Call;
use crate::description::LARGEST;
use crate::limits::{Meter, SessionLimits};
use crate::rejection::Rejection;
use crate::text::cleaned;

/// Time that a description may take, beside the grace of a call.
const TIME: Duration = Duration::from_secs(5);

const EXPORT: &str = "wissel:connector/email-account@0.1.0";

struct Denied {
    meter: Meter,
    call: Call,
}

/// The text that `describe` returns.
pub(crate) async fn describe(
    engine: &Engine,
    component: &Component,
    limits: SessionLimits,
) -> Result<String, Rejection> {
    let call = Call::new(CancellationToken::new(), CancellationToken::new(), TIME);
    let mut store = Store::new(engine, Denied { meter: Meter::new(limits), call });
    store.limiter(|denied| &mut denied.meter);
    // Longer ones are refused by the check anyway; this keeps them out of the host.
    store.set_hostcall_fuel(2 * LARGEST);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut context| match context.data_mut().call.overrun() {
        Some(overrun) => Err(wasmtime::Error::new(overrun)),
        None => Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now()))),
    });
    let described = async {
        let mut linker = Linker::new(engine);
        linker.define_unknown_imports_as_traps(component)?;
        let instance = linker.instantiate_async(&mut store, component).await?;
        // Not through the bindings: they compare resource types, and those of stubs are nobody's.
        let function = instance
            .get_export_index(&mut store, None, EXPORT)
            .and_then(|interface| instance.get_export_index(&mut store, Some(&interface), "describe"))
            .ok_or_else(|| wasmtime::Error::msg("it is not exported"))?;
        let describe = instance.get_typed_func::<(), (String,)>(&mut store, function)?;
        Ok(describe.call_async(&mut store, ()).await?.0)
    };
    described.await.map_err(|error: wasmtime::Error| {
        tracing::debug!(trap = ?error, "describe() failed");
        Rejection::NoDescription { problem: cleaned(&error.root_cause().to_string(), 300) }
    })
}
