//! Names of things. Newtypes, so that a folder's id is never handed over where a message's is wanted.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text as given; it is not interpreted.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<T: Into<String>> From<T> for $name {
            fn from(text: T) -> Self {
                Self(text.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

macro_rules! own_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id. UUID version 7 (RFC 9562): later ids sort after earlier ones.
            #[must_use]
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }

            /// Reads the text that `Display` wrote.
            ///
            /// # Errors
            /// When the text is not a UUID.
            pub fn parse(text: &str) -> Result<Self, uuid::Error> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

text_id! {
    /// A folder, as the connector names it. Opaque, case-sensitive, stored unchanged.
    FolderId
}
text_id! {
    /// A message, as the connector names it. Opaque, case-sensitive, stored unchanged.
    MessageId
}
own_id! {
    /// An account. Given once; the account's name may change.
    AccountId
}
own_id! {
    /// An OAuth client. Given once; the client's name may change.
    ClientId
}
own_id! {
    /// A secret of an OAuth client.
    ClientSecretId
}
own_id! {
    /// A channel that alerts go to.
    AlertChannelId
}
own_id! {
    /// A job. Given once; the job's name may change.
    JobId
}
own_id! {
    /// What a sink knows a message by: given when the ledger first reserves the message, the same for every repeat
    /// of its delivery, and unchanged by a switch to another account or protocol.
    MessageKey
}
