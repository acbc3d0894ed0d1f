//! What is fuzzed, one function a target: it takes any bytes and panics when something that must always hold does not.
//!
//! The same functions run in two ways: instrumented by libFuzzer (`cargo xtask fuzz`), and as plain tests over the kept
//! inputs and some thousand changes of them (`cargo xtask test`). The WIT boundary is in `wissel_host::fuzzing`.

mod imap;
mod metadata;
mod naming;
#[cfg(test)]
mod plain;

pub use imap::imap;
pub use metadata::metadata;
pub use naming::naming;

#[cfg(test)]
mod tests {
    use crate::plain::run;

    #[test]
    fn metadata() {
        run("metadata", 3_000, crate::metadata);
    }

    #[test]
    fn naming() {
        run("naming", 10_000, crate::naming);
    }

    #[test]
    fn imap() {
        run("imap", 5_000, crate::imap);
    }
}
