//! The WIT boundary under arbitrary answers of a component: what the host makes of them keeps its own rules, whatever
//! they are. Compiled for fuzzing and tests only.
//!
//! The runtime's own part, from a component's memory to these values, is wasmtime's and not fuzzed here.

use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio_util::sync::CancellationToken;
use wissel_model::description::SettingOwner;
use wissel_model::{ConnectorError, Delivery, DeliveryInfo, MessageId};

use crate::bindings::exports::wissel::connector::email_account as wit;
use crate::bindings::wissel::connector::types::{Encoding, Error, ErrorKind};
use crate::call::Call;
use crate::convert;
use crate::description::Checker;
use crate::inlet::{Feed, Inlet};
use crate::intake::{Intake, left_open};

/// Reads values from the fuzzer's bytes; zeroes and nothing at their end.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn octets(&mut self, count: usize) -> &[u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// A text of up to 250 octets, or, now and then, one of up to 16 KiB.
    fn text(&mut self) -> String {
        let length = self.byte();
        match length {
            251..=255 => "\u{e9}".repeat(usize::from(self.byte()) << 5),
            _ => String::from_utf8_lossy(self.octets(length.into())).into_owned(),
        }
    }

    fn number(&mut self) -> u32 {
        match self.byte() {
            255 => u32::MAX,
            low => u32::from(low),
        }
    }

    fn maybe<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.byte() & 1 == 1).then(|| value(self))
    }

    fn list<T>(&mut self, mut value: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.byte() % 20).map(|_| value(self)).collect()
    }

    fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    fn encoding(&mut self) -> Encoding {
        match self.byte() % 4 {
            0 => Encoding::Identity,
            1 => Encoding::Base64,
            2 => Encoding::Base64url,
            _ => Encoding::DotStuffed,
        }
    }

    fn error(&mut self) -> Error {
        let kind = [
            ErrorKind::AuthorizationNeeded,
            ErrorKind::Throttled,
            ErrorKind::Cancelled,
            ErrorKind::BadMessage,
            ErrorKind::NotFound,
        ];
        Error {
            kind: kind.get(usize::from(self.byte() % 5)).copied().unwrap_or(ErrorKind::Protocol),
            message: self.text(),
            code: self.maybe(Self::text),
            retry_after_ms: self.maybe(Self::number),
            setting: self.maybe(Self::text),
            session_lost: self.flag(),
        }
    }

    fn message(&mut self) -> wit::Message {
        wit::Message {
            id: self.text(),
            internet_message_id: self.maybe(Self::text),
            subject: self.maybe(Self::text),
            sender: self.maybe(Self::text),
            received: self.maybe(Self::text),
            size: self.maybe(Self::number),
            read: self.maybe(Self::flag),
        }
    }

    fn folder(&mut self) -> wit::Folder {
        wit::Folder {
            id: self.text(),
            parent: self.maybe(Self::text),
            path: self.list(Self::text),
            role: self.maybe(|_| wit::FolderRole::Archive),
            total: self.maybe(Self::number),
            unread: self.maybe(Self::number),
            holds_messages: self.flag(),
            has_children: self.flag(),
            denied: self.list(Self::text),
        }
    }

    fn refusals(&mut self) -> Vec<wit::Refusal> {
        self.list(|input| wit::Refusal { recipient: input.text(), reason: input.error() })
    }
}

/// Ids come back to the component as they are: any text but an empty, a huge one, or one with a NUL.
fn assert_id(id: &str) {
    assert!(!id.is_empty() && id.len() <= 8 << 10 && !id.contains('\0'), "{id:?}");
}

/// A page token too, but it may be as long as a listing makes it (`convert` bounds it with 1 MiB).
fn assert_page_token(token: &str) {
    assert!(!token.is_empty() && token.len() <= 1 << 20 && !token.contains('\0'), "{token:?}");
}

/// What people read is short and commands no terminal.
fn assert_shown(text: &str) {
    assert!(text.chars().count() <= 4_001 && !text.contains(char::is_control), "{text:?}");
}

fn assert_error(error: &ConnectorError) {
    assert_shown(&error.message);
    error.code.iter().chain(&error.setting).for_each(|text| assert_shown(text));
}

