//! Licences of all dependencies against the allow list in `deny.toml`.
//!
//! `cargo deny` checks the same when it is installed; this check has no such condition. It does not look at
//! advisories, which need a database from the network.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use spdx::{Expression, LicenseReq, ParseMode};

use crate::workspace;

/// Checks the host's workspace and, when there is one, the connectors'; returns how many packages it saw.
pub fn check() -> Result<usize> {
    let allowed = allow_list(&workspace::root().join("deny.toml"))?;
    let mut seen = BTreeSet::new();
    let mut refused = Vec::new();
    let plugins = workspace::has_plugins().then(workspace::plugins);
    for folder in std::iter::once(workspace::root()).chain(plugins) {
        for package in workspace::packages(&workspace::metadata(&folder, false)?) {
            let name =
                format!("{} {}", workspace::text(package, "name"), workspace::text(package, "version"));
            if !permits(&allowed, package) && !seen.contains(&name) {
                refused.push(format!("{name}: {}", workspace::text(package, "license")));
            }
            seen.insert(name);
        }
    }
    if !refused.is_empty() {
        bail!("licences outside the allow list in deny.toml:\n  {}", refused.join("\n  "));
    }
    Ok(seen.len())
}

fn allow_list(path: &Path) -> Result<BTreeSet<String>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let deny: toml::Table = toml::from_str(&text).with_context(|| format!("in {}", path.display()))?;
    let list = deny.get("licenses").and_then(|l| l.get("allow")).and_then(toml::Value::as_array);
    let list = list.with_context(|| format!("{} has no `licenses.allow`", path.display()))?;
    Ok(list.iter().filter_map(toml::Value::as_str).map(str::to_owned).collect())
}

fn permits(allowed: &BTreeSet<String>, package: &Value) -> bool {
    // `/` between licences is Cargo's old way to write OR.
    Expression::parse_mode(workspace::text(package, "license"), ParseMode::LAX).is_ok_and(|expression| {
        expression.evaluate(|licence: &LicenseReq| allowed.contains(&licence.to_string()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permitted(licence: &str) -> bool {
        let allowed = ["MIT", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned).into();
        permits(&allowed, &serde_json::json!({ "license": licence }))
    }

    #[test]
    fn one_side_of_an_or_is_enough_and_an_and_needs_both() {
        assert!(permitted("MIT OR GPL-3.0-only"));
        assert!(permitted("MIT/Apache-2.0"));
        assert!(!permitted("MIT AND GPL-3.0-only"));
    }

    #[test]
    fn an_exception_belongs_to_its_licence() {
        assert!(permitted("Apache-2.0 WITH LLVM-exception"));
        assert!(!permitted("Apache-2.0"));
    }

    #[test]
    fn a_package_without_a_licence_is_refused() {
        assert!(!permitted(""));
    }
}
