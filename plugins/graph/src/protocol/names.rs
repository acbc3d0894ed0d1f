//! Names of folders: what a person calls the well-known ones, and when two names are one.

use wissel_connector::types::FolderRole;

/// The folder that holds all others.
pub(crate) const ROOT: &str = "msgfolderroot";

/// The well-known folders: the name that stands for them in an address, in any locale, and what Outlook calls them in
/// English, Dutch, German and French, in lower case.
const WELL_KNOWN: [(FolderRole, &str, &[&str]); 7] = [
    (
        FolderRole::Inbox,
        "inbox",
        &["inbox", "postvak in", "posteingang", "boîte de réception", "boite de reception"],
    ),
    (FolderRole::Archive, "archive", &["archive", "archief", "archiv", "archives"]),
    (FolderRole::Drafts, "drafts", &["drafts", "concepten", "entwürfe", "brouillons"]),
    (
        FolderRole::Sent,
        "sentitems",
        &[
            "sentitems",
            "sent items",
            "verzonden items",
            "gesendete elemente",
            "éléments envoyés",
            "elements envoyes",
        ],
    ),
    (
        FolderRole::Trash,
        "deleteditems",
        &[
            "deleteditems",
            "deleted items",
            "verwijderde items",
            "gelöschte elemente",
            "éléments supprimés",
            "elements supprimes",
        ],
    ),
    (
        FolderRole::Junk,
        "junkemail",
        &[
            "junkemail",
            "junk email",
            "junk e-mail",
            "ongewenste e-mail",
            "ongewenste email",
            "junk-e-mail",
            "courrier indésirable",
        ],
    ),
    (FolderRole::Outbox, "outbox", &["outbox", "postvak uit", "postausgang", "boîte d'envoi"]),
];

/// What stands for the well-known folders in an address.
pub(crate) fn well_known() -> impl Iterator<Item = (FolderRole, &'static str)> {
    WELL_KNOWN.iter().map(|(role, address, _)| (*role, *address))
}

/// What stands for this folder in an address.
pub(crate) fn address(role: FolderRole) -> &'static str {
    well_known().find(|(r, _)| *r == role).map_or(ROOT, |(_, address)| address)
}

/// What to call the folder of this role in a sentence.
pub(crate) fn english(role: FolderRole) -> &'static str {
    match role {
        FolderRole::Inbox => "inbox",
        FolderRole::Archive => "archive",
        FolderRole::Drafts => "drafts",
        FolderRole::Sent => "sent items",
        FolderRole::Trash => "deleted items",
        FolderRole::Junk => "junk e-mail",
        FolderRole::Outbox => "outbox",
    }
}

/// The role that a name stands for, whichever of the languages it is in.
pub(crate) fn role(name: &str) -> Option<FolderRole> {
    let name = name.trim().to_lowercase();
    WELL_KNOWN.iter().find(|(.., names)| names.contains(&name.as_str())).map(|(role, ..)| *role)
}

/// A name as people see it. A slash inside a name is U+F8FF to some gateways, which others write out as `_xF8FF_`.
pub(crate) fn shown(name: &str) -> String {
    name.replace("_xF8FF_", "/").replace("_xf8ff_", "/").replace('\u{f8ff}', "/")
}

/// Whether two names differ at most in case and in how a slash is written.
pub(crate) fn same(a: &str, b: &str) -> bool {
    a == b || shown(a).to_lowercase() == shown(b).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manuals_names_stand_for_the_well_known_folders() {
        for (name, wanted) in [
            ("Postvak IN", FolderRole::Inbox),
            ("Verzonden items", FolderRole::Sent),
            ("Verwijderde items", FolderRole::Trash),
            ("Concepten", FolderRole::Drafts),
            ("Ongewenste e-mail", FolderRole::Junk),
            ("sentitems", FolderRole::Sent),
        ] {
            assert_eq!(role(name), Some(wanted), "{name}");
        }
        assert_eq!(role("Inkoopfacturen"), None);
    }

    #[test]
    fn a_slash_inside_a_name_is_one_however_it_is_written() {
        assert!(same("Inkoop/Verkoop", "inkoop_xF8FF_verkoop"));
        assert!(same("Inkoop\u{f8ff}Verkoop", "Inkoop_xF8FF_Verkoop"));
        assert!(!same("Inkoop", "Verkoop"));
    }
}
