//! The push parser: octets in, [`Inspection`] out.
//!
//! It puts the pieces together: the walker finds header blocks and contents, the headers say what they are, parts
//! are decoded and handed to the sink, the digest takes its records. It holds at most one header block, one line and
//! a few buffers of fixed size, so its memory does not depend on the message.

use crate::attachments::AttachmentSink;
use crate::digest::{CanonicalDigest, Tag};
use crate::headers::{HeaderBlock, MessageFields, PartFields};
use crate::inspection::{Defect, Disposition, Inspection, PartInfo};
use crate::naming::FileNames;
use crate::parts::{Leaf, NestedMessage};
use crate::transfer::Encoding;
use crate::walker::{Follows, Handler, Place, Walker};
use sha2::{Digest as _, Sha256};

/// How much of a message is listed. None of it changes the digest.
#[derive(Debug, Clone)]
pub struct Options {
    /// Leaf parts that are listed and offered as attachments.
    pub max_parts: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { max_parts: 1000 }
    }
}

/// Reads one message as it passes. Never fails: what is wrong with the message stands in [`Inspection::defects`].
///
/// ```
/// let mut inspector = wissel_mime::Inspector::new(wissel_mime::Options::default());
/// inspector.write(b"Message-ID: <1@example.com>\r\nSubject: Fac");
/// inspector.write(b"tuur\r\n\r\nBijgaand.\r\n");
/// assert_eq!(inspector.finish().subject.as_deref(), Some("Factuur"));
/// ```
#[derive(Debug)]
pub struct Inspector<S = ()> {
    walker: Walker,
    reading: Reading<S>,
    hash: Sha256,
    size: u64,
}

impl Inspector {
    /// An inspector that extracts no attachments.
    pub fn new(options: Options) -> Self {
        Self::with_attachments(options, ())
    }
}

impl<S: AttachmentSink> Inspector<S> {
    /// An inspector that offers attachments to `sink` as they pass.
    pub fn with_attachments(options: Options, sink: S) -> Self {
        Self {
            walker: Walker::new(),
            reading: Reading {
                sink,
                options,
                digest: CanonicalDigest::default(),
                message: None,
                parts: Vec::new(),
                leaves: 0,
                names: FileNames::default(),
                leaf: None,
                leaf_name: None,
                nesting: 0,
                nested: None,
                defects: Vec::new(),
            },
            hash: Sha256::new(),
            size: 0,
        }
    }

    /// Reads the next octets of the message, cut anywhere. 16 to 64 KiB at a time is a good measure.
    pub fn write(&mut self, octets: &[u8]) {
        self.hash.update(octets);
        self.size += octets.len() as u64;
        self.walker.write(octets, &mut self.reading);
    }

    /// The sink, to ask it for errors on the way.
    pub fn attachments_mut(&mut self) -> &mut S {
        &mut self.reading.sink
    }

    /// The message is complete.
    pub fn finish(self) -> Inspection {
        self.finish_with_attachments().0
    }

    /// The message is complete; gives the sink back.
    pub fn finish_with_attachments(mut self) -> (Inspection, S) {
        self.walker.finish(&mut self.reading);
        let Reading { sink, digest, message, parts, defects, .. } = self.reading;
        let MessageFields { message_id, subject, from, sender, to, cc, date } = message.unwrap_or_default();
        let inspection = Inspection {
            message_id,
            subject,
            from,
            sender,
            to,
            cc,
            date: date.map(|date| date.shown),
            size: self.size,
            sha256: hex::encode(self.hash.finalize()),
            digest: digest.finish(),
            parts,
            defects,
        };
        (inspection, sink)
    }
}

/// What has been read so far.
#[derive(Debug)]
struct Reading<S> {
    sink: S,
    options: Options,
    digest: CanonicalDigest,
    message: Option<MessageFields>,
    parts: Vec<crate::inspection::Part>,
    /// Leaves outside nested messages, also those that are not listed.
    leaves: u32,
    names: FileNames,
    leaf: Option<Leaf>,
    leaf_name: Option<String>,
    /// Nested messages that are open.
    nesting: usize,
    /// The outermost of them, when it is listed.
    nested: Option<NestedMessage>,
    defects: Vec<Defect>,
}

impl<S: AttachmentSink> Reading<S> {
    /// A message's own fields are known.
    fn message_begins(&mut self, message: MessageFields) {
        for address in &message.from {
            let canonical = address.address.as_ref().map(|address| address.to_lowercase());
            let canonical = canonical.or_else(|| address.name.clone()).unwrap_or_default();
            self.digest.record(Tag::From, canonical.as_bytes());
        }
        self.digest.record(Tag::Subject, message.subject.as_deref().unwrap_or_default().as_bytes());
        let date = message.date.as_ref().map(|date| date.canonical.as_str());
        self.digest.record(Tag::Date, date.unwrap_or_default().as_bytes());
        if self.nesting == 0 {
            self.message.get_or_insert(message);
        } else if let Some(nested) = self.nested.as_mut().filter(|_| self.nesting == 1) {
            nested.offer(message.subject.as_deref(), &mut self.names, &mut self.sink);
        }
    }

