//! `clock`: time, and waiting that a stop ends at once.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use crate::bindings::wissel::connector::clock;
use crate::refusal::Refusal;
use crate::state::State;

impl clock::Host for State {
    async fn now_ms(&mut self) -> wasmtime::Result<f64> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok((now.as_secs_f64() * 1000.0).floor())
    }

    async fn monotonic_ms(&mut self) -> wasmtime::Result<f64> {
        Ok((self.started.elapsed().as_secs_f64() * 1000.0).floor())
    }

    async fn remaining_ms(&mut self) -> wasmtime::Result<u32> {
        let left = self.call.deadline.saturating_duration_since(Instant::now());
        Ok(u32::try_from(left.as_millis()).unwrap_or(u32::MAX))
    }

    async fn sleep(&mut self, ms: u32) -> Result<(), Refusal> {
        Ok(self.call.wait(tokio::time::sleep(Duration::from_millis(ms.into()))).await?)
    }
}
