//! OAuth clients and their secrets: what a person does from the first registration to the renewal of a secret. Needs the
//! guest `probe`, which describes OAuth; no provider is asked.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests"
)]

mod support;

use serde_json::{Value, json};
use support::oauth::{CLIENT_ID, Office, SECRETS, TENANT};

fn secret<'a>(list: &'a Value, label: &str) -> &'a Value {
    let secrets = list["secrets"].as_array().unwrap();
    secrets.iter().find(|secret| secret["label"] == label).unwrap_or_else(|| panic!("no '{label}': {list:#}"))
}

#[test]
fn a_client_serves_accounts_and_cannot_go_while_it_does() {
    let office = Office::with_client("2049-06-30");
    let client = office.json(&["client", "show", "kantoor"]);
    assert_eq!(client["settings"]["authority"], "https://login.example.com", "{client:#}");
    assert_eq!(client["settings"].as_object().unwrap().len(), 4, "only the client's own: {client:#}");
    assert_eq!(secret(&client, "eerste")["state"], "in-use");
    for name in ["Inkoop", "Verkoop"] {
        office.add_account(name, "oauth");
    }
    let account = office.json(&["account", "show", "Inkoop"]);
    assert_eq!((&account["client"], &account["settings"]["tenant"]), (&json!("Kantoor"), &Value::Null));
    assert_eq!(account["secrets"], json!({}), "no access token is stored by hand: {account:#}");
    assert_eq!(account["status"]["state"], "unauthorized", "{account:#}");
    assert!(account["status"]["next"].as_str().unwrap().contains("wissel account authorize \"Inkoop\""));

    let refused = office.error(1, &["client", "remove", "Kantoor", "--yes"], "");
    assert_eq!(refused["code"], "in-use", "{refused}");
    assert!(refused["message"].as_str().unwrap().contains("Inkoop, Verkoop"), "{refused}");
    for name in ["Inkoop", "Verkoop"] {
        office.ok(&["account", "remove", name, "--yes"]);
    }
    office.ok(&["client", "remove", "Kantoor", "--yes"]);
    assert_eq!(office.error(3, &["client", "show", "Kantoor"], "")["code"], "not-found");
}

#[test]
fn settings_go_to_their_owner_and_an_account_can_bring_its_client() {
    let office = Office::new();
    let (id, tenant) = (format!("client-id={CLIENT_ID}"), format!("tenant={TENANT}"));
    let add = ["account", "add", "Inkoop", "--connector", "probe", "--auth", "oauth"];
    let none = office.error(2, &add, "");
    assert!(none["next"].as_str().unwrap().contains("wissel client add"), "{none}");
    let of_client = ["--set", &id, "--set", &tenant, "--set", "cloud=china", "--set", "send-mail=true"];
    let all = [&add[..], &of_client, &["--client-secret-stdin", "--expires", "never"]].concat();
    let said = office.ok_with(&all, SECRETS[0]);
    assert!(said.stderr.contains("OAuth client 'Inkoop' is made too"), "{}", said.all());
    let client = office.json(&["client", "show", "Inkoop"]);
    assert_eq!(client["settings"]["authority"], "https://login.example.cn", "{client:#}");
    assert_eq!((&client["accounts"], &client["settings"]["send-mail"]), (&json!(["Inkoop"]), &Value::Null));
    assert_eq!(client["secrets"][0]["expiry"], "never");
    // The same once more: nothing is half made.
    office.ok(&["account", "remove", "Inkoop", "--yes"]);
    let taken = office.error(2, &all, SECRETS[0]);
    assert!(taken["next"].as_str().unwrap().contains("--client \"Inkoop\""), "{taken}");
    assert_eq!(office.json(&["account", "list"])["accounts"], json!([]));

    // A setting of the wrong owner is refused by its name.
    let wrong = office.error(2, &["client", "edit", "Inkoop", "--set", "send-mail=true"], "");
    assert!(wrong["message"].as_str().unwrap().contains("'send-mail': is one of each account"), "{wrong}");
    office.ok(&["account", "add", "Inkoop", "--connector", "probe", "--auth", "app", "--client", "Inkoop"]);
    let wrong = office.error(2, &["account", "edit", "Inkoop", "--set", "tenant=x"], "");
    assert!(wrong["message"].as_str().unwrap().contains("'tenant': is one of the OAuth client"), "{wrong}");
    // What followed the cloud follows it again.
    office.ok(&["client", "edit", "Inkoop", "--set", "cloud=global"]);
    let client = office.json(&["client", "show", "Inkoop"]);
    assert_eq!(client["settings"]["authority"], "https://login.example.com", "{client:#}");
    assert_eq!(office.json(&["account", "show", "Inkoop"])["status"]["state"], "authorized");
}

