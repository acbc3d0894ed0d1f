//! What to do, by the code of Microsoft Entra or of Microsoft Graph.

use wissel_connector::description::text;
use wissel_connector::serde_json::{Value, json};

/// The advice of every auth method.
pub(super) fn advice() -> Value {
    let entra = ENTRA.iter().flat_map(|(codes, en, nl)| codes.iter().map(move |code| (*code, *en, *nl)));
    let graph = GRAPH.iter().flat_map(|(codes, en, nl)| codes.iter().map(move |code| (*code, *en, *nl)));
    entra.chain(graph).map(|(code, en, nl)| json!({ "code": code, "text": text(en, nl) })).collect()
}

/// Codes, and the advice in English and Dutch.
type Lines<'a> = &'a [(&'a [&'a str], &'a str, &'a str)];

/// What the sign-in says: AADSTS numbers, and the errors of OAuth that come without one.
const ENTRA: Lines<'_> = &[
    (
        &["AADSTS7000215"],
        "The client secret is wrong. Paste the Value of the secret, not its Secret ID. The Value is shown only once; when \
         it was not kept, create a new client secret.",
        "De client secret klopt niet. Plak de Waarde (Value) van de client secret, niet de Geheim-id (Secret ID). De \
         waarde wordt maar één keer getoond; is zij niet bewaard, maak dan een nieuwe client secret aan.",
    ),
    (
        &["AADSTS7000222"],
        "The client secret has expired. Create a new one under Certificates & secrets, add it here beside the old one \
         (`{secret-add-command}`), test it (`{secret-test-command}`), put it to use (`{secret-use-command}`), and delete the \
         old one.",
        "De client secret is verlopen. Maak een nieuwe aan onder Certificaten en geheimen, voeg die hier naast de oude \
         toe (`{secret-add-command}`), test die (`{secret-test-command}`), neem die in gebruik (`{secret-use-command}`) en \
         verwijder de oude.",
    ),
    (
        &["AADSTS65001", "AADSTS90094", "consent_required"],
        "Nobody has given consent to these permissions yet. Send the admin-consent link to an administrator of the \
         organisation, and authorize again after that: `{authorize-command}`.",
        "Er is nog geen toestemming gegeven voor deze machtigingen. Stuur de link voor beheerderstoestemming naar een \
         beheerder van de organisatie en machtig daarna opnieuw: `{authorize-command}`.",
    ),
    (
        &["AADSTS65004", "access_denied", "authorization_declined"],
        "The consent was declined at the sign-in. Authorize again and accept, or have an administrator do \
         it: `{authorize-command}`.",
        "De toestemming is bij het inloggen geweigerd. Machtig opnieuw en accepteer, of laat een beheerder het \
         doen: `{authorize-command}`.",
    ),
    (
        &["AADSTS50011"],
        "The redirect URI is not registered. Register it in the app registration under Authentication, exactly as the guide \
         shows it: upper and lower case count.",
        "De redirect-URI is niet geregistreerd. Registreer deze in de app registratie onder Verificatie, precies zoals de \
         handleiding hem toont: hoofdletters tellen mee.",
    ),
    (
        &["AADSTS50076", "AADSTS50079", "AADSTS50158", "interaction_required"],
        "The organisation demands multi-factor sign-in. Authorize again in a browser and complete it: \
         `{authorize-command}`.",
        "De organisatie vereist meervoudige verificatie. Machtig opnieuw in een browser en doorloop de verificatie: \
         `{authorize-command}`.",
    ),
    (
        &["AADSTS700016"],
        "There is no app registration with this Client ID in this tenant. Compare Client ID and Tenant ID with the overview \
         of the app registration.",
        "In deze tenant bestaat geen app registratie met dit Client ID. Vergelijk Client ID en Tenant ID met het \
         overzichtsscherm van de app registratie.",
    ),
    (
        &["AADSTS90002", "AADSTS900023", "AADSTS900021"],
        "The tenant is not found. Check the Tenant ID, and whether the organisation is in another cloud.",
        "De tenant is niet gevonden. Controleer het Tenant ID, en of de organisatie in een andere cloud staat.",
    ),
    (
        &["AADSTS53003", "AADSTS53000", "AADSTS53001"],
        "Conditional Access of the organisation blocks this sign-in. An administrator finds the policy in the sign-in log \
         of Microsoft Entra. Trying again does not help.",
        "Voorwaardelijke toegang van de organisatie blokkeert deze aanmelding. Een beheerder vindt het beleid in het \
         aanmeldlogboek van Microsoft Entra. Opnieuw proberen helpt niet.",
    ),
    (
        &["AADSTS70008", "AADSTS700082", "AADSTS50173", "AADSTS700084", "AADSTS50078"],
        "The authorisation has expired or was withdrawn, for instance by a new password. Authorize again: `{authorize-command}`.",
        "De machtiging is verlopen of ingetrokken, bijvoorbeeld door een nieuw wachtwoord. Machtig opnieuw: `{authorize-command}`.",
    ),
    (
        &["AADSTS70043"],
        "The organisation's sign-in frequency policy ended the authorisation. Authorize again; an administrator can exempt \
         this app from the policy.",
        "Het beleid voor aanmeldingsfrequentie van de organisatie heeft de machtiging beëindigd. Machtig opnieuw; een \
         beheerder kan deze app van het beleid uitzonderen.",
    ),
    (
        &["AADSTS7000112"],
        "The app is disabled in the tenant. An administrator enables it under Enterprise applications.",
        "De app is uitgeschakeld in de tenant. Een beheerder schakelt deze in onder Bedrijfstoepassingen.",
    ),
    (
        &["AADSTS7000218"],
        "The app registration demands a client secret or certificate, and none was sent. Add a client secret, or allow \
         public client flows under Authentication.",
        "De app registratie vereist een client secret of certificaat, en dat is niet meegestuurd. Voeg een client secret \
         toe, of sta openbare clientstromen toe onder Verificatie.",
    ),
    (
        &["AADSTS700027", "AADSTS7000214"],
        "The certificate is not known to the app registration, or has expired. Upload its public part under Certificates & \
         secrets.",
        "Het certificaat is niet bekend bij de app registratie of is verlopen. Upload het openbare deel onder Certificaten \
         en geheimen.",
    ),
    (
        &["AADSTS700024"],
        "What the certificate signed is not valid at this moment: the clock of this computer is off. Set it, and try again.",
        "Wat het certificaat heeft ondertekend, is op dit moment niet geldig: de klok van deze computer loopt verkeerd. Zet \
         de klok goed en probeer het opnieuw.",
    ),
    (
        &["AADSTS50020", "AADSTS50105", "AADSTS50034"],
        "This user does not belong to the tenant, or is not assigned to the app. Sign in with an account of the \
         organisation, or have an administrator assign the user under Enterprise applications.",
        "Deze gebruiker hoort niet bij de tenant of is niet aan de app toegewezen. Log in met een account van de \
         organisatie, of laat een beheerder de gebruiker toewijzen onder Bedrijfstoepassingen.",
    ),
    (
        &["AADSTS50055", "AADSTS50057", "AADSTS50126"],
        "The user's password is wrong or has expired, or the user is blocked. Sign in at Microsoft 365 with a browser to see \
         which, then authorize again: `{authorize-command}`.",
        "Het wachtwoord van de gebruiker klopt niet of is verlopen, of de gebruiker is geblokkeerd. Log met een browser in \
         bij Microsoft 365 om te zien wat het is en machtig daarna opnieuw: `{authorize-command}`.",
    ),
    (
        &["AADSTS500113", "AADSTS50194"],
        "The app registration has no redirect URI, or is not of the kind Single tenant. Compare it with the guide.",
        "De app registratie heeft geen redirect-URI of is niet van het type Single tenant. Vergelijk deze met de \
         handleiding.",
    ),
    (
        &["expired_token", "AADSTS70020"],
        "The code was not entered in time. Authorize again: `{authorize-command}`.",
        "De code is niet op tijd ingevoerd. Machtig opnieuw: `{authorize-command}`.",
    ),
    (
        &["invalid_grant"],
        "The authorisation is not valid any more. Authorize again: `{authorize-command}`.",
        "De machtiging is niet meer geldig. Machtig opnieuw: `{authorize-command}`.",
    ),
];

