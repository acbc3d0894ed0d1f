//! An https address as an alert channel: the alert is posted as JSON, signed like Standard Webhooks
//! (<https://www.standardwebhooks.com>) where the channel has a key. No redirect is followed.

use std::path::Path;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use wissel_model::secrets::field;
use wissel_model::{Alert, AlertChannelId};

use crate::context::Context;
use crate::problem::Problem;

/// What keys begin with that are written in base64.
const PREFIX: &str = "whsec_";

/// The fewest octets of a key in base64: as many as the specification asks for.
const LEAST: usize = 24;
/// The fewest octets of a key that is plain text.
const LEAST_TEXT: usize = 16;

/// What a key is in octets: base64 behind its prefix, else the text itself. None when it is neither, or too short.
fn octets(key: &SecretString) -> Option<Zeroizing<Vec<u8>>> {
    let key = key.expose_secret().trim();
    let (octets, least) = match key.strip_prefix(PREFIX) {
        Some(encoded) => (STANDARD.decode(encoded).ok()?, LEAST),
        None => (key.as_bytes().to_vec(), LEAST_TEXT),
    };
    Some(Zeroizing::new(octets)).filter(|octets| octets.len() >= least)
}

/// Refuses a key that signs nothing: one that is too short, or cut off.
pub(crate) fn check_signing_key(key: &SecretString) -> Result<(), Problem> {
    match octets(key) {
        Some(_) => Ok(()),
        None => Err(Problem::usage(
            format!("the signing key is too short, or what follows `{PREFIX}` is no base64"),
            format!(
                "Give the key as the receiver shows it, or make one of {LEAST} octets or more: `{PREFIX}` and what `openssl \
                 rand -base64 32` prints."
            ),
        )),
    }
}

/// The key that a channel's messages are signed with; none when they are not.
pub(super) async fn key(context: &Context, channel: AlertChannelId) -> Result<Option<SecretString>, String> {
    let found = async { context.secrets().await?.find(channel, field::SIGNING_KEY).await };
    found.await.map_err(|error| format!("its key cannot be opened: {error}"))
}

/// Posts it.
pub(super) async fn post(
    url: &str,
    ca_file: Option<&Path>,
    key: Option<&SecretString>,
    alert: &Alert,
    body: Vec<u8>,
) -> Result<(), String> {
    let mut builder = Client::builder().https_only(true).redirect(Policy::none()).no_proxy();
    if let Some(file) = ca_file {
        let unusable = |error: String| format!("the CA file {} cannot be used: {error}", file.display());
        let pem = std::fs::read(file).map_err(|error| unusable(error.to_string()))?;
        let trusted = Certificate::from_pem_bundle(&pem).map_err(|error| unusable(error.to_string()))?;
        builder = builder.tls_certs_only(trusted);
    }
    // The address may be as good as a secret: it is left out of errors.
    let without_url = |error: reqwest::Error| chain(&error.without_url());
    let client = builder.build().map_err(without_url)?;
    let at = Timestamp::now().as_second().to_string();
    let mut request = client
        .post(url)
        .header("content-type", "application/json")
        .header("webhook-id", &alert.id)
        .header("webhook-timestamp", &at);
    if let Some(key) = key {
        request = request.header("webhook-signature", format!("v1,{}", sign(key, &alert.id, &at, &body)));
    }
    let answer = request.body(body).send().await.map_err(without_url)?;
    if answer.status().is_success() {
        return Ok(());
    }
    Err(format!("it answered {}", answer.status()))
}

/// HMAC-SHA256 over id, moment and body, in base64.
fn sign(key: &SecretString, id: &str, at: &str, body: &[u8]) -> String {
    // One that was stored before keys were checked is taken as it is.
    let octets = octets(key).unwrap_or_else(|| Zeroizing::new(key.expose_secret().as_bytes().to_vec()));
    let key = hmac::Key::new(hmac::HMAC_SHA256, &octets);
    let mut context = hmac::Context::with_key(&key);
    for part in [id.as_bytes(), b".", at.as_bytes(), b".", body] {
        context.update(part);
    }
    STANDARD.encode(context.sign())
}

/// An error with what caused it.
fn chain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_cut_off_or_a_word_is_none() {
        for good in [
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "a-long-enough-text-of-its-own",
            " whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n",
        ] {
            assert!(check_signing_key(&SecretString::from(good)).is_ok(), "{good}");
        }
        for bad in [
            "abc",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
            "whsec_geen-base64-maar-wel-lang-genoeg",
            "whsec_MfKQ",
        ] {
            assert!(check_signing_key(&SecretString::from(bad)).is_err(), "{bad}");
        }
    }

    /// The example of the specification's reference libraries.
    #[test]
    fn a_message_is_signed_as_standard_webhooks_are() {
        let key = SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let signature = sign(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", br#"{"test": 2432232314}"#);
        assert_eq!(signature, "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
