//! What a built component imports, read from its binary; does not validate or run it.

use std::path::Path;

use anyhow::{Context, Result, bail};
use wasmparser::{Parser, Payload};

/// The contract's package: the only one that a first-party connector may import from.
pub const CONTRACT: &str = "wissel:connector/";

/// The names that the component `bytes` imports, nested components and modules left out.
pub fn imports(bytes: &[u8]) -> Result<Vec<String>> {
    if !Parser::is_component(bytes) {
        bail!("not a WebAssembly component");
    }
    let mut depth = 0_usize;
    let mut names = Vec::new();
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    names.push(import?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(names)
}

/// Fails when the component at `path` imports anything outside the contract.
pub fn check(path: &Path) -> Result<()> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let imports = imports(&bytes).with_context(|| path.display().to_string())?;
    let outside: Vec<_> = imports.into_iter().filter(|name| !name.starts_with(CONTRACT)).collect();
    if !outside.is_empty() {
        bail!(
            "{} imports {}: a first-party connector imports only `{CONTRACT}*`. A dependency brought this in; \
             look for one that uses WASI, the clock or `wasm-bindgen` (`cargo tree` in plugins/)",
            path.display(),
            outside.join(", ")
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::imports;

    const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

    #[test]
    fn a_component_without_imports_has_none() {
        assert!(imports(COMPONENT).unwrap().is_empty());
    }

    #[test]
    fn imports_are_named_in_order() {
        // An import section (10) of one instance import (kind 5, type 0) named `a:b/c`, after an empty
        // instance type (section 7).
        let mut bytes = COMPONENT.to_vec();
        bytes.extend([7, 3, 1, 0x42, 0]);
        bytes.extend([10, 10, 1, 0, 5]);
        bytes.extend(b"a:b/c");
        bytes.extend([5, 0]);
        assert_eq!(imports(&bytes).unwrap(), ["a:b/c"]);
    }

    #[test]
    fn a_core_module_is_refused() {
        assert!(imports(b"\0asm\x01\0\0\0").is_err());
    }
}