#[test]
fn two_secrets_stand_side_by_side_while_one_is_replaced() {
    let office = Office::with_client("2049-06-30");
    office.add_account("Inkoop", "oauth");
    let add = ["account", "secret", "add", "Inkoop", "--client-secret-stdin", "--label", "tweede"];
    let said = office.ok_with(&[&add[..], &["--expires", "730d"]].concat(), SECRETS[1]);
    assert!(said.stdout.contains("beside the one in use"), "{}", said.all());
    let list = office.json(&["client", "secret", "list", "Kantoor"]);
    assert_eq!(
        (&secret(&list, "eerste")["state"], &secret(&list, "tweede")["state"]),
        (&json!("in-use"), &json!("standby"))
    );
    assert!((729..=730).contains(&secret(&list, "tweede")["days_left"].as_i64().unwrap()), "{list:#}");

    let untested = office.error(1, &["account", "secret", "use", "Inkoop"], "");
    assert!(untested["next"].as_str().unwrap().contains("--untested"), "{untested}");
    let in_use = office.error(1, &["account", "secret", "drop", "Inkoop", "eerste", "--yes"], "");
    assert_eq!(in_use["code"], "in-use", "{in_use}");
    office.ok(&["account", "secret", "use", "Inkoop", "tweede", "--untested"]);
    let list = office.json(&["client", "secret", "list", "Kantoor"]);
    assert_eq!(
        (&secret(&list, "eerste")["state"], &secret(&list, "tweede")["state"]),
        (&json!("standby"), &json!("in-use"))
    );
    office.ok(&["client", "secret", "drop", "Kantoor", "--yes"]);
    let list = office.json(&["client", "secret", "list", "Kantoor"]);
    assert_eq!(list["secrets"].as_array().unwrap().len(), 1, "{list:#}");
    // A label that is taken, one that is not there, and one that is the secret itself by mistake.
    let taken = office.error(2, &[&add[..], &["--expires", "730d"]].concat(), SECRETS[0]);
    assert!(taken["message"].as_str().unwrap().contains("'tweede' already"), "{taken}");
    office.error(3, &["client", "secret", "use", "Kantoor", SECRETS[0]], "");
}

#[test]
fn the_id_of_a_secret_is_refused_where_its_value_belongs() {
    let office = Office::with_client("2049-06-30");
    let add = ["client", "secret", "add", "Kantoor", "--client-secret-stdin"];
    let refused = office.error(2, &add, "066150ce-aff5-4041-bded-0030fddb37ef\n");
    assert!(refused["message"].as_str().unwrap().contains("Secret ID"), "{refused}");
    assert!(refused["next"].as_str().unwrap().contains("Value"), "{refused}");
    assert!(!refused.to_string().contains("066150ce"), "what was pasted is repeated: {refused}");
}

