//! Folders: paging, hidden ones, paths and roles in any locale, names with slashes, and creating.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use common::{FOLDER, ME, children, finish, folder, refusal, roles, session, session_in};
use wissel_connector::serde_json::{Value, json};
use wissel_connector::types::{FolderAddress, FolderRole};
use wissel_connector::{ErrorKind, Session};

fn path(text: &str) -> Vec<String> {
    text.split('/').map(str::to_owned).collect()
}

fn at(text: &str) -> FolderAddress {
    FolderAddress::Path(path(text))
}

/// A folder that shows messages of others.
fn search(name: &str) -> Value {
    let mut folder = folder("FIND", name, "TOP", 0);
    folder["@odata.type"] = json!("#microsoft.graph.mailSearchFolder");
    folder
}

#[test]
fn all_levels_and_all_pages_are_listed_with_paths_and_roles() {
    let top = json!({
        "value": [folder("INBOX", "Postvak IN", "TOP", 2), folder("SENT", "Verzonden items", "TOP", 0)],
        "@odata.nextLink": format!("{ME}/mailFolders?$skip=2")
    });
    let script = format!(
        "{}
        > GET {ME}/mailFolders?includeHiddenFolders=true&$top=1000&{FOLDER}
        < 200
        < {top}
        > GET {ME}/mailFolders?$skip=2
        < 200
        < {}
        {}
        {}",
        roles(),
        json!({ "value": [search("Ongelezen"), folder("OLD", "Klanten_xF8FF_Leveranciers", "TOP", 1)] }),
        children("INBOX", &[folder("A", "Algemeen", "INBOX", 0), folder("B", "Spoed", "INBOX", 0)]),
        children("OLD", &[folder("C", "2025", "OLD", 0)]),
    );
    let (host, mut session) = session(&script);
    let folders = session.folders(None, true).unwrap();
    let shown: Vec<_> = folders.iter().map(|f| (f.path.join(" > "), f.role, f.parent.as_deref())).collect();
    assert_eq!(
        shown,
        [
            ("Postvak IN".to_owned(), Some(FolderRole::Inbox), None),
            ("Verzonden items".to_owned(), Some(FolderRole::Sent), None),
            ("Klanten/Leveranciers".to_owned(), None, None),
            ("Postvak IN > Algemeen".to_owned(), None, Some("INBOX")),
            ("Postvak IN > Spoed".to_owned(), None, Some("INBOX")),
            ("Klanten/Leveranciers > 2025".to_owned(), None, Some("OLD")),
        ]
    );
    assert_eq!((folders[0].total, folders[0].unread), (Some(274), Some(3)));
    assert!(folders[0].has_children && !folders[1].has_children);
    finish(&host);
}

#[test]
fn one_level_below_a_folder_has_the_whole_path() {
    let script = format!(
        "{}
        > GET {ME}/mailFolders/A?{FOLDER}
        < 200
        < {}
        > GET {ME}/mailFolders/INBOX?{FOLDER}
        < 200
        < {}
        {}",
        roles(),
        folder("A", "Algemeen", "INBOX", 1),
        folder("INBOX", "Postvak IN", "TOP", 1),
        children("A", &[folder("N", "Nieuw", "A", 4)]),
    );
    let (host, mut session) = session(&script);
    let folders = session.folders(Some("A"), false).unwrap();
    assert_eq!(folders.len(), 1);
    assert_eq!(folders[0].path, ["Postvak IN", "Algemeen", "Nieuw"]);
    finish(&host);
}

#[test]
fn a_path_is_found_by_its_names_without_regard_to_case() {
    let script = format!(
        "{}{}{}",
        children("", &[folder("X", "algemeen", "TOP", 0), folder("INBOX", "Postvak IN", "TOP", 1)]),
        children(
            "INBOX",
            &[search("Algemeen"), folder("a", "ALGEMEEN", "INBOX", 0), folder("A", "Algemeen", "INBOX", 0)]
        ),
        roles(),
    );
    let (host, mut session) = session(&script);
    let found = session.find_folder(&at("postvak in/Algemeen")).unwrap();
    assert_eq!((found.id.as_str(), found.path.join("/")), ("A", "Postvak IN/Algemeen".to_owned()));
    finish(&host);
}

#[test]
fn the_first_name_may_be_a_well_known_folder_in_another_language() {
    let inbox = folder("INBOX", "Inbox", "TOP", 1);
    let script = format!(
        "{}
        > GET {ME}/mailFolders/inbox?{FOLDER}
        < 200
        < {inbox}
        {}{}",
        children("", std::slice::from_ref(&inbox)),
        roles(),
        children("INBOX", &[folder("Z", "Inkoop/Verkoop", "INBOX", 0)]),
    );
    let (host, mut session) = session(&script);
    let found = session.find_folder(&at("Postvak IN/inkoop_xF8FF_verkoop")).unwrap();
    assert_eq!(
        (found.id.as_str(), found.path.as_slice()),
        ("Z", &path("Inbox").into_iter().chain(["Inkoop/Verkoop".to_owned()]).collect::<Vec<_>>()[..])
    );
    finish(&host);
}

