//! A sign-in that this command waits for: in the browser of this machine, by a pasted answer, or on another device.

use std::future::Future;
use std::time::Duration;

use wissel_auth::{
    Answer, AuthError, Authorization, Grant, Loopback, Pending, may_open_browser, open_browser,
};

use super::{Ended, SigningIn, relay};
use crate::output;

/// How long somebody may take to sign in.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

impl SigningIn<'_> {
    /// In a browser: the answer comes to this machine, or is pasted.
    pub(super) async fn browser(&self, port: Option<u16>, open: bool) -> Result<Grant, Ended> {
        let (plan, demanded) = (self.provider.plan(), self.demanded().await);
        let (pending, answer) = match relay(self.account) {
            Some(relay) => {
                let Authorization { link, pending } = Authorization::begin(plan, relay, demanded.as_deref())?;
                self.show(&link, open, true);
                let answer = self.bounded(pasted_line()).await?;
                (pending, answer)
            }
            None => {
                let loopback = Loopback::open(port).await?;
                let Authorization { link, pending } =
                    Authorization::begin(plan, &loopback.redirect(), demanded.as_deref())?;
                self.show(&link, open, false);
                let answer = self.bounded(self.either(loopback, &pending)).await?;
                (pending, answer)
            }
        };
        Ok(self.provider.finish(&pending, &answer).await?)
    }

    /// What comes first: the browser's call, or a line that is pasted where a person can.
    async fn either(&self, loopback: Loopback, pending: &Pending) -> Result<Answer, AuthError> {
        let called = loopback.answer(pending.state(), self.context.language.tag());
        if !self.context.interactive() {
            return called.await;
        }
        tokio::select! {
            answer = called => answer,
            answer = pasted_line() => answer,
        }
    }

    /// On another device.
    pub(super) async fn device(&self) -> Result<Grant, Ended> {
        let begun = self.provider.begin_device().await?;
        let language = self.context.language;
        output::note(&language.device_advice(begun.address(), begun.code(), begun.lasts()));
        self.tell_of_approval();
        let waiting = async { self.provider.wait_for_device(&begun).await };
        tokio::select! {
            grant = waiting => Ok(grant?),
            () = self.context.stop.cancelled() => Err(Ended::Stopped),
        }
    }

    fn show(&self, link: &url::Url, open: bool, relayed: bool) {
        let language = self.context.language;
        let opened = open && may_open_browser() && open_browser(link);
        output::note(&language.sign_in_here(opened));
        output::note(&format!("\n{link}\n"));
        if relayed || self.context.interactive() {
            output::note(language.paste_here(relayed));
        }
        self.tell_of_approval();
    }

    /// Said while it is waited: who stands before a page that leads nowhere reads it here.
    pub(super) fn tell_of_approval(&self) {
        if let Some(approval) = &self.approval {
            output::note(approval);
        }
    }

    async fn bounded<T>(&self, work: impl Future<Output = Result<T, AuthError>>) -> Result<T, Ended> {
        tokio::select! {
            done = work => Ok(done?),
            () = self.context.stop.cancelled() => Err(Ended::Stopped),
            () = tokio::time::sleep(PATIENCE) => Err(AuthError::NobodyCame { after: PATIENCE }.into()),
        }
    }
}

/// The line that a person pastes. What cannot be an answer is said so, and the next one is waited for.
async fn pasted_line() -> Result<Answer, AuthError> {
    let (send, mut lines) = tokio::sync::mpsc::channel(1);
    // Not on the runtime's threads: a read that nobody answers must hold up nothing.
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if send.blocking_send(line).is_err() {
                break;
            }
        }
    });
    while let Some(line) = lines.recv().await {
        if line.trim().is_empty() {
            continue;
        }
        match Answer::read(&line) {
            Ok(answer) => return Ok(answer),
            Err(error) => output::note(&error.to_string()),
        }
    }
    std::future::pending().await
}
