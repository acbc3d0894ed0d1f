//! FETCH: small items as imap-codec writes them, whole messages streamed from their content.

use std::io;

use chrono::{DateTime as ChronoDateTime, FixedOffset};
use imap_codec::{
    ResponseCodec,
    encode::Encoder,
    imap_types::{
        IntoStatic,
        core::{Literal, NString, Vec1},
        datetime::DateTime,
        fetch::{MacroOrMessageDataItemNames, MessageDataItem, MessageDataItemName, Section},
        response::{Data, Response},
        sequence::SequenceSet,
    },
};
use jiff::Timestamp;

use super::{
    envelope, fields, flags,
    session::{Reply, Session},
    view::{Target, View, number},
    wire::Stream,
};
use crate::mailbox::{FlagChange, Flags, Message};

/// What is asked of each message.
struct Wanted {
    /// Items that are made in memory.
    small: Vec<MessageDataItemName<'static>>,
    /// At most one stretch of the whole message, streamed after the small items.
    streamed: Option<Streamed>,
    /// Whether the message becomes read.
    marks_seen: bool,
}

struct Streamed {
    /// The item with NIL instead of its bytes; imap-codec writes it, and the bytes take the NIL's place.
    item: MessageDataItem<'static>,
    /// False for the text without the header.
    whole: bool,
    start: u64,
    length: u64,
}

impl<S: Stream> Session<S> {
    pub(super) async fn fetch(
        &mut self,
        view: &mut View,
        set: &SequenceSet,
        names: MacroOrMessageDataItemNames<'static>,
        uid: bool,
    ) -> io::Result<Reply> {
        let names = match names {
            MacroOrMessageDataItemNames::Macro(shorthand) => {
                shorthand.expand().into_iter().map(IntoStatic::into_static).collect()
            }
            MacroOrMessageDataItemNames::MessageDataItemNames(names) => names,
        };
        let wanted = match Wanted::new(names, uid) {
            Ok(wanted) => wanted,
            Err(refused) => return Ok(refused),
        };
        for target in view.targets(set, uid) {
            let seen = Flags { seen: true, ..Flags::default() };
            if wanted.marks_seen && !view.read_only {
                // A folder that was deleted meanwhile has no message to fetch either.
                let _ = self.face.mailbox.change_flags(view.folder, &[target.uid], FlagChange::Add, &seen);
            }
            if let Some(message) = self.face.mailbox.message(view.folder, target.uid) {
                self.fetch_one(target, &message, &wanted).await?;
                if wanted.small.contains(&MessageDataItemName::Flags) {
                    view.told(&message);
                }
            }
        }
        Ok(Reply::ok("Fetched"))
    }

    async fn fetch_one(&mut self, target: Target, message: &Message, wanted: &Wanted) -> io::Result<()> {
        let mut items: Vec<_> = wanted.small.iter().filter_map(|name| small_item(name, message)).collect();
        items.extend(wanted.streamed.iter().map(|streamed| streamed.item.clone()));
        let Ok(items) = Vec1::try_from(items) else { return Ok(()) };
        let response = Response::Data(Data::Fetch { seq: number(target.sequence), items });
        let Some(Streamed { whole, start, length, .. }) = wanted.streamed else {
            return self.wire.send(response).await;
        };
        let encoded = ResponseCodec::default().encode(&response).dump();
        let before = encoded.strip_suffix(b"NIL)\r\n").unwrap_or(&encoded);
        self.wire.send_raw(before).await?;
        let header = if whole { 0 } else { message.content.header().len() as u64 };
        self.wire.literal(&message.content, header + start, length).await?;
        self.wire.send_raw(b")\r\n").await
    }
}

impl Wanted {
    fn new(names: Vec<MessageDataItemName<'static>>, uid: bool) -> Result<Self, Reply> {
        let mut wanted = Self { small: Vec::new(), streamed: None, marks_seen: false };
        if uid && !names.contains(&MessageDataItemName::Uid) {
            wanted.small.push(MessageDataItemName::Uid);
        }
        for name in names {
            match name {
                MessageDataItemName::BodyExt { section, partial, peek } => {
                    wanted.marks_seen |= !peek;
                    wanted.section(section, partial)?;
                }
                MessageDataItemName::Rfc822 => {
                    wanted.marks_seen = true;
                    wanted.stream(MessageDataItem::Rfc822(NString(None)), true, None)?;
                }
                MessageDataItemName::Rfc822Text => {
                    wanted.marks_seen = true;
                    wanted.stream(MessageDataItem::Rfc822Text(NString(None)), false, None)?;
                }
                MessageDataItemName::Uid
                | MessageDataItemName::Flags
                | MessageDataItemName::InternalDate
                | MessageDataItemName::Envelope
                | MessageDataItemName::Rfc822Header
                | MessageDataItemName::Rfc822Size => wanted.small.push(name),
                _ => return Err(Reply::bad("This item is not known here")),
            }
        }
        if wanted.marks_seen && !wanted.small.contains(&MessageDataItemName::Flags) {
            wanted.small.push(MessageDataItemName::Flags);
        }
        Ok(wanted)
    }

