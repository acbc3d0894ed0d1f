//! Fetching messages: one UID FETCH for many of them, so that the server streams without a round trip for each, and
//! each literal is moved into the delivery by the host without passing through here.

use std::collections::BTreeSet;

use wissel_connector::types::{DeliveryInfo, Encoding};
use wissel_connector::{Delivery, Error, ErrorKind, Result, Stream};

use crate::connection::{Consumer, drain};
use crate::id::{Group, groups};
use crate::protocol::assemble::Assembler;
use crate::protocol::fetched::Fetched;
use crate::protocol::sets::{Uid, chunks};
use crate::protocol::types::command::CommandBody;
use crate::protocol::types::fetch::{MacroOrMessageDataItemNames, MessageDataItemName};
use crate::protocol::types::response::Data;
use crate::protocol::types::sequence::SequenceSet;
use crate::select::Purpose;
use crate::session::ImapSession;

impl ImapSession {
    pub(crate) fn fetch_all(&mut self, messages: &[String], into: &dyn Delivery) -> Result<()> {
        let (groups, bad) = groups(messages);
        for (id, error) in bad {
            into.fail(&id, error);
        }
        for group in groups {
            match self.select_valid(&group.folder, group.validity, Purpose::Read) {
                Ok(()) => self.fetch_group(&group, into)?,
                Err(error) if error.is_final() => return Err(error),
                Err(error) => group.uids.iter().for_each(|uid| into.fail(&group.id(*uid), error.clone())),
            }
        }
        Ok(())
    }

    fn fetch_group(&mut self, group: &Group, into: &dyn Delivery) -> Result<()> {
        let mut seen = Seen::default();
        chunks(&group.uids)
            .into_iter()
            .try_for_each(|(uids, set)| self.fetch_part(group, &uids, set, &mut seen, into))
    }

    /// Fetches a part of a group. One that is refused as a whole is cut in two, so that a message that the server does
    /// not give stands alone in the end, and the others come.
    fn fetch_part(
        &mut self,
        group: &Group,
        uids: &[Uid],
        set: SequenceSet,
        seen: &mut Seen,
        into: &dyn Delivery,
    ) -> Result<()> {
        match self.fetch_set(group, uids.iter().copied().collect(), set, false, into) {
            Ok(Left { missing, nil }) => {
                seen.any |= missing.len() + nil.len() < uids.len();
                // What did not come is gone, or came in a form that does not say which message it is, or as NIL. Alone
                // it can only be one, and what vanished in the middle of the first command is known to be gone.
                missing.into_iter().chain(nil).try_for_each(|uid| self.fetch_alone(group, uid, seen, into))
            }
            Err(error) if passes_on(&error) => Err(error),
            Err(_) => match (uids, uids.split_at(uids.len() / 2)) {
                ([uid], _) => self.fetch_alone(group, *uid, seen, into),
                (_, (first, second)) => chunks(first)
                    .into_iter()
                    .chain(chunks(second))
                    .try_for_each(|(uids, set)| self.fetch_part(group, &uids, set, seen, into)),
            },
        }
    }

    fn fetch_alone(&mut self, group: &Group, uid: Uid, seen: &mut Seen, into: &dyn Delivery) -> Result<()> {
        match self.fetch_set(group, BTreeSet::from([uid]), uid.into(), true, into) {
            Ok(left) if !left.nil.is_empty() => {
                let error =
                    Error::bad_message("the server cannot read this message (BODY[] is NIL)").code("NIL");
                seen.refuse(error, group, uid, into)?;
            }
            Ok(left) if left.missing.is_empty() => seen.any = true,
            Ok(_) => into.fail(&group.id(uid), Error::not_found("the message is no longer in its folder")),
            Err(error) if passes_on(&error) => return Err(error),
            Err(error) => seen.refuse(error, group, uid, into)?,
        }
        Ok(())
    }

    /// Fetches a set and returns the messages that were not delivered.
    fn fetch_set(
        &mut self,
        group: &Group,
        wanted: BTreeSet<Uid>,
        set: SequenceSet,
        alone: bool,
        into: &dyn Delivery,
    ) -> Result<Left> {
        let body = MessageDataItemName::BodyExt { section: None, partial: None, peek: true };
        let items = match alone {
            // The fewest items: one that cannot be read must not stand in the way of the message.
            true => vec![MessageDataItemName::Uid, body],
            false => vec![
                MessageDataItemName::Uid,
                MessageDataItemName::Flags,
                MessageDataItemName::InternalDate,
                MessageDataItemName::Rfc822Size,
                body,
            ],
        };
        let command = CommandBody::Fetch {
            sequence_set: set,
            macro_or_item_names: MacroOrMessageDataItemNames::MessageDataItemNames(items),
            uid: true,
            modifiers: Vec::new(),
        };
        let asked = wanted.len();
        let mut receiver = Receiver { group, wanted, nil: BTreeSet::new(), alone, into };
        match self.connection.run(command, "give the messages", &mut receiver) {
            Ok(_) => Ok(receiver.left()),
            Err(error) if passes_on(&error) => Err(error),
            // Some servers answer NO when one of many messages cannot be read: the others have come, and each of the
            // rest is asked for alone.
            Err(_) if receiver.wanted.len() < asked => Ok(receiver.left()),
            Err(error) => Err(error),
        }
    }
}

