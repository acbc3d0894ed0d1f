//! Safe file names for attachments.
//!
//! A name in a message is whatever its sender wished: a path, a device of Windows, a text that reads backwards.
//! This module makes of it a name that every file system of today takes and that shows what it is. It does not
//! touch the disk, and it does not normalise Unicode.

use std::collections::HashMap;

/// The longest name that is made, in octets of UTF-8. Leaves room for suffixes below the usual limit of 255.
pub const MAX_NAME_BYTES: usize = 120;

/// The longest extension that is kept when a name is cut, in octets, dot included.
const MAX_EXTENSION_BYTES: usize = 16;

/// Makes a safe file name of `wanted`. Of a path only the last part counts. Never empty: when nothing is left,
/// the result is `attachment`.
pub fn safe_file_name(wanted: &str) -> String {
    let last = wanted.rsplit(['/', '\\']).find(|part| !trim(part).is_empty()).unwrap_or_default();
    let cleaned: String = last.chars().filter(|c| !is_invisible(*c)).map(replace_reserved).collect();
    let folded = cleaned.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut name = cut(trim(&folded), MAX_NAME_BYTES);
    if is_device(&name) {
        name = cut(&format!("_{name}"), MAX_NAME_BYTES);
    }
    if name.is_empty() { "attachment".to_owned() } else { name }
}

/// Hands out names that differ from each other also where case does not count.
#[derive(Debug, Default)]
pub struct FileNames {
    /// Lower-case name, and the last number that was given out for it.
    taken: HashMap<String, u32>,
}

impl FileNames {
    /// Makes `wanted` safe and, when it was handed out before, numbers it: `invoice (2).pdf`.
    pub fn claim(&mut self, wanted: &str) -> String {
        let safe = safe_file_name(wanted);
        let key = safe.to_lowercase();
        let mut number = self.taken.get(&key).copied().unwrap_or(0) + 1;
        let mut name = safe.clone();
        if number > 1 {
            loop {
                name = numbered(&safe, number);
                if !self.taken.contains_key(&name.to_lowercase()) {
                    break;
                }
                number += 1;
            }
            self.taken.insert(name.to_lowercase(), 1);
        }
        self.taken.insert(key, number);
        name
    }
}

fn numbered(name: &str, number: u32) -> String {
    let (stem, extension) = split_extension(name);
    let suffix = format!(" ({number}){extension}");
    format!("{}{suffix}", cut_stem(stem, MAX_NAME_BYTES.saturating_sub(suffix.len())))
}

/// Control characters and those that change how the text around them is shown (bidi controls, zero-width
/// characters, the byte order mark): they hide what a name ends in.
fn is_invisible(c: char) -> bool {
    (c.is_control() && !c.is_whitespace())
        || matches!(c, '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// What Windows refuses within a name.
fn replace_reserved(c: char) -> char {
    if matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*' | '/' | '\\') { '_' } else { c }
}

fn trim(name: &str) -> &str {
    name.trim_matches(|c: char| c == '.' || c.is_whitespace() || is_invisible(c))
}

/// Windows reserves its device names with any extension: `nul.txt` too.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_uppercase();
    if matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" | "CLOCK$") {
        return true;
    }
    let number = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
    let mut digits = number.unwrap_or_default().chars();
    matches!((digits.next(), digits.next()), (Some('0'..='9' | '¹' | '²' | '³'), None))
}

/// Stem and extension with its dot; no extension when it is long or has spaces, as it is then part of a title.
fn split_extension(name: &str) -> (&str, &str) {
    match name.rfind('.').and_then(|dot| name.split_at_checked(dot)) {
        Some((stem, extension))
            if !stem.is_empty()
                && (2..=MAX_EXTENSION_BYTES).contains(&extension.len())
                && !extension.contains(' ') =>
        {
            (stem, extension)
        }
        _ => (name, ""),
    }
}

fn cut(name: &str, max: usize) -> String {
    if name.len() <= max {
        return name.to_owned();
    }
    let (stem, extension) = split_extension(name);
    format!("{}{extension}", cut_stem(stem, max.saturating_sub(extension.len())))
}

fn cut_stem(stem: &str, max: usize) -> &str {
    let end = stem.floor_char_boundary(max);
    stem.get(..end).unwrap_or_default().trim_end_matches(|c: char| c == '.' || c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_become_safe() {
        for (wanted, expect) in [
            ("factuur.pdf", "factuur.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\x\\Factuur 12.pdf", "Factuur 12.pdf"),
            ("map/", "map"),
            ("..", "attachment"),
            ("", "attachment"),
            (" . ", "attachment"),
            (".htaccess", "htaccess"),
            ("trailing. . ", "trailing"),
            ("CON", "_CON"),
            ("nul.txt", "_nul.txt"),
            ("com1 .pdf", "_com1 .pdf"),
            ("LPT².log", "_LPT².log"),
            ("COM10.pdf", "COM10.pdf"),
            ("console.pdf", "console.pdf"),
            ("a<b>:c|d?.pdf", "a_b__c_d_.pdf"),
            ("factuur\u{202e}fdp.exe", "factuurfdp.exe"),
            ("a\r\n\tb\0c.pdf", "a bc.pdf"),
            ("\u{200f}..\u{200f}x", "x"),
            ("Größe – café №1.pdf", "Größe – café №1.pdf"),
        ] {
            assert_eq!(safe_file_name(wanted), expect, "{wanted:?}");
        }
    }

    #[test]
    fn long_names_keep_their_extension_and_whole_characters() {
        let name = safe_file_name(&format!("{}.pdf", "é".repeat(200)));
        assert_eq!(name, format!("{}.pdf", "é".repeat(58)));
        let no_extension = safe_file_name(&format!("x.{}", "y".repeat(300)));
        assert_eq!(no_extension.len(), MAX_NAME_BYTES);
    }

    #[test]
    fn collisions_are_numbered_whatever_the_case() {
        let mut names = FileNames::default();
        assert_eq!(names.claim("Scan.pdf"), "Scan.pdf");
        assert_eq!(names.claim("scan.PDF"), "scan (2).PDF");
        assert_eq!(names.claim("scan (3).pdf"), "scan (3).pdf");
        assert_eq!(names.claim("scan.pdf"), "scan (4).pdf");
        assert_eq!(names.claim("scan (2).pdf"), "scan (2) (2).pdf");
        assert_eq!(names.claim("zonder"), "zonder");
        assert_eq!(names.claim("zonder"), "zonder (2)");
    }

    proptest! {
        #[test]
        fn any_name_is_safe_and_stays_as_it_is(wanted in "(\\PC|[\\x00-\\x1f./\\\\ :]|con|\u{202e}){0,150}") {
            let name = safe_file_name(&wanted);
            prop_assert!(!name.is_empty() && name.len() <= MAX_NAME_BYTES);
            let unsafe_left = name.contains(['/', '\\', ':', '\0', '\n', '\u{202e}']);
            prop_assert!(!unsafe_left);
            prop_assert!(!name.starts_with(['.', ' ']) && !name.ends_with(['.', ' ']));
            prop_assert!(!is_device(&name));
            prop_assert_eq!(safe_file_name(&name), name);
        }
    }
}
