//! Mail that importers stumble over: old charsets, mail in mail, no Message-ID, broken MIME, and size.

use encoding_rs::{Encoding, ISO_8859_15, WINDOWS_1252};

use super::{Maker, mime};
use crate::mailbox::{Content, NewMessage};

/// Bytes of a large attachment that are encoded at once: a multiple of 57, so that its base64 ends with a full line.
const BLOCK: usize = 57 * 1024;

impl Maker {
    /// Subject and text in windows-1252, the text as 8-bit bytes.
    pub fn windows_1252(&mut self, token: &str) -> NewMessage {
        self.in_charset(WINDOWS_1252, "Herinnering – “openstaande” post € 12,50", token)
    }

    /// Subject and text in iso-8859-15, in which the euro sign has another place than in its neighbours.
    pub fn iso_8859_15(&mut self, token: &str) -> NewMessage {
        self.in_charset(ISO_8859_15, "Offerte coöperatie: € 99,95", token)
    }

    fn in_charset(&mut self, charset: &'static Encoding, subject: &str, token: &str) -> NewMessage {
        let name = charset.name().to_ascii_lowercase();
        let (encoded, ..) = charset.encode(subject);
        let (mut mime, number) = self.begin(Some(mime::encoded_word(&name, &encoded)));
        mime.header("MIME-Version", "1.0");
        mime.header("Content-Type", &format!("text/plain; charset={name}"));
        mime.header("Content-Transfer-Encoding", "8bit");
        let text = format!("\r\nBetreft factuur {number}: {subject}\r\nKenmerk: {token}\r\n");
        let (encoded, ..) = charset.encode(&text);
        mime.raw(&encoded);
        self.finish(mime.unfinished())
    }

    /// A forwarded message (message/rfc822) with an attachment of its own.
    pub fn nested(&mut self, token: &str) -> NewMessage {
        let inner = self.invoice(token);
        let (mut mime, number) = self.begin(None);
        mime.text(&format!("Ter verwerking, zie factuur {number}.\r\n"));
        mime.part("Content-Type: message/rfc822\r\nContent-Disposition: attachment; filename=\"doorgestuurd.eml\"\r\n");
        inner.content.chunks().for_each(|chunk| mime.raw(&chunk));
        self.finish(mime.whole())
    }

    /// An invoice whose sender gave it no Message-ID.
    pub fn without_message_id(&mut self, token: &str) -> NewMessage {
        let message = self.invoice(token);
        let bytes: Vec<u8> = message.content.chunks().flatten().collect();
        let lines = bytes.split_inclusive(|byte| *byte == b'\n');
        let kept: Vec<u8> =
            lines.filter(|line| !line.starts_with(b"Message-ID:")).flatten().copied().collect();
        self.finish(kept)
    }

    /// Raw 8-bit bytes in the header, a header line without a colon, an unknown charset, damaged base64, a part that never ends.
    pub fn broken(&mut self, token: &str) -> NewMessage {
        let (mut mime, _) = self.begin(None);
        mime.raw(b"X-Kapot: caf\xe9 \xff\xfe\r\ndeze regel is geen kop\r\n");
        mime.part("Content-Type: text/plain; charset=x-bestaat-niet\r\n");
        mime.raw(format!("Kenmerk: {token}\r\n").as_bytes());
        mime.attachment_header("application/pdf", "kapot.pdf");
        mime.raw(b"JVBERi0xLjQK====*&^%$geen base64\r\n");
        self.finish(mime.unfinished())
    }

    /// A message with an attachment of about `size` bytes (as sent) that is made while it is read.
    pub fn large(&mut self, token: &str, size: u64) -> NewMessage {
        let (mut mime, number) = self.begin(None);
        mime.text(&format!("Bijgaand de scans bij factuur {number}.\r\nKenmerk: {token}\r\n"));
        mime.attachment_header("application/octet-stream", "scans.bin");
        let raw: Vec<u8> =
            std::iter::repeat_with(|| self.random().to_le_bytes()).flatten().take(BLOCK).collect();
        let block = mime::base64_lines(&raw);
        let times = size.div_ceil(block.len() as u64);
        let tail = mime.end().into();
        self.finish(Content::Repeated { head: mime.unfinished().into(), block: block.into(), times, tail })
    }
}
