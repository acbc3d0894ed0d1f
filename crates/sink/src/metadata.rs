//! The metadata file beside each message, as other software reads it. The published form is the JSON Schema in
//! `schema/message.schema.json`; a test holds the two together.
//!
//! Members always stand in the order of the fields here, and an unknown value is `null`: the same message with the
//! same context gives the same octets.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use wissel_mime::{Address, Defect, Disposition, Inspection};
use wissel_model::{MessageId, MessageKey};

use crate::Context;

/// The JSON Schema (draft 2020-12) of the metadata file.
pub const SCHEMA: &str = include_str!("../schema/message.schema.json");

/// The content of `KEY.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// The version of the schema; 1. It rises when a member is removed or changes its meaning, not when one is added.
    pub schema: u32,
    /// The key of the message, and the name of its files.
    pub key: MessageKey,
    /// The job that imported it.
    pub job: String,
    /// The account it was fetched through.
    pub account: String,
    /// The connector of that account.
    pub connector: String,
    /// The folder it was found in: display names from the top.
    pub folder: Vec<String>,
    /// Its id at the service, opaque.
    pub provider_id: MessageId,
    /// When the service received it.
    pub received: Option<Timestamp>,
    /// Whether it was marked as read when it was fetched.
    pub read: Option<bool>,
    /// The message's file, relative to this one.
    pub file: String,
    /// Octets of the message.
    pub size: u64,
    /// SHA-256 of the message, lower-case hex.
    pub sha256: String,
    /// The canonical digest: the same for the same content, however a service stores it; see `wissel_mime::digest`.
    pub digest: String,
    /// The Message-ID header, with its angle brackets.
    pub message_id: Option<String>,
    /// The subject, decoded.
    pub subject: Option<String>,
    /// The From header.
    pub from: Vec<Address>,
    /// The Sender header.
    pub sender: Vec<Address>,
    /// The To header.
    pub to: Vec<Address>,
    /// The Cc header.
    pub cc: Vec<Address>,
    /// The Date header as RFC 3339, or as it stands there when it cannot be read.
    pub date: Option<String>,
    /// The parts that are files of their own, in the order of the message.
    pub attachments: Vec<Attachment>,
    /// What is broken in the message.
    pub defects: Vec<Defect>,
}

/// An attachment, or a picture within the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Its file, relative to the metadata file, with `/` as separator; absent when attachments are not extracted.
    pub file: Option<String>,
    /// The name that the sender gave it, decoded. Not safe as a file name.
    pub name: Option<String>,
    /// Type and subtype in lower case.
    pub content_type: String,
    /// Content-ID without angle brackets.
    pub content_id: Option<String>,
    /// Whether it belongs into the text or beside it.
    pub disposition: Disposition,
    /// Octets of the decoded content.
    pub size: u64,
    /// SHA-256 of those octets, lower-case hex.
    pub sha256: String,
}

impl Metadata {
    pub(crate) fn new(key: MessageKey, context: Context, inspection: &Inspection, extracted: bool) -> Self {
        let seen = inspection.clone();
        let attachments = inspection.attachments().map(|part| Attachment {
            file: part.info.file_name.as_ref().filter(|_| extracted).map(|name| format!("{key}/{name}")),
            name: part.info.name.clone(),
            content_type: part.info.content_type.clone(),
            content_id: part.info.content_id.clone(),
            disposition: part.info.disposition,
            size: part.size,
            // Each part that is a file has one.
            sha256: part.sha256.clone().unwrap_or_default(),
        });
        Self {
            schema: 1,
            key,
            job: context.job,
            account: context.account,
            connector: context.connector,
            folder: context.folder,
            provider_id: context.message,
            received: context.received,
            read: context.read,
            file: format!("{key}.eml"),
            size: seen.size,
            sha256: seen.sha256,
            digest: seen.digest,
            message_id: seen.message_id,
            subject: seen.subject,
            from: seen.from,
            sender: seen.sender,
            to: seen.to,
            cc: seen.cc,
            date: seen.date,
            attachments: attachments.collect(),
            defects: seen.defects,
        }
    }
}
