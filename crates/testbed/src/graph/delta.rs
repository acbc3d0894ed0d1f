//! `delta`: what changed since a token was given out. It helps, and it is not the truth: the order means nothing, things
//! are told again, and tokens lose their meaning (410 `syncStateNotFound`).

use axum::http::StatusCode;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    call::Reply,
    errors::GraphError,
    filter::Filter,
    folders,
    ids::{Id, scramble},
    odata,
    resources::{self, Reading},
    target::Target,
};
use crate::mailbox::{FolderId, Message, MessageId};

/// Messages in a page when nothing else is asked for.
const PAGE: usize = 10;

/// What a token says; clients must not know.
#[derive(Serialize, Deserialize)]
struct Token {
    /// The tokens of an earlier epoch are worthless.
    epoch: u64,
    folder: u64,
    /// Changes after this generation of the mailbox are told.
    since: u64,
    /// The generation in which the round began; the next round begins there.
    until: u64,
    /// Everything up to here was told in this round.
    after: Option<u64>,
    select: Option<String>,
    /// The only filter that the service takes here: by the time of receipt.
    filter: Option<String>,
}

impl Token {
    fn write(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    /// The token of a request; a fresh one when it has none.
    fn of(target: &Target<'_>, folder: FolderId) -> Result<Self, GraphError> {
        let query = &target.call.query;
        let epoch = target.face.control.delta_epoch();
        let until = target.mailbox.generation();
        let Some(text) = query.get("$deltatoken").or_else(|| query.get("$skiptoken")) else {
            let select = query.get("$select").map(str::to_owned);
            let filter = query.get("$filter").map(str::to_owned);
            return Ok(Self { epoch, folder: folder.0, since: 0, until, after: None, select, filter });
        };
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| lost())?;
        let token: Self = serde_json::from_slice(&bytes).map_err(|_| lost())?;
        if token.epoch != epoch || token.folder != folder.0 {
            return Err(lost());
        }
        Ok(match token.after {
            Some(_) => token,
            None => Self { until, ..token },
        })
    }
}

fn lost() -> GraphError {
    let message = "The sync state generation is not found; perform a full sync.";
    GraphError::new(StatusCode::GONE, "syncStateNotFound", message)
}

enum Told {
    Message(Box<Message>),
    Removed(MessageId, &'static str),
}

impl Told {
    /// The order in which things are told; it means nothing to a client.
    fn place(&self) -> u64 {
        match self {
            Self::Message(message) => scramble(message.id.0),
            Self::Removed(id, _) => scramble(id.0),
        }
    }
}

/// `GET mailFolders/{id}/messages/delta`
pub(super) fn messages(target: &Target<'_>, folder: Option<FolderId>) -> Result<Reply, GraphError> {
    let Some(folder) = folder else {
        let message = "Change tracking is not supported against 'microsoft.graph.message' of all folders.";
        return Err(GraphError::bad_request("BadRequest", message));
    };
    let token = Token::of(target, folder)?;
    let control = &target.face.control;
    let first_round = token.since == 0;
    let filter = token.filter.as_deref().map(Filter::read).transpose()?;
    if filter.as_ref().is_some_and(|filter| filter.properties() != ["receivedDateTime"]) {
        let message = "Only a filter by receivedDateTime is supported for changes of messages.";
        return Err(GraphError::bad_request("ErrorInvalidUrlQueryFilter", message));
    }
    let mut told: Vec<Told> = target
        .mailbox
        .messages(folder)?
        .into_iter()
        .filter(|message| message.changed > token.since)
        .filter(|message| first_round || !(control.omits_moved() && message.moved_in))
        .filter(|message| {
            let reading = Reading::new(target, folder, message);
            filter.as_ref().is_none_or(|filter| filter.passes(&reading))
        })
        .map(|message| Told::Message(Box::new(message)))
        .collect();
    if !first_round {
        for departed in target.mailbox.departed(folder, token.since)? {
            // What left and came back is told as it is now.
            let back = target.mailbox.find(departed.id).is_some_and(|(lies_in, _)| lies_in == folder);
            if !back {
                let reason = if departed.moved { "changed" } else { "deleted" };
                told.push(Told::Removed(departed.id, reason));
            }
        }
    }
    told.sort_by_key(Told::place);
    told.dedup_by_key(|told| told.place());
    let size = target.call.page_size().unwrap_or(PAGE).clamp(1, 1000);
    let mut rest: Vec<&Told> =
        told.iter().filter(|told| token.after.is_none_or(|after| told.place() > after)).collect();
    let more = rest.len() > size;
    rest.truncate(size);
    let last = rest.last().map(|told| told.place());
    if control.replays()
        && let (Some(first), Some(_)) = (told.first(), token.after)
    {
        rest.push(first);
    }
    let select = token.select.as_ref().map(|select| select.split(',').map(str::to_owned).collect::<Vec<_>>());
    let value: Vec<Value> = rest
        .iter()
        .map(|told| match told {
            Told::Message(message) => resources::message(target, folder, message, select.as_deref()),
            Told::Removed(id, reason) => json!({
                "@odata.type": "#microsoft.graph.message",
                // With ids of places it would be that of the place it left, which nobody knows any more.
                "id": target.write(Id::Immutable(*id)),
                "@removed": { "reason": reason },
            }),
        })
        .collect();
    let id = target.write(Id::Folder(folder));
    let url = format!("{}/mailFolders/{id}/messages/delta", target.url);
    let context = target.context(&format!("mailFolders('{id}')/messages"));
    let next = if more { last.map(|last| Token { after: Some(last), ..token_of(&token) }) } else { None };
    Ok(page(&url, context, value, next, token))
}

fn token_of(token: &Token) -> Token {
    Token { select: token.select.clone(), filter: token.filter.clone(), ..*token }
}

/// A page with the link to the next one, or to the next round.
fn page(url: &str, context: String, value: Vec<Value>, next: Option<Token>, token: Token) -> Reply {
    let mut answer = Map::new();
    answer.insert("@odata.context".to_owned(), context.into());
    answer.insert("value".to_owned(), value.into());
    let (name, link) = match next {
        Some(next) => ("@odata.nextLink", format!("{url}?$skiptoken={}", next.write())),
        None => {
            let round = Token { since: token.until, after: None, ..token };
            ("@odata.deltaLink", format!("{url}?$deltatoken={}", round.write()))
        }
    };
    answer.insert(name.to_owned(), link.into());
    Reply::ok(Value::Object(answer))
}

/// `GET mailFolders/delta`: every folder in one page, each round again: a client has to bear that.
pub(super) fn folders(target: &Target<'_>) -> Result<Reply, GraphError> {
    let token = Token::of(target, FolderId(0))?;
    let folders = target.mailbox.folders();
    let children = folders::children(&folders);
    let changed = token.since < token.until;
    let select = target.call.query.select();
    let visible = folders.iter().filter(|folder| changed && !folder.hidden);
    let value = visible
        .map(|folder| odata::select(folders::write(target, folder, &children), select.as_deref()))
        .collect();
    let url = format!("{}/mailFolders/delta", target.url);
    Ok(page(&url, target.context("mailFolders"), value, None, token))
}
