//! A program as an alert channel: no shell, the alert as JSON on its standard input, an environment without secrets. It
//! is killed when its time is up, on Unix with what it has started; what it leaves behind when it ends is left alone.

use std::process::Stdio;
use std::time::Duration;

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
const COMPLAINT: usize = 4096;
/// How long what it complains is waited for once it has ended: what it left running may hold the pipe open for ever.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Kills what a program has started, unless it came to its own end.
#[cfg(unix)]
struct Group(Option<rustix::process::Pid>);

#[cfg(unix)]
impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // It may have ended meanwhile.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

/// Runs it to its end.
pub(super) async fn run(command: &[String], body: &[u8]) -> Result<(), String> {
    let (program, arguments) = command.split_first().ok_or("it names no program")?;
    let passed_on = PASSED_ON.iter().filter_map(|name| Some((*name, std::env::var_os(name)?)));
    let mut program_to_run = Command::new(program);
    program_to_run.args(arguments).env_clear().envs(passed_on);
    program_to_run.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    #[cfg(unix)]
    program_to_run.process_group(0);
    let mut running =
        program_to_run.spawn().map_err(|error| format!("'{program}' cannot be started: {error}"))?;
    #[cfg(unix)]
    let mut group = Group(running.id().and_then(|id| rustix::process::Pid::from_raw(id.try_into().ok()?)));
    let (input, complaint) = (running.stdin.take(), running.stderr.take());
    let write = async {
        if let Some(mut input) = input {
            // A program that does not read it has closed it; what counts is how it ends.
            let _ = input.write_all(body).await;
        }
    };
    let mut kept = Vec::new();
    let read = async {
        if let Some(mut complaint) = complaint {
            let mut some = [0; 1024];
            // A full pipe would hold it up, so all is read, and the beginning kept.
            while let Ok(read @ 1..) = complaint.read(&mut some).await {
                let room = COMPLAINT.saturating_sub(kept.len()).min(read);
                kept.extend(some.iter().take(room));
            }
        }
    };
    let ended = {
        let talk = async { tokio::join!(write, read) };
        tokio::pin!(talk);
        let (ended, talking) = tokio::select! {
            ended = running.wait() => (ended, true),
            _ = &mut talk => (running.wait().await, false),
        };
        if talking {
            let _ = tokio::time::timeout(LAST_WORDS, talk).await;
        }
        ended
    };
    #[cfg(unix)]
    {
        group.0 = None;
    }
    let ended = ended.map_err(|error| format!("'{program}' cannot be waited for: {error}"))?;
    if ended.success() {
        return Ok(());
    }
    let complaint = String::from_utf8_lossy(&kept);
    let first =
        complaint.lines().find(|line| !line.trim().is_empty()).map(|line| format!(": {}", line.trim()));
    Err(format!("'{program}' ended with {ended}{}", first.unwrap_or_default()))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Vec<String> {
        ["sh", "-c", script].map(str::to_owned).to_vec()
    }

    #[tokio::test]
    async fn what_a_program_leaves_running_does_not_hold_it_up() {
        let (quiet, loud) =
            (shell("cat >/dev/null; sleep 60 & exit 0"), shell("echo 'no such room' >&2; sleep 60 & exit 3"));
        let in_time = |command| tokio::time::timeout(Duration::from_secs(30), run(command, b"{}"));
        assert_eq!(in_time(&quiet).await, Ok(Ok(())));
        let failed = in_time(&loud).await.unwrap().unwrap_err();
        assert!(failed.contains("no such room"), "{failed}");
    }

    #[tokio::test]
    async fn what_a_program_has_started_goes_with_it_when_its_time_is_up() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let script = format!("sleep 600 & echo $! > {0}.new; mv {0}.new {0}; wait", file.display());
        let command = shell(&script);
        let ended = tokio::select! {
            ended = run(&command, b"{}") => Some(ended),
            () = async { while !file.exists() { tokio::time::sleep(Duration::from_millis(20)).await } } => None,
        };
        assert_eq!(ended, None, "it waits for what it has started");
        let pid: i32 = std::fs::read_to_string(&file).unwrap().trim().parse().unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        // Nobody may be there to take note of its end: then it stays as a zombie, which runs no more.
        let runs = || {
            let state = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
            match state {
                Ok(state) => !state.contains(") Z "),
                Err(_) => cfg!(not(target_os = "linux")) && rustix::process::test_kill_process(pid).is_ok(),
            }
        };
        for _ in 0..500 {
            if !runs() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("it still runs");
    }
}
