//! What a FETCH response says about one message, without its bytes.

use imap_codec::imap_types::core::NString;
use imap_codec::imap_types::fetch::MessageDataItem;
use imap_codec::imap_types::flag::{Flag, FlagFetch};
use imap_codec::imap_types::response::{Data, Response};

use super::assemble::read;
use super::sets::Uid;

/// The items of one FETCH response. What a response leaves out stays none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fetched {
    pub(crate) uid: Option<Uid>,
    /// `\Seen`, when the flags are known.
    pub(crate) seen: Option<bool>,
    /// `\Deleted`; false when the flags are not known.
    pub(crate) deleted: bool,
    /// INTERNALDATE, as RFC 3339 text.
    pub(crate) received: Option<String>,
    /// RFC822.SIZE, octets.
    pub(crate) size: Option<u32>,
    /// Whether BODY[] stands in it, and is the last item so far.
    pub(crate) is_message: bool,
    /// The whole message, when it did not come as a literal that went elsewhere. `Some(None)` is NIL.
    pub(crate) message: Option<Option<Vec<u8>>>,
    /// The header fields that were asked for.
    pub(crate) headers: Option<Vec<u8>>,
}

impl Fetched {
    /// Reads what stands before a literal; none when it is no FETCH response.
    pub(crate) fn from_prefix(prefix: &[u8]) -> Option<Self> {
        let announced = prefix.iter().rposition(|b| *b == b'{')?;
        // The response as if it ended after an empty literal.
        let whole = [prefix.get(..announced)?, b"{0}\r\n)\r\n"].concat();
        match read(&whole) {
            Ok(Response::Data(data)) => Self::from_data(data),
            _ => None,
        }
    }

    /// Reads a whole response; none when it is no FETCH response.
    pub(crate) fn from_data(data: Data<'_>) -> Option<Self> {
        let Data::Fetch { items, .. } = data else { return None };
        let mut fetched = Self::default();
        for item in items {
            fetched.add(item);
        }
        Some(fetched)
    }

    fn add(&mut self, item: MessageDataItem<'_>) {
        self.is_message = false;
        match item {
            MessageDataItem::Uid(uid) => self.uid = Some(uid),
            MessageDataItem::Flags(flags) => {
                let has = |flag| flags.contains(&FlagFetch::Flag(flag));
                self.seen = Some(has(Flag::Seen));
                self.deleted = has(Flag::Deleted);
            }
            MessageDataItem::InternalDate(date) => self.received = Some(date.as_ref().to_rfc3339()),
            MessageDataItem::Rfc822Size(size) => self.size = Some(size),
            MessageDataItem::BodyExt { section: None, origin: None, data } => {
                self.is_message = true;
                self.message = Some(octets(data));
            }
            MessageDataItem::BodyExt { section: Some(_), data, .. } => self.headers = octets(data),
            _ => {}
        }
    }
}

fn octets(string: NString<'_>) -> Option<Vec<u8>> {
    string.into_option().map(std::borrow::Cow::into_owned)
}
