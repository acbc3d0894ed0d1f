//! What a person does at Microsoft, chapter by chapter, with the account's own values: registering the app, its secret, its
//! permissions; replacing the secret; looking up who may open a mailbox.

use wissel_connector::description::text;
use wissel_connector::serde_json::{Value, json};

pub(super) fn chapters() -> Value {
    json!([
        chapter(
            "register-app",
            text(
                "Register the app in the Microsoft Azure portal",
                "De app registreren in de Microsoft Azure Portal"
            ),
            REGISTER
        ),
        chapter("client-secret", text("Create the client secret", "De client secret genereren"), SECRET),
        chapter(
            "permissions",
            text("Set the API permissions", "Rechten instellen voor de Microsoft Graph app"),
            PERMISSIONS
        ),
        chapter(
            "admin-consent",
            text("Have an administrator consent", "Toestemming van een beheerder"),
            CONSENT
        ),
        chapter(
            "renew-secret",
            text("Replace an expiring client secret", "Een verlopen client secret vervangen"),
            RENEW
        ),
        chapter(
            "delegated-rights",
            text(
                "Check the delegated rights in the Exchange admin center",
                "Delegated permissions nalopen in het Exchange Admin Center"
            ),
            RIGHTS
        ),
        chapter(
            "application",
            text("Sign in as an application, without a user", "Inloggen als toepassing, zonder gebruiker"),
            APPLICATION
        )
    ])
}

/// Steps in English and Dutch.
type Steps<'a> = &'a [(&'a str, &'a str)];

fn chapter(id: &str, title: Value, steps: Steps<'_>) -> Value {
    let steps: Vec<Value> = steps.iter().map(|(en, nl)| text(en, nl)).collect();
    json!({ "id": id, "title": title, "steps": steps })
}

const REGISTER: Steps<'_> = &[
    (
        "Open https://portal.azure.com (in China https://portal.azure.cn, for the US government https://portal.azure.us) and sign in \
         with a Microsoft 365 account that has administrator rights.",
        "Ga naar https://portal.azure.com (in China https://portal.azure.cn, voor de US Government https://portal.azure.us) en log in \
         met een Microsoft 365 account met beheerdersrechten.",
    ),
    (
        "Under Azure services, choose Manage Microsoft Entra ID. When it is not shown, choose More services first.",
        "Klik bij Azure services op Manage Microsoft Entra ID. Als deze optie niet zichtbaar is, klik dan op More services.",
    ),
    (
        "Choose App registrations on the left, then New registration.",
        "Klik aan de linkerzijde op App registrations en klik dan op New registration.",
    ),
    (
        "Name: for instance {client}. Supported account types: Accounts in this organizational directory only - Single tenant.",
        "Naam: bijvoorbeeld {client}. Supported account types: Accounts in this organizational directory only - Single tenant.",
    ),
    (
        "Redirect URI: choose Web when a client secret is used, or Mobile and desktop applications without one, and fill in \
         {redirect-uri} exactly like this.",
        "Redirect URI: kies Web als er een client secret wordt gebruikt, of Mobile and desktop applications zonder client \
         secret, en vul precies {redirect-uri} in.",
    ),
    (
        "Choose Register. From the overview, copy Application (client) ID and Directory (tenant) ID into the settings Client ID \
         and Tenant ID (now {client-id} and {tenant}).",
        "Klik op Register. Kopieer uit het overzichtsscherm Application (client) ID en Directory (tenant) ID naar de \
         instellingen Client ID en Tenant ID (nu {client-id} en {tenant}).",
    ),
];

const SECRET: Steps<'_> = &[
    (
        "In the app registration, under Manage, choose Certificates & secrets, then New client secret.",
        "Klik in de app registratie onder Manage op Certificates & secrets en dan op New client secret.",
    ),
    (
        "Give it a name, such as {client}, and choose when it expires: 730 days (2 years) at most; Microsoft advises 180 days. \
         Note the date.",
        "Geef de client secret een naam, zoals {client}, en kies de vervaldatum: hooguit 730 dagen (2 jaar); Microsoft adviseert \
         180 dagen. Noteer de datum.",
    ),
    (
        "Choose Add, and copy the Value at once: it is shown only this once. Not the Secret ID, which is of no use here.",
        "Klik op Add en kopieer meteen de Waarde (Value): deze wordt slechts één keer getoond. Niet de Geheim-id (Secret ID), \
         daar is hier niets mee te doen.",
    ),
    (
        "Store it here together with the date on which it expires, so that a warning comes in time: with `wissel client add`, or \
         `{secret-add-command} --expires DATE`.",
        "Bewaar de waarde hier samen met de vervaldatum, zodat er op tijd wordt gewaarschuwd: met `wissel client add`, of met \
         `{secret-add-command} --expires DATUM`.",
    ),
    (
        "Safer, and recommended by Microsoft: a certificate instead. Make one with `openssl req -x509 -newkey rsa:3072 -nodes -days \
         365 -subj /CN=wissel -keyout key.pem -out certificate.pem`, upload certificate.pem under Certificates, and store both here \
         with --certificate certificate.pem --key key.pem.",
        "Veiliger, en door Microsoft aanbevolen: in plaats daarvan een certificaat. Maak er een met `openssl req -x509 -newkey rsa:3072 \
         -nodes -days 365 -subj /CN=wissel -keyout key.pem -out certificate.pem`, upload certificate.pem onder Certificates, en bewaar \
         beide hier met --certificate certificate.pem --key key.pem.",
    ),
];