#[test]
fn a_certificate_tells_itself_when_it_ends_and_takes_only_its_own_key() {
    let office = Office::with_client("2049-06-30");
    let folder = office.wissel.home.path();
    let write = |name: &str, text: &str| {
        let file = folder.join(name);
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let pair = || rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let (own, other) = (pair(), pair());
    let mut parts = rcgen::CertificateParams::default();
    parts.not_after = rcgen::date_time_ymd(2050, 1, 1);
    let certificate = write("certificate.pem", &parts.self_signed(&own).unwrap().pem());
    let (key, stranger) =
        (write("key.pem", &own.serialize_pem()), write("other.pem", &other.serialize_pem()));
    let curve = write("curve.pem", &rcgen::KeyPair::generate().unwrap().serialize_pem());
    let locked = write(
        "locked.pem",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
    );
    let add = ["client", "secret", "add", "Kantoor", "--label", "cert", "--certificate"];
    let said = office.ok(&[&add[..], &[&certificate, "--key", &key]].concat());
    assert!(said.stdout.contains("the certificate \"cert\" is stored"), "{}", said.all());
    let list = office.json(&["client", "secret", "list", "Kantoor"]);
    let stored = secret(&list, "cert");
    assert_eq!(
        (&stored["kind"], &stored["expires"]),
        (&json!("certificate"), &json!("2050-01-01T00:00:00Z"))
    );
    for (certificate, key, word) in [
        (&key, &key, "no certificate"),
        (&certificate, &certificate, "no private key"),
        (&certificate, &locked, "passphrase"),
        (&certificate, &stranger, "not the key of this certificate"),
        (&certificate, &curve, "no RSA key"),
    ] {
        let refused = office.error(2, &[&add[..], &[certificate, "--key", key]].concat(), "");
        assert!(refused["message"].as_str().unwrap().contains(word), "{refused}");
    }
}

#[test]
fn an_expiry_is_warned_about_and_an_unknown_one_too() {
    for (expires, state, word) in [
        ("2049-06-30", "authorized", ""),
        ("never", "authorized", ""),
        ("29d", "expiring", "expires"),
        ("2020-01-01", "failing", "has expired"),
    ] {
        let office = Office::with_client(expires);
        office.add_account("Inkoop", "app");
        let account = office.json(&["account", "show", "Inkoop"]);
        assert_eq!(account["status"]["state"], state, "{expires}: {account:#}");
        assert!(account["status"]["reason"].as_str().unwrap().contains(word), "{expires}: {account:#}");
        let listed = office.ok(&["client", "list"]);
        assert_eq!(listed.stderr.contains("WARNING"), !word.is_empty(), "{expires}: {}", listed.all());
    }
    let office = Office::with_client("never");
    let add = ["client", "secret", "add", "Kantoor", "--client-secret-stdin", "--label", "tweede"];
    let said = office.ok_with(&add, SECRETS[1]);
    assert!(said.stderr.contains("on a day that Wissel does not know"), "{}", said.all());
    office.ok(&["client", "secret", "edit", "Kantoor", "tweede", "--expires", "2049-01-31"]);
    let list = office.json(&["client", "secret", "list", "Kantoor"]);
    assert_eq!(secret(&list, "tweede")["expiry"], "far", "{list:#}");
}

#[test]
fn a_rotation_of_the_vault_s_key_takes_the_clients_along() {
    let office = Office::with_client("2049-06-30");
    let rotated = office.json(&["vault", "rotate"]);
    assert_eq!(rotated["secrets"], 1, "{rotated:#}");
    let report = office.run_with(&["doctor", "--offline", "--json"], "").json();
    let findings = report["findings"].as_array().unwrap();
    let vault = findings.iter().find(|finding| finding["check"] == "vault").unwrap();
    assert_eq!(vault["message"], "1 stored secret can be opened", "{vault:#}");
    // A key that is gone keeps the client's secret closed, and no other is made in its place.
    std::fs::remove_file(office.wissel.home.path().join("vault.key")).unwrap();
    let add = ["client", "secret", "add", "Kantoor", "--client-secret-stdin", "--expires", "never"];
    let refused = office.error(6, &add, SECRETS[1]);
    assert!(refused["message"].as_str().unwrap().contains("vault.key"), "{refused}");
}

#[test]
fn a_file_brings_clients_with_their_secrets_and_says_nothing_the_second_time() {
    let mut office = Office::new();
    office.wissel.set("KANTOOR_SECRET", SECRETS[0]);
    let file = office.wissel.home.path().join("wissel.toml");
    let text = format!(
        "[[client]]\nname = \"Kantoor\"\nconnector = \"probe\"\nredirect = \"https://example.com/antwoord\"\n\
         settings = {{ client-id = \"{CLIENT_ID}\", tenant = \"{TENANT}\" }}\n\
         [[client.secret]]\nlabel = \"eerste\"\nvalue = {{ env = \"KANTOOR_SECRET\" }}\nexpires = \"2049-06-30\"\n\n\
         [[account]]\nname = \"Inkoop\"\nconnector = \"probe\"\nauth = \"oauth\"\nclient = \"Kantoor\"\n"
    );
    std::fs::write(&file, &text).unwrap();
    let file = file.to_str().unwrap().to_owned();
    let applied = office.json(&["apply", "-f", &file]);
    assert_eq!(
        (&applied["clients"][0]["change"], &applied["accounts"][0]["change"]),
        (&json!("created"), &json!("created"))
    );
    let again = office.json(&["apply", "-f", &file]);
    assert_eq!(
        (&again["clients"][0]["change"], &again["accounts"][0]["change"]),
        (&json!("unchanged"), &json!("unchanged"))
    );
    // Another secret beside it, put into use by the file.
    office.wissel.set("NIEUW", SECRETS[1]);
    let more = "[[client.secret]]\nlabel = \"tweede\"\nvalue = { env = \"NIEUW\" }\nexpires = \"never\"\nin-use = true\n\n";
    std::fs::write(&file, text.replace("[[account]]", &format!("{more}[[account]]"))).unwrap();
    // Not by accident: the provider has not seen it.
    let untested = office.error(2, &["apply", "-f", &file], "");
    assert!(untested["next"].as_str().unwrap().contains("wissel client secret test"), "{untested}");
    let list = office.json(&["client", "secret", "list", "Kantoor"]);
    assert_eq!(list["secrets"].as_array().unwrap().len(), 1, "{list:#}");
    let changed = office.json(&["apply", "-f", &file, "--untested"]);
    assert_eq!(
        (&changed["clients"][0]["change"], &changed["clients"][0]["secrets"]),
        (&json!("changed"), &json!(["tweede"]))
    );
    assert_eq!(office.json(&["apply", "-f", &file])["clients"][0]["change"], "unchanged");
    let list = office.json(&["client", "secret", "list", "Kantoor"]);
    assert_eq!(
        (&secret(&list, "eerste")["state"], &secret(&list, "tweede")["state"]),
        (&json!("standby"), &json!("in-use"))
    );
    // Nor another value for the one in use.
    office.wissel.set("NIEUW", SECRETS[2]);
    office.error(2, &["apply", "-f", &file], "");
    // What is exported has no secret, and can be applied as it is.
    let exported = office.ok(&["export"]).stdout;
    assert!(
        exported.contains("redirect = \"https://example.com/antwoord\"") && !exported.contains("secret"),
        "{exported}"
    );
    std::fs::write(&file, exported).unwrap();
    let round = office.json(&["apply", "-f", &file]);
    assert_eq!(
        (&round["clients"][0]["change"], &round["accounts"][0]["change"]),
        (&json!("unchanged"), &json!("unchanged"))
    );
    // All that is wrong is said before anything is changed.
    std::fs::write(&file, text.replace("client = \"Kantoor\"", "client = \"Elders\"").replace(TENANT, ""))
        .unwrap();
    let wrong = office.error(2, &["apply", "-f", &file], "");
    let message = wrong["message"].as_str().unwrap();
    assert!(
        message.contains("no OAuth client 'Elders'") && message.contains("'tenant': is missing"),
        "{message}"
    );
}

#[test]
fn a_file_brings_alert_channels_and_tells_neither_their_addresses_nor_their_keys() {
    let mut office = Office::new();
    let file = office.wissel.home.path().join("wissel.toml");
    let path = file.to_str().unwrap().to_owned();
    let write = |text: &str| std::fs::write(&file, text).unwrap();
    let text = "[[alert]]\nname = \"chat\"\nwebhook = { env = \"HOOK_URL\" }\nsigning-key = { env = \"HOOK_KEY\" }\n\
                time-limit = 5\n\n[[alert]]\nname = \"beheer\"\ncommand = [\"/bin/true\", \"--urgent\"]\n";
    office.wissel.set("HOOK_URL", "https://hook.example.com/pad-als-een-geheim");
    office.wissel.set("HOOK_KEY", SECRETS[2]);
    write(text);
    let apply = |office: &Office| -> Vec<Value> {
        let applied = office.json(&["apply", "-f", &path]);
        applied["alerts"].as_array().unwrap().iter().map(|one| one["change"].clone()).collect()
    };
    assert_eq!(apply(&office), ["created", "created"]);
    assert_eq!(apply(&office), ["unchanged", "unchanged"]);
    let channels = office.json(&["alert", "list"])["channels"].clone();
    let chat = channels.as_array().unwrap().iter().find(|one| one["name"] == "chat").unwrap();
    assert_eq!((&chat["signed"], &chat["time_limit_seconds"]), (&json!(true), &json!(5)), "{chat:#}");
    // What is exported tells neither, and changes nothing where it comes from.
    let exported = office.ok(&["export"]).stdout;
    assert!(exported.contains("--urgent") && !exported.contains("hook.example.com"), "{exported}");
    write(&exported);
    assert_eq!(apply(&office).len(), 2, "{exported}");
    assert_eq!(apply(&office), ["unchanged", "unchanged"]);
    assert_eq!(office.json(&["alert", "list"])["channels"], channels);
    // Another key, then an address that can be told.
    write(text);
    office.wissel.set("HOOK_KEY", SECRETS[1]);
    assert_eq!(apply(&office), ["changed", "unchanged"]);
    write(&text.replace("{ env = \"HOOK_URL\" }", "\"https://elders.example.com/\""));
    assert_eq!(apply(&office), ["changed", "unchanged"]);
    assert!(office.json(&["alert", "list"]).to_string().contains("elders.example.com"));

    for (from, to, problem) in [
        ("webhook = { env = \"HOOK_URL\" }", "webhook = \"http://elders.example.com/\"", "no https address"),
        ("webhook = {", "command = [\"x\"]\nwebhook = {", "both a `command` and a `webhook`"),
        ("webhook = { env = \"HOOK_URL\" }", "command = [\"x\"]", "are for a `webhook`"),
        ("time-limit = 5", "time-limit = 0", "between 1 and 600"),
        ("\"beheer\"", "\"Chat\"", "twice"),
    ] {
        write(&text.replace(from, to));
        let wrong = office.error(2, &["apply", "-f", &path], "");
        assert!(wrong["message"].as_str().unwrap().contains(problem), "{problem}: {wrong}");
    }
    let new = Office::new();
    write(&exported);
    let wrong = new.error(2, &["apply", "-f", &path], "");
    assert!(wrong["message"].as_str().unwrap().contains("does not say where it goes"), "{wrong}");
}

#[test]
fn the_guide_has_this_account_s_values_in_it_and_speaks_dutch() {
    let office = Office::with_client("2049-06-30");
    office.add_account("Inkoop", "oauth");
    let guide = office.json(&["account", "guide", "Inkoop"]);
    assert_eq!(guide["redirect_uri"], "http://localhost/", "{guide:#}");
    let ids: Vec<&str> =
        guide["chapters"].as_array().unwrap().iter().map(|c| c["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["registration", "secret"], "sending is not asked for: {guide:#}");
    let link = guide["admin_consent_link"].as_str().unwrap();
    let wanted = format!(
        "https://login.example.com/{TENANT}/adminconsent?client_id={CLIENT_ID}&scope=openid%20offline_access%20\
         https%3A%2F%2Fmail.example.com%2FMail.ReadWrite%20https%3A%2F%2Fmail.example.com%2FUser.Read\
         &redirect_uri=http%3A%2F%2Flocalhost%2F&state="
    );
    assert!(link.starts_with(&wanted) && link.len() > wanted.len(), "{link}\n{wanted}");
    office.ok(&["account", "edit", "Inkoop", "--set", "send-mail=true"]);
    office.ok(&["client", "edit", "Kantoor", "--redirect", "https://example.com/Antwoord"]);
    let dutch = office.ok(&["account", "guide", "Inkoop", "registration", "--language", "nl"]).stdout;
    assert!(dutch.contains("Registreer de redirect-URI https://example.com/Antwoord"), "{dutch}");
    assert!(dutch.contains("Mail.Send") && !dutch.contains("2049"), "{dutch}");
    let secret = office.ok(&["account", "guide", "Inkoop", "secret"]).stdout;
    assert!(secret.contains("the secret expires 2049-06-30 (in "), "{secret}");
    assert!(office.ok(&["account", "guide", "Inkoop", "sending"]).stdout.contains("Check Send As."));
    let wrong = office.error(3, &["account", "guide", "Inkoop", "nothing"], "");
    assert!(wrong["next"].as_str().unwrap().contains("registration, secret, sending"), "{wrong}");
}
