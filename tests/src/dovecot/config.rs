//! The configuration of a test Dovecot (2.3), written from its options. Starts and checks nothing.

use std::fmt::Write as _;
use std::path::Path;

use super::{MailFormat, Options, Trusted};
use crate::certificates::Files;

/// What the tokens' issuer calls itself.
pub(super) const ISSUER: &str = "https://login.example.test/v2.0";

/// The claim that names the mailbox.
pub(super) const USER_CLAIM: &str = "preferred_username";

/// The scope that a token must have.
pub(super) const SCOPE: &str = "IMAP.AccessAsUser.All";

/// Folders with a special use, named as a Dutch mailbox names them.
const SPECIAL: [(&str, &str); 5] = [
    ("Verzonden items", "\\Sent"),
    ("Concepten", "\\Drafts"),
    ("Verwijderde items", "\\Trash"),
    ("Ongewenste e-mail", "\\Junk"),
    ("Archief", "\\Archive"),
];

/// Local checks of tokens: nothing listens that Dovecot could ask.
pub(super) fn oauth2(folder: &Path, issuer: Option<&Trusted>) -> String {
    let other = issuer.map(|issuer| format!(" {}", issuer.address)).unwrap_or_default();
    format!(
        "introspection_mode = local\nlocal_validation_key_dict = fs:posix:prefix={}/keys/\n\
         issuers = {ISSUER}{other}\nusername_attribute = {USER_CLAIM}\nscope = {SCOPE}\n",
        folder.display()
    )
}

/// The main configuration.
pub(super) fn main(folder: &Path, options: &Options, certificates: &Files, ports: (u16, u16)) -> String {
    let mut text = String::new();
    general(&mut text, folder);
    listeners(&mut text, certificates, ports);
    sign_in(&mut text, folder);
    mail(&mut text, folder, options);
    text.push_str(&options.extra);
    text
}

fn general(text: &mut String, folder: &Path) {
    let dir = folder.display();
    let _ = write!(
        text,
        "protocols = imap\nbase_dir = {dir}/run\nstate_dir = {dir}/run\nlog_path = {dir}/log\n\
         log_timestamp = \"%H:%M:%S \"\nfirst_valid_uid = 1\n"
    );
    // Without root there is but one user to be, and no chroot.
    let (user, group) = (id("-un"), id("-gn"));
    if user == "root" {
        text.push_str("mail_uid = nobody\nmail_gid = nogroup\n");
    } else {
        let _ = write!(
            text,
            "mail_uid = {user}\nmail_gid = {group}\ndefault_login_user = {user}\n\
             default_internal_user = {user}\ndefault_internal_group = {group}\n"
        );
    }
    text.push_str("service stats {\n  chroot =\n}\n");
    // A refused password is answered at once: the penalty is kept in a socket that is closed.
    text.push_str(
        "service anvil {\n  chroot =\n  unix_listener anvil-auth-penalty {\n    mode = 0\n  }\n}\n",
    );
}

fn listeners(text: &mut String, certificates: &Files, (plain, tls): (u16, u16)) {
    let (certificate, key) = (certificates.certificate.display(), certificates.key.display());
    let _ = write!(
        text,
        "listen = 127.0.0.1\nssl = yes\nssl_cert = <{certificate}\nssl_key = <{key}\nssl_min_protocol = TLSv1.2\n\
         service imap-login {{\n  chroot =\n  service_count = 0\n  process_min_avail = 1\n  \
         inet_listener imap {{\n    port = {plain}\n  }}\n  \
         inet_listener imaps {{\n    port = {tls}\n    ssl = yes\n  }}\n}}\n\
         service imap {{\n  process_limit = 2000\n  client_limit = 1\n  service_count = 100\n}}\n"
    );
}

fn sign_in(text: &mut String, folder: &Path) {
    let dir = folder.display();
    let _ = write!(
        text,
        "disable_plaintext_auth = no\nauth_mechanisms = plain login xoauth2 oauthbearer\n\
         auth_username_format = %Lu\nauth_failure_delay = 0\nmail_max_userip_connections = 1000\n\
         passdb {{\n  driver = passwd-file\n  args = scheme=plain username_format=%Lu {dir}/users\n}}\n\
         passdb {{\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = {dir}/oauth2.conf\n}}\n\
         userdb {{\n  driver = static\n  args = home={dir}/home/%u\n}}\n"
    );
}

fn mail(text: &mut String, folder: &Path, options: &Options) {
    let dir = folder.display();
    let format = match options.mail {
        MailFormat::Maildir => "maildir",
        MailFormat::Mdbox => "mdbox",
    };
    let acl = if options.acl { (" acl", " imap_acl") } else { ("", "") };
    // listescape: a name may hold the characters that the store on disk uses for itself.
    let _ = write!(
        text,
        "mail_location = {format}:{dir}/mail/%u\nmail_fsync = never\nmailbox_list_index = yes\n\
         mail_plugins = listescape{}\nprotocol imap {{\n  mail_plugins = $mail_plugins{}\n",
        acl.0, acl.1
    );
    if let Some(capability) = &options.capability {
        let _ = writeln!(text, "  imap_capability = {capability}");
    }
    let _ = write!(
        text,
        "}}\nplugin {{\n  acl = vfile\n}}\nnamespace inbox {{\n  inbox = yes\n  separator = \"{}\"\n",
        if options.separator == '\\' { "\\\\".to_owned() } else { options.separator.to_string() }
    );
    if options.special_use {
        for (name, role) in SPECIAL {
            let _ = write!(
                text,
                "  mailbox \"{name}\" {{\n    auto = subscribe\n    special_use = {role}\n  }}\n"
            );
        }
    }
    text.push_str("}\n");
}

fn id(option: &str) -> String {
    let output = std::process::Command::new("id").arg(option).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
