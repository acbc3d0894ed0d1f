//! What Wissel talks about: accounts, jobs, folders, messages, errors and ledger states, and the ports
//! ([`connector`], [`secrets`], [`tokens`]) through which the crates above meet.
//!
//! No I/O happens here, and nothing here knows how mail is fetched, stored or shown. A type belongs here when
//! two other crates speak of it; a type that only one crate needs stays there.

pub mod account;
pub mod advice;
pub mod alert;
pub mod client;
pub mod clock;
pub mod connector;
pub mod description;
pub mod error;
pub mod expiry;
pub mod fault;
pub mod folder;
pub mod id;
pub mod job;
pub mod ledger;
pub mod message;
pub mod pattern;
pub mod proxy;
pub mod schedule;
pub mod secrets;
pub mod settings;
pub mod text;
pub mod tokens;

pub use account::{Account, ConnectionPolicy};
pub use alert::{Alert, AlertChannel, AlertTarget};
pub use client::{ClientSecret, OAuthClient, SecretKind, SecretState};
pub use connector::{Connectors, Delivery, DeliveryInfo, Identity, OpenOptions, Session, Source};
pub use description::Description;
pub use error::{ConnectorError, ErrorKind};
pub use expiry::Stage;
pub use folder::{Folder, FolderAddress, FolderRole};
pub use id::{AccountId, AlertChannelId, ClientId, ClientSecretId, FolderId, JobId, MessageId, MessageKey};
pub use job::{Filter, ImportJob, JobAccount, Pin, ProcessedAction};
pub use ledger::{LedgerEntry, LedgerState};
pub use message::{MessagePage, MessageSummary, Outcome, PageRequest};
pub use pattern::Pattern;
pub use proxy::Proxy;
pub use schedule::{Cron, Schedule, ScheduleError};
pub use secrets::SecretOwner;
pub use text::Text;
pub use tokens::{AccessToken, RefusedToken, Tokens};
