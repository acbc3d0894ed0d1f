//! The empty connector: it can be installed, shows its settings, opens a session, and says `unsupported` to the rest.

use wissel_connector::description::text;
use wissel_connector::serde_json::json;
use wissel_connector::{Connector, Host, Result, Session, Settings};

/// The connector.
pub struct Empty;

/// Its session, which can do nothing yet.
pub struct EmptySession;

impl Connector for Empty {
    type Session = EmptySession;

    fn describe() -> String {
        json!({
            "schema": 1, "name": "empty", "version": env!("CARGO_PKG_VERSION"),
            "title": text("Empty account", "Leeg account"),
            "settings": [], "endpoints": [], "auth": [], "operations": [], "limits": {}
        })
        .to_string()
    }

    fn open(_host: Host, _settings: Settings) -> Result<EmptySession> {
        Ok(EmptySession)
    }
}

impl Session for EmptySession {}

wissel_connector::export!(Empty);
