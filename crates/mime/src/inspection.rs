//! What is known of a message once it has passed: the result types, which also stand in metadata files.

use serde::{Deserialize, Serialize};

/// A message as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inspection {
    /// Message-ID with its angle brackets.
    pub message_id: Option<String>,
    /// Subject, decoded, white space folded.
    pub subject: Option<String>,
    /// Addresses of From.
    pub from: Vec<Address>,
    /// Addresses of Sender.
    pub sender: Vec<Address>,
    /// Addresses of To.
    pub to: Vec<Address>,
    /// Addresses of Cc.
    pub cc: Vec<Address>,
    /// Date as RFC 3339 with the sender's offset, or as received when it cannot be read
    /// ([`Defect::DateUnreadable`]).
    pub date: Option<String>,
    /// Octets of the raw message.
    pub size: u64,
    /// SHA-256 of the raw message, lower-case hex.
    pub sha256: String,
    /// The canonical digest, see [`crate::digest`].
    pub digest: String,
    /// Leaf parts in order; a nested message counts as one leaf.
    pub parts: Vec<Part>,
    /// What was found broken or was cut short, each kind once, in the order in which it was met.
    pub defects: Vec<Defect>,
}

impl Inspection {
    /// About how many octets of memory this takes: the texts, which a message can make as many as it likes.
    #[must_use]
    pub fn octets(&self) -> usize {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let parts = self.parts.iter().map(|Part { info, sha256, .. }| {
            let texts = [&info.name, &info.file_name, &info.content_id].map(text).iter().sum::<usize>();
            texts + info.content_type.len() + text(sha256) + size_of::<Part>()
        });
        let people = [&self.from, &self.sender, &self.to, &self.cc].into_iter().flatten();
        let people = people.map(|one| text(&one.name) + text(&one.address) + size_of::<Address>());
        parts.sum::<usize>() + people.sum::<usize>() + text(&self.subject) + text(&self.message_id)
    }

    /// The parts that are files of their own: all but the message's text.
    pub fn attachments(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(|part| part.info.file_name.is_some())
    }
}

/// A mailbox of a header (RFC 5322, 3.4). Groups are flattened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// The display name, decoded.
    pub name: Option<String>,
    /// The address as written.
    pub address: Option<String>,
}

/// What is known of a part before its content comes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartInfo {
    /// Place among the leaves of the message, from 1.
    pub index: u32,
    /// The name as the sender gave it, decoded. Not safe as a file name.
    pub name: Option<String>,
    /// For attachments: a safe file name, unique within the message also where case does not count. Absent for
    /// the message's own text.
    pub file_name: Option<String>,
    /// Type and subtype in lower case; `text/plain` when none was given.
    pub content_type: String,
    /// Whether the part belongs into the text or beside it.
    pub disposition: Disposition,
    /// Content-ID without angle brackets.
    pub content_id: Option<String>,
}

/// A leaf part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// What its headers say.
    #[serde(flatten)]
    pub info: PartInfo,
    /// Octets of the decoded content; of a nested message, its raw octets.
    pub size: u64,
    /// SHA-256 of those octets, lower-case hex. Absent for the message's own text, which is no file.
    pub sha256: Option<String>,
}

/// Where a part is shown (RFC 2183).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// Within the text, such as a picture in HTML.
    Inline,
    /// Beside the text.
    Attachment,
}

/// Something in a message that breaks a rule or passes a limit. Never a reason not to import it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Defect {
    /// A header block is longer than 256 KiB in the fields that are read; what follows was ignored.
    HeadersTruncated,
    /// A message or part begins with something that is no header: all of it was read as content.
    HeadersMissing,
    /// A header block ends without an empty line.
    HeadersUnterminated,
    /// A field has more than 1,000 addresses; the others were left out.
    AddressesTruncated,
    /// Date cannot be read; it is given as received.
    DateUnreadable,
    /// A Content-Transfer-Encoding that is not known; the content was taken as it is.
    EncodingUnknown,
    /// Content that its transfer encoding does not allow; decoded as far as possible.
    EncodingBroken,
    /// A charset that is not known.
    CharsetUnknown,
    /// A multipart whose boundary is missing, empty or too long; read as one part.
    BoundaryUnusable,
    /// A multipart ends without its closing boundary.
    BoundaryUnclosed,
    /// Parts are nested more than 20 deep; what lies deeper was read as one part.
    NestedTooDeep,
    /// More parts than the limit; the others are neither listed nor offered as attachments, but count in the digest.
    PartsTruncated,
}