fn assert_message(message: &wissel_model::MessageSummary) {
    assert_id(message.id.as_str());
    let shown = [&message.internet_message_id, &message.subject, &message.sender];
    shown.into_iter().flatten().for_each(|text| assert_shown(text));
}

/// The first byte chooses what the component answers; the rest is the answer.
pub fn boundary(data: &[u8]) {
    let mut input = Input(data);
    match input.byte() % 12 {
        0 => description(input.0),
        1 => {
            let page =
                wit::MessagePage { messages: input.list(Input::message), next: input.maybe(Input::text) };
            if let Ok(page) = convert::page(page) {
                page.messages.iter().for_each(assert_message);
                page.next.iter().for_each(|token| assert_page_token(token));
            }
        }
        2 => {
            for folder in convert::folders(input.list(Input::folder)).into_iter().flatten() {
                assert_id(folder.id.as_str());
                folder.path.iter().chain(&folder.denied).for_each(|text| assert_shown(text));
                assert!(!folder.path.is_empty() && folder.path.iter().all(|name| !name.is_empty()));
            }
        }
        3 => {
            let changes = wit::ChangeSet {
                changed: input.list(Input::text),
                removed: input.list(Input::text),
                next: input.text(),
                more: input.flag(),
                list_again: input.flag(),
            };
            if let Ok(changes) = convert::changes(changes) {
                assert_id(&changes.next);
                changes.changed.iter().chain(&changes.removed).for_each(|id| assert_id(id.as_str()));
            }
        }
        4 => {
            let asked = [MessageId::from("a"), MessageId::from("b")];
            let outcome = |input: &mut Input| wit::Outcome {
                message: if input.flag() { "a".to_owned() } else { input.text() },
                new_id: input.maybe(Input::text),
                failure: input.maybe(Input::error),
            };
            for outcome in convert::outcomes(input.list(outcome), &asked).into_iter().flatten() {
                assert!(asked.contains(&outcome.message));
                outcome.new_id.iter().for_each(|id| assert_id(id.as_str()));
                outcome.failure.iter().for_each(assert_error);
            }
        }
        5 => {
            let identity = wit::Identity {
                mailbox: input.text(),
                signed_in_as: input.maybe(Input::text),
                display_name: input.maybe(Input::text),
                denied: input.list(Input::text),
                facts: input.list(|input| (input.text(), input.text())),
            };
            if let Ok(identity) = convert::identity(identity) {
                let facts = identity.facts.iter().flat_map(|(label, value)| [label, value]);
                let names = identity.signed_in_as.iter().chain(&identity.display_name);
                facts.chain(names).chain(&identity.denied).for_each(|text| assert_shown(text));
                assert_id(&identity.mailbox);
            }
        }
        6 => {
            let receipt = wit::Receipt {
                message: input.maybe(Input::text),
                answer: input.text(),
                refused: input.refusals(),
                internet_message_id: input.text(),
            };
            if let Ok(receipt) = convert::receipt(receipt) {
                assert_shown(&receipt.answer);
                receipt.refused.iter().for_each(|refusal| assert_error(&refusal.reason));
            }
        }
        7 => assert_error(&convert::error(input.error())),
        8 => {
            let found = convert::translated(input.list(|input| input.maybe(Input::text)), 3);
            assert!(found.iter().all(|ids| ids.len() == 3));
        }
        9 => _ = convert::date(&input.text()),
        _ => RUNTIME.with(|runtime| runtime.block_on(delivery(input))),
    }
}

static CHECKER: LazyLock<Option<Checker>> = LazyLock::new(|| Checker::new().ok());

/// A description that is accepted can be filled with any settings.
fn description(text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    let Some(Ok(description)) = CHECKER.as_ref().map(|checker| checker.check(&text)) else { return };
    assert_shown(&description.name);
    for owner in [SettingOwner::Account, SettingOwner::Client] {
        let _ = wissel_model::settings::canonical(
            &description,
            owner,
            &std::collections::BTreeMap::default(),
            &std::collections::BTreeMap::default(),
        );
    }
}

thread_local! {
    static RUNTIME: tokio::runtime::Runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime for fuzzing");
}

/// What came in of the messages `a`, `b` and `c`.
#[derive(Default)]
struct Kept {
    open: Option<MessageId>,
    settled: Vec<MessageId>,
    octets: u64,
}

