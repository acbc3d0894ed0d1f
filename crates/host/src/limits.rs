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
    /// Octets that one answer, or one call of a host function, may hand over: what the host holds of it at a time.
    pub answer: usize,
    /// Octets of one component file.
    pub component: u64,
    /// Whether it may reach the endpoints of its account; without, none is granted.
    pub network: bool,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self {
            memory: 256 << 20,
            table_elements: 200_000,
            answer: 64 << 20,
            component: 64 << 20,
            network: true,
        }
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
    /// True once elements of a table were refused.
    pub(crate) table_refused: bool,
}

impl Meter {
    pub(crate) fn new(limits: SessionLimits) -> Self {
        Self { limits, memory: 0, table_elements: 0, memory_refused: false, table_refused: false }
    }

    /// What the session may take.
    pub(crate) fn limits(&self) -> SessionLimits {
        self.limits
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
        } else {
            self.table_refused = true;
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

    /// A core module, by hand: a table of one element, and `g`, which asks for a million more and returns what it is told.
    const TABLE: &[u8] = b"\0asm\x01\0\0\0\x01\x05\x01\x60\0\x01\x7f\x03\x02\x01\0\x04\x04\x01\x70\0\x01\
        \x07\x05\x01\x01g\0\0\x0a\x0d\x01\x0b\0\xd0\x70\x41\xc0\x84\x3d\xfc\x0f\0\x0b";
    /// A core module with a table of ten million elements.
    const WIDE: &[u8] = b"\0asm\x01\0\0\0\x04\x07\x01\x70\0\x80\xad\xe2\x04";

    #[test]
    fn tables_neither_begin_nor_grow_beyond_the_limit() {
        let engine = wasmtime::Engine::default();
        let store = || {
            let mut store = wasmtime::Store::new(&engine, Meter::new(SessionLimits::default()));
            store.limiter(|meter| meter);
            store
        };
        let module = |bytes: &[u8]| wasmtime::Module::new(&engine, bytes).unwrap();
        let mut wide = store();
        assert!(wasmtime::Instance::new(&mut wide, &module(WIDE), &[]).is_err());
        assert!(wide.data().table_refused);
        let mut growing = store();
        let instance = wasmtime::Instance::new(&mut growing, &module(TABLE), &[]).unwrap();
        let grow = instance.get_typed_func::<(), i32>(&mut growing, "g").unwrap();
        assert_eq!(grow.call(&mut growing, ()).unwrap(), -1);
        assert!(growing.data().table_refused && growing.data().table_elements == 1);
    }

    #[test]
    fn the_memories_of_a_session_share_one_limit() {
        let mut meter = Meter::new(SessionLimits { memory: 100, ..SessionLimits::default() });
        assert!(meter.memory_growing(0, 60, None).unwrap());
        assert!(!meter.memory_growing(0, 41, None).unwrap());
        assert!(meter.memory_refused);
        assert!(meter.memory_growing(60, 100, None).unwrap());
    }
}
