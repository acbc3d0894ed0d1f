//! The sentences that a person reads most, in English and Dutch side by side. Errors and help are English.

mod authorize;

use clap::ValueEnum;
use wissel_vault::KeySource;

/// A name in a command that a person may copy into a shell.
pub(crate) fn quoted(name: &str) -> String {
    if name.contains(['"', '$', '`', '\\', '!']) {
        format!("'{}'", name.replace('\'', r"'\''"))
    } else {
        format!("\"{name}\"")
    }
}

/// A language that sentences are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// English
    En,
    /// Dutch
    Nl,
}

impl Language {
    /// The language of the system, if it is one of these; else English.
    pub(crate) fn of_system() -> Self {
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .iter()
            .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
        if locale.is_some_and(|locale| locale.starts_with("nl")) { Self::Nl } else { Self::En }
    }

    /// Its tag (BCP 47).
    pub(crate) fn tag(self) -> &'static str {
        self.pick("en", "nl")
    }

    /// One of two.
    pub(crate) fn pick<T>(self, en: T, nl: T) -> T {
        match self {
            Self::En => en,
            Self::Nl => nl,
        }
    }

    /// Yes or no.
    pub(crate) fn yes_or_no(self, yes: bool) -> String {
        if yes { self.pick("yes", "ja") } else { self.pick("no", "nee") }.to_owned()
    }

    /// A number of octets as a person reads it.
    pub(crate) fn size(self, octets: u64) -> String {
        let units = [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
        let Some((unit, name)) = units.into_iter().find(|(unit, _)| octets >= *unit) else {
            return format!("{octets} B");
        };
        let tenths = octets / (unit / 10);
        format!("{}{}{} {name}", tenths / 10, self.pick(".", ","), tenths % 10)
    }

    /// A number of messages.
    pub(crate) fn messages(self, count: u64) -> String {
        match (self, count) {
            (Self::En, 1) => "1 message".to_owned(),
            (Self::En, _) => format!("{count} messages"),
            (Self::Nl, 1) => "1 bericht".to_owned(),
            (Self::Nl, _) => format!("{count} berichten"),
        }
    }

    /// How many of each a backup holds.
    pub(crate) fn contents(self, accounts: usize, jobs: usize) -> String {
        let many =
            |count: usize, one: &str, more: &str| format!("{count} {}", if count == 1 { one } else { more });
        match self {
            Self::En => format!("{}, {}", many(accounts, "account", "accounts"), many(jobs, "job", "jobs")),
            Self::Nl => format!("{}, {}", many(accounts, "account", "accounts"), many(jobs, "taak", "taken")),
        }
    }

    /// A number of secrets.
    pub(crate) fn secrets(self, count: usize) -> String {
        match (self, count) {
            (Self::En, 1) => "1 secret".to_owned(),
            (Self::En, _) => format!("{count} secrets"),
            (Self::Nl, 1) => "1 geheim".to_owned(),
            (Self::Nl, _) => format!("{count} geheimen"),
        }
    }

    /// What the doctor says about secrets that the vault can open.
    pub(crate) fn secrets_opened(self, count: u64) -> String {
        match (self, count) {
            (Self::En, 1) => "1 stored secret can be opened".to_owned(),
            (Self::En, _) => format!("{count} stored secrets can be opened"),
            (Self::Nl, 1) => "1 opgeslagen geheim kan worden geopend".to_owned(),
            (Self::Nl, _) => format!("{count} opgeslagen geheimen kunnen worden geopend"),
        }
    }

    /// The closing line of a rotation of the vault's key.
    pub(crate) fn rotated(self, secrets: usize, key: &str) -> String {
        match (self, secrets) {
            (Self::En, 1) => format!("1 secret is sealed with the new key {key}; the old key is removed"),
            (Self::En, _) => {
                format!("{secrets} secrets are sealed with the new key {key}; the old key is removed")
            }
            (Self::Nl, 1) => {
                format!("1 geheim is verzegeld met de nieuwe sleutel {key}; de oude is verwijderd")
            }
            (Self::Nl, _) => {
                format!(
                    "{secrets} geheimen zijn verzegeld met de nieuwe sleutel {key}; de oude is verwijderd"
                )
            }
        }
    }

    /// What was done to an account, and what comes next: what it lacks, or how to try it. `done`: the participle in both
    /// languages.
    pub(crate) fn done_to_account(self, name: &str, done: (&str, &str), lacks: Option<&str>) -> String {
        if let Some(next) = lacks {
            return self.pick(
                format!("account '{name}' is {}. {next}", done.0),
                format!("account '{name}' is {}. {next}", done.1),
            );
        }
        self.pick(
            format!("account '{name}' is {}; try it with `wissel account test {}`", done.0, quoted(name)),
            format!("account '{name}' is {}; probeer hem met `wissel account test {}`", done.1, quoted(name)),
        )
    }

    /// What is said of a client that was made for an account.
    pub(crate) fn client_made(self, name: &str) -> String {
        let shell = quoted(name);
        self.pick(
            format!("its OAuth client '{name}' is made too; other accounts can use it with --client {shell}"),
            format!("de OAuth-client '{name}' is ook gemaakt; andere accounts kunnen hem gebruiken met --client {shell}"),
        )
    }

    /// What was done to a job, and how to try it. `done`: the participle in both languages.
    pub(crate) fn done_to_job(self, name: &str, done: (&str, &str)) -> String {
        self.pick(
            format!("job '{name}' is {}; try it with `wissel job test {}`", done.0, quoted(name)),
            format!("taak '{name}' is {}; probeer hem met `wissel job test {}`", done.1, quoted(name)),
        )
    }

    /// Where the vault's key is.
    pub(crate) fn key_place(self, source: &KeySource) -> String {
        match (self, source) {
            (Self::En, _) => source.to_string(),
            (Self::Nl, KeySource::File(path)) => format!("het sleutelbestand {}", path.display()),
            (Self::Nl, KeySource::Environment(name)) => format!("de omgevingsvariabele {name}"),
            (Self::Nl, KeySource::Credential(path)) => {
                format!("de credential {} van de dienst", path.display())
            }
            (Self::Nl, KeySource::Keyring(_)) => "de sleutelring van het besturingssysteem".to_owned(),
        }
    }

    /// What a test of a job says about the import folder.
    pub(crate) fn import_folder(self, path: &str, total: Option<u32>, unread: Option<u32>) -> String {
        let mut text = match self {
            Self::En => format!("Successfully opened import folder '{path}'"),
            Self::Nl => format!("De importmap '{path}' is geopend"),
        };
        if let Some(total) = total {
            let messages = self.messages(u64::from(total));
            text += &self.pick(format!(" containing {messages}"), format!(" en bevat {messages}"));
            if let Some(unread) = unread {
                text += &self.pick(format!(" ({unread} unread)"), format!(" ({unread} ongelezen)"));
            }
        }
        text + "."
    }

    /// What a test says about a processed folder that exists.
    pub(crate) fn processed_folder(self, path: &str, total: Option<u32>) -> String {
        let mut text = self.pick(
            format!("The processed folder '{path}' exists"),
            format!("De map voor verwerkte berichten '{path}' bestaat"),
        );
        if let Some(total) = total {
            let messages = self.messages(u64::from(total));
            text += &self.pick(format!(" and contains {messages}"), format!(" en bevat {messages}"));
        }
        text + "."
    }

    /// What a test says about a processed folder that will be created.
    pub(crate) fn processed_folder_missing(self, name: &str) -> String {
        self.pick(
            format!("The processed folder '{name}' does not exist; the first run creates it."),
            format!("De map voor verwerkte berichten '{name}' bestaat nog niet; de eerste keer dat de taak draait wordt hij aangemaakt."),
        )
    }

    /// What a test says about the folders that are scanned.
    pub(crate) fn scanned(self, folders: usize) -> String {
        match (self, folders) {
            (Self::En, 1) => "1 folder is scanned.".to_owned(),
            (Self::En, _) => format!("{folders} folders are scanned."),
            (Self::Nl, 1) => "1 map wordt doorzocht.".to_owned(),
            (Self::Nl, _) => format!("{folders} mappen worden doorzocht."),
        }
    }

    /// What a test says about the target directory.
    pub(crate) fn target(self, directory: &str) -> String {
        self.pick(
            format!("The target directory '{directory}' can be written to."),
            format!("In de doelmap '{directory}' kan worden geschreven."),
        )
    }

    /// The warning about two accounts of a job that open one mailbox in two ways.
    pub(crate) fn same_mailbox(self, account: &str, other: &str) -> String {
        self.pick(
            format!("WARNING: account '{account}' opens the same mailbox as account '{other}'. Messages that both find are imported twice.\n  Keep one of them in the job; `wissel job switch` changes from one to the other without repeating any."),
            format!("WAARSCHUWING: account '{account}' opent hetzelfde postvak als account '{other}'. Berichten die beide vinden, worden twee keer geïmporteerd.\n  Houd er een in de taak; `wissel job switch` gaat van de ene naar de andere zonder iets te herhalen."),
        )
    }

    /// The closing line of a run.
    pub(crate) fn run_summary(self, imported: u64, quarantined: u64, failed: u64) -> String {
        let mut text = match (self, imported) {
            (Self::En, 0) => "Nothing new was imported".to_owned(),
            (Self::En, _) => format!("{} imported", self.messages(imported)),
            (Self::Nl, 0) => "Er is niets nieuws geïmporteerd".to_owned(),
            (Self::Nl, _) => format!("{} geïmporteerd", self.messages(imported)),
        };
        if quarantined > 0 {
            text +=
                &self.pick(format!(", {quarantined} quarantined"), format!(", {quarantined} in quarantaine"));
        }
        if failed > 0 {
            text += &self.pick(
                format!(", {failed} failed (the next run tries again)"),
                format!(", {failed} mislukt (de volgende keer opnieuw geprobeerd)"),
            );
        }
        text + "."
    }

    /// What a run says about messages that the filter does not take.
    pub(crate) fn left_out(self, count: u64) -> String {
        match (self, count) {
            (Self::En, 1) => "1 message is left out by the filter and stays where it is.".to_owned(),
            (Self::En, _) => {
                format!("{count} messages are left out by the filter and stay where they are.")
            }
            (Self::Nl, 1) => "1 bericht valt buiten het filter en blijft waar het is.".to_owned(),
            (Self::Nl, _) => format!("{count} berichten vallen buiten het filter en blijven waar ze zijn."),
        }
    }

    /// The closing line of a dry run.
    pub(crate) fn would_import(self, count: u64) -> String {
        let messages = self.messages(count);
        self.pick(
            format!("{messages} would be imported. Nothing was changed."),
            format!(
                "{messages} {} worden geïmporteerd. Er is niets gewijzigd.",
                if count == 1 { "zou" } else { "zouden" }
            ),
        )
    }

    /// The closing line of a baseline.
    pub(crate) fn baseline(self, count: u64, dry_run: bool) -> String {
        let messages = self.messages(count);
        match (self, dry_run) {
            (Self::En, false) => format!("{messages} marked as done; they are not imported."),
            (Self::En, true) => format!("{messages} would be marked as done. Nothing was changed."),
            (Self::Nl, false) => format!("{messages} als verwerkt gemarkeerd; die worden niet geïmporteerd."),
            (Self::Nl, true) => {
                let would = if count == 1 { "zou" } else { "zouden" };
                format!("{messages} {would} als verwerkt worden gemarkeerd. Er is niets gewijzigd.")
            }
        }
    }

    /// The warning about an account that accepts any certificate.
    pub(crate) fn untrusted_warning(self, account: &str) -> String {
        self.pick(
            format!("WARNING: account '{account}' accepts any certificate. Whoever sits on the wire can read its password and mail.\n  Better: give the server's certificate authority with --ca-file."),
            format!("WAARSCHUWING: account '{account}' accepteert elk certificaat. Wie op de lijn zit kan wachtwoord en mail meelezen.\n  Beter: geef de certificaatautoriteit van de server op met --ca-file."),
        )
    }

    /// The warning about an account that sends secrets in the clear.
    pub(crate) fn clear_text_warning(self, account: &str, endpoints: &str) -> String {
        self.pick(
            format!("WARNING: account '{account}' may send its secret unencrypted to: {endpoints}. Whoever sits on the wire can read it.\n  Better: use TLS or STARTTLS."),
            format!("WAARSCHUWING: account '{account}' mag zijn geheim onversleuteld versturen naar: {endpoints}. Wie op de lijn zit kan het meelezen.\n  Beter: gebruik TLS of STARTTLS."),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Language::{En, Nl};

    #[test]
    fn the_test_says_the_manual_s_sentence() {
        assert_eq!(
            En.import_folder("Postvak IN/Algemeen", Some(274), Some(3)),
            "Successfully opened import folder 'Postvak IN/Algemeen' containing 274 messages (3 unread)."
        );
        assert_eq!(
            Nl.import_folder("Postvak IN/Algemeen", Some(274), Some(3)),
            "De importmap 'Postvak IN/Algemeen' is geopend en bevat 274 berichten (3 ongelezen)."
        );
        assert_eq!(En.import_folder("A", None, None), "Successfully opened import folder 'A'.");
    }

    #[test]
    fn a_name_in_a_command_can_be_copied_into_a_shell() {
        for (name, shown) in [("A b", r#""A b""#), ("5\" pipe's", r#"'5" pipe'\''s'"#), ("$HOME", "'$HOME'")]
        {
            assert_eq!(super::quoted(name), shown);
        }
    }

    #[test]
    fn sizes_are_readable() {
        assert_eq!(En.size(0), "0 B");
        assert_eq!(En.size(999), "999 B");
        assert_eq!(Nl.size(12_345), "12,3 kB");
        assert_eq!(En.size(257_698_037_760), "257.6 GB");
    }

    #[test]
    fn a_run_says_only_what_happened() {
        assert_eq!(En.run_summary(0, 0, 0), "Nothing new was imported.");
        assert_eq!(En.run_summary(1, 0, 0), "1 message imported.");
        assert_eq!(Nl.run_summary(12, 2, 0), "12 berichten geïmporteerd, 2 in quarantaine.");
    }
}
