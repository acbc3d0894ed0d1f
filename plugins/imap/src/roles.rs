//! What folders are for: by their special-use attribute (RFC 6154), else by the names that mail programs give them.

use wissel_connector::types::FolderRole;

/// Names by role, in lower case: English, Dutch, German, French.
const NAMES: [(FolderRole, &[&str]); 7] = [
    (
        FolderRole::Inbox,
        &["inbox", "postvak in", "postvak-in", "posteingang", "boîte de réception", "boite de reception"],
    ),
    (FolderRole::Archive, &["archive", "archives", "archief", "archiv", "archivé"]),
    (FolderRole::Drafts, &["drafts", "draft", "concepten", "entwürfe", "brouillons"]),
    (
        FolderRole::Sent,
        &[
            "sent",
            "sent items",
            "sent mail",
            "sent messages",
            "verzonden items",
            "verzonden berichten",
            "verzonden",
            "gesendete elemente",
            "gesendete objekte",
            "gesendet",
            "éléments envoyés",
            "messages envoyés",
            "envoyés",
        ],
    ),
    (
        FolderRole::Trash,
        &[
            "trash",
            "deleted items",
            "deleted messages",
            "verwijderde items",
            "verwijderde berichten",
            "prullenbak",
            "gelöschte elemente",
            "gelöschte objekte",
            "papierkorb",
            "éléments supprimés",
            "messages supprimés",
            "corbeille",
        ],
    ),
    (
        FolderRole::Junk,
        &[
            "junk",
            "junk email",
            "junk e-mail",
            "spam",
            "ongewenste e-mail",
            "ongewenste mail",
            "ongewenst",
            "junk-e-mail",
            "unerwünschte werbung",
            "courrier indésirable",
            "indésirables",
            "pourriel",
        ],
    ),
    (FolderRole::Outbox, &["outbox", "postvak uit", "postausgang", "boîte d'envoi"]),
];

/// The role that a name stands for, whichever of the languages it is in.
pub(crate) fn by_name(name: &str) -> Option<FolderRole> {
    let name = name.trim().to_lowercase();
    NAMES.iter().find(|(_, names)| names.contains(&name.as_str())).map(|(role, _)| *role)
}

/// What to call the folder of this role in a sentence.
pub(crate) fn english(role: FolderRole) -> &'static str {
    match role {
        FolderRole::Inbox => "inbox",
        FolderRole::Archive => "archive",
        FolderRole::Drafts => "drafts",
        FolderRole::Sent => "sent messages",
        FolderRole::Trash => "trash",
        FolderRole::Junk => "junk",
        FolderRole::Outbox => "outbox",
    }
}

/// The role of a LIST attribute, as the server writes it.
pub(crate) fn by_attribute(attribute: &str) -> Option<FolderRole> {
    Some(match attribute.to_ascii_lowercase().as_str() {
        "\\archive" => FolderRole::Archive,
        "\\drafts" => FolderRole::Drafts,
        "\\junk" | "\\spam" => FolderRole::Junk,
        "\\sent" => FolderRole::Sent,
        "\\trash" => FolderRole::Trash,
        "\\inbox" => FolderRole::Inbox,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manuals_names_are_known() {
        assert_eq!(by_name("Postvak IN"), Some(FolderRole::Inbox));
        assert_eq!(by_name("verzonden ITEMS"), Some(FolderRole::Sent));
        assert_eq!(by_name("Éléments envoyés"), Some(FolderRole::Sent));
        assert_eq!(by_name("Facturen"), None);
    }
}
