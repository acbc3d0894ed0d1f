//! Whether a sink holds byte for byte what an independent client reads in a folder, with metadata that fits.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::dovecot::{ALICE, Dovecot};
use crate::python;

/// Panics unless the sink holds the messages of Alice's `folder`, each byte for byte and no others, each with a
/// metadata file that tells its size and digest. Returns how many there are.
pub fn assert_same(server: &Dovecot, folder: &str, sink: &Path) -> usize {
    let read = tempfile::tempdir().unwrap();
    python::dump(server, ALICE, folder, read.path());
    let expected = messages(read.path());
    let imported = messages(sink);
    for (digest, files) in &expected {
        let here = imported.get(digest).map_or(0, Vec::len);
        assert!(
            here == files.len(),
            "{here} instead of {} with the bytes of message {} ({} octets); it begins with {:?}",
            files.len(),
            files[0],
            fs::metadata(read.path().join(&files[0])).unwrap().len(),
            beginning(&read.path().join(&files[0])),
        );
    }
    for (digest, files) in &imported {
        assert!(
            expected.contains_key(digest),
            "{}: not in the folder: {:?}",
            files[0],
            beginning(&sink.join(&files[0]))
        );
        for file in files {
            assert_described(&sink.join(file), digest);
        }
    }
    expected.values().map(Vec::len).sum()
}

/// The names of the `.eml` files by the digest of their bytes.
fn messages(folder: &Path) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::<String, Vec<String>>::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "eml") {
            let digest = hex::encode(Sha256::digest(fs::read(&path).unwrap()));
            found.entry(digest).or_default().push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    found
}

/// The metadata is JSON, and names this file with its size and digest.
fn assert_described(message: &Path, digest: &str) {
    let text = fs::read_to_string(message.with_extension("json")).unwrap();
    let metadata: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(metadata["sha256"], digest, "{text}");
    assert_eq!(metadata["size"].as_u64(), Some(fs::metadata(message).unwrap().len()), "{text}");
    let name = message.file_name().unwrap().to_string_lossy();
    assert_eq!(metadata["file"].as_str(), Some(&*name), "{text}");
}

fn beginning(file: &Path) -> String {
    let bytes = fs::read(file).unwrap();
    String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned()
}
