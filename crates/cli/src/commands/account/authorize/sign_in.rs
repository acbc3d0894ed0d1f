//! A sign-in that this command waits for: in the browser of this machine, by a pasted answer, or on another device.

use std::future::Future;
use std::time::Duration;

use wissel_auth::{
    Answer, AuthError, Authorization, Grant, Loopback, Pending, Waiting, may_open_browser, open_browser,
};

use super::{Ended, SigningIn, relay};
use crate::output;
use crate::text::quoted;

/// How long somebody may take to sign in.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

impl SigningIn<'_> {
    /// In a browser: the answer comes to this machine, or is pasted.
    pub(super) async fn browser(&self, port: Option<u16>, open: bool) -> Result<Grant, Ended> {
        let (plan, demanded) = (self.provider.plan(), self.demanded().await);
        let relay = relay(self.account);
        let loopback = match relay {
            Some(_) => None,
            None => Some(Loopback::open(port).await?),
        };
        let redirect = loopback.as_ref().map(Loopback::redirect);
        let redirect = redirect.as_deref().or(relay).unwrap_or_default();
        let Authorization { link, pending } = Authorization::begin(plan, redirect, demanded.as_deref())?;
        self.show(&link, open, relay.is_some());
        let called = async {
            match loopback {
                Some(loopback) => loopback.answer(pending.state(), self.context.language.tag()).await,
                None => std::future::pending().await,
            }
        };
        let pasted = relay.is_some() || self.context.interactive();
        self.bounded(self.answered(&pending, called, pasted)).await
    }

    /// The grant for what comes first: the browser's call, or a line that is `pasted` where a person can.
    async fn answered(
        &self,
        pending: &Pending,
        called: impl Future<Output = Result<(Answer, Waiting), AuthError>>,
        pasted: bool,
    ) -> Result<Grant, AuthError> {
        let mut called = std::pin::pin!(called);
        let mut pasted = pasted;
        loop {
            let (answer, browser) = tokio::select! {
                called = &mut called => called.map(|(answer, browser)| (answer, Some(browser)))?,
                answer = self.lines.answer(), if pasted => match answer {
                    Some(answer) => (answer, None),
                    None => {
                        pasted = false;
                        continue;
                    }
                },
            };
            let grant = self.provider.finish(pending, &answer).await;
            match (grant, browser) {
                (grant, Some(browser)) => {
                    browser.tell(grant.is_ok()).await;
                    return grant;
                }
                // What was pasted may be anything; the right answer counts all the same.
                (Err(AuthError::Refused(refusal)), None) if refusal.error == "invalid_grant" => {
                    output::note(&AuthError::Refused(refusal).to_string());
                    output::note(self.context.language.paste_now());
                }
                (Err(error @ AuthError::OtherState), None) => output::note(&error.to_string()),
                (grant, None) => return grant,
            }
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
        let client = self.account.client.as_ref().map(|client| quoted(&client.name));
        output::note(&language.waits(PATIENCE, client.as_deref()));
        self.tell_of_approval();
    }

    /// Said while it is waited: who stands before a page that leads nowhere reads it here.
    pub(super) fn tell_of_approval(&self) {
        if let Some(approval) = &self.approval {
            output::note(approval);
        }
    }

    /// Until it is stopped, or nobody came.
    pub(super) async fn bounded<T>(
        &self,
        work: impl Future<Output = Result<T, AuthError>>,
    ) -> Result<T, Ended> {
        tokio::select! {
            done = work => Ok(done?),
            () = self.context.stop.cancelled() => Err(Ended::Stopped),
            () = tokio::time::sleep(PATIENCE) => Err(AuthError::NobodyCame { after: PATIENCE }.into()),
        }
    }
}
