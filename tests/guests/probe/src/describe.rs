//! The description. Tests change bytes of it in the component's file, without building another one.

use std::hint::black_box;

use crate::bindings::wissel::connector::clock;

/// Read at run time, so that a changed byte in the file changes what happens.
static MODE: &str = "describe-mode=pure";
static VERSION: &str = "0.1.0-probe";

const DOCUMENT: &str = r#"{
  "schema": 1, "name": "probe", "version": "VERSION",
  "title": {"en": "Probe", "nl": "Sonde"},
  "settings": [
    {"key": "behaviour", "type": "line", "label": {"en": "Behaviour", "nl": "Gedrag"}, "default": "ok"},
    {"key": "user", "type": "line", "label": {"en": "User", "nl": "Gebruiker"}, "default": "jan@example.com"},
    {"key": "host", "type": "host", "label": {"en": "Server", "nl": "Server"}, "default": "127.0.0.1"},
    {"key": "port", "type": "integer", "label": {"en": "Port", "nl": "Poort"}, "default": "9", "min": 1, "max": 65535},
    {"key": "security", "type": "choice", "label": {"en": "Security", "nl": "Beveiliging"}, "default": "implicit",
     "choices": [{"value": "implicit", "label": {"en": "TLS", "nl": "TLS"}},
                 {"value": "starttls", "label": {"en": "STARTTLS", "nl": "STARTTLS"}},
                 {"value": "none", "label": {"en": "none", "nl": "geen"}}]},
    {"key": "url", "type": "line", "label": {"en": "URL", "nl": "URL"}}
  ],
  "endpoints": [
    {"name": "line", "kind": "stream", "host": "{host}", "port": "{port}", "tls": "{security}", "authenticate": ["password", "token"]},
    {"name": "other", "kind": "stream", "host": "{host}", "port": "{port}", "tls": "{security}", "authenticate": ["password"]},
    {"name": "public", "kind": "stream", "host": "{host}", "port": "{port}", "tls": "{security}"},
    {"name": "web", "kind": "http", "url": "{url}", "authenticate": ["password", "token"]}
  ],
  "auth": [
    {"id": "password", "type": "password", "label": {"en": "Password", "nl": "Wachtwoord"}, "user": "{user}"},
    {"id": "token", "type": "oauth2-code", "label": {"en": "Token", "nl": "Token"}, "user": "{user}"}
  ],
  "operations": ["check", "list-messages", "fetch", "mark-messages", "delete-messages", "send", "wait"],
  "limits": {"parallelRequests": 4}
}"#;

pub(crate) fn version() -> &'static str {
    black_box(VERSION)
}

pub(crate) fn describe() -> String {
    match black_box(MODE).rsplit('=').next() {
        Some("call") => clock::now_ms().to_string(),
        Some("spin") => loop {
            black_box(());
        },
        _ => DOCUMENT.replace("VERSION", version()),
    }
}
