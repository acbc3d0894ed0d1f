//! How accounts sign in, as data for the host: the flows of Microsoft Entra, their addresses, and scopes by purpose.

use wissel_connector::description::text;
use wissel_connector::serde_json::{Value, json};

use super::advice::advice;

pub(super) fn methods() -> Value {
    let advice = advice();
    let token = "{authority}/{tenant}/oauth2/v2.0/token";
    let consent = "{authority}/{tenant}/v2.0/adminconsent";
    // The manual's two, by purpose. Without the first nothing is renewed; the last tells who is signed in.
    let delegated = json!({
        "always": ["openid", "offline_access"],
        "optional": ["{service}/User.Read"],
        "read-mail": ["{service}/Mail.ReadWrite.Shared"],
        "send-mail": ["{service}/Mail.Send.Shared"]
    });
    json!([
        {
            "id": "oauth", "type": "oauth2-code",
            "label": text("Authorize by signing in", "Machtigen door in te loggen"),
            "user": "{mailbox}",
            "authorize": "{authority}/{tenant}/oauth2/v2.0/authorize", "token": token, "adminConsent": consent,
            "resource": "{service}", "scopes": delegated,
            // Whoever is signed in to the browser is not always who this account is for.
            "parameters": { "prompt": "select_account" },
            "clientAuthentication": ["none", "secret", "certificate"],
            "errorCode": "AADSTS[0-9]+", "advice": advice
        },
        {
            "id": "device", "type": "oauth2-device",
            "label": text("Authorize with a code on another device", "Machtigen met een code op een ander apparaat"),
            "user": "{mailbox}",
            "device": "{authority}/{tenant}/oauth2/v2.0/devicecode", "token": token, "adminConsent": consent,
            "resource": "{service}", "scopes": delegated,
            "clientAuthentication": ["none", "secret", "certificate"],
            "errorCode": "AADSTS[0-9]+", "advice": advice
        },
        {
            "id": "app", "type": "oauth2-client",
            "label": text("As an application, without a user", "Als toepassing, zonder gebruiker"),
            // What the connector knows an application by.
            "user": "{client-id}",
            "token": token, "adminConsent": consent,
            "resource": "{service}", "scopes": { "always": ["{service}/.default"] },
            "clientAuthentication": ["secret", "certificate"],
            "errorCode": "AADSTS[0-9]+", "advice": advice
        }
    ])
}
