//! What the connector says about itself, after `wit/description.schema.json`.

mod oauth;

use wissel_connector::description::text;
use wissel_connector::serde_json::{Value, json};

use crate::protocol::failure::NOT_CONNECTED;

/// The endpoint's name.
pub(crate) const ENDPOINT: &str = "imap";

/// The description.
pub(crate) fn describe() -> String {
    json!({
        "schema": 1,
        "name": "imap",
        "version": env!("CARGO_PKG_VERSION"),
        "title": text("IMAP Email Account", "IMAP Email Account"),
        "settings": settings(),
        "endpoints": [{
            "name": ENDPOINT, "kind": "stream", "host": "{host}", "port": "{port}", "tls": "{security}",
            "authenticate": ["password", "oauth", "device", "app", "oauth2"]
        }],
        "auth": auth(),
        "operations": [
            "check", "folders", "find-folder", "create-folder", "list-messages", "changes", "fetch",
            "move-messages", "mark-messages", "delete-messages", "append", "wait"
        ],
        "exactCursors": true,
        "limits": { "parallelSessions": 3, "fetchBatch": 200 }
    })
    .to_string()
}

/// The ways to sign in. The last one takes a token that somebody else keeps fresh.
fn auth() -> Vec<Value> {
    let mut methods = vec![json!({
        "id": "password", "type": "password",
        "label": text("User name and password", "Gebruikersnaam en wachtwoord"),
        "user": "{user}", "identity": "{mailbox}",
        "mechanisms": ["PLAIN", "LOGIN"],
        "advice": advice()
    })];
    methods.extend(oauth::methods(&advice()));
    methods.push(json!({
        "id": "oauth2", "type": "oauth2-code",
        "label": text("Access token of your own", "Eigen toegangstoken"),
        "user": "{user}", "identity": "{mailbox}",
        "mechanisms": ["OAUTHBEARER", "XOAUTH2"],
        "advice": advice()
    }));
    methods
}

fn settings() -> Value {
    let own = json!([
        {
            "key": "host", "type": "host", "required": true,
            "label": text("Server", "Server"),
            "help": text("The name of the IMAP server.", "De naam van de IMAP-server.")
        },
        {
            "key": "security", "type": "choice", "required": true, "default": "implicit",
            "label": text("Connection security", "Beveiliging van de verbinding"),
            "help": text(
                "How the connection is protected. Choose STARTTLS only when the server has no TLS port.",
                "Hoe de verbinding is beveiligd. Kies STARTTLS alleen als de server geen TLS-poort heeft."
            ),
            "choices": [
                { "value": "implicit", "label": text("TLS (usually port 993)", "TLS (meestal poort 993)") },
                { "value": "starttls", "label": text("STARTTLS (usually port 143)", "STARTTLS (meestal poort 143)") },
                { "value": "none", "label": text("None: everything is readable on its way", "Geen: alles is onderweg leesbaar") }
            ]
        },
        {
            "key": "port", "type": "integer", "required": true, "default": "993", "min": 1, "max": 65535,
            "defaultsWhen": [
                { "when": { "security": "starttls" }, "value": "143" }, { "when": { "security": "none" }, "value": "143" }
            ],
            "label": text("Port", "Poort"),
            "help": text("993 for TLS, 143 for STARTTLS.", "993 voor TLS, 143 voor STARTTLS.")
        },
        {
            "key": "user", "type": "line", "required": true,
            "label": text("User name", "Gebruikersnaam"),
            "help": text(
                "Who signs in, usually an email address.",
                "Wie zich aanmeldt, meestal een e-mailadres."
            )
        },
        {
            "key": "mailbox", "type": "line",
            "label": text("Shared mailbox", "Gedeeld postvak"),
            "help": text(
                "The address of a shared mailbox that the user may open. Empty for the user's own mailbox.",
                "Het adres van een gedeeld postvak dat de gebruiker mag openen. Leeg voor het eigen postvak."
            )
        }
    ]);
    let own = own.as_array().into_iter().flatten().cloned();
    own.chain(oauth::settings()).collect()
}

/// What to do, by the code of the server.
fn advice() -> Vec<Value> {
    let codes = [
        (
            "AUTHENTICATIONFAILED",
            "The server refuses user name and password, or the token. Check both; with two-step verification an app \
             password or OAuth is needed. Some providers have switched passwords off for IMAP.",
            "De server weigert gebruikersnaam en wachtwoord, of het token. Controleer beide; bij verificatie in twee \
             stappen is een app-wachtwoord of OAuth nodig. Sommige aanbieders staan geen wachtwoorden meer toe voor IMAP.",
        ),
        (
            "AUTHORIZATIONFAILED",
            "The sign-in is right, but the user may not open this mailbox. Ask the administrator for full access to \
             the shared mailbox, or clear the setting Shared mailbox.",
            "De aanmelding klopt, maar de gebruiker mag dit postvak niet openen. Vraag de beheerder om volledige \
             toegang tot het gedeelde postvak, of maak de instelling Gedeeld postvak leeg.",
        ),
        (
            "EXPIRED",
            "The password or token has expired. Set a new one.",
            "Het wachtwoord of token is verlopen. Stel een nieuw in.",
        ),
        (
            "PRIVACYREQUIRED",
            "The server takes the sign-in only over a protected connection. Set Connection security to TLS or STARTTLS.",
            "De server staat aanmelden alleen toe over een beveiligde verbinding. Zet Beveiliging van de verbinding op \
             TLS of STARTTLS.",
        ),
        (
            "UNAVAILABLE",
            "The server cannot reach its own services now. Nothing needs to be changed here; it is tried again.",
            "De server kan zijn eigen diensten nu niet bereiken. Hier hoeft niets te worden gewijzigd; er wordt opnieuw \
             geprobeerd.",
        ),
        (
            "CONTACTADMIN",
            "The account is blocked at the provider. Its administrator can say why.",
            "Het account is geblokkeerd bij de aanbieder. De beheerder daar kan zeggen waarom.",
        ),
        (
            "OVERQUOTA",
            "The mailbox is full, or its daily allowance is used up. Make room, or wait until tomorrow.",
            "Het postvak is vol, of het dagtegoed is op. Maak ruimte, of wacht tot morgen.",
        ),
        (
            NOT_CONNECTED,
            "The sign-in is right, but the mailbox does not open. In order of likelihood: 1. IMAP is switched off for \
             this mailbox; 2. the setting Shared mailbox names a mailbox that the user has no full access to, or that \
             does not exist; 3. the mailbox has no licence; 4. the token is for another user than the setting User \
             name; 5. the server has trouble: try again in an hour.",
            "De aanmelding klopt, maar het postvak gaat niet open. Naar waarschijnlijkheid: 1. IMAP staat uit voor dit \
             postvak; 2. de instelling Gedeeld postvak noemt een postvak waartoe de gebruiker geen volledige toegang \
             heeft, of dat niet bestaat; 3. het postvak heeft geen licentie; 4. het token is van een andere gebruiker \
             dan de instelling Gebruikersnaam; 5. de server heeft een storing: probeer het over een uur opnieuw.",
        ),
    ];
    codes.iter().map(|(code, en, nl)| json!({ "code": code, "text": text(en, nl) })).collect()
}