/// Messages that a server may refuse one by one, before any came, until the server is blamed and not they.
const MOST_REFUSED: u32 = 3;

/// Messages of a set that were not delivered.
struct Left {
    /// Nothing came of them.
    missing: BTreeSet<Uid>,
    /// Their bytes came as NIL: not readable, or expunged by somebody meanwhile.
    nil: BTreeSet<Uid>,
}

/// How a group fared so far.
#[derive(Default)]
struct Seen {
    /// A message came: the server does give messages.
    any: bool,
    /// Messages that it did not give when they were asked for alone.
    refused: u32,
}

impl Seen {
    /// Gives up a message; from a server that has not given one yet only so many.
    fn refuse(&mut self, error: Error, group: &Group, uid: Uid, into: &dyn Delivery) -> Result<()> {
        self.refused += 1;
        if !self.any && self.refused > MOST_REFUSED {
            let message = format!("the server gives none of the messages: {}", error.message);
            return Err(Error { message, kind: ErrorKind::Temporary, ..error });
        }
        into.fail(&group.id(uid), error);
        Ok(())
    }
}

/// Whether an error ends the whole fetch, whatever was asked for.
fn passes_on(error: &Error) -> bool {
    error.is_final() || error.kind == ErrorKind::Throttled
}

/// Takes the messages of one command.
struct Receiver<'a> {
    group: &'a Group,
    /// What has not come yet.
    wanted: BTreeSet<Uid>,
    /// What came as NIL.
    nil: BTreeSet<Uid>,
    /// Only one message was asked for, so a message without UID is this one.
    alone: bool,
    into: &'a dyn Delivery,
}

impl Receiver<'_> {
    /// Which of the wanted messages this is, and takes it off the list.
    fn claim(&mut self, fetched: &Fetched) -> Option<Uid> {
        let uid = fetched.uid.or_else(|| self.wanted.first().copied().filter(|_| self.alone))?;
        self.wanted.take(&uid)
    }

    fn left(self) -> Left {
        Left { missing: self.wanted, nil: self.nil }
    }

    /// Moves `length` octets of the stream into the delivery.
    fn splice(&self, stream: &mut dyn Stream, id: &str, length: u32, fetched: &Fetched) -> Result<()> {
        if let Err(error) = self.into.begin(id, &info(fetched, length)) {
            if error.is_final() {
                return Err(error);
            }
            self.into.fail(id, error);
            return drain(stream, length);
        }
        if let Err(error) = stream.splice(length, self.into, Encoding::Identity) {
            // How much was taken from the stream is unknown: the session ends. The host must not meet the same
            // message again at once, unless it was the connection that failed.
            if !error.is_final() {
                self.into.fail(id, error.clone());
            }
            return Err(error.lost());
        }
        self.end(id)
    }

    fn end(&self, id: &str) -> Result<()> {
        match self.into.end() {
            Ok(_) => Ok(()),
            Err(error) if error.is_final() => Err(error),
            Err(error) => {
                self.into.fail(id, error);
                Ok(())
            }
        }
    }
}

impl Consumer for Receiver<'_> {
    fn data(&mut self, data: Data<'static>) -> Result<()> {
        let Some(fetched) = Fetched::from_data(data) else { return Ok(()) };
        let Some(message) = fetched.message.clone() else { return Ok(()) };
        let Some(uid) = self.claim(&fetched) else { return Ok(()) };
        let id = self.group.id(uid);
        let Some(bytes) = message else {
            self.nil.insert(uid);
            return Ok(());
        };
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        if let Err(error) = self.into.begin(&id, &info(&fetched, length)) {
            if error.is_final() {
                return Err(error);
            }
            self.into.fail(&id, error);
            return Ok(());
        }
        self.into.write(&bytes, Encoding::Identity)?;
        self.end(&id)
    }

    fn literal(
        &mut self,
        stream: &mut dyn Stream,
        length: u32,
        response: &mut Assembler,
    ) -> Result<Option<Vec<u8>>> {
        let fetched = response.fetched().filter(|f| f.is_message);
        let claimed = fetched.as_ref().and_then(|f| Some((self.claim(f)?, f)));
        match claimed {
            Some((uid, fetched)) => self.splice(stream, &self.group.id(uid), length, fetched)?,
            // Nobody knows whose bytes these are.
            None => drain(stream, length)?,
        }
        Ok(None)
    }
}

fn info(fetched: &Fetched, length: u32) -> DeliveryInfo {
    DeliveryInfo { size: Some(length), received: fetched.received.clone(), read: fetched.seen }
}
