//! What one session may use of the machine. Wasmtime asks here before it grows anything; network and message limits
//! belong to the capabilities.

use wasmtime::ResourceLimiter;

/// Limits of one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLimits {
    /// Octets of linear memory, all memories together.
    pub memory: usize,
    /// Elements of all tables together.
    pub table_elements: usize,
    /// Octets of one component file.
    pub component: u64,
    /// Whether it may reach the endpoints of its account; without, none is granted.
    pub network: bool,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self { memory: 256 << 20, table_elements: 200_000, component: 64 << 20, network: true }
    }
}

/// Instances, memories and tables of one session: a component made of several modules needs a few.
const PARTS: usize = 64;

/// Counts what a session has taken.
#[derive(Debug)]
pub(crate) struct Meter {
    limits: SessionLimits,
    memory: usize,
    table_elements: usize,
    /// True once memory was refused: a trap that follows is reported as the memory limit.
    pub(crate) memory_refused: bool,
}

impl Meter {
    pub(crate) fn new(limits: SessionLimits) -> Self {
        Self { limits, memory: 0, table_elements: 0, memory_refused: false }
    }

    /// Octets of linear memory that the session may take.
    pub(crate) fn memory_limit(&self) -> usize {
        self.limits.memory
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.memory.saturating_sub(current).saturating_add(desired);
        let granted = total <= self.limits.memory;
        if granted {
            self.memory = total;
        } else {
            self.memory_refused = true;
        }
        Ok(granted)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.table_elements.saturating_sub(current).saturating_add(desired);
        let granted = total <= self.limits.table_elements;
        if granted {
            self.table_elements = total;
        }
        Ok(granted)
    }

    fn instances(&self) -> usize {
        PARTS
    }

    fn tables(&self) -> usize {
        PARTS
    }

    fn memories(&self) -> usize {
        PARTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memories_of_a_session_share_one_limit() {
        let mut meter = Meter::new(SessionLimits { memory: 100, ..SessionLimits::default() });
        assert!(meter.memory_growing(0, 60, None).unwrap());
        assert!(!meter.memory_growing(0, 41, None).unwrap());
        assert!(meter.memory_refused);
        assert!(meter.memory_growing(60, 100, None).unwrap());
    }
}
