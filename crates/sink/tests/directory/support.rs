//! What the tests share: a message, its delivery, and a picture of the directory afterwards.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use wissel_model::MessageKey;
use wissel_model::job::DirectoryTarget;
use wissel_sink::{Context, DirectorySink, SinkError, Staged};

pub(crate) const MESSAGE: &str = "Message-ID: <42@example.com>\r\n\
    From: =?utf-8?q?Bakkerij_Jans=C3=A9n?= <facturen@example.com>\r\nTo: in@example.nl\r\n\
    Date: Mon, 2 Nov 2026 09:30:00 +0100\r\nSubject: Factuur 42\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=b\r\n\r\n\
    --b\r\nContent-Type: text/plain\r\n\r\nBijgaand.\r\n\
    --b\r\nContent-Type: application/pdf; name=\"factuur 42.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\
    Content-Disposition: attachment\r\n\r\nJVBERi0xLjQK\r\n--b--\r\n";

pub(crate) fn target(directory: &Path) -> DirectoryTarget {
    DirectoryTarget { directory: directory.to_owned(), extract_attachments: true }
}

pub(crate) async fn open(directory: &Path) -> DirectorySink {
    DirectorySink::open(&target(directory)).await.unwrap()
}

pub(crate) fn context() -> Context {
    Context {
        job: "Inkoopfacturen".into(),
        account: "Inkoop".into(),
        connector: "example".into(),
        folder: vec!["Postvak IN".into(), "Algemeen".into()],
        message: "7:42".into(),
        received: Some("2026-11-02T08:30:05Z".parse().unwrap()),
        read: Some(false),
    }
}

pub(crate) fn stage(sink: &DirectorySink, key: MessageKey, message: &[u8]) -> Result<Staged, SinkError> {
    let mut incoming = sink.begin(key, context())?;
    message.chunks(1000).try_for_each(|piece| incoming.write(piece))?;
    incoming.finish()
}

pub(crate) async fn deliver(sink: &DirectorySink, key: MessageKey, message: &[u8]) -> Result<(), SinkError> {
    let staged = stage(sink, key, message)?;
    sink.commit(vec![staged]).await
}

/// Every file below the directory with its content, directories with none; `KEY` stands for the key.
pub(crate) fn picture(directory: &Path, key: MessageKey) -> BTreeMap<String, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut open = vec![directory.to_owned()];
    while let Some(at) = open.pop() {
        for entry in std::fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(directory).unwrap().to_str().unwrap().replace('\\', "/");
            let content = if path.is_dir() { None } else { Some(std::fs::read(&path).unwrap()) };
            if content.is_none() {
                open.push(path);
            }
            found.insert(name.replace(&key.to_string(), "KEY"), content);
        }
    }
    found
}

pub(crate) fn names(directory: &Path, key: MessageKey) -> Vec<String> {
    picture(directory, key).into_keys().collect()
}

/// This test binary once more, to run `test` alone on `directory`; the test reads [`child_directory`].
pub(crate) fn child(test: &str, directory: &Path) -> Command {
    arm(Command::new(std::env::current_exe().unwrap()), test, directory)
}

/// The same under a shell that first runs `before`.
#[cfg(unix)]
pub(crate) fn child_after(mut shell: Command, before: &str, test: &str, directory: &Path) -> Command {
    shell.arg("-c").arg(format!("{before} && exec \"$0\" \"$@\"")).arg(std::env::current_exe().unwrap());
    arm(shell, test, directory)
}

fn arm(mut command: Command, test: &str, directory: &Path) -> Command {
    command.args([test, "--exact", "--ignored", "--nocapture"].map(OsStr::new));
    command.env("SINK_TEST_DIRECTORY", directory);
    command
}

/// Where a test that was started by [`child`] works; `None` when somebody runs all ignored tests.
pub(crate) fn child_directory() -> Option<PathBuf> {
    std::env::var_os("SINK_TEST_DIRECTORY").map(PathBuf::from)
}
