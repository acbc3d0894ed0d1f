//! What came of a sign-in: kept first, then said: who signed in, what was granted, what is missing and what that means.

use serde_json::json;
use wissel_auth::Grant;
use wissel_model::Description;
use wissel_model::description::AuthMethod;

use super::{SigningIn, explained};
use crate::commands::CommandResult;
use crate::exit::Code;
use crate::output;
use crate::problem::Problem;
use crate::text::Language;

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
        let before = self.other_user_before(grant).await;
        if let (Some(before), Some(user)) = (&before, &grant.user)
            && !self.as_another_user
        {
            self.confirm(before, user).await?;
        }
        let mut kept = self.authority.keep(account, plan, grant).await;
        // Only then: an answer counts once, and a link has nothing left to do.
        if kept.is_ok() {
            kept = self.authority.forget_pending(account, plan).await;
        }
        if let Err(error) = kept {
            return Err(explained(context, account, error).await);
        }
        let detail = json!({ "method": method.id, "user": grant.user, "scopes": grant.scopes });
        context.audit("account.authorize", &account.name, detail).await?;
        let missing = plan.missing(&grant.scopes);
        let needed = missing.iter().any(|scope| !plan.optional.contains(*scope));
        let mut warnings = self.warnings(description, method, grant, &missing);
        if let (Some(before), Some(user)) = (&before, &grant.user) {
            warnings.insert(0, context.language.another_user(&account.name, before, user));
        }
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

    /// Who authorised the account before, when it was somebody else.
    async fn other_user_before(&self, grant: &Grant) -> Option<String> {
        let user = grant.user.as_ref()?;
        let before = self.authority.granted(self.account, self.provider.plan()).await.ok().flatten()?.user?;
        (!before.eq_ignore_ascii_case(user)).then_some(before)
    }

    /// Lets a person decide whether the account is to be somebody else's from now on.
    async fn confirm(&self, before: &str, user: &str) -> Result<(), Problem> {
        let (account, language) = (&self.account.name, self.context.language);
        let sentence = language.another_user(account, before, user);
        if !self.context.interactive() {
            return Err(Problem::usage(
                Language::En.another_user(account, before, user),
                format!("Sign in as {before}. If {user} is meant, authorise again with --as-another-user."),
            ));
        }
        output::note(&sentence);
        let question = language.pick("Take it over?", "Toch overnemen?");
        if self.lines.agrees(question, language).await {
            return Ok(());
        }
        let stopped = Problem::usage(format!("account '{account}' stays authorised by {before}"), "");
        Err(Problem { code: Code::Stopped, name: "stopped", ..stopped })
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