const PERMISSIONS: Steps<'_> = &[
    (
        "In the app registration, under Manage, choose API permissions, then Add a permission, Microsoft Graph, Delegated \
         permissions.",
        "Klik in de app registratie onder Manage op API permissions, dan op Add a permission, Microsoft Graph, Delegated \
         permissions.",
    ),
    (
        "Under Mail, select Mail.ReadWrite.Shared for importing e-mail, and Mail.Send.Shared for sending it.",
        "Selecteer onder Mail: Mail.ReadWrite.Shared voor het ophalen van e-mail, en Mail.Send.Shared voor het verzenden van \
         e-mail.",
    ),
    (
        "Under OpenId permissions, select offline_access, without which the authorisation ends after an hour, and openid. Under \
         User, select User.Read, which tells who is signed in.",
        "Selecteer onder OpenId permissions offline_access, zonder welke de machtiging na een uur eindigt, en openid. \
         Selecteer onder User de machtiging User.Read, die vertelt wie er is ingelogd.",
    ),
    (
        "Choose Add permissions. This account asks for: {scopes}.",
        "Klik op Add permissions. Dit account vraagt om: {scopes}.",
    ),
];

const CONSENT: Steps<'_> = &[
    (
        "Most organisations let only administrators consent. Choose Grant admin consent under API permissions, or send an \
         administrator this link: {admin-consent-link}",
        "Bij de meeste organisaties mogen alleen beheerders toestemming geven. Klik onder API permissions op Grant admin consent, \
         of stuur een beheerder deze link: {admin-consent-link}",
    ),
    (
        "After that, authorize the account {account} with `{authorize-command}` and sign in as the user whose rights it is to use; not as the shared mailbox, \
         which has no sign-in of its own.",
        "Machtig daarna het account {account} met `{authorize-command}` en log in als de gebruiker wiens rechten het moet gebruiken; niet als het gedeelde \
         postvak, want daarmee kan niet worden ingelogd.",
    ),
];

const RENEW: Steps<'_> = &[
    (
        "The last day of the client secret of {client}: {secret-expires}. After that, e-mail stands still until it is replaced.",
        "De laatste dag van de client secret van {client}: {secret-expires}. Daarna ligt de e-mail stil tot die is vervangen.",
    ),
    (
        "Open https://portal.azure.com, Microsoft Entra ID, App registrations, and the one with the Client ID {client-id}; sign in \
         with the account that made it, or another administrator.",
        "Ga naar https://portal.azure.com, Microsoft Entra ID, App-registraties, en open die met het Client ID {client-id}; log in \
         met het account dat de registratie heeft aangemaakt, of als andere beheerder.",
    ),
    (
        "Choose Certificates & secrets, then New client secret. Leave the old one in place.",
        "Klik op Certificaten en geheimen en dan op Nieuw clientgeheim. Laat de oude client secret nog staan.",
    ),
    (
        "Give a description and an expiry (730 days at most, 180 advised), choose Add, and copy the Value: it is shown only once.",
        "Geef een beschrijving en vervaldatum (hooguit 730 dagen, 180 aanbevolen), klik op Toevoegen en kopieer de Waarde: deze wordt \
         maar één keer getoond.",
    ),
    (
        "Add it here beside the old one with `{secret-add-command} --expires DATE`; try it with `{secret-test-command}`; put it to use \
         with `{secret-use-command}`. Then delete the old one in the portal. All accounts of {client} go on by themselves.",
        "Voeg die hier naast de oude toe met `{secret-add-command} --expires DATUM`; test die met `{secret-test-command}`; neem die in \
         gebruik met `{secret-use-command}`. Verwijder dan de oude in de portal. Alle accounts van {client} gaan vanzelf verder.",
    ),
];

const RIGHTS: Steps<'_> = &[
    (
        "Open https://admin.exchange.microsoft.com and sign in as an administrator (Global Admin or Exchange Admin).",
        "Ga naar https://admin.exchange.microsoft.com en log in met een beheerdersaccount (Global Admin of Exchange Admin).",
    ),
    (
        "Choose Recipients, Mailboxes, and the mailbox {mailbox}.",
        "Klik op Recipients (Ontvangers), Mailboxes (Postvakken) en op het postvak {mailbox}.",
    ),
    (
        "Open the tab Mailbox delegation. Who signs in for this account needs Full Access (Read and manage) to import.",
        "Ga naar het tabblad Mailbox delegation (Postvakdelegatie). Wie voor dit account inlogt, heeft Full Access (Volledige toegang) \
         nodig om te importeren.",
    ),
    (
        "To send as the mailbox, Send As is needed; to send on behalf of it, Send on Behalf.",
        "Om als het postvak te verzenden is Send As (Verzenden als) nodig; om namens het postvak te verzenden Send on Behalf \
         (Verzenden namens).",
    ),
    (
        "A new right counts after some minutes, sometimes an hour.",
        "Een nieuw recht geldt na enkele minuten, soms een uur.",
    ),
];

const APPLICATION: Steps<'_> = &[
    (
        "Only where nobody is to sign in: under API permissions, Application permissions, add Mail.ReadWrite (and Mail.Send to send), \
         and have an administrator consent.",
        "Alleen als niemand hoeft in te loggen: voeg onder API permissions, Application permissions, Mail.ReadWrite toe (en Mail.Send om \
         te verzenden) en laat een beheerder toestemming geven.",
    ),
    (
        "These reach every mailbox of the organisation. Restrict the app with RBAC for Applications in Exchange Online to the mailbox \
         {mailbox}.",
        "Deze machtigingen gelden voor elk postvak van de organisatie. Beperk de app met RBAC for Applications in Exchange Online tot \
         het postvak {mailbox}.",
    ),
    (
        "Give the address of the mailbox in the setting Mailbox.",
        "Vul het adres van het postvak in bij de instelling Postvak.",
    ),
];