#[test]
fn a_missing_folder_is_named_with_its_nearest_neighbour() {
    let script = format!(
        "{}{}
        > GET {ME}/mailFolders/inbox?{FOLDER}
        < 200
        < {}
        {}",
        children("", &[folder("INBOX", "Postvak IN", "TOP", 1)]),
        children("INBOX", &[folder("A", "Algemeen", "INBOX", 0), folder("B", "Spoed", "INBOX", 0)]),
        folder("INBOX", "Postvak IN", "TOP", 1),
        roles(),
    );
    let (host, mut session) = session(&script);
    let error = session.find_folder(&at("Postvak IN/Algemen/Jan")).unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
    assert_eq!(
        error.message,
        "there is no folder `Algemen` in `Postvak IN`; the nearest there is `Algemeen`"
    );
    finish(&host);
}

#[test]
fn a_role_that_the_mailbox_lacks_and_an_id_that_cannot_be_one_are_not_found() {
    let script = format!(
        "> GET {ME}/mailFolders/archive?{FOLDER}
        < 404
        < {}
        > GET {ME}/mailFolders/a%2F..%2Fb%3Fc?{FOLDER}
        < 400
        < {}",
        refusal("ErrorItemNotFound"),
        refusal("ErrorInvalidIdMalformed"),
    );
    let (host, mut session) = session(&script);
    let error = session.find_folder(&FolderAddress::Role(FolderRole::Archive)).unwrap_err();
    assert_eq!(
        (error.kind, error.message.as_str()),
        (ErrorKind::NotFound, "no folder of this mailbox is its archive")
    );
    for id in ["a/../b?c", "..", "", "delta"] {
        let error = session.find_folder(&FolderAddress::Id(id.to_owned())).unwrap_err();
        assert_eq!((error.kind, error.session_lost), (ErrorKind::NotFound, false), "{id}");
    }
    finish(&host);
}

#[test]
fn a_folder_that_was_shared_alone_is_at_the_top() {
    let user = "https://graph.example.test/v1.0/users/gast%23EXT%23%40voorbeeld.example";
    let script = format!(
        "> GET {user}/mailFolders/A?{FOLDER}
        < 200
        < {}
        {}
        > GET {user}/mailFolders/INBOX?{FOLDER}
        < 403
        < {}",
        folder("A", "Algemeen", "INBOX", 0),
        roles().replace("\"/me/", "\"/users/gast%23EXT%23%40voorbeeld.example/"),
        refusal("ErrorAccessDenied"),
    );
    let (host, mut session) = session_in("gast#EXT#@voorbeeld.example", &script);
    let found = session.find_folder(&FolderAddress::Id("A".to_owned())).unwrap();
    assert_eq!((found.path.as_slice(), found.parent), (&path("Algemeen")[..], None));
    finish(&host);
}

#[test]
fn missing_levels_are_created_and_one_that_is_there_is_returned() {
    let script = format!(
        "{}{}
        > GET {ME}/mailFolders/inbox?{FOLDER}
        < 200
        < {}
        {}
        > POST {ME}/mailFolders/INBOX/childFolders
        > Content-Type: application/json
        > {}
        < 201
        < {}
        > POST {ME}/mailFolders/V/childFolders
        > {}
        < 409
        < {}
        {}{}{}",
        children("", &[folder("INBOX", "Postvak IN", "TOP", 0)]),
        children("INBOX", &[]),
        folder("INBOX", "Postvak IN", "TOP", 0),
        roles(),
        json!({ "displayName": "O'Brien & \"co\"" }),
        folder("V", "O'Brien & \"co\"", "INBOX", 0),
        json!({ "displayName": "2026/11" }),
        refusal("ErrorFolderExists"),
        // Somebody else was faster.
        children("", &[folder("INBOX", "Postvak IN", "TOP", 1)]),
        children("INBOX", &[folder("V", "O'Brien & \"co\"", "INBOX", 1)]),
        children("V", &[folder("M", "2026/11", "V", 0)]),
    );
    let (host, mut session) = session(&script);
    let names = ["Postvak IN", "O'Brien & \"co\"", "2026_xF8FF_11"].map(str::to_owned);
    let made = session.create_folder(&names).unwrap();
    assert_eq!((made.id.as_str(), made.path.last().unwrap().as_str()), ("M", "2026/11"));
    for nothing in [&[][..], &[String::new()]] {
        assert_eq!(session.create_folder(nothing).unwrap_err().kind, ErrorKind::Unsupported);
    }
    finish(&host);
}

#[test]
fn a_folder_list_that_cannot_be_read_is_a_protocol_error() {
    for body in ["{\"value\": 7}", "{}", "<html>"] {
        let script = format!(
            "> GET {ME}/mailFolders?includeHiddenFolders=true&$top=1000&{FOLDER}
            < 200
            <
            < {body}"
        );
        let (host, mut session) = session(&script);
        let error = session.find_folder(&at("Algemeen")).unwrap_err();
        assert_eq!((error.kind, error.session_lost), (ErrorKind::Protocol, false), "{body}");
        assert!(error.message.contains("`Algemeen`"), "{}", error.message);
        finish(&host);
    }
}
