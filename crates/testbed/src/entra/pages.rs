//! The pages that a browser shows: plain HTML forms that a person, or a test's script, fills in.
//!
//! Field names are those of Entra's own pages: `loginfmt`, `passwd`, `otc`, `ctx`.

use std::collections::BTreeSet;

/// Makes a text safe inside elements and quoted attributes.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <style>body{{font-family:sans-serif;max-width:28rem;margin:4rem auto}}label,button{{display:block;margin:.8rem 0}}\
         input{{width:100%}}.error{{color:#a00}}.ids{{color:#666;font-size:small}}</style></head>\n\
         <body>\n<p>Wissel test bed</p>\n<h1>{title}</h1>\n{body}</body></html>\n",
        title = escaped(title)
    )
}

fn complaint(text: Option<&str>) -> String {
    text.map(|text| format!("<p class=\"error\" id=\"error\">{}</p>\n", escaped(text))).unwrap_or_default()
}

fn form(context: &str, action: &str, fields: &str) -> String {
    format!(
        "<form method=\"post\" action=\"{action}\">\n<input type=\"hidden\" name=\"ctx\" value=\"{}\">\n{fields}</form>\n",
        escaped(context)
    )
}

pub(super) fn password(context: &str, app: &str, hint: &str, error: Option<&str>) -> String {
    let fields = format!(
        "<label>User <input type=\"email\" name=\"loginfmt\" value=\"{}\" required></label>\n\
         <label>Password <input type=\"password\" name=\"passwd\" required></label>\n\
         <button type=\"submit\">Sign in</button>\n",
        escaped(hint)
    );
    let intro = format!("{}<p>to continue to {}</p>\n", complaint(error), escaped(app));
    page("Sign in", &(intro + &form(context, "/login", &fields)))
}

pub(super) fn second_factor(context: &str, error: Option<&str>) -> String {
    let fields = "<label>Code <input name=\"otc\" autocomplete=\"one-time-code\" required></label>\n\
                  <button type=\"submit\">Verify</button>\n";
    page("Enter code", &(complaint(error) + &form(context, "/secondfactor", fields)))
}

/// `for_everybody`: an administrator may consent for all users.
pub(super) fn consent(
    context: &str,
    app: &str,
    user: &str,
    permissions: &BTreeSet<String>,
    for_everybody: bool,
) -> String {
    let items: String =
        permissions.iter().map(|permission| format!("<li>{}</li>\n", escaped(permission))).collect();
    let organisation = if for_everybody {
        "<label><input type=\"checkbox\" name=\"organization\" value=\"yes\"> Consent on behalf of your organization</label>\n"
    } else {
        ""
    };
    let fields = format!(
        "{organisation}<button type=\"submit\" name=\"consent\" value=\"accept\">Accept</button>\n\
         <button type=\"submit\" name=\"consent\" value=\"decline\">Cancel</button>\n"
    );
    let intro =
        format!("<p>{}</p>\n<p>{} would like to:</p>\n<ul>\n{items}</ul>\n", escaped(user), escaped(app));
    page("Permissions requested", &(intro + &form(context, "/consent", &fields)))
}

pub(super) fn need_admin(context: &str, app: &str, text: &str) -> String {
    let fields = "<button type=\"submit\" name=\"consent\" value=\"decline\">Return to the application without granting consent</button>\n";
    let intro = format!(
        "<p>{} needs permission to access resources in your organization that only an admin can grant. \
         Please ask an admin to grant permission to this app before you can use it.</p>\n{}",
        escaped(app),
        complaint(Some(text))
    );
    page("Need admin approval", &(intro + &form(context, "/consent", fields)))
}

pub(super) fn user_code(error: Option<&str>) -> String {
    let body = format!(
        "{}<form method=\"post\" action=\"/devicelogin\">\n<label>Code <input name=\"otc\" required></label>\n\
         <button type=\"submit\">Next</button>\n</form>\n",
        complaint(error)
    );
    page("Enter code", &body)
}

pub(super) fn done(app: &str) -> String {
    let text = format!(
        "<p id=\"done\">You have signed in to the {} application on your device. You may now close this window.</p>\n",
        escaped(app)
    );
    page("Signed in", &text)
}

pub(super) fn declined() -> String {
    page("Declined", "<p id=\"declined\">You declined. You may now close this window.</p>\n")
}

pub(super) fn error(text: &str, ids: &str) -> String {
    let body = format!(
        "<p>Sorry, but we're having trouble signing you in.</p>\n{}<p class=\"ids\">{}</p>\n",
        complaint(Some(text)),
        escaped(ids)
    );
    page("Sign in", &body)
}

/// A page that sends its fields on by itself (OAuth 2.0 Form Post Response Mode).
pub(super) fn form_post(uri: &str, parameters: &[(&str, String)]) -> String {
    let fields: String = parameters
        .iter()
        .map(|(name, value)| {
            format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">\n", escaped(value))
        })
        .collect();
    let body = format!(
        "<form method=\"post\" action=\"{}\">\n{fields}<button type=\"submit\">Continue</button>\n</form>\n\
         <script>document.forms[0].submit()</script>\n",
        escaped(uri)
    );
    page("Working", &body)
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_comes_from_outside_cannot_become_markup() {
        let page = super::password("c\"x", "<b>", "\"><script>", Some("it's <i>"));
        assert!(!page.contains("<b>") && !page.contains("<script>") && !page.contains("<i>"));
        assert!(page.contains("value=\"&quot;&gt;&lt;script&gt;\"") && page.contains("value=\"c&quot;x\""));
    }
}
