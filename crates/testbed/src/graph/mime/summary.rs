//! What a message holds, as the service shows it beside its header: attachments and the text.

use encoding_rs::{Encoding, UTF_8};
use mail_parser::{MessageParser, MimeHeaders};

use super::{
    fields::Block,
    transfer::Decoder,
    walk::{Kind, Visitor},
};

/// Of a longer text only the beginning is shown.
const LONGEST_TEXT: usize = 1024 * 1024;

/// A message taken apart.
#[derive(Clone, Debug, Default)]
pub(crate) struct Summary {
    /// In the order of the message.
    pub(crate) attachments: Vec<AttachmentInfo>,
    /// The plain text.
    pub(crate) text: Option<String>,
    /// The text in HTML.
    pub(crate) html: Option<String>,
}

/// An attachment without its bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct AttachmentInfo {
    pub(crate) name: String,
    pub(crate) content_type: String,
    /// Bytes, its transfer encoding undone.
    pub(crate) size: u64,
    pub(crate) inline: bool,
    pub(crate) content_id: Option<String>,
    pub(crate) kind: AttachmentKind,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum AttachmentKind {
    /// A file.
    #[default]
    File,
    /// A message.
    Item,
    /// A link to a file that lies elsewhere.
    Reference,
}

impl Summary {
    /// Whether there are attachments beside pictures within the text.
    pub(crate) fn has_attachments(&self) -> bool {
        self.attachments.iter().any(|attachment| !attachment.inline)
    }
}

/// Makes a [`Summary`].
pub(crate) struct Summarize {
    summary: Summary,
    leaf: Leaf,
    /// Nested messages that are open; what lies in them is part of one attachment.
    nested: usize,
    decoder: Decoder,
    decoded: Vec<u8>,
}

enum Leaf {
    Attachment,
    Text { html: bool, charset: Option<String>, bytes: Vec<u8> },
    Ignored,
}

impl Summarize {
    pub(crate) fn new() -> Self {
        Self {
            summary: Summary::default(),
            leaf: Leaf::Ignored,
            nested: 0,
            decoder: Decoder::Lines,
            decoded: Vec::new(),
        }
    }

    pub(crate) fn summary(self) -> Summary {
        self.summary
    }

    fn keep(&mut self) {
        let decoded = std::mem::take(&mut self.decoded);
        match &mut self.leaf {
            Leaf::Attachment => self.count(decoded.len()),
            Leaf::Text { bytes, .. } => {
                let room = LONGEST_TEXT.saturating_sub(bytes.len());
                bytes.extend(decoded.iter().take(room));
            }
            Leaf::Ignored => {}
        }
        self.decoded = decoded;
        self.decoded.clear();
    }

    fn count(&mut self, bytes: usize) {
        if let Some(attachment) = self.summary.attachments.last_mut() {
            attachment.size += bytes as u64;
        }
    }
}

/// Whether a leaf is an attachment: the rule that the walk for one attachment's bytes shares.
pub(crate) fn is_attachment(block: &Block) -> bool {
    let info = describe(block, AttachmentKind::File);
    let kind = block.content_type();
    let text = matches!(kind.as_deref(), None | Some("text/plain" | "text/html"));
    let disposition = block.text("Content-Disposition").unwrap_or_default().to_ascii_lowercase();
    !text || !info.name.is_empty() || disposition.starts_with("attachment")
}

fn describe(block: &Block, kind: AttachmentKind) -> AttachmentInfo {
    let bytes = block.bytes();
    let parsed = MessageParser::new().parse_headers(&bytes).unwrap_or_default();
    let part = parsed.parts.first();
    let name = part.and_then(|part| part.attachment_name()).unwrap_or_default();
    let content_id = part.and_then(|part| part.content_id()).map(str::to_owned);
    let disposition = block.text("Content-Disposition").unwrap_or_default().to_ascii_lowercase();
    AttachmentInfo {
        name: name.to_owned(),
        content_type: block.content_type().unwrap_or_else(|| "text/plain".to_owned()),
        size: 0,
        inline: disposition.starts_with("inline") && content_id.is_some(),
        content_id,
        kind,
    }
}

impl Visitor for Summarize {
    fn headers(&mut self, block: &Block, kind: &Kind) {
        if self.nested > 0 {
            let length = block.bytes().len();
            self.count(length);
            // The subject names a forwarded message that has no file name.
            if self.nested == 1
                && matches!(
                    kind,
                    Kind::Leaf { of_message: true }
                        | Kind::Multipart { of_message: true, .. }
                        | Kind::Message { of_message: true }
                )
                && let Some(attachment) = self.summary.attachments.last_mut()
                && attachment.name.is_empty()
            {
                attachment.name = block.text("Subject").unwrap_or_default().into_owned();
            }
        }
        match kind {
            Kind::Message { .. } => {
                if self.nested == 0 {
                    self.summary.attachments.push(describe(block, AttachmentKind::Item));
                }
                self.nested += 1;
            }
            Kind::Multipart { .. } => {}
            Kind::Leaf { .. } if self.nested > 0 => {
                (self.leaf, self.decoder) = (Leaf::Attachment, Decoder::Lines);
            }
            Kind::Leaf { .. } => {
                self.decoder = Decoder::new(&block.encoding());
                let external = block.content_type().as_deref() == Some("message/external-body");
                let kind = if external { AttachmentKind::Reference } else { AttachmentKind::File };
                self.leaf = if is_attachment(block) {
                    self.summary.attachments.push(describe(block, kind));
                    Leaf::Attachment
                } else {
                    let html = block.content_type().as_deref() == Some("text/html");
                    Leaf::Text { html, charset: block.parameter("charset"), bytes: Vec::new() }
                };
            }
        }
    }

    fn line(&mut self, line: &[u8]) {
        self.decoder.line(line, &mut self.decoded);
        self.keep();
    }

    fn line_end(&mut self, _: &'static [u8]) {
        self.decoder.line_end(&mut self.decoded);
        self.keep();
    }

    fn leaf_end(&mut self, _: bool) {
        self.decoder.finish(&mut self.decoded);
        self.keep();
        if let Leaf::Text { html, charset, bytes } = std::mem::replace(&mut self.leaf, Leaf::Ignored) {
            let charset = charset.and_then(|label| Encoding::for_label(label.trim().as_bytes()));
            let (text, ..) = charset.unwrap_or(UTF_8).decode(&bytes);
            let place = if html { &mut self.summary.html } else { &mut self.summary.text };
            place.get_or_insert(text.into_owned());
        }
    }

    fn boundary(&mut self, _: usize, _: bool) {}

    fn message_end(&mut self) {
        self.nested = self.nested.saturating_sub(1);
    }
}
