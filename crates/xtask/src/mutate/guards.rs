//! The list of guards: what each protects, how it is taken away, and which tests have to notice.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::suite::Suite;

/// Where the list stands, from the top of the checkout.
pub const FILE: &str = "tests/guards.toml";

/// One guard.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guard {
    /// Short name.
    pub name: String,
    /// What holds because of it, in a sentence.
    pub protects: String,
    /// The source file, from the top of the checkout.
    pub file: String,
    /// The text of the guard; stands in the file once.
    pub find: String,
    /// What stands in its place when it is taken away. It has to compile.
    pub replace: String,
    /// The tests that have to notice.
    pub suite: Suite,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    guard: Vec<Guard>,
}

/// All guards of the checkout `root`; fails when one of them is not to be found in its file.
pub fn read(root: &Path) -> Result<Vec<Guard>> {
    let list = fs::read_to_string(root.join(FILE)).context(FILE)?;
    let guards = toml::from_str::<List>(&list).context(FILE)?.guard;
    for guard in &guards {
        let text = fs::read_to_string(root.join(&guard.file)).with_context(|| guard.file.clone())?;
        guard.disabled_in(&text)?;
    }
    Ok(guards)
}

impl Guard {
    /// The file's text without the guard.
    pub fn disabled_in(&self, text: &str) -> Result<String> {
        let times = text.matches(&self.find).count();
        ensure!(times == 1, "guard '{}' stands {times} times in {}; see {FILE}", self.name, self.file);
        Ok(text.replacen(&self.find, &self.replace, 1))
    }

    /// Whether the connectors have to be built anew without it.
    #[must_use]
    pub fn is_in_connectors(&self) -> bool {
        self.file.starts_with("plugins/") || self.file.starts_with("crates/sdk/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_that_is_gone_or_stands_twice_is_named() {
        let list = "[[guard]]\nname = 'sync'\nprotects = 'x'\nfile = 'a.rs'\nfind = 'sync();'\nreplace = ''\n\
                    suite = { test = 'directory' }\n";
        let guard = toml::from_str::<List>(list).unwrap().guard.remove(0);
        assert_eq!(guard.disabled_in("write(); sync(); rename();").unwrap(), "write();  rename();");
        for text in ["write();", "sync(); sync();"] {
            assert!(guard.disabled_in(text).unwrap_err().to_string().contains("guard 'sync' stands"));
        }
    }
}
