//! What a test does to the Graph face while it runs, and what it sees of it.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use super::limits::{Limits, Throttle};
use crate::mailbox::Content;

/// A message that was handed in for sending.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The mailbox it was sent from: where the copy lies.
    pub mailbox: String,
    /// The user, or the client id of an app that acts by itself.
    pub by: String,
    /// Whom it says that it is from.
    pub from: String,
    /// Everyone it goes to.
    pub recipients: Vec<String>,
    /// The message.
    pub content: Content,
}

/// Switches and records of the Graph face; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Control {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    throttle: Throttle,
    delta_epoch: AtomicU64,
    replays: AtomicBool,
    omits_moved: AtomicBool,
    hides_slashes: AtomicBool,
    sent: Mutex<Vec<Sent>>,
    upload_urls: Mutex<Vec<String>>,
}

impl Control {
    /// Changes the limits: `control.limit(|limits| limits.concurrent = 1)`.
    pub fn limit(&self, set: impl FnOnce(&mut Limits)) {
        self.inner.throttle.set(set);
    }

    /// Answers every request with 429 for this time; `says_how_long` adds Retry-After.
    pub fn throttle(&self, time: std::time::Duration, says_how_long: bool) {
        self.inner.throttle.refuse_all(time, says_how_long);
    }

    /// Requests that were answered with 429, those inside batches too.
    pub fn throttled(&self) -> u64 {
        self.inner.throttle.refused()
    }

    /// Makes every delta token that was given out worthless: 410 `syncStateNotFound`.
    pub fn reset_delta(&self) {
        self.inner.delta_epoch.fetch_add(1, Ordering::SeqCst);
    }

    /// Lets each page of a delta repeat something that was told before.
    pub fn replay_delta(&self, replays: bool) {
        self.inner.replays.store(replays, Ordering::SeqCst);
    }

    /// Lets a folder's delta leave out what was moved into it, as it is seen with immutable ids.
    pub fn omit_moved_from_delta(&self, omits: bool) {
        self.inner.omits_moved.store(omits, Ordering::SeqCst);
    }

    /// Shows a `/` in a folder's name as `_xF8FF_`, as some gateways do.
    pub fn show_slash_as_xf8ff(&self, hides: bool) {
        self.inner.hides_slashes.store(hides, Ordering::SeqCst);
    }

    /// What was sent so far.
    pub fn sent(&self) -> Vec<Sent> {
        self.inner.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Every upload URL that was handed out, for tests that search for secrets.
    pub fn upload_urls(&self) -> Vec<String> {
        self.inner.upload_urls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn limits(&self) -> &Throttle {
        &self.inner.throttle
    }

    pub(super) fn delta_epoch(&self) -> u64 {
        self.inner.delta_epoch.load(Ordering::SeqCst)
    }

    pub(super) fn replays(&self) -> bool {
        self.inner.replays.load(Ordering::SeqCst)
    }

    pub(super) fn omits_moved(&self) -> bool {
        self.inner.omits_moved.load(Ordering::SeqCst)
    }

    pub(super) fn hides_slashes(&self) -> bool {
        self.inner.hides_slashes.load(Ordering::SeqCst)
    }

    pub(super) fn note_sent(&self, sent: Sent) {
        self.inner.sent.lock().unwrap_or_else(PoisonError::into_inner).push(sent);
    }

    pub(super) fn note_upload_url(&self, url: &str) {
        self.inner.upload_urls.lock().unwrap_or_else(PoisonError::into_inner).push(url.to_owned());
    }
}
