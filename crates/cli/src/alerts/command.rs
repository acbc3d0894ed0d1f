//! A program as an alert channel: no shell, the alert as JSON on its standard input, an environment without secrets. It
//! is killed when its time is up.

use std::process::Stdio;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

/// What a program needs to find its files and its language; the rest, such as the vault's key, is not passed on.
const PASSED_ON: [&str; 21] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_ALL",
    "LC_MESSAGES",
    "TZ",
    "TMPDIR",
    "XDG_RUNTIME_DIR",
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
    "ProgramData",
];
/// Octets of what it complains that are kept.
const COMPLAINT: u64 = 4096;

/// Runs it to its end.
pub(super) async fn run(command: &[String], body: &[u8]) -> Result<(), String> {
    let (program, arguments) = command.split_first().ok_or("it names no program")?;
    let passed_on = PASSED_ON.iter().filter_map(|name| Some((*name, std::env::var_os(name)?)));
    let mut running = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(passed_on)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("'{program}' cannot be started: {error}"))?;
    let (input, complaint) = (running.stdin.take(), running.stderr.take());
    let write = async {
        if let Some(mut input) = input {
            // A program that does not read it has closed it; what counts is how it ends.
            let _ = input.write_all(body).await;
        }
    };
    let read = async {
        let mut kept = Vec::new();
        if let Some(mut complaint) = complaint {
            let _ = (&mut complaint).take(COMPLAINT).read_to_end(&mut kept).await;
            // A full pipe would hold it up.
            let _ = tokio::io::copy(&mut complaint, &mut tokio::io::sink()).await;
        }
        kept
    };
    let ((), complaint, ended) = tokio::join!(write, read, running.wait());
    let ended = ended.map_err(|error| format!("'{program}' cannot be waited for: {error}"))?;
    if ended.success() {
        return Ok(());
    }
    let complaint = String::from_utf8_lossy(&complaint);
    let first =
        complaint.lines().find(|line| !line.trim().is_empty()).map(|line| format!(": {}", line.trim()));
    Err(format!("'{program}' ended with {ended}{}", first.unwrap_or_default()))
}
