//! What a person goes through in the browser: password, second factor, consent; and where that leads.
//!
//! Whatever began it (an app's request, a device code, admin consent), it is one [`Pending`] that [`proceed`] takes as far as
//! it can go without the person.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::State as Shared,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use jiff::Timestamp;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    Face, admin_consent,
    authorize::{self, CodeRequest},
    device, issue, pages, policy,
    policy::SignedIn,
    random,
    refusal::{Asking, Refusal},
    request::{COOKIE, Fields},
    resources::Asked,
    state::{Code, Grant, Proof, Realm, Session, SignIn, State},
};

/// Why somebody signs in.
#[derive(Clone, Debug)]
pub(super) enum Purpose {
    /// An app wants a code.
    Code(CodeRequest),
    /// A device is to be let in.
    Device { user_code: String },
    /// An app is to be approved for the whole tenant.
    AdminConsent(CodeRequest),
}

/// A sign-in that is under way.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) purpose: Purpose,
    pub(super) segment: String,
    pub(super) app: String,
    pub(super) asked: Asked,
    pub(super) hint: String,
    pub(super) prompt: String,
    pub(super) capabilities: Vec<String>,
    pub(super) claims: Map<String, Value>,
    pub(super) session: Option<Session>,
    /// The consent page was answered, or the one that `prompt=consent` asks for was.
    pub(super) consented: bool,
}

impl Pending {
    pub(super) fn new(purpose: Purpose, segment: &str, app: &str, asked: Asked) -> Self {
        Self {
            purpose,
            segment: segment.to_owned(),
            app: app.to_owned(),
            asked,
            hint: String::new(),
            prompt: String::new(),
            capabilities: Vec::new(),
            claims: Map::new(),
            session: None,
            consented: false,
        }
    }

    fn silent(&self) -> bool {
        self.prompt == "none"
    }
}

/// Enters a sign-in; a session of the browser spares the password, unless `prompt` or another user's hint asks for it.
pub(super) fn begin(state: &mut State, mut pending: Pending, cookie: Option<String>) -> String {
    let session = cookie.and_then(|cookie| state.sessions.get(&cookie)).filter(|session| {
        let realm = state.realm(&pending.segment);
        let here =
            realm.is_ok_and(|realm| realm == Realm::Any || realm == Realm::One(session.tenant.clone()));
        let user = state.user(&session.tenant, &session.user);
        let good = user.is_ok_and(|user| user.revoked.is_none_or(|revoked| revoked < session.signed_in.at));
        here && good && (pending.hint.is_empty() || pending.hint.eq_ignore_ascii_case(&session.user))
    });
    if !matches!(pending.prompt.as_str(), "login" | "select_account") {
        pending.session = session.cloned();
    }
    let id = random::text(24);
    state.pending.insert(id.clone(), pending);
    id
}

/// Takes a sign-in as far as it goes without the person.
pub(super) fn proceed(state: &mut State, id: &str, asking: &Asking) -> Response {
    let Some(pending) = state.pending.get(id).cloned() else {
        return shown(
            &Refusal::new(9002313).saying("The sign-in is not known any more; begin again."),
            asking,
        );
    };
    match step(state, id, &pending, asking) {
        Ok(response) => response,
        Err(refusal) => {
            state.log.push(log_line(&pending, refusal.code, asking));
            match &pending.purpose {
                Purpose::Code(request) | Purpose::AdminConsent(request) => {
                    refused(&refusal, request, pending.silent(), asking)
                }
                Purpose::Device { .. } => shown(&refusal, asking),
            }
        }
    }
}

fn step(state: &mut State, id: &str, pending: &Pending, asking: &Asking) -> Result<Response, Refusal> {
    let app = state.directory.apps.get(&pending.app).ok_or_else(|| Refusal::new(700016))?;
    let app_name = app.name.clone();
    let Some(session) = &pending.session else {
        if pending.silent() {
            return Err(Refusal::new(50058));
        }
        return Ok(Html(pages::password(id, &app_name, &pending.hint, None)).into_response());
    };
    let user = state.user(&session.tenant, &session.user)?.clone();
    let by_device_code = matches!(pending.purpose, Purpose::Device { .. });
    let signed_in = SignedIn { by_device_code, ..session.signed_in };
    let tenant = state.tenant(&session.tenant)?;
    if let Err(refusal) = policy::check(tenant, &pending.app, Some((&user, signed_in)), asking.now) {
        let can_go_on = !pending.silent() && matches!(refusal.code, 50076 | 70043);
        return match refusal.code {
            50076 if can_go_on => Ok(Html(pages::second_factor(id, None)).into_response()),
            // Too long ago: the password is asked again.
            70043 if can_go_on => {
                Ok(Html(pages::password(id, &app_name, &session.user, None)).into_response())
            }
            _ => Err(refusal),
        };
    }
    if let Purpose::AdminConsent(_) = &pending.purpose {
        if !user.admin {
            return Err(Refusal::new(90094));
        }
        let permissions = admin_consent::permissions(state, &pending.app, &pending.asked);
        return Ok(Html(pages::consent(id, &app_name, &user.name, &permissions, false)).into_response());
    }
    let missing = state.unconsented(&session.tenant, &pending.app, &user, &pending.asked);
    if !missing.is_empty() || (pending.prompt == "consent" && !pending.consented) {
        if pending.silent() {
            return Err(Refusal::new(65001).with_error("interaction_required"));
        }
        let may = tenant.user_consent || user.admin || missing.is_empty();
        let page = if may {
            pages::consent(id, &app_name, &user.name, &missing, user.admin)
        } else {
            pages::need_admin(id, &app_name, &Refusal::new(90094).text())
        };
        return Ok(Html(page).into_response());
    }
    Ok(finish(state, id, pending, session, signed_in, asking))
}

