//! The project's own text files, and where a word stands in them.

use std::fs;
use std::path::{Path, PathBuf};

use xtask::workspace;

/// Every file below `folder` of the checkout that ends in `.extension`, as its path and text; build output
/// left out.
pub(crate) fn files(folder: &str, extension: &str) -> Vec<(PathBuf, String)> {
    let root = workspace::root();
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if !path.ends_with("target") && !path.ends_with(".git") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|found| found == extension) {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(&root).unwrap().to_owned(), text));
            }
        }
    }
    found
}

/// All Rust sources of the project.
pub(crate) fn sources() -> Vec<(PathBuf, String)> {
    ["crates", "plugins", "tests"].iter().flat_map(|folder| files(folder, "rs")).collect()
}

/// Whether `path` lies below one of `folders`.
pub(crate) fn is_below(path: &Path, folders: &[&str]) -> bool {
    folders.iter().any(|folder| path.starts_with(folder))
}

/// The lines of `text` that hold `word` as a word of its own, upper and lower case alike, with their numbers.
/// An underscore separates words.
pub(crate) fn lines_with<'a>(text: &'a str, word: &str) -> Vec<(usize, &'a str)> {
    let holds =
        |line: &str| line.to_lowercase().split(|c: char| !c.is_alphanumeric()).any(|part| part == word);
    text.lines().enumerate().filter(|(_, line)| holds(line)).map(|(index, line)| (index + 1, line)).collect()
}
