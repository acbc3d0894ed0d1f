//! Opening scripted sessions.
#![allow(dead_code, unreachable_pub, missing_docs, clippy::unwrap_used, reason = "helpers of tests")]

use wissel_connector::testing::ScriptedHost;
use wissel_connector::{Connector, Result, Settings};
use wissel_imap::{Imap, ImapSession};

pub fn open_with(host: &ScriptedHost, settings: &[(&str, &str)]) -> Result<ImapSession> {
    Imap::open(host.api(), settings.iter().copied().collect::<Settings>())
}

pub fn open(host: &ScriptedHost) -> ImapSession {
    open_with(host, &[]).unwrap()
}

/// A session that is signed in on a server with these capabilities, and then follows the script. Its commands begin
/// with A1.
pub fn signed_in(capabilities: &str, script: &str) -> (ScriptedHost, ImapSession) {
    let host =
        ScriptedHost::new(&format!("S: * PREAUTH [CAPABILITY IMAP4rev1 {capabilities}] ready\n{script}"));
    let session = open(&host);
    (host, session)
}

pub fn ids(uids: &[u32], folder: &str) -> Vec<String> {
    uids.iter().map(|uid| format!("7.{uid}.{folder}")).collect()
}

/// The answer to the command of this number that opens a folder whose UIDVALIDITY is 7.
pub fn opened(number: u32, command: &str) -> String {
    format!(
        "C: A{number} {command}
         S: * FLAGS (\\Answered \\Seen \\Deleted)
         S: * 3 EXISTS
         S: * OK [UIDVALIDITY 7] valid
         S: * OK [UIDNEXT 100] next
         S: A{number} OK [READ-WRITE] open"
    )
}