/// The user is known, and everything is agreed to.
fn finish(
    state: &mut State,
    id: &str,
    pending: &Pending,
    session: &Session,
    signed_in: SignedIn,
    asking: &Asking,
) -> Response {
    state.pending.remove(id);
    state.log.push(log_line(pending, 0, asking));
    let public = state.directory.apps.get(&pending.app).is_some_and(|app| app.public_flows);
    let (proof, nonce) = match &pending.purpose {
        Purpose::Code(request) | Purpose::AdminConsent(request) => (request.proof, request.nonce.clone()),
        Purpose::Device { .. } => (if public { Proof::Optional } else { Proof::Needed }, None),
    };
    let grant = Grant {
        tenant: session.tenant.clone(),
        app: pending.app.clone(),
        user: session.user.clone(),
        signed_in,
        proof,
        asked: pending.asked.clone(),
        nonce,
        capabilities: pending.capabilities.clone(),
        claims: pending.claims.clone(),
        family: Uuid::new_v4(),
    };
    match &pending.purpose {
        Purpose::Device { user_code } => {
            device::decided(state, user_code, Some(grant));
            let name = state.directory.apps.get(&pending.app).map(|app| app.name.as_str());
            Html(pages::done(name.unwrap_or_default())).into_response()
        }
        Purpose::Code(request) | Purpose::AdminConsent(request) => {
            let code = format!("1.{}", random::text(60));
            let expires = issue::after(asking.now, state.directory.settings.code);
            let (redirect_uri, challenge) = (request.redirect_uri.clone(), request.challenge.clone());
            state
                .codes
                .insert(code.clone(), Code { grant, redirect_uri, challenge, expires, redeemed: false });
            authorize::with_code(request, code, asking)
        }
    }
}

/// Takes the form of `POST /login`.
pub(super) async fn password(Shared(face): Shared<Arc<Face>>, headers: HeaderMap, body: Bytes) -> Response {
    let (asking, fields) = (face.asking(&headers), Fields::of_body(&headers, &body));
    let mut state = face.state();
    let id = fields.get("ctx").unwrap_or_default();
    let Some(pending) = state.pending.get(id).cloned() else { return proceed(&mut state, id, &asking) };
    let (name, password) =
        (fields.get("loginfmt").unwrap_or_default(), fields.get("passwd").unwrap_or_default());
    match known(&state, &pending, name, password) {
        Ok((tenant, user)) => {
            let signed_in = SignedIn { at: asking.now, strongly: false, by_device_code: false };
            keep(&mut state, id, Session { tenant, user, signed_in }, &asking)
        }
        Err(refusal) => {
            state.log.push(log_line(&pending, refusal.code, &asking));
            let app = state.directory.apps.get(&pending.app).map(|app| app.name.as_str());
            let text = refusal.text();
            Html(pages::password(id, app.unwrap_or_default(), name, Some(&text))).into_response()
        }
    }
}

/// The tenant and the name of the user with this password.
fn known(state: &State, pending: &Pending, name: &str, password: &str) -> Result<(String, String), Refusal> {
    let tenants = match state.realm(&pending.segment)? {
        Realm::One(tenant) => vec![state.tenant(&tenant)?],
        Realm::Any => state.directory.tenants.values().collect(),
    };
    let found = tenants.into_iter().find_map(|tenant| Some((tenant, tenant.user(name)?)));
    let (tenant, user) = found.ok_or_else(|| {
        let elsewhere = state.directory.tenants.values().any(|tenant| tenant.user(name).is_some());
        Refusal::new(if elsewhere { 50020 } else { 50034 })
    })?;
    if user.password != password {
        return Err(Refusal::new(50126));
    }
    if user.disabled {
        return Err(Refusal::new(50057));
    }
    Ok((tenant.id.clone(), user.name.clone()))
}

