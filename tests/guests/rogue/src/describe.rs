//! The description. Tests change bytes of it in the component's file, without building another one.

use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::bindings::wissel::connector::random;
use crate::misdeeds;

/// Read at run time, so that a changed byte in the file changes what happens.
static MODE: &str = "describe-mode=pure";
static ASKED: AtomicU32 = AtomicU32::new(1);
static VERSION: &str = "0.1.0-rogue";

const DOCUMENT: &str = r#"{
  "schema": 1, "name": "rogue", "version": "VERSION",
  "title": {"en": "Rogue", "nl": "Schurk"},
  "settings": [
    {"key": "behaviour", "type": "line", "label": {"en": "Behaviour", "nl": "Gedrag"}, "default": "none:good"},
    {"key": "count", "type": "integer", "label": {"en": "Messages", "nl": "Berichten"}, "default": "6", "min": 0, "max": 10000},
    {"key": "user", "type": "line", "label": {"en": "User", "nl": "Gebruiker"}, "default": "alice@example.test"},
    {"key": "host", "type": "host", "label": {"en": "Server", "nl": "Server"}, "default": "127.0.0.1"},
    {"key": "port", "type": "integer", "label": {"en": "Port", "nl": "Poort"}, "default": "9", "min": 1, "max": 65535},
    {"key": "security", "type": "choice", "label": {"en": "Security", "nl": "Beveiliging"}, "default": "implicit",
     "choices": [{"value": "implicit", "label": {"en": "TLS", "nl": "TLS"}},
                 {"value": "starttls", "label": {"en": "STARTTLS", "nl": "STARTTLS"}},
                 {"value": "none", "label": {"en": "none", "nl": "geen"}}]},
    {"key": "web", "type": "line", "label": {"en": "Web server", "nl": "Webserver"}},
    {"key": "client-id", "type": "line", "of": "client", "label": {"en": "Client ID", "nl": "Client ID"}}
  ],
  "endpoints": [
    {"name": "line", "kind": "stream", "host": "{host}", "port": "{port}", "tls": "{security}", "authenticate": ["password"]},
    {"name": "public", "kind": "stream", "host": "{host}", "port": "{port}", "tls": "none"},
    {"name": "web", "kind": "http", "url": "{web}", "authenticate": ["password"]},
    {"name": "home", "kind": "http", "url": "http://localhost:{port}"},
    {"name": "neighbour", "kind": "http", "url": "http://{host}:{port}"},
    {"name": "metadata", "kind": "http", "url": "http://169.254.169.254"}
  ],
  "auth": [
    {"id": "password", "type": "password", "label": {"en": "Password", "nl": "Wachtwoord"}, "user": "{user}"},
    {"id": "app", "type": "oauth2-client", "label": {"en": "Application", "nl": "Toepassing"},
     "token": "https://localhost:{port}/token", "clientAuthentication": ["secret"], "scopes": {"always": ["mail"]}},
    {"id": "clear", "type": "oauth2-client", "label": {"en": "In the clear", "nl": "Onversleuteld"},
     "token": "http://localhost:{port}/token", "clientAuthentication": ["secret"], "scopes": {"always": ["mail"]}}
  ],
  "operations": ["check", "folders", "find-folder", "list-messages", "fetch"                                             ],
  "limits": {"parallelSessions": 4                                               }
}"#;

pub(crate) fn version() -> &'static str {
    black_box(VERSION)
}

pub(crate) fn describe() -> String {
    match black_box(MODE).rsplit('=').next() {
        // Denied here like every other import.
        Some("call") => format!("{:?}", random::bytes(1)),
        Some("spin") => misdeeds::spin(),
        Some("trap") => std::process::abort(),
        Some("bomb") => misdeeds::fill_memory(),
        // Another one each time that this instance is asked.
        Some("tick") => DOCUMENT.replace("VERSION", &format!("0.{}.0-tick", ASKED.fetch_add(1, Relaxed))),
        _ => DOCUMENT.replace("VERSION", version()),
    }
}
