//! How tokens for IMAP are had: from any provider of OAuth, with what is known of the large ones filled in.

use wissel_connector::description::text;
use wissel_connector::serde_json::{Value, json};

/// What a provider is known by: the values that are filled in when it is chosen.
struct Preset {
    provider: &'static str,
    authorize: &'static str,
    token: &'static str,
    device: &'static str,
    scope: &'static str,
    app_scope: &'static str,
    prompt: &'static str,
}

/// Microsoft's page "Authenticate an IMAP, POP or SMTP connection using OAuth"; Google's "OAuth 2.0 for web server applications"
/// and "XOAUTH2 protocol".
const PRESETS: [Preset; 2] = [
    Preset {
        provider: "microsoft",
        authorize: "https://login.microsoftonline.com/organizations/oauth2/v2.0/authorize",
        token: "https://login.microsoftonline.com/organizations/oauth2/v2.0/token",
        device: "https://login.microsoftonline.com/organizations/oauth2/v2.0/devicecode",
        scope: "openid offline_access https://outlook.office.com/IMAP.AccessAsUser.All",
        app_scope: "https://outlook.office365.com/.default",
        prompt: "select_account",
    },
    Preset {
        provider: "google",
        authorize: "https://accounts.google.com/o/oauth2/v2/auth",
        token: "https://oauth2.googleapis.com/token",
        device: "",
        scope: "openid email https://mail.google.com/",
        app_scope: "",
        prompt: "consent",
    },
];

/// The settings of the OAuth client.
pub(super) fn settings() -> Vec<Value> {
    let provider = json!({
        "key": "provider", "type": "choice", "of": "client", "default": "other",
        "label": text("Provider", "Aanbieder"),
        "help": text(
            "Who gives the tokens. Fills in the addresses below.",
            "Wie de tokens geeft. Vult de adressen hieronder in."
        ),
        "choices": [
            { "value": "microsoft", "label": text("Microsoft 365", "Microsoft 365") },
            { "value": "google", "label": text("Google Workspace", "Google Workspace") },
            { "value": "other", "label": text("Another one", "Een andere") }
        ]
    });
    let client_id = json!({
        "key": "client-id", "type": "line", "of": "client", "required": true,
        "label": text("Client id", "Client-id"),
        "help": text(
            "What the provider calls this registration; not the secret, and not the secret's id.",
            "Hoe de aanbieder deze registratie noemt; niet het geheim, en niet de id daarvan."
        )
    });
    let others = [
        url("authorize-url", "Authorisation endpoint", "Autorisatie-adres", |preset| preset.authorize),
        url("token-url", "Token endpoint", "Tokenadres", |preset| preset.token),
        url("device-url", "Device authorisation endpoint", "Adres voor een ander apparaat", |preset| {
            preset.device
        }),
        line(
            "scope",
            ("Permissions", "Machtigingen"),
            ("Scopes to ask for, with blanks between them.", "Scopes om te vragen, met spaties ertussen."),
            |preset| preset.scope,
        ),
        line(
            "app-scope",
            ("Permissions without a user", "Machtigingen zonder gebruiker"),
            (
                "Scopes to ask for when the client signs in as itself.",
                "Scopes om te vragen als de client zich als zichzelf aanmeldt.",
            ),
            |preset| preset.app_scope,
        ),
        line(
            "prompt",
            ("What the sign-in page asks", "Wat de aanmeldpagina vraagt"),
            (
                "The parameter `prompt`: consent, select_account, login, or empty.",
                "De parameter `prompt`: consent, select_account, login, of leeg.",
            ),
            |preset| preset.prompt,
        ),
    ];
    [provider, client_id].into_iter().chain(others).collect()
}

fn url(key: &str, en: &str, nl: &str, of: impl Fn(&Preset) -> &'static str) -> Value {
    json!({
        "key": key, "type": "url", "of": "client", "label": text(en, nl), "defaultsWhen": presets(of),
        "help": text(
            "For a registration of one organisation at Microsoft, put its tenant id in the place of `organizations`.",
            "Zet bij een registratie van een enkele organisatie bij Microsoft haar tenant-id op de plaats van `organizations`."
        )
    })
}

fn line(key: &str, label: (&str, &str), help: (&str, &str), of: impl Fn(&Preset) -> &'static str) -> Value {
    json!({
        "key": key, "type": "line", "of": "client", "label": text(label.0, label.1), "help": text(help.0, help.1),
        "defaultsWhen": presets(of)
    })
}

fn presets(of: impl Fn(&Preset) -> &'static str) -> Vec<Value> {
    let known = PRESETS.iter().filter(|preset| !of(preset).is_empty());
    known.map(|preset| json!({ "when": { "provider": preset.provider }, "value": of(preset) })).collect()
}

/// The ways to get a token.
pub(super) fn methods(advice: &[Value]) -> Vec<Value> {
    let all = json!({
        "user": "{user}", "identity": "{mailbox}",
        "mechanisms": ["OAUTHBEARER", "XOAUTH2"],
        "token": "{token-url}", "resource": "imap:{host}",
        "errorCode": "AADSTS[0-9]+",
        "advice": advice
    });
    let user = json!({ "scopes": { "always": ["{scope}"] }, "clientAuthentication": ["none", "secret", "certificate"] });
    [
        json!({
            "id": "oauth", "type": "oauth2-code",
            "label": text("OAuth authorisation", "OAuth autorisatie"),
            "authorize": "{authorize-url}",
            // Google's name for a refresh token; others pass over it (RFC 6749, section 3.1).
            "parameters": { "prompt": "{prompt}", "login_hint": "{user}", "access_type": "offline" }
        }),
        json!({
            "id": "device", "type": "oauth2-device",
            "label": text("OAuth authorisation on another device", "OAuth autorisatie op een ander apparaat"),
            "device": "{device-url}"
        }),
        json!({
            "id": "app", "type": "oauth2-client",
            "label": text("OAuth without a user (application)", "OAuth zonder gebruiker (toepassing)"),
            "scopes": { "always": ["{app-scope}"] }, "clientAuthentication": ["secret", "certificate"]
        }),
    ]
    .into_iter()
    .map(|own| {
        let mut method = own;
        for part in [&all, &user] {
            let Some(method) = method.as_object_mut() else { continue };
            for (name, value) in part.as_object().into_iter().flatten() {
                method.entry(name.as_str()).or_insert_with(|| value.clone());
            }
        }
        method
    })
    .collect()
}
