//! The authorize endpoint (RFC 6749, section 4.1; OpenID Connect Core, section 3.1.2): is the request sound, and where may
//! its answer go? What the user is then shown is in `sign_in`.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, RawQuery, State as Shared},
    http::{HeaderMap, Method},
    response::Response,
};

use super::{
    Face,
    directory::Platform,
    redirect::{self, Mode},
    refusal::{Asking, Refusal},
    request::{Claims, Fields, session},
    sign_in::{self, Pending, Purpose},
    state::{Place, Proof, State},
};

/// A sound request, and where its answer goes.
#[derive(Clone, Debug)]
pub(super) struct CodeRequest {
    pub(super) redirect_uri: String,
    pub(super) mode: Mode,
    pub(super) state: Option<String>,
    pub(super) nonce: Option<String>,
    pub(super) challenge: Option<String>,
    pub(super) proof: Proof,
}

impl CodeRequest {
    /// Sends the browser back with these parameters, and the client's `state`.
    pub(super) fn answer(&self, mut parameters: Vec<(&'static str, String)>) -> Response {
        parameters.extend(self.state.iter().map(|state| ("state", state.clone())));
        redirect::answer(&self.redirect_uri, self.mode, &parameters)
    }
}

/// Answers `GET` and `POST /{tenant}/oauth2/v2.0/authorize`.
pub(super) async fn endpoint(
    Shared(face): Shared<Arc<Face>>,
    Path(segment): Path<String>,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let asking = face.asking(&headers);
    let fields = match method {
        Method::POST => Fields::of_body(&headers, &body),
        _ => Fields::parse(query.unwrap_or_default().as_bytes()),
    };
    let mut state = face.state();
    // Until the redirect URI is known to be the app's, nothing is sent to it: the person sees a page.
    let target = match target(&state, &segment, &fields) {
        Ok(found) => found,
        Err(refusal) => return sign_in::shown(&refusal, &asking),
    };
    match pending(&mut state, &segment, &fields, target.clone()) {
        Ok(pending) => {
            let id = sign_in::begin(&mut state, pending, session(&headers));
            sign_in::proceed(&mut state, &id, &asking)
        }
        Err(refusal) => sign_in::refused(&refusal, &target, fields.get("prompt") == Some("none"), &asking),
    }
}

/// Where the answer goes.
fn target(state: &State, segment: &str, fields: &Fields) -> Result<CodeRequest, Refusal> {
    let realm = state.realm(segment)?;
    let client_id = fields.need("client_id")?;
    let app = state.app(client_id, &realm)?;
    let asked = fields.need("redirect_uri")?;
    let registered = app.redirects.iter().find(|known| redirect::fits(&known.uri, asked)).ok_or_else(|| {
        Refusal::new(50011).saying(format!(
            "The redirect URI '{asked}' specified in the request does not match the redirect URIs configured for the application '{client_id}'. Make sure the redirect URI sent in the request matches one added to your application in the Azure portal."
        ))
    })?;
    let mode = match fields.get("response_mode") {
        Some("fragment") => Mode::Fragment,
        Some("form_post") => Mode::FormPost,
        _ => Mode::Query,
    };
    Ok(CodeRequest {
        redirect_uri: asked.to_owned(),
        mode,
        state: fields.get("state").map(str::to_owned),
        nonce: fields.get("nonce").map(str::to_owned),
        challenge: fields.get("code_challenge").map(str::to_owned),
        proof: match registered.platform {
            Platform::Web => Proof::Needed,
            Platform::Native => Proof::Forbidden,
        },
    })
}

fn pending(
    state: &mut State,
    segment: &str,
    fields: &Fields,
    request: CodeRequest,
) -> Result<Pending, Refusal> {
    state.fault(Place::Authorize)?;
    if fields.need("response_type")? != "code" {
        return Err(Refusal::new(70005));
    }
    if request.challenge.is_some() || state.directory.settings.require_pkce {
        // `plain` shows the verifier to whoever sees the request: the face takes S256 only.
        let hashed = fields.get("code_challenge_method") == Some("S256");
        if !hashed || request.challenge.as_ref().is_none_or(|challenge| challenge.len() != 43) {
            return Err(Refusal::new(9002325));
        }
    }
    let asked = state.resources.parse(fields.need("scope")?)?;
    let claims = Claims::of(fields)?;
    let client_id = fields.need("client_id")?;
    Ok(Pending {
        hint: fields.get("login_hint").unwrap_or_default().to_owned(),
        prompt: fields.get("prompt").unwrap_or_default().to_owned(),
        capabilities: claims.capabilities,
        claims: claims.wanted,
        ..Pending::new(Purpose::Code(request), segment, client_id, asked)
    })
}

/// A code in the answer.
pub(super) fn with_code(request: &CodeRequest, code: String, asking: &Asking) -> Response {
    request.answer(vec![("code", code), ("session_state", asking.correlation.clone())])
}
