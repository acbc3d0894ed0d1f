//! The one wasmtime engine: how components are compiled, and the tick by which a running one is interrupted.
//!
//! What a component may reach is not decided here, but in [`crate::linker`] and the capabilities.

use std::path::Path;
use std::time::Duration;

use wasmtime::{Cache, CacheConfig, Config, Engine};

/// How often a running component gives way to others, and how exactly a deadline is kept.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// Octets of stack for a component's own frames; the fiber has room for the host's functions on top.
const WASM_STACK: usize = 512 << 10;
const FIBER_STACK: usize = 2 << 20;

/// Makes the engine. Compiled components are kept in `cache`, where wasmtime keys them by content, its version and
/// this configuration. Must be private to this user: what lies there is run as machine code.
pub(crate) fn engine(cache: &Path) -> wasmtime::Result<Engine> {
    let mut kept = CacheConfig::new();
    kept.with_directory(cache);
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .concurrency_support(false)
        .epoch_interruption(true)
        .max_wasm_stack(WASM_STACK)
        .async_stack_size(FIBER_STACK)
        .cache(Some(Cache::new(kept)?));
    let engine = Engine::new(&config)?;
    start_ticking(&engine)?;
    Ok(engine)
}

/// Ticks on a thread of its own, so that no busy runtime can hold it up; ends with the engine.
fn start_ticking(engine: &Engine) -> wasmtime::Result<()> {
    let engine = engine.weak();
    std::thread::Builder::new().name("wissel-epoch".to_owned()).spawn(move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(TICK);
        }
    })?;
    Ok(())
}
