//! Messages that the kit puts into its folders. Each is complete RFC 5322 with CRLF line ends, as `content.source`
//! promises; what varies is what services and connectors stumble over.

use std::io::Write;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;
use wissel_mime::{Inspector, Options};
use wissel_model::connector::Result;
use wissel_model::{DeliveryInfo, Source};

/// A message of the kit.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    /// The Message-ID, with its angle brackets.
    pub(crate) message_id: String,
    pub(crate) bytes: Arc<Vec<u8>>,
    pub(crate) received: Timestamp,
    pub(crate) read: bool,
}

impl Sample {
    /// A plain message, received `days` ago.
    pub(crate) fn plain(days: i64) -> Self {
        Self::with("A plain message", "", b"This message was made by a conformance test.\r\n", days)
    }

    /// A message with this subject, further header lines (each with its CRLF) and body.
    pub(crate) fn with(subject: &str, headers: &str, body: &[u8], days: i64) -> Self {
        let message_id = format!("<{}@conformance.invalid>", Uuid::now_v7());
        let received = days_ago(days);
        let date = received.strftime("%a, %d %b %Y %H:%M:%S +0000");
        let head = format!(
            "Message-ID: {message_id}\r\nDate: {date}\r\nFrom: Conformance kit <kit@conformance.invalid>\r\n\
             To: reader@conformance.invalid\r\nSubject: {subject}\r\n{headers}\r\n"
        );
        let bytes = Arc::new([head.as_bytes(), body].concat());
        Self { message_id, bytes, received, read: false }
    }

    /// The same, marked as read.
    pub(crate) fn read(mut self) -> Self {
        self.read = true;
        self
    }

    /// `count` plain messages, the oldest first, a day apart; the last is a day old.
    pub(crate) fn series(count: i64) -> Vec<Self> {
        (0..count).map(|number| Self::plain(count - number)).collect()
    }

    /// Messages whose bytes are easily damaged on their way, each with what is special about it.
    pub(crate) fn delicate() -> Vec<(&'static str, Self)> {
        let long = [b"x".repeat(20_000), b"\r\n".to_vec()].concat();
        let every: Vec<u8> = (0x80..=0xff).collect();
        let latin = [b"8-bit: ".to_vec(), every, b"\r\n".to_vec()].concat();
        let of = |what: &'static str, headers: &str, body: &[u8]| (what, Self::with(what, headers, body, 1));
        let eight = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\
                     Content-Transfer-Encoding: 8bit\r\n";
        vec![
            of("plain text", "", b"One line.\r\n"),
            of("8-bit octets", eight, &latin),
            of("UTF-8", "", "Het is na\u{ef}ef, \u{20ac} 5, \u{1f4e7}\r\n".as_bytes()),
            of("lines that begin with a dot", "", b".\r\n..\r\n.dot\r\n"),
            of("no line end at the end", "", b"The last line has no end"),
            of("empty lines at the end", "", b"Text\r\n\r\n\r\n\r\n"),
            of("no body", "", b""),
            of("white space at line ends", "", b"Text \t \r\n \r\n\t\r\n"),
            of("a line of 20,000 octets", "", &long),
            of("a line that looks like an end", "", b")\r\nA1 OK done\r\n* BYE\r\n+OK\r\nFrom here on\r\n"),
            of("a header folded over lines", "X-Folded: one\r\n two\r\n\tthree\r\n", b"Text\r\n"),
        ]
    }

    /// A message of about `octets`, none of whose parts repeats.
    pub(crate) fn large(octets: usize) -> Self {
        let mut body = Vec::with_capacity(octets + 80);
        let mut number = 0_u64;
        while body.len() < octets {
            number += 1;
            // Writing to a vector does not fail.
            let _ = write!(body, "{number:012} {:>62}\r\n", number.wrapping_mul(number));
        }
        Self::with("A large message", "", &body, 1)
    }

    /// Whether these octets are the message: all of them, or where the service writes messages anew, what they say.
    pub(crate) fn is(&self, octets: &[u8], rewritten: bool) -> bool {
        match rewritten {
            true => digest(octets) == digest(&self.bytes),
            false => octets == self.bytes.as_slice(),
        }
    }

    /// What `append` is told beside the bytes.
    pub(crate) fn info(&self) -> DeliveryInfo {
        let size = u32::try_from(self.bytes.len()).ok();
        DeliveryInfo { size, received: Some(self.received), read: Some(self.read) }
    }

    /// Its bytes, as a connector reads them.
    pub(crate) fn source(&self) -> Arc<dyn Source> {
        Arc::new(Bytes(Arc::clone(&self.bytes)))
    }
}

/// The digest of what a message says.
fn digest(octets: &[u8]) -> String {
    let mut inspector = Inspector::new(Options::default());
    inspector.write(octets);
    inspector.finish().digest
}

/// A moment so many days ago, in whole seconds: some services know no finer.
fn days_ago(days: i64) -> Timestamp {
    let now = Timestamp::now();
    let then = now.checked_sub(SignedDuration::from_hours(24 * days)).unwrap_or(now);
    Timestamp::from_second(then.as_second()).unwrap_or(then)
}

/// Bytes in memory.
struct Bytes(Arc<Vec<u8>>);

#[async_trait]
impl Source for Bytes {
    fn size(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    async fn read(&self, offset: u32, max: u32) -> Result<Vec<u8>> {
        let rest = self.0.get(offset as usize..).unwrap_or_default();
        Ok(rest.get(..max as usize).unwrap_or(rest).to_vec())
    }

    fn point_of_no_return(&self) {}
}
