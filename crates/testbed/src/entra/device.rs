//! Device codes (RFC 8628): the endpoint that makes them, the page where a person types one, and redeeming.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State as Shared},
    http::HeaderMap,
    response::{Html, IntoResponse, Response},
};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{
    Face, issue, pages, policy, random,
    refusal::{Asking, Refusal},
    request::{Fields, session},
    sign_in::{self, Pending, Purpose},
    state::{Device, DeviceState, Grant, Place, Proof, State},
    token::Redeeming,
};

/// How much too early a question may come: clocks are not that exact.
const EARLY: SignedDuration = SignedDuration::from_millis(300);

/// Answers `POST /{tenant}/oauth2/v2.0/devicecode`.
pub(super) async fn endpoint(
    Shared(face): Shared<Arc<Face>>,
    Path(segment): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (asking, fields) = (face.asking(&headers), Fields::of_body(&headers, &body));
    match begin(&mut face.state(), &segment, &fields, &asking) {
        Ok(answer) => Json(answer).into_response(),
        Err(refusal) => refusal.json(&asking),
    }
}

fn begin(state: &mut State, segment: &str, fields: &Fields, asking: &Asking) -> Result<Value, Refusal> {
    state.fault(Place::DeviceCode)?;
    let realm = state.realm(segment)?;
    let app = fields.need("client_id")?;
    state.app(app, &realm)?;
    let asked = state.resources.parse(fields.need("scope")?)?;
    let settings = &state.directory.settings;
    let (lifetime, interval) = (settings.device, settings.device_interval);
    let (device_code, user_code) = (random::text(90), random::user_code());
    let device = Device {
        user_code: user_code.clone(),
        segment: segment.to_owned(),
        app: app.to_owned(),
        asked,
        expires: issue::after(asking.now, lifetime),
        interval,
        polled: None,
        state: DeviceState::Waiting,
    };
    state.devices.insert(device_code.clone(), device);
    let page = format!("{}/devicelogin", asking.url);
    Ok(json!({
        "user_code": user_code,
        "device_code": device_code,
        "verification_uri": page,
        "expires_in": lifetime.as_secs(),
        "interval": interval.as_secs(),
        "message": format!("To sign in, use a web browser to open the page {page} and enter the code {user_code} to authenticate."),
    }))
}

/// Shows `GET /devicelogin`.
pub(super) async fn page() -> Html<String> {
    Html(pages::user_code(None))
}

/// Takes the form of `POST /devicelogin`: a user code begins a sign-in.
pub(super) async fn typed(Shared(face): Shared<Arc<Face>>, headers: HeaderMap, body: Bytes) -> Response {
    let (asking, fields) = (face.asking(&headers), Fields::of_body(&headers, &body));
    let typed = fields.get("otc").unwrap_or_default().trim().to_uppercase();
    let mut state = face.state();
    let fits = |device: &&Device| {
        device.user_code == typed
            && device.expires > asking.now
            && matches!(device.state, DeviceState::Waiting)
    };
    let Some(device) = state.devices.values().find(fits) else {
        return Html(pages::user_code(Some("That code didn't work. Check the code and try again.")))
            .into_response();
    };
    let purpose = Purpose::Device { user_code: typed };
    let pending = Pending::new(purpose, &device.segment, &device.app, device.asked.clone());
    let id = sign_in::begin(&mut state, pending, session(&headers));
    sign_in::proceed(&mut state, &id, &asking)
}

/// Records what the user decided; `None` is a refusal.
pub(super) fn decided(state: &mut State, user_code: &str, grant: Option<Grant>) {
    if let Some(device) = state.devices.values_mut().find(|device| device.user_code == user_code) {
        device.state = match grant {
            Some(grant) => DeviceState::Approved(Box::new(grant)),
            None => DeviceState::Declined,
        };
    }
}

/// Redeems a device code at the token endpoint.
pub(super) fn redeem(state: &mut State, redeeming: &Redeeming<'_>) -> Result<Value, Refusal> {
    let now = redeeming.asking.now;
    let code = redeeming.fields.need("device_code").or_else(|_| redeeming.fields.need("code"))?;
    let public = state.directory.apps.get(redeeming.app).is_some_and(|app| app.public_flows);
    redeeming.authenticate(state, if public { Proof::Optional } else { Proof::Needed })?;
    let unknown = || Refusal::new(70018);
    let device = state.devices.get_mut(code).ok_or_else(unknown)?;
    if device.app != redeeming.app {
        return Err(unknown());
    }
    if device.expires <= now {
        return Err(Refusal::new(70020));
    }
    let last = device.polled.replace(now);
    match &device.state {
        DeviceState::Waiting => {
            let early = |last| now.duration_since(last) + EARLY < device.interval;
            if last.is_some_and(early) {
                // RFC 8628, section 3.5: the interval grows by 5 seconds.
                device.interval += SignedDuration::from_secs(5);
                return Err(Refusal::new(70016).with_error("slow_down"));
            }
            Err(Refusal::new(70016))
        }
        DeviceState::Declined => Err(Refusal::new(65004).with_error("authorization_declined")),
        DeviceState::Approved(grant) => {
            let grant = Grant::clone(grant);
            state.devices.remove(code);
            let user = state.user(&grant.tenant, &grant.user)?;
            policy::check(state.tenant(&grant.tenant)?, &grant.app, Some((user, grant.signed_in)), now)?;
            redeeming.issue(state, &grant)
        }
    }
}
