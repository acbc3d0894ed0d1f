//! The tenant that a test bed begins with, set up the way the manual for administrators says.

use jiff::{SignedDuration, Timestamp};

use super::{
    directory::{App, Directory, Platform, Redirect, Rights, Secret, Tenant, User},
    tokens::{GRAPH, OUTLOOK},
};

/// The tenant's id.
pub const TENANT: &str = "11111111-2222-4333-8444-555555555555";
/// The tenant's domain.
pub const DOMAIN: &str = "voorbeeld.example";
/// The app's client id.
pub const CLIENT_ID: &str = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";
/// The value of the app's client secret.
pub const CLIENT_SECRET: &str = "proef8Q~geheim-van-de-proefopstelling";
/// Another app without any secret: only native redirect URIs and public flows.
pub const PUBLIC_CLIENT_ID: &str = "aaaaaaaa-bbbb-4ccc-8ddd-ffffffffffff";
/// A user with a mailbox.
pub const USER: &str = "facturen@voorbeeld.example";
/// An administrator of the tenant.
pub const ADMIN: &str = "beheerder@voorbeeld.example";
/// A shared mailbox that the user may open, send as, and send on behalf of.
pub const SHARED: &str = "administratie@voorbeeld.example";
/// Everybody's password.
pub const PASSWORD: &str = "wachtwoord";
/// The redirect URI of the app beside `http://localhost`.
pub const RELAY: &str = "https://relay.voorbeeld.example/authorize";

/// The manual's two permissions and those that Wissel asks for besides, and IMAP.
const DELEGATED: [(&str, &str); 4] = [
    (GRAPH, "Mail.ReadWrite.Shared"),
    (GRAPH, "Mail.Send.Shared"),
    (GRAPH, "User.Read"),
    (OUTLOOK, "IMAP.AccessAsUser.All"),
];
const APPLICATION: [(&str, &str); 4] = [
    (GRAPH, "Mail.ReadWrite"),
    (GRAPH, "Mail.Send"),
    (GRAPH, "User.Read.All"),
    (OUTLOOK, "IMAP.AccessAsApp"),
];

pub(super) fn directory() -> Directory {
    let written = |permissions: [(&str, &str); 4]| {
        permissions.iter().map(|(audience, name)| format!("{audience}/{name}")).collect()
    };
    let redirect = |uri: &str, platform| Redirect { uri: uri.to_owned(), platform };
    let expires = Timestamp::now().saturating_add(SignedDuration::from_hours(730 * 24));
    let confidential = App {
        secrets: vec![Secret::new(CLIENT_SECRET, expires.unwrap_or(Timestamp::MAX))],
        redirects: vec![redirect("http://localhost", Platform::Web), redirect(RELAY, Platform::Web)],
        delegated: written(DELEGATED),
        application: written(APPLICATION),
        ..App::new(CLIENT_ID, "Wissel", TENANT)
    };
    let public = App {
        redirects: vec![redirect("http://localhost", Platform::Native)],
        public_flows: true,
        delegated: written(DELEGATED),
        ..App::new(PUBLIC_CLIENT_ID, "Wissel (public)", TENANT)
    };

    let mut tenant = Tenant::new(TENANT, DOMAIN);
    let everything = Rights { full_access: true, send_as: true, send_on_behalf: true };
    let mut user = User::new(USER, PASSWORD);
    user.mailboxes.insert(SHARED.to_owned(), everything);
    tenant.add_user(user);
    tenant.add_user(User { admin: true, ..User::new(ADMIN, PASSWORD) });
    for app in [&confidential, &public] {
        let consents = tenant.consents(&app.client_id);
        consents.everybody.clone_from(&app.delegated);
        consents.application.clone_from(&app.application);
    }

    let mut directory = Directory::default();
    directory.add_tenant(tenant);
    directory.add_app(confidential);
    directory.add_app(public);
    directory
}
