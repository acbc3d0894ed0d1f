//! Why a file cannot be used as a connector, and what its author or operator can do.

use std::path::PathBuf;

/// Why a file is not loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The file cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// The file is larger than the host takes.
    #[error("it has {size} octets, more than the {limit} that are allowed")]
    TooLarge {
        /// Octets of the file.
        size: u64,
        /// Octets allowed.
        limit: u64,
    },
    /// The file is not WebAssembly.
    #[error("it is not a WebAssembly file")]
    NotWasm,
    /// The file is a core module.
    #[error("it is a WebAssembly module, not a component; link it with wasm-component-ld")]
    NotAComponent,
    /// The file cannot be compiled.
    #[error("it cannot be compiled: {0}")]
    Invalid(String),
    /// It imports something that is not in the contract.
    #[error(
        "it imports '{import}', which is not in the contract; a connector may import wissel:connector only"
    )]
    ForeignImport {
        /// The import's name.
        import: String,
    },
    /// It imports WASI.
    #[error(
        "it imports '{import}'; WASI is not offered yet. Build it for a target without WASI, such as \
         wasm32-unknown-unknown"
    )]
    NeedsWasi {
        /// The import's name.
        import: String,
    },
    /// It does not export the contract.
    #[error("it does not export wissel:connector/email-account, so it is not a connector")]
    NoConnector,
    /// It was built against another version of the contract.
    #[error("it was built against another contract: {problem}; build it again with this version's SDK")]
    OtherContract {
        /// What differs.
        problem: String,
    },
    /// Its description could not be had.
    #[error("describe() failed: {problem}; it must work without calling any function of the host")]
    NoDescription {
        /// What happened.
        problem: String,
    },
    /// Its description breaks a rule.
    #[error("its description is wrong at {field}: {problem}")]
    BadDescription {
        /// The member, as a JSON pointer (RFC 6901), or `document`.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Another file has a connector of this name.
    #[error("a connector named '{name}' is loaded from {}; remove one of the two files", .loaded.display())]
    DuplicateName {
        /// The connector's name.
        name: String,
        /// The file that is used.
        loaded: PathBuf,
    },
}
