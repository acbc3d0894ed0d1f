//! File names: whatever a sender or a connector calls a thing, its file has a name that every system takes.

use std::collections::HashSet;

use wissel_mime::naming::{FileNames, MAX_NAME_BYTES, safe_file_name};

/// Names line by line, as the attachments of one message.
pub fn naming(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (mut names, mut given) = (FileNames::default(), HashSet::new());
    for wanted in text.split('\n').take(200) {
        let name = names.claim(wanted);
        assert_safe(&name);
        assert!(given.insert(name.to_lowercase()), "given twice: {name:?}");
        let safe = safe_file_name(wanted);
        assert_safe(&safe);
        assert_eq!(safe_file_name(&safe), safe, "it is not stable");
    }
}

/// Panics unless a name can stand on any file system of today without harm.
pub(crate) fn assert_safe(name: &str) {
    assert!(!name.is_empty() && name.len() <= MAX_NAME_BYTES, "{} octets: {name:?}", name.len());
    assert!(!name.contains(['/', '\\', ':', '*', '?', '"', '<', '>', '|']), "{name:?}");
    assert!(!name.contains(char::is_control), "{name:?}");
    assert!(!name.contains(['\u{202e}', '\u{202d}', '\u{200b}', '\u{feff}']), "{name:?}");
    assert!(!name.starts_with(['.', ' ']) && !name.ends_with(['.', ' ']), "{name:?}");
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_uppercase();
    assert!(!["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"].contains(&stem.as_str()), "{name:?}");
    let digits = "0123456789\u{b9}\u{b2}\u{b3}";
    let port = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
    let numbered = port.is_some_and(|rest| rest.chars().count() == 1 && rest.chars().all(|c| digits.contains(c)));
    assert!(!numbered, "{name:?}");
}