/// What Microsoft Graph says.
const GRAPH: Lines<'_> = &[
    (
        &["ErrorAccessDenied", "AccessDenied", "Authorization_RequestDenied", "Forbidden"],
        "A right is missing. For a shared mailbox: in the Exchange admin center, Recipients > Mailboxes > the mailbox > \
         Mailbox delegation, the signed-in user needs Full Access (Read and manage). For all: the app registration needs the \
         delegated permission Mail.ReadWrite.Shared with consent; authorize again after it was added.",
        "Er ontbreekt een recht. Voor een gedeeld postvak: in het Exchange Admin Center, Ontvangers > Postvakken > het \
         postvak > Postvakdelegatie, heeft de ingelogde gebruiker Volledige toegang (Full Access) nodig. Voor alle: de app \
         registratie heeft de gedelegeerde machtiging Mail.ReadWrite.Shared met toestemming nodig; machtig opnieuw nadat \
         die is toegevoegd.",
    ),
    (
        &["ErrorSendAsDenied"],
        "The signed-in user may not send from this address. In the Exchange admin center, Mailbox delegation of that \
         mailbox, give Send As or Send on Behalf; it can take an hour to count.",
        "De ingelogde gebruiker mag niet van dit adres verzenden. Geef in het Exchange Admin Center, Postvakdelegatie van \
         dat postvak, Verzenden als (Send As) of Verzenden namens (Send on Behalf); het kan een uur duren voor dat geldt.",
    ),
    (
        &["MailboxNotEnabledForRESTAPI", "MailboxNotSupportedForRESTAPI"],
        "The mailbox is not in Exchange Online: it has no licence, was deleted, or is on a server of the organisation's own. \
         Check the licence of the user, or give the address of a shared mailbox in the setting Mailbox.",
        "Het postvak staat niet in Exchange Online: er is geen licentie, het is verwijderd, of het staat op een eigen server \
         van de organisatie. Controleer de licentie van de gebruiker, of vul bij Postvak het adres van een gedeeld postvak in.",
    ),
    (
        &["ErrorInvalidUser", "ErrorNonExistentMailbox", "Request_ResourceNotFound"],
        "There is no such mailbox in the tenant. Check the address in the setting Mailbox.",
        "Dit postvak bestaat niet in de tenant. Controleer het adres bij de instelling Postvak.",
    ),
    (
        &["InvalidAuthenticationToken", "CompactToken", "ErrorInvalidToken", "Unauthorized"],
        "Microsoft Graph does not accept the access token. Authorize again; if that does not help, check that Cloud is the \
         organisation's.",
        "Microsoft Graph accepteert het toegangstoken niet. Machtig opnieuw; helpt dat niet, controleer dan of Cloud die van \
         de organisatie is.",
    ),
    (
        &["ErrorTokenNotValid", "ErrorAccountSuspend", "ErrorAccountSuspended"],
        "The mailbox or its user is suspended. An administrator of the organisation can say why.",
        "Het postvak of de gebruiker is geblokkeerd. Een beheerder van de organisatie weet waarom.",
    ),
    (
        &["ErrorQuotaExceeded", "ErrorMessageSizeExceeded"],
        "The mailbox is full, or the message is larger than the organisation allows.",
        "Het postvak is vol, of het bericht is groter dan de organisatie toestaat.",
    ),
    (
        &["TooManyRequests", "ApplicationThrottled", "ErrorServerBusy"],
        "Microsoft 365 asks to slow down. Nothing needs to be changed; it is tried again by itself.",
        "Microsoft 365 vraagt om langzamer te gaan. Er hoeft niets te worden gewijzigd; er wordt vanzelf opnieuw geprobeerd.",
    ),
    (
        &[
            "ErrorMimeContentConversionFailed",
            "ErrorContentConversionFailed",
            "ErrorCorruptData",
            "ErrorItemCorrupt",
        ],
        "Exchange cannot put this message into its original form. Open it in Outlook; if that works, forward it to the \
         mailbox.",
        "Exchange kan dit bericht niet in de oorspronkelijke vorm leveren. Open het in Outlook; lukt dat, stuur het dan door \
         naar het postvak.",
    ),
    (
        &["ErrorMailboxMoveInProgress", "ErrorMailboxStoreUnavailable"],
        "The mailbox is being moved or its server is not available. Nothing needs to be changed; it is tried again.",
        "Het postvak wordt verplaatst of de server ervan is niet beschikbaar. Er hoeft niets te worden gewijzigd; er wordt \
         opnieuw geprobeerd.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_known_code_has_one_advice_in_both_languages() {
        let all = advice();
        let codes: Vec<&str> = all.as_array().unwrap().iter().map(|a| a["code"].as_str().unwrap()).collect();
        assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len(), "a code twice");
        for number in [
            "7000215", "7000222", "65001", "90094", "65004", "50011", "50076", "50079", "700016", "90002",
            "900023", "53003", "70008", "700082", "50173", "70043", "7000112",
        ] {
            assert!(codes.contains(&format!("AADSTS{number}").as_str()), "{number}");
        }
        for one in all.as_array().unwrap() {
            assert!(one["text"]["en"].as_str().unwrap().ends_with('.'), "{one}");
            assert!(one["text"]["nl"].as_str().unwrap().ends_with('.'), "{one}");
        }
    }
}
