//! `random`: random numbers of the operating system.

use crate::bindings::wissel::connector::random;
use crate::capability::content::trap;
use crate::refusal::Refusal;
use crate::state::State;

/// Octets that one call may ask for.
const MOST: u32 = 65_536;

impl random::Host for State {
    fn bytes(&mut self, count: u32) -> wasmtime::Result<Vec<u8>> {
        if count > MOST {
            return Err(trap(Refusal::breach(format!(
                "more than {MOST} random octets were asked for at once"
            ))));
        }
        let mut bytes = vec![0; count as usize];
        getrandom::fill(&mut bytes).map_err(|error| wasmtime::Error::msg(error.to_string()))?;
        Ok(bytes)
    }
}
