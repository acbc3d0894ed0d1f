//! Which addresses have a mailbox. Who may open it is set up in the directory ([`crate::entra::directory`]).

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::mailbox::Mailbox;

/// A mailbox with its address.
#[derive(Clone, Debug)]
pub struct Owner {
    /// Its address, which is the user principal name too.
    pub address: String,
    /// The name that people see.
    pub display_name: String,
    /// The mail; a user without a licence has none.
    pub mailbox: Option<Mailbox>,
}

impl Owner {
    /// The owner of a mailbox.
    pub fn new(address: &str, display_name: &str, mailbox: &Mailbox) -> Self {
        let mailbox = Some(mailbox.clone());
        Self { address: address.to_owned(), display_name: display_name.to_owned(), mailbox }
    }
}

/// All mailboxes; clones share them, and they may change while faces run.
#[derive(Clone, Debug, Default)]
pub struct Mailboxes {
    owners: Arc<Mutex<BTreeMap<String, Owner>>>,
}

impl Mailboxes {
    /// Adds a mailbox; one with the same address is replaced.
    pub fn add(&self, owner: Owner) {
        self.lock().insert(owner.address.to_lowercase(), owner);
    }

    /// The mailbox of this address.
    pub fn find(&self, address: &str) -> Option<Owner> {
        self.lock().get(&address.to_lowercase()).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Owner>> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
