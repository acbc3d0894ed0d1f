//! Opening scripted sessions, and what every request must be like.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests"
)]

use wissel_connector::serde_json::{self, Value, json};
use wissel_connector::testing::ScriptedHost;
use wissel_connector::{Connector, Result, Settings};
use wissel_graph::{Graph, GraphSession};

/// The version of the service that is spoken to.
pub const ROOT: &str = "https://graph.example.test/v1.0";
/// The signed-in user's mailbox in it.
pub const ME: &str = "https://graph.example.test/v1.0/me";
/// What is asked of a folder.
pub const FOLDER: &str =
    "$select=id,displayName,parentFolderId,childFolderCount,totalItemCount,unreadItemCount";
/// What is asked of a message.
pub const MESSAGE: &str = "$select=id,parentFolderId,internetMessageId,receivedDateTime,subject,from,isRead";

/// An account of the service of [`ROOT`].
pub fn open_with(host: &ScriptedHost, settings: &[(&str, &str)]) -> Result<GraphSession> {
    let service = [("service", "https://graph.example.test/"), ("client-id", "an-app")];
    Graph::open(host.api(), service.iter().chain(settings).copied().collect::<Settings>())
}

/// A session in the signed-in user's mailbox, over this script.
pub fn session(script: &str) -> (ScriptedHost, GraphSession) {
    let host = ScriptedHost::http(script);
    let session = open_with(&host, &[]).unwrap();
    (host, session)
}

/// A session in a shared mailbox, over this script.
pub fn session_in(mailbox: &str, script: &str) -> (ScriptedHost, GraphSession) {
    let host = ScriptedHost::http(script);
    let session = open_with(&host, &[("mailbox", mailbox)]).unwrap();
    (host, session)
}

/// The script is over, and every request, also those in batches, asked for immutable ids with the account's credential.
#[track_caller]
pub fn finish(host: &ScriptedHost) {
    host.finish();
    for request in host.requests() {
        let prefer = request.header("Prefer").unwrap_or_default();
        assert!(prefer.contains("IdType=\"ImmutableId\""), "{} {}", request.method, request.url);
        assert!(request.authenticate && request.url.starts_with(ROOT), "{}", request.url);
        if request.url.ends_with("/$batch") {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            let inner = body["requests"].as_array().unwrap();
            assert!(!inner.is_empty() && inner.len() <= 20);
            assert_eq!(request.counts_as as usize, inner.len());
            for one in inner {
                assert_eq!(one["headers"]["Prefer"], "IdType=\"ImmutableId\"", "{one}");
                assert!(one["url"].as_str().unwrap().starts_with('/'), "{one}");
            }
        }
    }
}

/// A request of a batch as method, path and body, and its answer as status and body.
pub type Call<'a> = (&'a str, &'a str, Value, u16, Value);

/// An exchange of `$batch` whose requests do not wait for one another.
pub fn batch(user: &str, calls: &[Call<'_>]) -> String {
    exchange(user, calls.iter().enumerate(), false)
}

/// An exchange of `$batch` with numbered requests; `chained`, each waits for the one before.
pub fn exchange<'a>(
    user: &str,
    calls: impl IntoIterator<Item = (usize, &'a Call<'a>)>,
    chained: bool,
) -> String {
    let (mut requests, mut responses, mut before) = (Vec::new(), Vec::new(), None);
    for (id, (method, path, body, status, answer)) in calls {
        let mut request = json!({
            "id": id.to_string(), "method": method, "url": format!("{user}{path}"),
            "headers": { "Prefer": "IdType=\"ImmutableId\"" }
        });
        if !body.is_null() {
            request["body"] = body.clone();
            request["headers"]["Content-Type"] = json!("application/json");
        }
        if let (true, Some(before)) = (chained, before.replace(id)) {
            request["dependsOn"] = json!([before.to_string()]);
        }
        requests.push(request);
        responses.push(json!({ "id": id.to_string(), "status": status, "body": answer }));
    }
    // The service answers in any order.
    responses.reverse();
    format!(
        "> POST {ROOT}/$batch\n> Content-Type: application/json\n> {}\n< 200\n< {}\n",
        json!({ "requests": requests }),
        json!({ "responses": responses })
    )
}

/// The batch that asks for the well-known folders, of a Dutch mailbox without an archive.
pub fn roles() -> String {
    let call = |name: &'static str, id: &str| {
        (name, if id.is_empty() { (404, refusal("ErrorItemNotFound")) } else { (200, json!({ "id": id })) })
    };
    let calls: Vec<_> = [
        call("msgfolderroot", "TOP"),
        call("inbox", "INBOX"),
        call("archive", ""),
        call("drafts", "DRAFTS"),
        call("sentitems", "SENT"),
        call("deleteditems", "TRASH"),
        call("junkemail", "JUNK"),
        call("outbox", "OUTBOX"),
    ]
    .into_iter()
    .map(|(name, (status, body))| (format!("/mailFolders/{name}?$select=id"), status, body))
    .collect();
    let calls: Vec<_> = calls
        .iter()
        .map(|(path, status, body)| ("GET", path.as_str(), Value::Null, *status, body.clone()))
        .collect();
    batch("/me", &calls)
}

/// The body of a refusal.
pub fn refusal(code: &str) -> Value {
    json!({ "error": { "code": code, "message": "No.", "innerError": { "request-id": "r-1" } } })
}

/// A folder, as the service has it.
pub fn folder(id: &str, name: &str, parent: &str, children: u32) -> Value {
    json!({
        "id": id, "displayName": name, "parentFolderId": parent, "childFolderCount": children,
        "totalItemCount": 274, "unreadItemCount": 3, "isHidden": false
    })
}

/// A request for the folders in a folder (at the top when empty), and the answer.
pub fn children(of: &str, items: &[Value]) -> String {
    let place =
        if of.is_empty() { "/mailFolders".to_owned() } else { format!("/mailFolders/{of}/childFolders") };
    format!(
        "> GET {ME}{place}?includeHiddenFolders=true&$top=1000&{FOLDER}\n< 200\n< {}\n",
        json!({ "value": items })
    )
}

/// Ids of messages, as a listing of the folder `INBOX` gives them.
pub fn ids(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| listed(name)).collect()
}

/// The same of one message.
pub fn listed(name: &str) -> String {
    format!("{name}:INBOX")
}