    /// Describes the next leaf (or nested message), when it is to be listed.
    fn list(&mut self, fields: &PartFields, is_message: bool) -> Option<PartInfo> {
        if self.nesting > 0 {
            return None;
        }
        self.leaves = self.leaves.saturating_add(1);
        if self.parts.len() >= self.options.max_parts {
            self.defect(Defect::PartsTruncated);
            return None;
        }
        let (main, sub) = match &fields.content_type {
            Some((main, sub)) => (main.as_str(), sub.as_str()),
            None if is_message => ("message", "rfc822"),
            None => ("text", "plain"),
        };
        let is_body = matches!((main, sub), ("text", "plain" | "html"))
            && fields.name.is_none()
            && fields.disposition != Some(Disposition::Attachment);
        let belongs_to_text = is_body || (main == "image" && fields.content_id.is_some());
        let default = if belongs_to_text { Disposition::Inline } else { Disposition::Attachment };
        let file_name = (!is_body && !is_message).then(|| match &fields.name {
            Some(name) => self.names.claim(name),
            None => self.names.claim(&format!("part-{}.{}", self.leaves, extension(main, sub))),
        });
        Some(PartInfo {
            index: self.leaves,
            name: fields.name.clone(),
            file_name,
            content_type: format!("{main}/{sub}"),
            disposition: fields.disposition.unwrap_or(default),
            content_id: fields.content_id.clone(),
        })
    }

    fn record_name(&mut self, name: Option<String>) {
        if let Some(name) = name {
            self.digest.record(Tag::Name, name.as_bytes());
        }
    }

    fn open_leaf(&mut self, fields: PartFields) -> Follows {
        let info = self.list(&fields, false);
        let (leaf, charset_unknown) = Leaf::open(&fields, info, &mut self.sink);
        if charset_unknown {
            self.defect(Defect::CharsetUnknown);
        }
        self.leaf = Some(leaf);
        self.leaf_name = fields.name;
        Follows::Leaf
    }

    fn open_nested(&mut self, fields: PartFields) -> Follows {
        self.nested = match self.list(&fields, true) {
            Some(info) => Some(NestedMessage::open(info)),
            None => self.nested.take(),
        };
        self.nesting += 1;
        self.record_name(fields.name);
        self.digest.record(Tag::MessageBegin, &[]);
        Follows::Message
    }
}

impl<S: AttachmentSink> Handler for Reading<S> {
    fn headers(&mut self, block: HeaderBlock, place: Place) -> Follows {
        let fields = block.parse();
        fields.defects.into_iter().for_each(|defect| self.defect(defect));
        if place.of_message {
            self.message_begins(fields.message);
        }
        let mut part = fields.part;
        let (main, sub) = match &part.content_type {
            Some((main, sub)) => (main.as_str(), sub.as_str()),
            None if place.in_digest => ("message", "rfc822"),
            None => return self.open_leaf(part),
        };
        // RFC 2045, 6.4 and RFC 2046, 5.2.1: neither may be encoded; a message that is nevertheless stays a leaf.
        let is_message = main == "message"
            && matches!(sub, "rfc822" | "global")
            && matches!(part.encoding, Encoding::Lines | Encoding::Binary);
        let is_multipart = main == "multipart";
        if (is_message || is_multipart) && !place.may_nest {
            self.defect(Defect::NestedTooDeep);
            return self.open_leaf(part);
        }
        if is_message {
            return self.open_nested(part);
        }
        if !is_multipart {
            return self.open_leaf(part);
        }
        let digest = sub == "digest";
        match part.boundary.take() {
            Some(boundary) => Follows::Multipart { boundary, digest },
            None => {
                // Better shown as text than hidden in a file.
                self.defect(Defect::BoundaryUnusable);
                self.open_leaf(PartFields { content_type: None, ..part })
            }
        }
    }

    fn content(&mut self, octets: &[u8]) {
        if let Some(leaf) = &mut self.leaf {
            leaf.write(octets, &mut self.sink);
        }
    }

    fn leaf_end(&mut self) {
        let Some(leaf) = self.leaf.take() else {
            return;
        };
        let ended = leaf.end(&mut self.sink);
        if ended.broken {
            self.defect(Defect::EncodingBroken);
        }
        let name = self.leaf_name.take();
        self.record_name(name);
        self.digest.record(Tag::Part, &ended.canonical);
        self.parts.extend(ended.part);
    }

    fn nested_raw(&mut self, octets: &[u8]) {
        if let Some(nested) = &mut self.nested {
            nested.write(octets, &mut self.names, &mut self.sink);
        }
    }

    fn nested_end(&mut self) {
        self.nesting = self.nesting.saturating_sub(1);
        self.digest.record(Tag::MessageEnd, &[]);
        if self.nesting == 0
            && let Some(nested) = self.nested.take()
        {
            self.parts.push(nested.end(&mut self.names, &mut self.sink));
        }
    }

    fn defect(&mut self, defect: Defect) {
        if !self.defects.contains(&defect) {
            self.defects.push(defect);
        }
    }
}

/// The extension for a part without a name, so that a person can open the file.
fn extension(main: &str, sub: &str) -> &'static str {
    match (main, sub) {
        ("application", "pdf") => "pdf",
        ("application" | "text", "xml") => "xml",
        ("application", "json") => "json",
        ("application", "zip") => "zip",
        ("application", "pgp-signature") => "asc",
        ("application", "pkcs7-signature" | "x-pkcs7-signature") => "p7s",
        ("application", "pkcs7-mime" | "x-pkcs7-mime") => "p7m",
        ("application", "ms-tnef") => "tnef",
        ("image", "jpeg" | "jpg") => "jpg",
        ("image", "png") => "png",
        ("image", "gif") => "gif",
        ("image", "tiff") => "tiff",
        ("message", "rfc822" | "global") => "eml",
        ("text", "html") => "html",
        ("text", "calendar") => "ics",
        ("text", "csv") => "csv",
        ("text" | "message", _) => "txt",
        _ => "bin",
    }
}
