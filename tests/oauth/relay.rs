//! The page for an https redirect: one file that loads nothing and sends nothing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use xtask::workspace;

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    text.split_once(start).unwrap().1.split_once(end).unwrap().0
}

#[test]
fn the_policy_admits_the_pages_own_script_and_style_and_nothing_else() {
    let page = std::fs::read_to_string(workspace::root().join("docs/relay/index.html")).unwrap();
    let policy = between(&page, "Content-Security-Policy\" content=\"", "\"");
    let digest = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    let script = digest(between(&page, "<script>", "</script>"));
    let style = digest(between(&page, "<style>", "</style>"));
    assert_eq!(
        policy,
        format!(
            "default-src 'none'; script-src {script}; style-src {style}; base-uri 'none'; form-action 'none'"
        )
    );
    for far in
        ["http:", "https:", "src=", "href=", "fetch(", "XMLHttpRequest", "innerHTML", "@import", "url("]
    {
        assert!(!page.contains(far), "{far}");
    }
}
