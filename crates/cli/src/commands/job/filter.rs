//! Which messages a job takes, as options.

use clap::Args;
use wissel_model::{Filter, Pattern};

/// Sender, subject and attachments. Of several patterns of one option, one has to fit; of several options, each.
#[derive(Debug, Args)]
#[command(next_help_heading = "Filter")]
pub(crate) struct FilterOptions {
    /// Import only from senders with this text, such as 'billing@example.com'; with `*`, it has to fit all of name and
    /// address: '*@example.com>'. Can be repeated
    #[arg(long, value_name = "TEXT")]
    from: Vec<Pattern>,
    /// Import only messages with this text in the subject; with `*`, it has to fit all of it. Can be repeated
    #[arg(long, value_name = "TEXT")]
    subject: Vec<Pattern>,
    /// Import only messages with an attachment; pictures within the text are none
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    with_attachment: Option<bool>,
    /// Import only messages with an attachment of such a name, such as '*.pdf'. Can be repeated
    #[arg(long, value_name = "TEXT")]
    attachment_name: Vec<Pattern>,
}

impl FilterOptions {
    /// Changes what is given.
    pub(crate) fn change(&self, filter: &mut Filter) {
        let set = |place: &mut Vec<Pattern>, given: &[Pattern]| {
            if !given.is_empty() {
                *place = given.to_vec();
            }
        };
        set(&mut filter.from, &self.from);
        set(&mut filter.subject, &self.subject);
        set(&mut filter.attachment_names, &self.attachment_name);
        filter.with_attachment = self.with_attachment.unwrap_or(filter.with_attachment);
    }
}

/// Patterns as a person reads them.
pub(crate) fn shown(patterns: &[Pattern]) -> String {
    let texts: Vec<String> = patterns.iter().map(|pattern| format!("'{pattern}'")).collect();
    texts.join(", ")
}
