//! As much of an IMAP client as tests need to prepare a mailbox: sign in, send a command, append messages.
//!
//! Cleartext only, and replies without literals only. What a mailbox *holds* is asked of another client, see
//! [`crate::python`].

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use base64::Engine as _;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::{GeneralPurpose, general_purpose::NO_PAD};

/// Before every command: with one command at a time, one tag serves.
const TAG: &str = "t ";

/// A session of one user.
pub struct Imap {
    stream: BufReader<TcpStream>,
}

impl Imap {
    /// Connects to `port` of this machine and signs in.
    #[must_use]
    pub fn sign_in(port: u16, user: &str, password: &str) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_nodelay(true).unwrap();
        let mut imap = Self { stream: BufReader::with_capacity(64 * 1024, stream) };
        imap.line();
        imap.command(&format!("LOGIN {} {}", quoted(user), quoted(password)));
        imap
    }

    /// Sends a command and returns the untagged lines of its reply; panics when it is refused.
    pub fn command(&mut self, command: &str) -> Vec<String> {
        self.send(format!("{TAG}{command}\r\n").as_bytes());
        self.reply(command)
    }

    /// Appends `messages` to `folder` in one command (RFC 3502 and RFC 7888).
    pub fn append<M: AsRef<[u8]>>(&mut self, folder: &str, messages: &[M]) {
        if messages.is_empty() {
            return;
        }
        let command = format!("APPEND {}", mailbox(folder));
        self.send(format!("{TAG}{command}").as_bytes());
        for message in messages {
            let message = message.as_ref();
            self.send(format!(" {{{}+}}\r\n", message.len()).as_bytes());
            self.send(message);
        }
        self.send(b"\r\n");
        self.reply(&command);
    }

    /// Appends one message with an INTERNALDATE, such as `22-Nov-2026 12:00:00 +0100`.
    pub fn append_at(&mut self, folder: &str, date: &str, message: &[u8]) {
        let command = format!("APPEND {} \"{date}\" {{{}+}}\r\n", mailbox(folder), message.len());
        self.send(format!("{TAG}{command}").as_bytes());
        self.send(message);
        self.send(b"\r\n");
        self.reply(&command);
    }

    /// The flags of every message in `folder` but `\\Recent`, which tells sessions apart and not messages.
    pub fn flags(&mut self, folder: &str) -> Vec<String> {
        self.command(&format!("EXAMINE {}", mailbox(folder)));
        let fetched = self.command("UID FETCH 1:* (FLAGS)");
        let flags = |line: &String| {
            let flags = line.split_once("FLAGS (")?.1.split_once(')')?.0;
            let lasting = flags.split(' ').filter(|flag| !flag.is_empty() && *flag != "\\Recent");
            Some(lasting.collect::<Vec<_>>().join(" "))
        };
        fetched.iter().filter(|line| line.contains(" FETCH (")).filter_map(flags).collect()
    }

    fn send(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).unwrap();
    }

    fn reply(&mut self, command: &str) -> Vec<String> {
        let mut untagged = Vec::new();
        loop {
            let line = self.line();
            match line.strip_prefix(TAG) {
                Some(status) if status.starts_with("OK") => return untagged,
                Some(status) => panic!("{command}: {status}"),
                None => untagged.push(line),
            }
        }
    }

    fn line(&mut self) -> String {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line).unwrap();
        assert!(line.ends_with(b"\n"), "the server hung up");
        String::from_utf8_lossy(line.trim_ascii_end()).into_owned()
    }
}

/// A folder's name as it is written in a command: modified UTF-7 (RFC 3501, 5.1.3), quoted.
#[must_use]
pub fn mailbox(name: &str) -> String {
    let base64 = GeneralPurpose::new(&IMAP_MUTF7, NO_PAD);
    let mut encoded = String::new();
    let mut shifted = Vec::new();
    for character in name.chars().map(Some).chain([None]) {
        match character {
            Some(other) if !matches!(other, ' '..='~') => {
                shifted.extend(other.encode_utf16(&mut [0; 2]).iter().flat_map(|unit| unit.to_be_bytes()));
                continue;
            }
            _ if !shifted.is_empty() => {
                encoded += &format!("&{}-", base64.encode(&shifted));
                shifted.clear();
            }
            _ => {}
        }
        match character {
            Some('&') => encoded += "&-",
            Some(plain) => encoded.push(plain),
            None => {}
        }
    }
    quoted(&encoded)
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::mailbox;

    #[test]
    fn names_as_in_the_rfc() {
        assert_eq!(mailbox("~peter/mail/台北/日本語"), "\"~peter/mail/&U,BTFw-/&ZeVnLIqe-\"");
        assert_eq!(mailbox("R&D"), "\"R&-D\"");
        assert_eq!(mailbox("a\\b"), "\"a\\\\b\"");
        assert_eq!(mailbox("één"), "\"&AOkA6Q-n\"");
    }
}
