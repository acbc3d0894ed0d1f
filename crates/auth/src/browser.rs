//! The browser of whoever sits at this machine.

use url::Url;

/// Whether there is likely to be a browser that this person sees: not over SSH, and not without a display.
#[must_use]
pub fn may_open_browser() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if set("SSH_CONNECTION") || set("SSH_TTY") {
        return false;
    }
    cfg!(any(windows, target_os = "macos"))
        || set("DISPLAY")
        || set("WAYLAND_DISPLAY")
        || set("WSL_DISTRO_NAME")
        || set("BROWSER")
}

/// Opens the link in the system's browser; false when none could be started. Nothing is waited for.
#[must_use]
pub fn open_browser(link: &Url) -> bool {
    open::that_detached(link.as_str()).is_ok()
}