/// Takes the form of `POST /secondfactor`.
pub(super) async fn second_factor(
    Shared(face): Shared<Arc<Face>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (asking, fields) = (face.asking(&headers), Fields::of_body(&headers, &body));
    let mut state = face.state();
    let id = fields.get("ctx").unwrap_or_default();
    let session = state.pending.get(id).and_then(|pending| pending.session.clone());
    let Some(session) = session else { return proceed(&mut state, id, &asking) };
    let user = state.user(&session.tenant, &session.user);
    let right = user
        .is_ok_and(|user| user.second_factor.is_some() && user.second_factor.as_deref() == fields.get("otc"));
    if !right {
        return Html(pages::second_factor(id, Some("That code is not right."))).into_response();
    }
    let signed_in = SignedIn { strongly: true, ..session.signed_in };
    keep(&mut state, id, Session { signed_in, ..session }, &asking)
}

/// Takes the form of `POST /consent`.
pub(super) async fn consent(Shared(face): Shared<Arc<Face>>, headers: HeaderMap, body: Bytes) -> Response {
    let (asking, fields) = (face.asking(&headers), Fields::of_body(&headers, &body));
    let mut state = face.state();
    let id = fields.get("ctx").unwrap_or_default();
    let known = state.pending.get(id).cloned();
    let Some((pending, session)) = known.and_then(|known| Some((known.clone(), known.session?))) else {
        return proceed(&mut state, id, &asking);
    };
    let Ok(user) = state.user(&session.tenant, &session.user).cloned() else {
        return proceed(&mut state, id, &asking);
    };
    if fields.get("consent") != Some("accept") {
        state.pending.remove(id);
        state.log.push(log_line(&pending, 65004, &asking));
        return match &pending.purpose {
            Purpose::Code(request) => request.answer(Refusal::new(65004).parameters(&asking)),
            Purpose::AdminConsent(request) => {
                request.answer(Refusal::new(65004).with_error("permission_denied").parameters(&asking))
            }
            Purpose::Device { user_code } => {
                device::decided(&mut state, user_code, None);
                Html(pages::declined()).into_response()
            }
        };
    }
    let pass = state
        .tenant(&session.tenant)
        .and_then(|tenant| policy::check(tenant, &pending.app, Some((&user, session.signed_in)), asking.now));
    if pass.is_err() {
        return proceed(&mut state, id, &asking);
    }
    if let Purpose::AdminConsent(request) = &pending.purpose {
        if !user.admin {
            return proceed(&mut state, id, &asking);
        }
        state.pending.remove(id);
        state.log.push(log_line(&pending, 0, &asking));
        return admin_consent::grant(&mut state, &session.tenant, &pending, request);
    }
    let missing = state.unconsented(&session.tenant, &pending.app, &user, &pending.asked);
    let everybody = user.admin && fields.get("organization").is_some();
    if let Some(tenant) = state.directory.tenants.get_mut(&session.tenant)
        && (tenant.user_consent || user.admin)
    {
        let consents = tenant.consents(&pending.app);
        let held = if everybody {
            &mut consents.everybody
        } else {
            consents.users.entry(user.id.clone()).or_default()
        };
        held.extend(missing);
    }
    if let Some(pending) = state.pending.get_mut(id) {
        pending.consented = true;
    }
    proceed(&mut state, id, &asking)
}

/// Remembers who the browser's user is, and goes on.
fn keep(state: &mut State, id: &str, session: Session, asking: &Asking) -> Response {
    if let Some(pending) = state.pending.get_mut(id) {
        pending.session = Some(session.clone());
    }
    let cookie = random::text(32);
    state.sessions.insert(cookie.clone(), session);
    let mut response = proceed(state, id, asking);
    let cookie = format!("{COOKIE}={cookie}; Path=/; Secure; HttpOnly; SameSite=None");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// Tells a refusal where Entra tells it: some end in a page, whatever the app asked for; the others go back to the app.
pub(super) fn refused(refusal: &Refusal, request: &CodeRequest, silent: bool, asking: &Asking) -> Response {
    let ends_in_page = matches!(
        refusal.code,
        50011 | 50020 | 50034 | 50057 | 50079 | 50194 | 53003 | 90002 | 90094 | 900_023 | 700_016 | 7_000_112
    );
    if ends_in_page && !silent { shown(refusal, asking) } else { request.answer(refusal.parameters(asking)) }
}

/// The page that a refusal ends in.
pub(super) fn shown(refusal: &Refusal, asking: &Asking) -> Response {
    let (text, ids) = refusal.on_page(asking);
    (StatusCode::BAD_REQUEST, Html(pages::error(&text, &ids))).into_response()
}

fn log_line(pending: &Pending, code: u32, asking: &Asking) -> SignIn {
    let flow = match pending.purpose {
        Purpose::Code(_) => "authorize",
        Purpose::Device { .. } => "devicelogin",
        Purpose::AdminConsent(_) => "adminconsent",
    };
    let at: Timestamp = asking.now;
    SignIn { at, flow: flow.to_owned(), app: pending.app.clone(), code }
}
