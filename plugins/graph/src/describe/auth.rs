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
    // Who gives tokens ("Microsoft identity platform ID tokens"): the tenant by its id, also where the setting holds its
    // domain, so any tenant fits. Nothing is lost by it: a code is redeemed at the tenant's own endpoint, which takes none
    // of another. In China the issuer has a name of its own, by the same page's "National clouds".
    let issuers = json!(["{authority}/*/v2.0", "https://login.partner.microsoftonline.cn/*/v2.0"]);
    // This client answers claims challenges ("Claims challenges, claims requests, and client capabilities"), so that
    // tokens may last a day and be withdrawn at any moment.
    let capable = r#"{"access_token":{"xms_cc":{"values":["cp1"]}}}"#;
    // Where one permission has no consent, no token at all is given.
    let no_consent = json!(["AADSTS65001", "AADSTS90094"]);
    json!([
        {
            "id": "oauth", "type": "oauth2-code",
            "label": text("Authorize by signing in", "Machtigen door in te loggen"),
            "user": "{mailbox}",
            "authorize": "{authority}/{tenant}/oauth2/v2.0/authorize", "token": token, "adminConsent": consent,
            "resource": "{service}", "scopes": delegated,
            // Whoever is signed in to the browser is not always who this account is for.
            "parameters": { "prompt": "select_account", "claims": capable },
            "issuers": issuers,
            "clientAuthentication": ["none", "secret", "certificate"],
            "errorCode": "AADSTS[0-9]+", "consentCodes": no_consent, "advice": advice
        },
        {
            "id": "device", "type": "oauth2-device",
            "label": text("Authorize with a code on another device", "Machtigen met een code op een ander apparaat"),
            "user": "{mailbox}",
            "device": "{authority}/{tenant}/oauth2/v2.0/devicecode", "token": token, "adminConsent": consent,
            "parameters": { "claims": capable }, "issuers": issuers,
            "resource": "{service}", "scopes": delegated,
            "clientAuthentication": ["none", "secret", "certificate"],
            "errorCode": "AADSTS[0-9]+", "consentCodes": no_consent, "advice": advice
        },
        {
            "id": "app", "type": "oauth2-client",
            "label": text("As an application, without a user", "Als toepassing, zonder gebruiker"),
            // What the connector knows an application by.
            "user": "{client-id}",
            "token": token, "adminConsent": consent,
            "resource": "{service}", "scopes": { "always": ["{service}/.default"] },
            "parameters": { "claims": capable },
            "clientAuthentication": ["secret", "certificate"],
            "errorCode": "AADSTS[0-9]+", "consentCodes": no_consent, "advice": advice
        }
    ])
}