/// The receiving end: the host has to keep the order for it.
#[derive(Clone, Default)]
struct Strict(Arc<Mutex<Kept>>);

impl Strict {
    fn with<T>(&self, act: impl FnOnce(&mut Kept) -> T) -> T {
        act(&mut self.0.lock().expect("one thread"))
    }
}

#[async_trait]
impl Delivery for Strict {
    async fn begin(&mut self, message: &MessageId, _info: DeliveryInfo) -> Result<(), ConnectorError> {
        self.with(|kept| {
            assert!(kept.open.is_none() && !kept.settled.contains(message), "{message} begins");
            kept.open = Some(message.clone());
            kept.octets = 0;
        });
        Ok(())
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), ConnectorError> {
        self.with(|kept| {
            assert!(kept.open.is_some(), "octets without a message");
            kept.octets += bytes.len() as u64;
        });
        Ok(())
    }

    async fn end(&mut self) -> Result<(), ConnectorError> {
        self.with(|kept| {
            let open = kept.open.take().expect("a message ends that did not begin");
            kept.settled.push(open);
        });
        Ok(())
    }

    async fn fail(&mut self, message: &MessageId, _reason: ConnectorError) {
        self.with(|kept| {
            assert!(!kept.settled.contains(message), "{message} fails twice");
            if kept.open.as_ref() == Some(message) {
                kept.open = None;
            }
            kept.settled.push(message.clone());
        });
    }
}

/// Octets of a peer, in pieces.
struct Pieces(Vec<Bytes>);

impl Feed for Pieces {
    async fn next(&mut self, _call: &Call) -> Result<Option<Bytes>, ConnectorError> {
        Ok(self.0.pop())
    }
}

/// Calls of a delivery in any order, some fed from a connection whose chunks are cut anywhere.
async fn delivery(mut input: Input<'_>) {
    let call = Call::new(CancellationToken::new(), CancellationToken::new(), Duration::from_secs(3600));
    let ids = ["a", "b", "c"].map(MessageId::from);
    let strict = Strict::default();
    let mut intake = Intake::new(Box::new(strict.clone()), &ids);
    let mut chunks = input.list(|input| {
        let length = usize::from(input.byte());
        Bytes::copy_from_slice(input.octets(length))
    });
    chunks.retain(|chunk| !chunk.is_empty());
    let mut inlet = Inlet::new(Pieces(chunks));
    for _ in 0..64 {
        let id =
            MessageId::from(["a", "b", "c", "d"].get(usize::from(input.byte() % 4)).copied().unwrap_or("a"));
        let broken = match input.byte() % 9 {
            0 => intake.begin(&call, id, DeliveryInfo::default()).await.is_err(),
            1 => {
                let (encoding, length) = (input.encoding(), usize::from(input.byte()));
                intake.write(&call, input.octets(length), encoding).await.is_err()
            }
            2 => match intake.end(&call).await {
                Ok(size) => {
                    let octets = strict.with(|kept| kept.octets);
                    assert_eq!(u64::from(size), octets, "the size that the connector is told");
                    false
                }
                Err(_) => true,
            },
            3 => intake.fail(id, convert::error(input.error())).await.is_err(),
            4 => inlet.splice(&call, input.number().into(), &mut intake, input.encoding()).await.is_err(),
            5 => {
                let delimiter = [input.byte(), input.byte()];
                inlet.splice_until(&call, &delimiter, &mut intake, input.encoding()).await.is_err()
            }
            6 => {
                let (delimiter, max) = ([input.byte()], input.number() as usize);
                let read = inlet.read_until(&call, &delimiter, max).await;
                assert!(read.as_ref().is_ok_and(|read| read.len() <= max) || read.is_err());
                read.is_err()
            }
            7 => inlet.read_exact(&call, input.number() as usize).await.is_err(),
            _ => inlet.read_all(&call, input.number() as usize).await.is_err(),
        };
        if broken && input.flag() {
            break;
        }
    }
    if input.flag() {
        intake.abandon(left_open()).await;
        assert!(strict.with(|kept| kept.open.is_none()), "a message stays open");
    }
}

#[cfg(test)]
#[path = "../../../fuzz/src/plain.rs"]
mod plain;

#[test]
fn arbitrary_answers_keep_the_rules() {
    plain::run("boundary", 20_000, boundary);
}
