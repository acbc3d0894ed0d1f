//! The browser of whoever sits at this machine.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use url::Url;

/// How long what opens browsers is watched for saying that it cannot.
const WATCHED: Duration = Duration::from_millis(250);
/// What a browser, and what starts it, has to know of the surroundings. Other variables may hold secrets, such as the
/// vault's key, and what a browser inherits stays in it for days.
const PASSED_ON: [&str; 44] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_MESSAGES",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "BROWSER",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "DBUS_SESSION_BUS_ADDRESS",
    "DESKTOP_SESSION",
    "GNOME_DESKTOP_SESSION_ID",
    "KDE_FULL_SESSION",
    "KDE_SESSION_VERSION",
    "XDG_CURRENT_DESKTOP",
    "XDG_SESSION_TYPE",
    "XDG_SESSION_DESKTOP",
    "XDG_RUNTIME_DIR",
    "XDG_CONFIG_HOME",
    "XDG_CONFIG_DIRS",
    "XDG_DATA_HOME",
    "XDG_DATA_DIRS",
    "WSL_DISTRO_NAME",
    "WSL_INTEROP",
    "__CF_USER_TEXT_ENCODING",
    "SystemRoot",
    "SystemDrive",
    "windir",
    "ComSpec",
    "PATHEXT",
    "TEMP",
    "TMP",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
    "ProgramFiles",
    "ProgramData",
];

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

/// Opens the link in the system's browser; false when none could be started.
#[must_use]
pub fn open_browser(link: &Url) -> bool {
    open::commands(link.as_str()).into_iter().any(|mut command| opens(&mut command))
}

/// Starts what opens it, without anything of this process but what it has to know, and lets it go on.
fn opens(command: &mut Command) -> bool {
    only_what_is_needed(command);
    let Ok(mut running) = command.spawn() else { return false };
    std::thread::sleep(WATCHED);
    match running.try_wait() {
        // What Windows starts says of success that it failed.
        Ok(Some(ended)) => ended.success() || cfg!(windows),
        Ok(None) => {
            std::thread::spawn(move || Child::wait(&mut running));
            true
        }
        Err(_) => true,
    }
}

pub(crate) fn only_what_is_needed(command: &mut Command) {
    let passed_on = PASSED_ON.iter().filter_map(|name| Some((*name, std::env::var_os(name)?)));
    command.env_clear().envs(passed_on);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // A Ctrl-C in this terminal is not meant for it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
}
