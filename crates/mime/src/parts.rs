//! The part that is open while a message passes: a leaf that is decoded, or a nested message that is kept raw.

use crate::attachments::AttachmentSink;
use crate::digest::Content;
use crate::headers::PartFields;
use crate::inspection::{Part, PartInfo};
use crate::naming::FileNames;
use crate::transfer::{Decoder, Encoding, MAX_PIECE};
use sha2::{Digest as _, Sha256};

/// Raw octets of a nested message that wait until its subject, and so its name, is known.
const MAX_PENDING: usize = 256 * 1024;

/// What the end of a leaf tells.
pub(crate) struct Ended {
    pub(crate) part: Option<Part>,
    /// Hash of the canonical content.
    pub(crate) canonical: [u8; 32],
    pub(crate) broken: bool,
}

/// A leaf being decoded.
#[derive(Debug)]
pub(crate) struct Leaf {
    decoder: Decoder,
    content: Content,
    /// Of the decoded octets, where they are a file or the canonical content.
    hash: Option<Sha256>,
    size: u64,
    /// Absent for leaves that are not listed.
    info: Option<PartInfo>,
    wanted: bool,
}

impl Leaf {
    /// Opens a leaf; the flag says that its charset is unknown.
    pub(crate) fn open(
        fields: &PartFields,
        info: Option<PartInfo>,
        sink: &mut impl AttachmentSink,
    ) -> (Self, bool) {
        let (content, unknown) = match (&fields.content_type, fields.encoding) {
            (None, _) => Content::text(fields.charset.as_deref()),
            (Some((main, _)), _) if main == "text" => Content::text(fields.charset.as_deref()),
            (_, Encoding::Lines | Encoding::QuotedPrintable) => (Content::lines(), false),
            (_, Encoding::Base64 | Encoding::Binary) => (Content::Octets, false),
        };
        let is_file = info.as_ref().is_some_and(|info| info.file_name.is_some());
        let hash = (is_file || matches!(content, Content::Octets)).then(Sha256::new);
        let wanted = is_file && info.as_ref().is_some_and(|info| sink.begin(info));
        let decoder = Decoder::new(fields.encoding);
        (Self { decoder, content, hash, size: 0, info, wanted }, unknown)
    }

    pub(crate) fn write(&mut self, octets: &[u8], sink: &mut impl AttachmentSink) {
        let Self { decoder, content, hash, size, wanted, .. } = self;
        for piece in octets.chunks(MAX_PIECE) {
            let decoded = decoder.decode(piece);
            add(decoded, content, hash, size);
            if *wanted && !decoded.is_empty() {
                sink.write(decoded);
            }
        }
    }

    pub(crate) fn end(mut self, sink: &mut impl AttachmentSink) -> Ended {
        let rest = self.decoder.finish();
        add(rest, &mut self.content, &mut self.hash, &mut self.size);
        if self.wanted && !rest.is_empty() {
            sink.write(rest);
        }
        let hash: Option<[u8; 32]> = self.hash.map(|hash| hash.finalize().into());
        let sha256 = hash.map(hex::encode);
        let part = self.info.map(|info| Part { info, size: self.size, sha256 });
        if let Some(part) = part.as_ref().filter(|_| self.wanted) {
            sink.end(part);
        }
        let canonical = self.content.finish(hash.unwrap_or_default());
        Ended { part, canonical, broken: self.decoder.is_broken() }
    }
}

/// Takes decoded octets into account.
fn add(decoded: &[u8], content: &mut Content, hash: &mut Option<Sha256>, size: &mut u64) {
    if let Some(hash) = hash {
        hash.update(decoded);
    }
    content.update(decoded);
    *size += decoded.len() as u64;
}

/// A nested message that is listed and offered as one file.
#[derive(Debug)]
pub(crate) struct NestedMessage {
    /// Complete but for the file name, which depends on the subject inside.
    info: PartInfo,
    hash: Sha256,
    size: u64,
    /// `None` once it was offered.
    pending: Option<Vec<u8>>,
    wanted: bool,
}

impl NestedMessage {
    pub(crate) fn open(info: PartInfo) -> Self {
        Self { info, hash: Sha256::new(), size: 0, pending: Some(Vec::new()), wanted: false }
    }

    pub(crate) fn write(&mut self, octets: &[u8], names: &mut FileNames, sink: &mut impl AttachmentSink) {
        self.hash.update(octets);
        self.size += octets.len() as u64;
        let Some(pending) = &mut self.pending else {
            if self.wanted {
                sink.write(octets);
            }
            return;
        };
        pending.extend_from_slice(octets);
        if pending.len() > MAX_PENDING {
            self.offer(None, names, sink);
        }
    }

    /// Names it after `subject`, where it has no name of its own, and offers it, unless that was done before.
    pub(crate) fn offer(
        &mut self,
        subject: Option<&str>,
        names: &mut FileNames,
        sink: &mut impl AttachmentSink,
    ) {
        let Some(pending) = self.pending.take() else {
            return;
        };
        let own = self.info.name.clone();
        // A slash in a subject is no path.
        let name = own.or_else(|| subject.map(|subject| subject.replace(['/', '\\'], "_")));
        let name = name.filter(|name| !name.is_empty()).unwrap_or_else(|| "message".to_owned());
        let has_extension = name.len() > 4 && name.to_ascii_lowercase().ends_with(".eml");
        self.info.file_name = Some(names.claim(&if has_extension { name } else { format!("{name}.eml") }));
        self.wanted = sink.begin(&self.info);
        if self.wanted && !pending.is_empty() {
            sink.write(&pending);
        }
    }

    pub(crate) fn end(mut self, names: &mut FileNames, sink: &mut impl AttachmentSink) -> Part {
        self.offer(None, names, sink);
        let part = Part { info: self.info, size: self.size, sha256: Some(hex::encode(self.hash.finalize())) };
        if self.wanted {
            sink.end(&part);
        }
        part
    }
}
