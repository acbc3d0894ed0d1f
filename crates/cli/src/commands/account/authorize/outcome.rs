//! What came of a sign-in: kept first, then said: who signed in, what was granted, what is missing and what that means.

use serde_json::json;
use wissel_auth::Grant;
use wissel_model::Description;
use wissel_model::description::AuthMethod;

use super::{SigningIn, explained};
use crate::commands::CommandResult;
use crate::exit::Code;
use crate::output;

impl SigningIn<'_> {
    /// Keeps the grant and says what it is.
    pub(super) async fn done(
        &self,
        description: &Description,
        method: &AuthMethod,
        grant: &Grant,
    ) -> CommandResult {
        let Self { context, account, provider, .. } = self;
        let plan = provider.plan();
        if let Err(error) = self.authority.keep(account, plan, grant).await {
            return Err(explained(context, account, error).await);
        }
        let detail = json!({ "method": method.id, "user": grant.user, "scopes": grant.scopes });
        context.audit("account.authorize", &account.name, detail).await?;
        let missing = plan.missing(&grant.scopes);
        let needed = missing.iter().any(|scope| !plan.optional.contains(*scope));
        let warnings = self.warnings(description, method, grant, &missing);
        let code = if needed { Code::Authorization } else { Code::Done };
        let status = wissel_auth::status(plan, Some(grant));
        if context.json {
            output::json(&json!({
                "account": account.name,
                "authorized": true,
                "method": method.id,
                "signed_in_as": grant.user,
                "scopes": grant.scopes,
                "missing": missing,
                "ends": status.ends,
                "warnings": warnings,
            }));
            return Ok(code);
        }
        let language = context.language;
        output::line(&language.authorized(&account.name, grant.user.as_deref()));
        let granted = language.pick("Granted", "Verleend");
        output::fields(&[(granted, grant.scopes.join(", "))]);
        for warning in &warnings {
            output::note(warning);
        }
        Ok(code)
    }

    fn warnings(
        &self,
        description: &Description,
        method: &AuthMethod,
        grant: &Grant,
        missing: &[&str],
    ) -> Vec<String> {
        let language = self.context.language;
        let plan = self.provider.plan();
        let mut warnings = Vec::new();
        if let (Some(user), Some(wanted)) = (&grant.user, &plan.user)
            && user.contains('@')
            && wanted.contains('@')
            && !user.eq_ignore_ascii_case(wanted)
        {
            warnings.push(language.other_user(user, wanted));
        }
        for scope in missing {
            // The flag setting that the scope is asked for by is what a person knows it as.
            let values = self.account.values();
            let filled = |template: &String| wissel_model::settings::fill(template, &values);
            let purposes = method.scopes.iter();
            let mut purposes = purposes.filter(|(_, scopes)| scopes.iter().any(|one| filled(one) == *scope));
            let purpose = purposes.find_map(|(purpose, _)| description.setting(purpose));
            let purpose = purpose.map(|setting| setting.label.get(language.tag()));
            warnings.push(language.not_granted(scope, purpose, plan.optional.contains(*scope)));
        }
        if !grant.renewable() && method.kind != wissel_model::description::AuthKind::OAuth2Client {
            warnings.push(language.not_renewable(&output::moment(grant.expires)));
        }
        warnings
    }
}
