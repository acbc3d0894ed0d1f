//! The services that tokens are for, their permissions, and what a `scope` parameter asks of them.

use std::collections::BTreeSet;

use super::{
    refusal::Refusal,
    tokens::{GRAPH, OUTLOOK},
};

const GRAPH_SCOPES: &[&str] = &[
    "Mail.Read",
    "Mail.Read.Shared",
    "Mail.ReadBasic",
    "Mail.ReadWrite",
    "Mail.ReadWrite.Shared",
    "Mail.Send",
    "Mail.Send.Shared",
    "MailboxSettings.Read",
    "User.Read",
    "User.Read.All",
];
const GRAPH_ROLES: &[&str] =
    &["Mail.Read", "Mail.ReadBasic", "Mail.ReadWrite", "Mail.Send", "MailboxSettings.Read", "User.Read.All"];
const OUTLOOK_SCOPES: &[&str] =
    &["EWS.AccessAsUser.All", "IMAP.AccessAsUser.All", "POP.AccessAsUser.All", "SMTP.Send"];
const OUTLOOK_ROLES: &[&str] =
    &["IMAP.AccessAsApp", "POP.AccessAsApp", "SMTP.SendAsApp", "full_access_as_app"];
/// What OpenID Connect and the platform itself define.
const OWN: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// A service that tokens are for.
#[derive(Clone, Debug)]
struct Resource {
    audience: &'static str,
    /// Further names that a scope may begin with, such as the address of a face.
    names: Vec<String>,
    scopes: &'static [&'static str],
    roles: &'static [&'static str],
}

/// The services that the face knows.
#[derive(Clone, Debug)]
pub(super) struct Resources(Vec<Resource>);

impl Default for Resources {
    fn default() -> Self {
        let graph_id = "00000003-0000-0000-c000-000000000000".to_owned();
        let outlook = ["https://outlook.office365.com", "00000002-0000-0ff1-ce00-000000000000"];
        Self(vec![
            Resource { audience: GRAPH, names: vec![graph_id], scopes: GRAPH_SCOPES, roles: GRAPH_ROLES },
            Resource {
                audience: OUTLOOK,
                names: outlook.map(str::to_owned).to_vec(),
                scopes: OUTLOOK_SCOPES,
                roles: OUTLOOK_ROLES,
            },
        ])
    }
}

/// What is asked of one service.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) audience: &'static str,
    /// What the client wrote before each permission: the answer's `scope` shows it again.
    pub(super) prefix: String,
    /// Permissions by their short names.
    pub(super) names: BTreeSet<&'static str>,
    /// `.default`: all that the app is configured for.
    pub(super) all: bool,
}

/// A `scope` parameter, understood.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    /// Which of the platform's own scopes.
    pub(super) own: BTreeSet<&'static str>,
    /// In the order of their first mention.
    pub(super) services: Vec<Wanted>,
}

impl Asked {
    pub(super) fn offline(&self) -> bool {
        self.own.contains("offline_access")
    }

    pub(super) fn openid(&self) -> bool {
        self.own.contains("openid")
    }

    /// The one service that a token can be for; without any it is Graph.
    pub(super) fn single(&self) -> Result<Option<&Wanted>, Refusal> {
        if self.services.len() > 1 {
            return Err(Refusal::new(28000));
        }
        Ok(self.services.first())
    }
}

impl Resources {
    /// Lets scopes for `audience` begin with `name` as well.
    pub(super) fn add_name(&mut self, audience: &str, name: &str) {
        if let Some(resource) = self.0.iter_mut().find(|resource| resource.audience == audience) {
            resource.names.push(name.trim_end_matches('/').to_owned());
        }
    }

    /// Application permissions of a service.
    pub(super) fn has_role(&self, audience: &str, role: &str) -> bool {
        self.0.iter().any(|resource| resource.audience == audience && resource.roles.contains(&role))
    }

    /// Understands a `scope` parameter: scopes parted by spaces, each a platform scope, `SERVICE/PERMISSION`,
    /// `SERVICE/.default`, or a bare permission of Graph.
    pub(super) fn parse(&self, scope: &str) -> Result<Asked, Refusal> {
        let mut asked = Asked::default();
        for one in scope.split_whitespace() {
            if let Some(own) = OWN.iter().find(|own| own.eq_ignore_ascii_case(one)) {
                asked.own.insert(own);
                continue;
            }
            let (service, name) = one.rsplit_once('/').unwrap_or(("", one));
            let resource = self.find(service)?;
            let prefix = if service.is_empty() { String::new() } else { format!("{service}/") };
            let at = asked.services.iter().position(|wanted| wanted.audience == resource.audience);
            let at = at.unwrap_or_else(|| {
                let audience = resource.audience;
                asked.services.push(Wanted { audience, prefix, names: BTreeSet::new(), all: false });
                asked.services.len() - 1
            });
            let Some(wanted) = asked.services.get_mut(at) else { continue };
            if name == ".default" {
                wanted.all = true;
            } else {
                let known = resource.scopes.iter().find(|known| known.eq_ignore_ascii_case(name));
                let unknown = || {
                    Refusal::new(70011).saying(format!(
                        "The provided value for the input parameter 'scope' is not valid. The scope '{one}' does not exist."
                    ))
                };
                wanted.names.insert(known.ok_or_else(unknown)?);
            }
        }
        Ok(asked)
    }

    fn find(&self, name: &str) -> Result<&Resource, Refusal> {
        let fits = |resource: &&Resource| {
            let known = name.trim_end_matches('/');
            (known.is_empty() && resource.audience == GRAPH)
                || resource.audience == known
                || resource.names.iter().any(|other| other == known)
        };
        self.0.iter().find(fits).ok_or_else(|| {
            Refusal::new(500011)
                .saying(format!("The resource principal named {name} was not found in the tenant."))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_name_their_service_or_mean_graph() {
        let mut resources = Resources::default();
        resources.add_name(GRAPH, "https://localhost:1/");
        let asked =
            resources.parse("openid offline_access https://localhost:1/mail.readwrite User.Read").unwrap();
        let graph = asked.single().unwrap().unwrap();
        assert_eq!(
            (graph.audience, graph.prefix.as_str(), graph.all),
            (GRAPH, "https://localhost:1/", false)
        );
        assert!(graph.names.iter().eq(&["Mail.ReadWrite", "User.Read"]));
        assert!(asked.openid() && asked.offline());
        let both = "https://outlook.office.com/IMAP.AccessAsUser.All Mail.Read";
        assert_eq!(resources.parse(both).unwrap().single().unwrap_err().code, 28000);
        assert_eq!(resources.parse("Mail.Reed").unwrap_err().code, 70011);
        assert_eq!(resources.parse("https://other.example/.default").unwrap_err().code, 500011);
    }
}
