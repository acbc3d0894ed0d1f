//! The settings: those of the OAuth client, which the app registration gives, and those of the account, under the names
//! that people know from their forms.

use wissel_connector::description::text;
use wissel_connector::serde_json::{Value, json};

/// The form of ids in Microsoft Entra.
const GUID: &str = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}";

pub(super) fn settings() -> Value {
    let mut all = client();
    all.extend(account());
    Value::Array(all)
}

fn client() -> Vec<Value> {
    vec![
        json!({
            "key": "client-id", "type": "line", "of": "client", "required": true, "pattern": GUID,
            "hint": text(
                "the Application (client) ID, such as 1b2c3d4e-0000-4000-8000-123456789abc, from the overview of the app registration",
                "het Application (client) ID, zoals 1b2c3d4e-0000-4000-8000-123456789abc, uit het overzichtsscherm van de app registratie"
            ),
            "label": text("Client ID", "Client ID"),
            "help": text(
                "Application (client) ID, from the overview of the app registration in the Microsoft Azure portal. Not the \
                 Object ID, the Secret ID or the value of a secret.",
                "Application (client) ID, uit het overzichtsscherm van de app registratie in de Microsoft Azure Portal. \
                 Niet de Object-id, de Geheim-id of de waarde van een client secret."
            )
        }),
        json!({
            "key": "tenant", "type": "line", "of": "client", "required": true,
            "pattern": format!("{GUID}|([A-Za-z0-9-]+[.])+[A-Za-z0-9-]+"),
            "hint": text(
                "the Directory (tenant) ID, such as 1b2c3d4e-0000-4000-8000-123456789abc, from the overview of the app registration; \
                 or a domain of the organisation, such as example.onmicrosoft.com",
                "het Directory (tenant) ID, zoals 1b2c3d4e-0000-4000-8000-123456789abc, uit het overzichtsscherm van de app \
                 registratie; of een domein van de organisatie, zoals example.onmicrosoft.com"
            ),
            "label": text("Tenant ID", "Tenant ID"),
            "help": text(
                "Directory (tenant) ID, from the same overview; or a domain of the organisation.",
                "Directory (tenant) ID, uit hetzelfde overzichtsscherm; of een domein van de organisatie."
            )
        }),
        json!({
            "key": "cloud", "type": "choice", "of": "client", "default": "global",
            "label": text("Cloud", "Cloud"),
            "help": text(
                "Where the organisation's Microsoft 365 is. Nearly always worldwide.",
                "Waar Microsoft 365 van de organisatie staat. Vrijwel altijd wereldwijd."
            ),
            "choices": [
                { "value": "global", "label": text("Worldwide, with US government GCC", "Wereldwijd, ook US Government GCC") },
                { "value": "us-gov-high", "label": text("US government GCC High", "US Government GCC High") },
                { "value": "us-gov-dod", "label": text("US government DoD", "US Government DoD") },
                { "value": "china", "label": text("China (21Vianet)", "China (21Vianet)") }
            ]
        }),
        json!({
            "key": "authority", "type": "url", "of": "client", "default": "https://login.microsoftonline.com",
            "defaultsWhen": by_cloud(
                "https://login.microsoftonline.us", "https://login.microsoftonline.us", "https://login.chinacloudapi.cn"
            ),
            "label": text("Address of the sign-in", "Adres om in te loggen"),
            "help": text("Follows from the cloud.", "Volgt uit de cloud.")
        }),
        json!({
            "key": "service", "type": "url", "of": "client", "default": "https://graph.microsoft.com",
            "defaultsWhen": by_cloud(
                "https://graph.microsoft.us", "https://dod-graph.microsoft.us", "https://microsoftgraph.chinacloudapi.cn"
            ),
            "label": text("Address of Microsoft Graph", "Adres van Microsoft Graph"),
            "help": text("Follows from the cloud.", "Volgt uit de cloud.")
        }),
    ]
}

fn account() -> Vec<Value> {
    vec![
        json!({
            "key": "mailbox", "type": "email", "requiredFor": ["app"],
            "label": text("Mailbox", "Postvak"),
            "help": text(
                "The address of a shared mailbox. Empty for the mailbox of the user who signs in. An application that signs \
                 in without a user needs it.",
                "Het adres van een gedeeld postvak. Leeg voor het postvak van de gebruiker die inlogt. Een toepassing die \
                 zonder gebruiker inlogt, heeft het nodig."
            )
        }),
        json!({
            "key": "read-mail", "type": "flag", "default": "true",
            "label": text("Scope: Read/Write mail", "Scope: Read/Write mail"),
            "help": text(
                "Read, change and move e-mail: needed for importing (Mail.ReadWrite.Shared).",
                "E-mail lezen, aanpassen en verplaatsen: nodig voor het importeren (Mail.ReadWrite.Shared)."
            )
        }),
        json!({
            "key": "send-mail", "type": "flag", "default": "false",
            "label": text("Scope: Send mail", "Scope: Send mail"),
            "help": text(
                "Send e-mail (Mail.Send.Shared).",
                "E-mail versturen (Mail.Send.Shared)."
            )
        }),
        json!({
            "key": "fixed-from", "type": "flag", "default": "false", "shownWhen": { "send-mail": "true" },
            "label": text(
                "Use fixed 'from' email address when sending messages",
                "Vast 'van'-adres gebruiken bij het versturen van e-mail"
            ),
            "help": text(
                "Every message is sent from one address.",
                "Elk bericht wordt van een en hetzelfde adres verstuurd."
            )
        }),
        json!({
            "key": "fixed-from-address", "type": "email", "required": true,
            "shownWhen": { "send-mail": "true", "fixed-from": "true" },
            "label": text("Fixed 'from' email address", "Vast 'van'-adres"),
            "help": text(
                "Needs the right Send As or Send on Behalf for that address.",
                "Vereist het recht Verzenden als (Send As) of Verzenden namens (Send on Behalf) voor dat adres."
            )
        }),
    ]
}

fn by_cloud(high: &str, dod: &str, china: &str) -> Value {
    json!([
        { "when": { "cloud": "us-gov-high" }, "value": high },
        { "when": { "cloud": "us-gov-dod" }, "value": dod },
        { "when": { "cloud": "china" }, "value": china }
    ])
}
