//! What the connector says about itself, after `wit/description.schema.json`.

mod advice;
mod auth;
mod guide;
mod settings;

use wissel_connector::description::text;
use wissel_connector::serde_json::{Value, json};

use crate::translate::FORMS;

/// The description.
pub(crate) fn describe() -> String {
    json!({
        "schema": 1,
        "name": "graph",
        "version": env!("CARGO_PKG_VERSION"),
        "title": text("Microsoft Graph Email Account", "Microsoft Graph Email Account"),
        "settings": settings::settings(),
        "endpoints": [{
            "name": "graph", "kind": "http", "url": "{service}", "authenticate": ["oauth", "device", "app"]
        }],
        "auth": auth::methods(),
        "operations": [
            "check", "folders", "find-folder", "create-folder", "list-messages", "changes", "fetch",
            "move-messages", "mark-messages", "delete-messages", "translate"
        ],
        "rewritesMessages": true,
        "hosts": hosts(),
        "idForms": FORMS,
        // For one app in one mailbox: 4 requests at a time, 10,000 in ten minutes.
        "limits": {
            "parallelSessions": 3, "parallelRequests": 4, "requestRates": [{ "requests": 10_000, "seconds": 600 }],
            "largestMessage": 157_286_400, "fetchBatch": 200
        },
        "guide": guide::chapters()
    })
    .to_string()
}

/// The clouds that the service is in, and the names of Microsoft 365 that people know from other protocols.
fn hosts() -> Value {
    let use_it = text(
        "This mailbox is in Microsoft 365. Passwords are not accepted there any more: use a Microsoft Graph Email Account.",
        "Dit postvak staat in Microsoft 365. Wachtwoorden worden daar niet meer geaccepteerd: gebruik een Microsoft Graph \
         Email Account.",
    );
    let worldwide = text("Microsoft 365", "Microsoft 365");
    let government =
        text("Microsoft 365 for the US government", "Microsoft 365 voor de Amerikaanse overheid");
    let china = text("Microsoft 365 operated by 21Vianet", "Microsoft 365 van 21Vianet");
    let classes = [
        ("microsoft365", "graph.microsoft.com", &worldwide),
        ("microsoft365", "outlook.office365.com", &worldwide),
        ("microsoft365", "outlook.office.com", &worldwide),
        ("microsoft365", "smtp.office365.com", &worldwide),
        ("microsoft365", "*.mail.protection.outlook.com", &worldwide),
        ("us-gov-high", "graph.microsoft.us", &government),
        ("us-gov-high", "outlook.office365.us", &government),
        ("us-gov-dod", "dod-graph.microsoft.us", &government),
        ("china", "microsoftgraph.chinacloudapi.cn", &china),
        ("china", "partner.outlook.cn", &china),
    ];
    let classes = classes.iter().map(|(class, pattern, label)| {
        json!({ "class": class, "pattern": pattern, "label": label, "advice": use_it })
    });
    classes.collect()
}

#[cfg(test)]
mod tests {
    use super::describe;
    use wissel_connector::serde_json::{Value, from_str};

    /// The names in braces of all templates below a value.
    fn names(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::String(text) => {
                let parts = text.split('{').skip(1);
                let named = parts.filter_map(|part| Some(part.split_once('}')?.0));
                // The braces of JSON hold none.
                found.extend(named.filter(|name| !name.contains('"')).map(str::to_owned));
            }
            Value::Array(items) => items.iter().for_each(|item| names(item, found)),
            Value::Object(members) => members.values().for_each(|member| names(member, found)),
            _ => {}
        }
    }

    #[test]
    fn templates_name_settings_and_the_guide_also_what_the_host_adds() {
        let description: Value = from_str(&describe()).unwrap();
        let keys: Vec<&str> =
            description["settings"].as_array().unwrap().iter().map(|s| s["key"].as_str().unwrap()).collect();
        let mut added =
            vec!["account", "client", "redirect-uri", "scopes", "admin-consent-link", "secret-expires"];
        let mut commands =
            vec!["authorize-command", "secret-add-command", "secret-test-command", "secret-use-command"];
        commands.extend(&keys);
        let mut used = Vec::new();
        names(&description["auth"], &mut used);
        names(&description["endpoints"], &mut used);
        added.extend(&commands);
        assert!(used.iter().all(|name| commands.contains(&name.as_str())), "{used:?}");
        let mut used = Vec::new();
        names(&description["guide"], &mut used);
        assert!(
            used.iter().all(|name| keys.contains(&name.as_str()) || added.contains(&name.as_str())),
            "{used:?}"
        );
        assert!(used.iter().any(|name| name == "redirect-uri"));
    }

    #[test]
    fn the_operators_manual_names_chapters_that_are_there() {
        let description: Value = from_str(&describe()).unwrap();
        let guide = description["guide"].as_array().unwrap();
        let known: Vec<&str> = guide.iter().map(|chapter| chapter["id"].as_str().unwrap()).collect();
        let manual = include_str!("../../../../docs/operations.md");
        let examples = manual.lines().filter_map(|line| line.strip_prefix("wissel account guide "));
        let named: Vec<&str> = examples.filter_map(|rest| rest.split_whitespace().nth(1)).collect();
        assert!(named.iter().all(|name| known.contains(name)) && !named.is_empty(), "{named:?}");
    }
}