    fn section(
        &mut self,
        section: Option<Section<'static>>,
        partial: Option<(u32, std::num::NonZeroU32)>,
    ) -> Result<(), Reply> {
        let whole = match &section {
            None => true,
            Some(Section::Text(None)) => false,
            Some(
                Section::Header(None) | Section::HeaderFields(None, _) | Section::HeaderFieldsNot(None, _),
            ) if partial.is_none() => {
                self.small.push(MessageDataItemName::BodyExt { section, partial, peek: true });
                return Ok(());
            }
            Some(_) => return Err(Reply::bad("This section is not known here")),
        };
        let origin = partial.map(|(start, _)| start);
        self.stream(MessageDataItem::BodyExt { section, origin, data: NString(None) }, whole, partial)
    }

    fn stream(
        &mut self,
        item: MessageDataItem<'static>,
        whole: bool,
        partial: Option<(u32, std::num::NonZeroU32)>,
    ) -> Result<(), Reply> {
        let (start, length) =
            partial.map_or((0, u64::MAX), |(start, length)| (u64::from(start), u64::from(length.get())));
        match self.streamed.replace(Streamed { item, whole, start, length }) {
            None => Ok(()),
            Some(_) => Err(Reply::bad("Only one stretch of the message at a time")),
        }
    }
}

fn small_item(name: &MessageDataItemName<'static>, message: &Message) -> Option<MessageDataItem<'static>> {
    Some(match name {
        MessageDataItemName::Uid => MessageDataItem::Uid(number(message.uid)),
        MessageDataItemName::Flags => MessageDataItem::Flags(flags::write(&message.flags)),
        MessageDataItemName::InternalDate => {
            MessageDataItem::InternalDate(DateTime::try_from(internal_date(message.received)).ok()?)
        }
        MessageDataItemName::Envelope => MessageDataItem::Envelope(envelope::read(&message.content.header())),
        MessageDataItemName::Rfc822Size => {
            MessageDataItem::Rfc822Size(u32::try_from(message.content.size()).unwrap_or(u32::MAX))
        }
        MessageDataItemName::Rfc822Header => {
            MessageDataItem::Rfc822Header(text(message.content.header().to_vec()))
        }
        MessageDataItemName::BodyExt { section, .. } => {
            let data = text(header_part(section.as_ref()?, &message.content.header()));
            MessageDataItem::BodyExt { section: section.clone(), origin: None, data }
        }
        _ => return None,
    })
}

/// The fields that a section names, and the empty line.
fn header_part(section: &Section<'_>, header: &[u8]) -> Vec<u8> {
    let (names, chosen) = match section {
        Section::HeaderFields(_, names) => (names, true),
        Section::HeaderFieldsNot(_, names) => (names, false),
        _ => return header.to_vec(),
    };
    let named = |field: &fields::Field<'_>| names.as_ref().iter().any(|name| field.is(name.as_ref()));
    let picked = fields::split(header).into_iter().filter(|field| named(field) == chosen);
    let mut part: Vec<u8> = picked.flat_map(|field| field.raw).copied().collect();
    part.extend_from_slice(b"\r\n");
    part
}

/// A literal; NIL for what IMAP cannot carry in one (a header with NUL).
fn text(bytes: Vec<u8>) -> NString<'static> {
    Literal::try_from(bytes).map_or(NString(None), NString::from)
}

/// The time of receipt in the form of chrono, which imap-codec speaks; a time out of its range becomes its epoch.
pub(super) fn internal_date(received: Timestamp) -> ChronoDateTime<FixedOffset> {
    ChronoDateTime::from_timestamp(received.as_second(), 0).unwrap_or_default().fixed_offset()
}
