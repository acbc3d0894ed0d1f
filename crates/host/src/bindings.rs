//! The contract in `wit/` as Rust types and traits, generated; nothing else.
//!
//! Every host function may trap (a broken contract ends the session), and those that may wait are asynchronous. An
//! `error` of the contract is [`Refusal`](crate::refusal::Refusal) in host functions, so that `?` works in them.
#![allow(missing_docs, unreachable_pub, reason = "generated; documented in wit/")]
#![allow(clippy::all, reason = "generated")]

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "connector",
    imports: {
        "wissel:connector/log": trappable,
        "wissel:connector/random": trappable,
        default: async | trappable,
    },
    exports: { default: async },
    trappable_error_type: { "wissel:connector/types.error" => crate::refusal::Refusal },
    with: {
        "wissel:connector/content.delivery": crate::capability::content::DeliveryHandle,
        "wissel:connector/content.source": crate::capability::content::SourceHandle,
        "wissel:connector/credentials.sealed": crate::capability::credentials::Sealed,
        "wissel:connector/credentials.exchange": crate::capability::credentials::Exchange,
        "wissel:connector/http.payload": crate::capability::http::payload::Payload,
        "wissel:connector/http.pending": crate::capability::http::Pending,
        "wissel:connector/http.response": crate::capability::http::Response,
        "wissel:connector/streams.connection": crate::capability::streams::Connection,
    },
});
