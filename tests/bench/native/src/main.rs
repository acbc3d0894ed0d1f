//! The connector without its sandbox: lists and fetches all messages of a folder, reads them for their metadata and digest,
//! throws them away, and prints how many there were. The benchmark `tax` does the same through the sandbox.
//!
//! Arguments: PORT CA-FILE USER PASSWORD FOLDER.

mod host;

use std::rc::Rc;

use anyhow::{Context, Result, anyhow};
use wissel_connector::types::{FolderAddress, PageRequest};
use wissel_connector::{Connector, Session};
use wissel_imap::Imap;

use crate::host::{NativeDelivery, NativeHost};

/// Messages of a page of the listing, as the jobs ask for them.
const PAGE: u32 = 500;
/// Messages that are fetched with one call.
const BATCH: usize = 100;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what: &'static str| arguments.next().context(what);
    let port = next("PORT")?.parse()?;
    let ca = next("CA-FILE")?.into();
    let host = NativeHost { port, ca, user: next("USER")?, password: next("PASSWORD")? };
    let count = read(host, next("FOLDER")?).map_err(|error| anyhow!("{}", error.message))?;
    println!("{count}");
    Ok(())
}

fn read(host: NativeHost, folder: String) -> wissel_connector::Result<usize> {
    let settings = [("host", "localhost".to_owned()), ("port", host.port.to_string())];
    let mut session = Imap::open(Rc::new(host), settings.into_iter().collect())?;
    let folder = session.find_folder(&FolderAddress::Path(vec![folder]))?;
    let (mut ids, mut after) = (Vec::new(), None);
    loop {
        let request = PageRequest { size: PAGE, after, unread_only: false, received_since: None };
        let page = session.list_messages(&folder.id, &request)?;
        ids.extend(page.messages.into_iter().map(|message| message.id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let delivery = NativeDelivery::default();
    for some in ids.chunks(BATCH) {
        session.fetch(some, &delivery)?;
    }
    session.close();
    Ok(delivery.messages())
}
