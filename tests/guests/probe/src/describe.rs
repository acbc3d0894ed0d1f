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
    {"key": "url", "type": "line", "label": {"en": "URL", "nl": "URL"}},
    {"key": "client-id", "type": "line", "label": {"en": "Client ID", "nl": "Client ID"}, "required": true, "of": "client",
     "pattern": "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"},
    {"key": "tenant", "type": "line", "label": {"en": "Tenant ID", "nl": "Tenant ID"}, "required": true, "of": "client"},
    {"key": "cloud", "type": "choice", "label": {"en": "Cloud", "nl": "Cloud"}, "default": "global", "of": "client",
     "choices": [{"value": "global", "label": {"en": "global", "nl": "wereldwijd"}},
                 {"value": "china", "label": {"en": "China", "nl": "China"}}]},
    {"key": "authority", "type": "url", "label": {"en": "Authority", "nl": "Autoriteit"}, "default": "https://login.example.com",
     "defaultsWhen": [{"when": {"cloud": "china"}, "value": "https://login.example.cn"}], "of": "client"},
    {"key": "read-mail", "type": "flag", "label": {"en": "Read/Write mail", "nl": "E-mail lezen en wijzigen"}, "default": "true"},
    {"key": "send-mail", "type": "flag", "label": {"en": "Send mail", "nl": "E-mail versturen"}, "default": "false"}
  ],
  "endpoints": [
    {"name": "line", "kind": "stream", "host": "{host}", "port": "{port}", "tls": "{security}", "authenticate": ["password", "token"]},
    {"name": "other", "kind": "stream", "host": "{host}", "port": "{port}", "tls": "{security}", "authenticate": ["password"]},
    {"name": "public", "kind": "stream", "host": "{host}", "port": "{port}", "tls": "{security}"},
    {"name": "web", "kind": "http", "url": "{url}", "authenticate": ["password", "token", "renewed"]},
    {"name": "home", "kind": "http", "url": "http://localhost:{port}"},
    {"name": "metadata", "kind": "http", "url": "http://169.254.169.254"}
  ],
  "auth": [
    {"id": "password", "type": "password", "label": {"en": "Password", "nl": "Wachtwoord"}, "user": "{user}"},
    {"id": "token", "type": "oauth2-code", "label": {"en": "Token", "nl": "Token"}, "user": "{user}"},
    {"id": "renewed", "type": "oauth2-code", "label": {"en": "Renewed", "nl": "Vernieuwd"}, "user": "{user}",
     "token": "https://login.example.com/token", "resource": "{url}"},
    {"id": "oauth", "type": "oauth2-code", "label": {"en": "Sign in at the provider", "nl": "Aanmelden bij de provider"},
     "authorize": "{authority}/{tenant}/authorize", "token": "{authority}/{tenant}/token",
     "adminConsent": "{authority}/{tenant}/adminconsent", "resource": "https://mail.example.com",
     "clientAuthentication": ["secret", "certificate"], "errorCode": "AADSTS[0-9]+",
     "scopes": {"always": ["openid", "offline_access"], "read-mail": ["https://mail.example.com/Mail.ReadWrite"],
                "send-mail": ["https://mail.example.com/Mail.Send"], "optional": ["https://mail.example.com/User.Read"]},
     "advice": [{"code": "AADSTS7000222", "text": {"en": "The secret expired: make a new one.", "nl": "Het geheim is verlopen: maak een nieuw."}}]},
    {"id": "app", "type": "oauth2-client", "label": {"en": "The app itself", "nl": "De app zelf"},
     "token": "{authority}/{tenant}/token", "resource": "https://mail.example.com",
     "clientAuthentication": ["secret", "certificate"], "errorCode": "AADSTS[0-9]+",
     "scopes": {"always": ["https://mail.example.com/.default"]}}
  ],
  "guide": [
    {"id": "registration", "title": {"en": "App registration", "nl": "App-registratie"}, "steps": [
      {"en": "Register the redirect URI {redirect-uri} for client {client-id} in tenant {tenant}.",
       "nl": "Registreer de redirect-URI {redirect-uri} voor client {client-id} in tenant {tenant}."},
      {"en": "Add the permissions {scopes}.", "nl": "Voeg de rechten {scopes} toe."},
      {"en": "Let an administrator consent: {admin-consent-link}", "nl": "Laat een beheerder toestemming geven: {admin-consent-link}"}]},
    {"id": "secret", "title": {"en": "Client secret", "nl": "Client secret"}, "steps": [
      {"en": "Account {account}, client {client}: the secret expires {secret-expires}.",
       "nl": "Account {account}, client {client}: het geheim verloopt {secret-expires}."}]},
    {"id": "sending", "title": {"en": "Sending", "nl": "Versturen"}, "shownWhen": {"send-mail": "true"}, "steps": [
      {"en": "Check Send As.", "nl": "Controleer Verzenden als."}]}
  ],
  "operations": ["check", "list-messages", "fetch", "mark-messages", "delete-messages", "send", "wait"],
  "limits": {"parallelRequests": 4                                                         }
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
