//! What a person reads while an account is authorised.

use std::time::Duration;

use super::Language;

impl Language {
    /// Before the link to the page where a person signs in.
    pub(crate) fn sign_in_here(self, opened: bool) -> String {
        if opened {
            self.pick(
                "The browser opens this page; sign in there. If it does not open, open it yourself:",
                "De browser opent deze pagina; log daar in. Opent hij niet, open hem dan zelf:",
            )
        } else {
            self.pick(
                "Open this page in a browser and sign in there:",
                "Open deze pagina in een browser en log daar in:",
            )
        }
        .to_owned()
    }

    /// Where the answer can be pasted. `relayed`: a page shows it; else the browser ends at this machine's own address.
    pub(crate) fn paste_here(self, relayed: bool) -> &'static str {
        if relayed {
            self.pick(
                "After signing in, the page shows a code. Paste it here:",
                "Na het inloggen toont de pagina een code. Plak die hier:",
            )
        } else {
            self.pick(
                "Is the browser on another machine? Then its last page does not load: paste the whole address of that \
                 page here.",
                "Staat de browser op een andere computer? Dan laadt de laatste pagina niet: plak hier het hele adres van \
                 die pagina.",
            )
        }
    }

    /// Where a line is waited for.
    pub(crate) fn paste_now(self) -> &'static str {
        self.pick(
            "Paste the whole address of the page that came last, or the code that it shows:",
            "Plak het hele adres van de pagina die het laatst kwam, of de code die daar staat:",
        )
    }

    /// How long is waited, and what to do where the page ends in an error, of which nothing is heard here. `client`: the
    /// OAuth client whose secret can be tested.
    pub(crate) fn waits(self, patience: Duration, client: Option<&str>) -> String {
        let minutes = patience.as_secs() / 60;
        let waits = self.pick(
            format!(
                "Waiting for the answer, {minutes} minutes at most. Does the page show an error? Wissel hears nothing of \
                 it: stop with Ctrl-C and look up its code in the connector's documentation."
            ),
            format!(
                "Wacht op het antwoord, hoogstens {minutes} minuten. Toont de pagina een fout? Daar hoort Wissel niets \
                 van: stop met Ctrl-C en zoek de code op in de documentatie van de connector."
            ),
        );
        let test = client.map(|client| {
            self.pick(
                format!(" A wrong tenant, client or secret is found by `wissel client secret test {client}`."),
                format!(
                    " Een verkeerde tenant, client of geheim vindt u met `wissel client secret test {client}`."
                ),
            )
        });
        waits + &test.unwrap_or_default()
    }

    /// What to do when a pasted answer is refused.
    pub(crate) fn answer_too_old(self, account: &str) -> String {
        self.pick(
            format!(
                "The answer may be too old (it is good for some minutes) or used already. Make a new link with `wissel \
                 account authorize {account} --link`, and paste its answer at once."
            ),
            format!(
                "Het antwoord kan te oud zijn (het geldt enkele minuten) of al gebruikt. Maak een nieuwe link met `wissel \
                 account authorize {account} --link`, en plak het antwoord meteen."
            ),
        )
    }

    /// The warning that the account becomes the mailbox of somebody else.
    pub(crate) fn another_user(self, account: &str, before: &str, user: &str) -> String {
        self.pick(
            format!(
                "WARNING: account '{account}' was authorised by {before}, and now {user} signed in. Without a mailbox in \
                 its settings, its jobs go on in the mailbox of {user}."
            ),
            format!(
                "WAARSCHUWING: account '{account}' was gemachtigd door {before}, en nu is {user} ingelogd. \
                 Zonder postvak in de instellingen gaan de taken verder in het postvak van {user}."
            ),
        )
    }

    /// What becomes of a link that somebody opens elsewhere.
    pub(crate) fn link_advice(self, next: &str, relayed: bool) -> String {
        let end = if relayed {
            self.pick("Whoever signs in there is shown a code.", "Wie daar inlogt, krijgt een code te zien.")
        } else {
            self.pick(
                "After signing in, the browser ends at an address that does not load; that whole address is the answer.",
                "Na het inloggen eindigt de browser op een adres dat niet laadt; dat hele adres is het antwoord.",
            )
        };
        let give = self.pick(
            format!("It is good for some minutes only: give it at once with `{next}`. The link itself lasts a day."),
            format!("Dat geldt maar enkele minuten: geef het meteen op met `{next}`. De link zelf blijft een dag geldig."),
        );
        format!("{end} {give}")
    }

    /// What to do on another device.
    pub(crate) fn device_advice(self, address: &str, code: &str, lasts: Duration) -> String {
        let minutes = lasts.as_secs().div_ceil(60);
        self.pick(
            format!("On any device, open {address}\nand enter the code {code} within {minutes} minutes."),
            format!("Open op een willekeurig apparaat {address}\nen voer binnen {minutes} minuten de code {code} in."),
        )
    }

    /// What to do where the page wants an administrator's approval. `less`: permissions can be left out.
    pub(crate) fn needs_approval(self, account: &str, less: bool) -> String {
        let guide = self.pick(
            format!("Does the page want an administrator's approval? `wissel account guide {account}` has a link for one."),
            format!(
                "Vraagt de pagina om goedkeuring van een beheerder? `wissel account guide {account}` heeft daar een link voor."
            ),
        );
        let ask_less = self.pick(
            format!("Or ask for less: `wissel account authorize {account} --without-optional`."),
            format!("Of vraag minder: `wissel account authorize {account} --without-optional`."),
        );
        if less { format!("{guide} {ask_less}") } else { guide }
    }

    /// The closing line of a sign-in.
    pub(crate) fn authorized(self, account: &str, user: Option<&str>) -> String {
        match user {
            Some(user) => self.pick(
                format!("account '{account}' is authorised, by {user}"),
                format!("account '{account}' is gemachtigd, door {user}"),
            ),
            None => self.pick(
                format!("account '{account}' is authorised"),
                format!("account '{account}' is gemachtigd"),
            ),
        }
    }

    /// The warning that somebody else signed in than whose mailbox it is.
    pub(crate) fn other_user(self, user: &str, mailbox: &str) -> String {
        self.pick(
            format!(
                "WARNING: signed in as {user}, while the account is for {mailbox}. That is right for a shared mailbox to \
                 which {user} has full access; else authorise again, as {mailbox}."
            ),
            format!(
                "WAARSCHUWING: ingelogd als {user}, terwijl het account voor {mailbox} is. Dat klopt bij een gedeeld \
                 postvak waartoe {user} volledige toegang heeft; machtig het anders opnieuw, als {mailbox}."
            ),
        )
    }

    /// The warning about a permission that was asked for in vain.
    pub(crate) fn not_granted(self, scope: &str, purpose: Option<&str>, optional: bool) -> String {
        let purpose = purpose.map(|purpose| format!(" ({purpose})")).unwrap_or_default();
        match (self, optional) {
            (Self::En, true) => {
                format!(
                    "not granted: {scope}{purpose}. The account works without it, but not all that it could do does."
                )
            }
            (Self::En, false) => format!(
                "WARNING: not granted: {scope}{purpose}. What needs it will be refused. Have the permission added to the \
                 client and consented to, and authorise again."
            ),
            (Self::Nl, true) => {
                format!("niet verleend: {scope}{purpose}. Het account werkt zonder, maar kan niet alles.")
            }
            (Self::Nl, false) => format!(
                "WAARSCHUWING: niet verleend: {scope}{purpose}. Wat dit nodig heeft, wordt geweigerd. Laat de machtiging \
                 aan de OAuth-client toevoegen, geef er toestemming voor, en machtig opnieuw."
            ),
        }
    }

    /// The warning about an authorisation that ends with its token.
    pub(crate) fn not_renewable(self, ends: &str) -> String {
        self.pick(
            format!(
                "WARNING: the provider gave nothing to renew the token with: at {ends} the account has to be authorised \
                 again. The scope `offline_access`, or the provider's own setting for it, is missing."
            ),
            format!(
                "WAARSCHUWING: de provider gaf niets om het token mee te vernieuwen: op {ends} moet het account opnieuw \
                 worden gemachtigd. De scope `offline_access`, of een eigen instelling van de provider, ontbreekt."
            ),
        )
    }
}
