//! A Dutch sample mailbox: invoices with PDF attachments, and the odd mail that breaks importers.
//!
//! The same seed makes the same bytes. Every message carries a token in its text, by which an observer counts it;
//! it stands there as plain ASCII, so that a search in the raw bytes finds it.

pub(crate) mod mime;
mod odd;
mod pdf;

use jiff::{Timestamp, ToSpan};

use self::mime::Mime;
use crate::mailbox::{Flags, Mailbox, MailboxError, NewMessage};

/// Receipt of a sample's first message; each next one comes seven minutes later.
const FIRST_RECEIVED: Timestamp = Timestamp::constant(1_793_610_000, 0);

/// Folders of the sample beside those with a role.
pub const FOLDERS: [&str; 8] = [
    "Postvak IN/Algemeen",
    "Postvak IN/Algemeen/Verwerkt",
    "Postvak IN/Facturen",
    "Postvak IN/Facturen/2026",
    "Postvak IN/Facturen/2026/Kwartaal 4",
    "Postvak IN/R&D inkoop",
    "Postvak IN/Kosten\\Reizen",
    "Postvak IN/Geïmporteerd",
];

/// Who the sample's invoices come from.
const SUPPLIERS: [(&str, &str); 4] = [
    ("Groothandel Zuid", "facturen@groothandel-zuid.example"),
    ("Drukkerij De Pers", "administratie@depers.example"),
    ("Energie Noord", "noreply@energie-noord.example"),
    ("Café Overdag", "boekhouding@overdag.example"),
];

/// Makes messages, one after the other, from a seed.
#[derive(Clone, Debug)]
pub struct Maker {
    seed: u64,
    state: u64,
    made: u64,
}

impl Maker {
    /// A maker that makes the same messages for the same seed.
    pub fn new(seed: u64) -> Self {
        Self { seed, state: seed, made: 0 }
    }

    /// The token that the next message gets when its caller has none: different for every message and seed.
    pub fn token(&self) -> String {
        format!("TB{:08x}-{:06}", self.seed, self.made + 1)
    }

    /// The next message: an invoice mostly, an odd one now and then.
    pub fn any(&mut self, token: &str) -> NewMessage {
        match self.made % 12 {
            3 => self.windows_1252(token),
            5 => self.iso_8859_15(token),
            7 => self.nested(token),
            9 => self.without_message_id(token),
            11 => self.broken(token),
            _ => self.invoice(token),
        }
    }

    /// An invoice with a PDF attachment.
    pub fn invoice(&mut self, token: &str) -> NewMessage {
        let (mut mime, number) = self.begin(None);
        let cents = 1_000 + self.random() % 900_000;
        let amount = format!("{},{:02}", cents / 100, cents % 100);
        mime.text(&format!(
            "Geachte crediteurenadministratie,\r\n\r\nBijgaand factuur {number} van € {amount}.\r\n\r\nKenmerk: {token}\r\n"
        ));
        let document =
            pdf::page(&[&format!("Factuur {number}"), &format!("Te betalen: EUR {amount}"), token]);
        mime.attachment("application/pdf", &format!("Factuur {number}.pdf"), &document);
        self.finish(mime.whole())
    }

    /// The header of the next message, and its invoice number, which is its subject where none is given.
    fn begin(&mut self, subject: Option<String>) -> (Mime, String) {
        self.made += 1;
        let number = format!("2026-{:04}", 100 + self.made);
        let at = self.random() as usize % SUPPLIERS.len();
        let (name, address) = SUPPLIERS.get(at).copied().unwrap_or_default();
        let mut mime = Mime::new(self.random());
        mime.header("From", &format!("{} <{address}>", mime::word(name)));
        mime.header("To", "Crediteuren <facturen@voorbeeld.example>");
        mime.header("Subject", &subject.unwrap_or_else(|| format!("Factuur {number}")));
        mime.header("Date", &self.received().strftime("%a, %d %b %Y %H:%M:%S +0000").to_string());
        mime.header("Message-ID", &format!("<{:08x}.{}@factuur.example>", self.seed, self.made));
        (mime, number)
    }

    fn received(&self) -> Timestamp {
        FIRST_RECEIVED
            .saturating_add((self.made as i64).saturating_mul(7).minutes())
            .unwrap_or(FIRST_RECEIVED)
    }

    fn finish(&self, content: impl Into<crate::mailbox::Content>) -> NewMessage {
        NewMessage::from_content(content.into(), self.received())
    }

    /// SplitMix64: small, and the same everywhere.
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// Fills a mailbox with the sample's folders and `count` messages in `Postvak IN/Algemeen`, the first third of them read,
/// and a few messages elsewhere, among them two identical copies. Answers with what now lies in `Postvak IN/Algemeen`.
pub fn fill(mailbox: &Mailbox, maker: &mut Maker, count: usize) -> Result<Vec<String>, MailboxError> {
    for path in FOLDERS {
        mailbox.ensure_folder(path)?;
    }
    let mut tokens = Vec::with_capacity(count);
    for at in 0..count {
        let token = maker.token();
        let mut message = maker.any(&token);
        message.flags = Flags { seen: at < count / 3, ..Flags::default() };
        mailbox.deliver("Postvak IN/Algemeen", message)?;
        tokens.push(token);
    }
    let token = maker.token();
    let copy = maker.invoice(&token);
    mailbox.deliver("Postvak IN/Facturen", copy.clone())?;
    mailbox.deliver("Postvak IN/Facturen", copy)?;
    for path in [
        "Postvak IN",
        "Postvak IN/Facturen/2026/Kwartaal 4",
        "Postvak IN/R&D inkoop",
        "Postvak IN/Kosten\\Reizen",
    ] {
        let token = maker.token();
        mailbox.deliver(path, maker.invoice(&token))?;
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_makes_the_same_bytes_and_every_token_is_in_one_message() {
        let (one, other) = (Mailbox::new(), Mailbox::new());
        let tokens = fill(&one, &mut Maker::new(7), 24).unwrap();
        fill(&other, &mut Maker::new(7), 24).unwrap();
        let bytes = |mailbox: &Mailbox| {
            let folders = mailbox.folders();
            let messages = folders.iter().flat_map(|folder| mailbox.messages(folder.id).unwrap());
            messages.flat_map(|message| message.content.chunks()).flatten().collect::<Vec<u8>>()
        };
        assert!(bytes(&one) == bytes(&other));
        for token in &tokens {
            assert_eq!(
                one.count_token(token).into_iter().collect::<Vec<_>>(),
                [("Postvak IN/Algemeen".into(), 1)]
            );
        }
        let facturen = one.folder("Postvak IN/Facturen").unwrap();
        let copies = one.messages(facturen.id).unwrap();
        assert_eq!(copies[0].content.chunks().next(), copies[1].content.chunks().next());
    }

    #[test]
    fn a_large_message_has_the_size_asked_for_and_its_token() {
        let mut maker = Maker::new(1);
        let large = maker.large("TOKEN", 80 * 1024 * 1024).content;
        assert!(large.size().abs_diff(80 * 1024 * 1024) < 100_000, "{}", large.size());
        assert!(large.contains(b"TOKEN"));
    }
}
