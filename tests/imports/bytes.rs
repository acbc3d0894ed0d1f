//! Every message that the crate `mail-parser` ships is imported as the server gives it.

use std::path::{Path, PathBuf};

use wissel_tests::dovecot::{ALICE, Dovecot, Options};
use wissel_tests::identical::assert_same;
use wissel_tests::scene::Scene;
use xtask::workspace::{self, packages, text};

/// The messages of `mail-parser`, wherever Cargo keeps its sources.
fn shipped() -> Vec<Vec<u8>> {
    let metadata = workspace::metadata(&workspace::root(), false).unwrap();
    let package = packages(&metadata)
        .find(|package| {
            text(package, "name") == "mail-parser" && text(package, "version").starts_with("0.11.")
        })
        .expect("mail-parser 0.11 is a dependency");
    let mut paths = Vec::new();
    collect(&Path::new(text(package, "manifest_path")).with_file_name("resources"), &mut paths);
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "eml") {
            found.push(path);
        }
    }
}

/// Appends each; the server refuses octets of zero, and nothing else.
fn deliver(server: &Dovecot, folder: &str, messages: &[Vec<u8>]) -> usize {
    server.create_folder(ALICE, folder);
    let taken: Vec<&Vec<u8>> = messages.iter().filter(|message| !message.contains(&0)).collect();
    for group in taken.chunks(20) {
        server.imap(ALICE).append(folder, group);
    }
    taken.len()
}

#[test]
fn the_corpus_of_mail_parser_is_imported_byte_for_byte() {
    let messages = shipped();
    assert!(messages.len() > 100, "{}", messages.len());
    let with_crlf: Vec<Vec<u8>> = messages
        .iter()
        .map(|message| {
            let lines = message.split(|byte| *byte == b'\n');
            let lines: Vec<&[u8]> = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line)).collect();
            lines.join(&b"\r\n"[..])
        })
        .collect();
    let scene = Scene::start(&Options::default());
    for (job, messages) in [("as they are", messages), ("with CRLF", with_crlf)] {
        let taken = deliver(&scene.server, job, &messages);
        assert!(taken > 100, "{taken}");
        scene.job(job, &["--folder", job, "--action", "leave", "--attachments"]);
        assert_eq!(scene.import(job), taken as u64);
        assert_eq!(assert_same(&scene.server, job, &scene.sink(job)), taken);
        assert_eq!(scene.import(job), 0);
    }
}
