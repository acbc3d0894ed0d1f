//! The admin consent endpoint (Microsoft: "Grant tenant-wide admin consent to an application").

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    extract::{Path, RawQuery, State as Shared},
    http::HeaderMap,
    response::Response,
};

use super::{
    Face,
    authorize::CodeRequest,
    redirect::{self, Mode},
    refusal::Refusal,
    request::{Fields, session},
    resources::Asked,
    sign_in::{self, Pending, Purpose},
    state::{Place, Proof, State},
};

/// Answers `GET /{tenant}/v2.0/adminconsent`.
pub(super) async fn endpoint(
    Shared(face): Shared<Arc<Face>>,
    Path(segment): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let asking = face.asking(&headers);
    let fields = Fields::parse(query.unwrap_or_default().as_bytes());
    let mut state = face.state();
    match pending(&mut state, &segment, &fields) {
        Ok(pending) => {
            let id = sign_in::begin(&mut state, pending, session(&headers));
            sign_in::proceed(&mut state, &id, &asking)
        }
        Err(refusal) => sign_in::shown(&refusal, &asking),
    }
}

fn pending(state: &mut State, segment: &str, fields: &Fields) -> Result<Pending, Refusal> {
    state.fault(Place::AdminConsent)?;
    let realm = state.realm(segment)?;
    let client_id = fields.need("client_id")?;
    let app = state.app(client_id, &realm)?;
    let redirect_uri = fields.need("redirect_uri")?;
    if !app.redirects.iter().any(|known| redirect::fits(&known.uri, redirect_uri)) {
        return Err(Refusal::new(50011).saying(format!(
            "The redirect URI '{redirect_uri}' specified in the request does not match the redirect URIs configured for the application '{client_id}'."
        )));
    }
    let asked = state.resources.parse(fields.need("scope")?)?;
    let request = CodeRequest {
        redirect_uri: redirect_uri.to_owned(),
        mode: Mode::Query,
        state: fields.get("state").map(str::to_owned),
        nonce: None,
        challenge: None,
        proof: Proof::Needed,
    };
    Ok(Pending::new(Purpose::AdminConsent(request), segment, client_id, asked))
}

/// What an administrator is asked to consent to: the permissions named; with `.default` all that the app is configured for.
pub(super) fn permissions(state: &State, app: &str, asked: &Asked) -> BTreeSet<String> {
    let (delegated, application) = split(state, app, asked);
    delegated.into_iter().chain(application).collect()
}

fn split(state: &State, app: &str, asked: &Asked) -> (BTreeSet<String>, BTreeSet<String>) {
    let named = asked
        .services
        .iter()
        .flat_map(|wanted| wanted.names.iter().map(move |name| format!("{}/{name}", wanted.audience)));
    let mut delegated: BTreeSet<_> = named.collect();
    let mut application = BTreeSet::new();
    if let Some(app) = state.directory.apps.get(app)
        && asked.services.iter().any(|wanted| wanted.all)
    {
        // `.default` of one service brings all that the app is configured for, as in Entra.
        delegated.extend(app.delegated.iter().cloned());
        application.extend(app.application.iter().cloned());
    }
    (delegated, application)
}

/// The administrator agreed.
pub(super) fn grant(state: &mut State, tenant: &str, pending: &Pending, request: &CodeRequest) -> Response {
    let (delegated, application) = split(state, &pending.app, &pending.asked);
    let scopes = delegated.iter().cloned().collect::<Vec<_>>().join(" ");
    if let Some(tenant) = state.directory.tenants.get_mut(tenant) {
        let consents = tenant.consents(&pending.app);
        consents.everybody.extend(delegated);
        consents.application.extend(application);
    }
    request.answer(vec![
        ("admin_consent", "True".to_owned()),
        ("tenant", tenant.to_owned()),
        ("scope", scopes),
    ])
}
