//! What is said when a component failed: a typed error with a code, the wasm backtrace in the log at debug only.

use wasmtime::Trap;
use wasmtime::component::ResourceTableError;
use wissel_model::{ConnectorError, ErrorKind};

use crate::call::Overrun;
use crate::limits::Meter;
use crate::refusal::Breach;
use crate::state::MOST_HANDLES;
use crate::text::cleaned;

/// How wasmtime says that a guest handed over too much; its error has no public type.
const TOO_MUCH_DATA: &str = "too much data is being copied between the host and the guest";

/// The error for a call that ended in a trap. Its session is lost.
pub(crate) fn trapped(
    connector: &str,
    operation: &str,
    error: &wasmtime::Error,
    meter: &Meter,
) -> ConnectorError {
    tracing::debug!(target: "wissel::connector", connector, operation, trap = ?error, "trapped");
    let (code, problem) = if let Some(overrun) = error.downcast_ref::<Overrun>() {
        if *overrun == Overrun::Cancelled {
            let message = format!("connector '{connector}': {operation}: {overrun}");
            return ConnectorError::new(ErrorKind::Cancelled, message).with_code("not-returned").lost();
        }
        ("deadline", overrun.to_string())
    } else if let Some(breach) = error.downcast_ref::<Breach>() {
        ("contract", format!("it broke the contract: {breach}"))
    } else if error.downcast_ref::<Trap>() == Some(&Trap::StackOverflow) {
        ("stack-overflow", "it used up its stack".to_owned())
    } else if matches!(error.downcast_ref(), Some(ResourceTableError::Full)) {
        ("handle-limit", format!("it holds more than {MOST_HANDLES} handles open"))
    } else {
        let cause = cleaned(&error.root_cause().to_string(), 300);
        let limits = meter.limits();
        if cause.contains(TOO_MUCH_DATA) {
            ("answer-limit", format!("it handed over more than {} MiB at once", limits.answer >> 20))
        } else if meter.memory_refused {
            ("memory-limit", format!("it needs more memory than its {} MiB", limits.memory >> 20))
        } else if meter.table_refused {
            ("table-limit", format!("it needs tables of more than its {} elements", limits.table_elements))
        } else {
            ("trap", cause)
        }
    };
    fault(connector, operation, code, &problem)
}

/// The error for an answer that breaks the contract. Its session is lost.
pub(crate) fn breached(connector: &str, operation: &str, breach: &Breach) -> ConnectorError {
    fault(connector, operation, "contract", &format!("it broke the contract: {breach}"))
}

/// The error for every call after the one that lost the session.
pub(crate) fn afterwards(connector: &str, first: &ConnectorError) -> ConnectorError {
    let code = first.code.as_deref().unwrap_or("lost");
    fault(connector, "session", code, "the session ended with an earlier call; open a new one")
}

fn fault(connector: &str, operation: &str, code: &str, problem: &str) -> ConnectorError {
    ConnectorError::new(ErrorKind::Fault, format!("connector '{connector}': {operation}: {problem}"))
        .with_code(code)
        .lost()
}
