//! Every message that the crate `mail-parser` ships, compared with what that crate reads in it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use mail_parser::MessageParser;
use std::path::{Path, PathBuf};
use std::process::Command;
use wissel_mime::{Inspection, Inspector, Options};

/// The folder of mail-parser's sources, wherever Cargo keeps them.
fn sources() -> PathBuf {
    let run = |program: &str, args: &[&str]| {
        let program = std::env::var_os(program.to_uppercase()).unwrap_or_else(|| program.into());
        let output =
            Command::new(program).args(args).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    // For this platform only: the sources of the others were perhaps never fetched.
    let host = run("rustc", &["--print", "host-tuple"]);
    let metadata =
        run("cargo", &["metadata", "--format-version", "1", "--offline", "--filter-platform", host.trim()]);
    let metadata: serde_json::Value = serde_json::from_str(&metadata).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages
        .iter()
        .find(|package| {
            package["name"] == "mail-parser" && package["version"].as_str().unwrap().starts_with("0.11.")
        })
        .unwrap();
    Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap().join("resources")
}

fn messages(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            messages(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "eml") {
            found.push(path);
        }
    }
}

fn inspect(octets: &[u8], cut: usize) -> Inspection {
    let mut inspector = Inspector::new(Options::default());
    octets.chunks(cut).for_each(|piece| inspector.write(piece));
    inspector.finish()
}

fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_corpus_is_read_as_mail_parser_reads_it() {
    let mut paths = Vec::new();
    messages(&sources(), &mut paths);
    assert!(paths.len() > 100, "{}", paths.len());
    paths.sort();
    let mut other_counts = Vec::new();
    for path in &paths {
        let octets = std::fs::read(path).unwrap();
        let seen = inspect(&octets, usize::MAX);
        for cut in [1, 7, 1000] {
            assert_eq!(inspect(&octets, cut), seen, "{} cut at {cut}", path.display());
        }
        let Some(parsed) = MessageParser::default().parse(&octets) else {
            continue;
        };
        let message_id = parsed.message_id().map(|id| format!("<{}>", id.trim()));
        assert_eq!(seen.message_id, message_id, "{}", path.display());
        assert_eq!(seen.subject, parsed.subject().map(folded), "{}", path.display());
        let from = parsed.from().and_then(|from| from.first()).and_then(|from| from.address());
        assert_eq!(seen.from.first().and_then(|from| from.address.as_deref()), from, "{}", path.display());
        if seen.attachments().count() != parsed.attachments().count() {
            other_counts.push(format!(
                "{}: {} / {} {:?}",
                path.display(),
                seen.attachments().count(),
                parsed.attachments().count(),
                seen.defects
            ));
        }
    }
    // Both are right about these: what counts as text beside other text is a matter of choice.
    println!("{}", other_counts.join("\n"));
    assert!(other_counts.len() * 4 < paths.len(), "{} of {}", other_counts.len(), paths.len());
}
