//! The token endpoint (RFC 6749, section 3.2; RFC 7636; RFC 8628, section 3.4).

use std::sync::Arc;

use aws_lc_rs::digest;
use axum::{
    Json,
    body::Bytes,
    extract::{Path, State as Shared},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use super::{
    Face,
    client::{self, Shown},
    device, issue, policy,
    refusal::{Asking, Refusal},
    request::{Claims, Fields},
    resources::Asked,
    state::{Grant, Place, Proof, Realm, SignIn, State},
    tokens::{TokenInfo, Tokens},
};

/// A request whose app is known.
pub(super) struct Redeeming<'a> {
    pub(super) app: &'a str,
    pub(super) shown: Shown,
    pub(super) realm: Realm,
    /// The tenant as the path has it.
    segment: &'a str,
    pub(super) fields: &'a Fields,
    pub(super) asking: &'a Asking,
    tokens: &'a Tokens,
}

/// Answers `POST /{tenant}/oauth2/v2.0/token`.
pub(super) async fn endpoint(
    Shared(face): Shared<Arc<Face>>,
    Path(segment): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (asking, fields) = (face.asking(&headers), Fields::of_body(&headers, &body));
    let mut state = face.state();
    let result = answer(&mut state, &face.tokens, &segment, &headers, &fields, &asking);
    let app = fields.get("client_id").unwrap_or_default().to_owned();
    let flow = fields.get("grant_type").unwrap_or_default().to_owned();
    let code = result.as_ref().err().map_or(0, |refusal| refusal.code);
    state.log.push(SignIn { at: asking.now, flow, app, code });
    match result {
        Ok(answer) => ([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response(),
        Err(refusal) => refusal.json(&asking),
    }
}

fn answer(
    state: &mut State,
    tokens: &Tokens,
    segment: &str,
    headers: &HeaderMap,
    fields: &Fields,
    asking: &Asking,
) -> Result<Value, Refusal> {
    state.fault(Place::Token)?;
    let realm = state.realm(segment)?;
    let grant_type = fields.need("grant_type")?;
    let (app, shown) = Shown::of(headers, fields)?;
    state.app(&app, &realm)?;
    let redeeming = Redeeming { app: &app, shown, realm, segment, fields, asking, tokens };
    match grant_type {
        "authorization_code" => code(state, &redeeming),
        "refresh_token" => refresh(state, &redeeming),
        "client_credentials" => app_only(state, &redeeming),
        "urn:ietf:params:oauth:grant-type:device_code" | "device_code" => device::redeem(state, &redeeming),
        _ => Err(Refusal::new(70003)),
    }
}

impl Redeeming<'_> {
    /// Refuses a client that cannot prove what is needed.
    pub(super) fn authenticate(&self, state: &mut State, proof: Proof) -> Result<(), Refusal> {
        let own = match &self.realm {
            Realm::One(tenant) => tenant.as_str(),
            Realm::Any => self.segment,
        };
        client::authenticate(state, self.app, &self.shown, proof, &[self.segment, own], self.asking)
    }

    /// Makes the tokens of a grant, once policies let it pass.
    pub(super) fn issue(&self, state: &mut State, grant: &Grant) -> Result<Value, Refusal> {
        let mut asked = match self.fields.get("scope") {
            Some(scope) => state.resources.parse(scope)?,
            None => Asked { own: grant.asked.own.clone(), services: Vec::new() },
        };
        // A grant may stand for several services; a request that names none gets a token for the first.
        if asked.services.is_empty() {
            asked.services = grant.asked.services.iter().take(1).cloned().collect();
        }
        let client_info = self.fields.get("client_info") == Some("1");
        issue::for_user(state, self.tokens, grant, &asked, client_info, self.asking)
    }

    fn fits(&self, grant: &Grant) -> bool {
        grant.app == self.app
            && match &self.realm {
                Realm::One(tenant) => *tenant == grant.tenant,
                Realm::Any => true,
            }
    }
}

fn code(state: &mut State, redeeming: &Redeeming<'_>) -> Result<Value, Refusal> {
    let (fields, now) = (redeeming.fields, redeeming.asking.now);
    let code = fields.need("code")?;
    let redirect_uri = fields.need("redirect_uri")?;
    let known = state.codes.get(code).ok_or_else(|| Refusal::new(70000))?;
    if !redeeming.fits(&known.grant) {
        return Err(Refusal::new(70000));
    }
    let proof = known.grant.proof;
    redeeming.authenticate(state, proof)?;
    let known = state.codes.get_mut(code).ok_or_else(|| Refusal::new(70000))?;
    if known.redeemed {
        return Err(Refusal::new(54005));
    }
    // Whatever follows, the code is used up: a thief has one try.
    known.redeemed = true;
    if known.expires <= now {
        return Err(Refusal::new(70008));
    }
    if known.redirect_uri != redirect_uri {
        return Err(Refusal::new(500112));
    }
    if let Some(challenge) = &known.challenge {
        let verifier = fields.need("code_verifier")?;
        let hash = digest::digest(&digest::SHA256, verifier.as_bytes());
        if URL_SAFE_NO_PAD.encode(hash) != *challenge {
            return Err(Refusal::new(501481));
        }
    }
    let grant = known.grant.clone();
    let claims = Claims::of(fields)?;
    let grant = Grant { capabilities: either(claims.capabilities, &grant.capabilities), ..grant };
    redeeming.issue(state, &grant)
}

fn refresh(state: &mut State, redeeming: &Redeeming<'_>) -> Result<Value, Refusal> {
    let (fields, now) = (redeeming.fields, redeeming.asking.now);
    let token = fields.need("refresh_token")?;
    let malformed = || Refusal::new(9002313).with_error("invalid_grant");
    let known = state.refresh.get(token).ok_or_else(malformed)?;
    if !redeeming.fits(&known.grant) {
        return Err(Refusal::new(70000));
    }
    let (grant, issued, replaced) = (known.grant.clone(), known.issued, known.replaced);
    redeeming.authenticate(state, grant.proof)?;
    let settings = state.directory.settings.clone();
    if replaced && settings.strict_refresh {
        state.dead_families.insert(grant.family);
        return Err(Refusal::new(70000).saying("The refresh token was used before; sign in again."));
    }
    if state.dead_families.contains(&grant.family) {
        return Err(Refusal::new(70000));
    }
    let user = state.user(&grant.tenant, &grant.user)?;
    // A grant is revoked with the sign-in that it came from, however often it was renewed since.
    if user.revoked.is_some_and(|revoked| revoked >= grant.signed_in.at) {
        return Err(Refusal::new(50173));
    }
    if issue::after(issued, settings.refresh) <= now {
        return Err(Refusal::new(700082).saying(format!(
            "The refresh token has expired due to inactivity. The token was issued on {issued} and was inactive for {}.",
            settings.refresh
        )));
    }
    policy::check(state.tenant(&grant.tenant)?, &grant.app, Some((user, grant.signed_in)), now)?;
    let claims = Claims::of(fields)?;
    let new =
        claims.wanted.iter().any(|(name, value)| name != "nbf" && grant.claims.get(name) != Some(value));
    if new && settings.claims_need_sign_in {
        let demanded = fields.get("claims").unwrap_or_default().to_owned();
        return Err(Refusal::new(50076).with_claims(demanded));
    }
    let mut grant = Grant { capabilities: claims.capabilities, ..grant };
    grant.claims.extend(claims.wanted);
    let answer = redeeming.issue(state, &grant)?;
    if let Some(known) = state.refresh.get_mut(token) {
        known.replaced = true;
    }
    Ok(answer)
}

fn app_only(state: &mut State, redeeming: &Redeeming<'_>) -> Result<Value, Refusal> {
    redeeming.authenticate(state, Proof::Needed)?;
    let Realm::One(tenant) = &redeeming.realm else { return Err(Refusal::new(50059)) };
    let tenant = state.tenant(tenant)?;
    let (app, asking) = (redeeming.app, redeeming.asking);
    let home = state.directory.apps.get(app).is_some_and(|app| app.home == tenant.id);
    if !home && !tenant.consents.contains_key(app) {
        return Err(Refusal::new(700016));
    }
    policy::check(tenant, app, None, asking.now)?;
    let scope = redeeming.fields.need("scope")?;
    let asked = state.resources.parse(scope)?;
    let Some(wanted) = asked.single()?.filter(|wanted| wanted.all && wanted.names.is_empty()) else {
        return Err(Refusal::new(1002012).saying(format!(
            "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."
        )));
    };
    let consented = tenant.consents.get(app).map(|consents| &consents.application);
    let roles = consented
        .into_iter()
        .flatten()
        .filter_map(|one| one.strip_prefix(wanted.audience)?.strip_prefix('/'))
        .filter(|role| state.resources.has_role(wanted.audience, role));
    let claims = Claims::of(redeeming.fields)?;
    let info = TokenInfo {
        tenant: tenant.id.clone(),
        app: app.to_owned(),
        audience: wanted.audience.to_owned(),
        user: None,
        scopes: Vec::new(),
        roles: roles.map(str::to_owned).collect(),
        issued: asking.now,
        expires: asking.now,
        capabilities: claims.capabilities,
        claims: claims.wanted,
    };
    // The answer does not repeat the scope that was asked for: RFC 6749 allows it, and Entra does it.
    Ok(issue::access_token(state, redeeming.tokens, info, asking)?.into())
}

fn either(first: Vec<String>, second: &[String]) -> Vec<String> {
    if first.is_empty() { second.to_vec() } else { first }
}
