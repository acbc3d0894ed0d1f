//! What goes to standard output: one JSON document for programs, or tables and lines for people. Messages go to
//! standard error.

use std::io::{self, ErrorKind, Write};
use std::sync::OnceLock;

use comfy_table::{ContentArrangement, Table, presets};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

/// Prints the one document of a command. Control characters that JSON allows are escaped too.
pub(crate) fn json(document: &Value) {
    let text = format!("{document:#}");
    let escaped = text.chars().fold(String::with_capacity(text.len()), |mut escaped, character| {
        if is_command(character) {
            escaped.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            escaped.push(character);
        }
        escaped
    });
    line(&escaped);
}

/// Whether a terminal may obey this character: mail and connectors must not command the operator's.
fn is_command(character: char) -> bool {
    character.is_control() && character != '\n'
}

fn plain(text: &str) -> String {
    text.chars().map(|character| if is_command(character) { ' ' } else { character }).collect()
}

/// The first failure of standard output.
static FAILURE: OnceLock<String> = OnceLock::new();

/// Prints a line.
pub(crate) fn line(text: &str) {
    note_failure(writeln!(io::stdout(), "{}", plain(text)));
}

/// Prints a program text as it is: tabs count there.
pub(crate) fn script(text: &str) {
    note_failure(io::stdout().write_all(text.as_bytes()));
}

/// Remembers that something was not printed. A reader that went away (`| head`) is no failure.
pub(crate) fn note_failure(written: io::Result<()>) {
    if let Err(error) = written
        && error.kind() != ErrorKind::BrokenPipe
    {
        let _ = FAILURE.set(error.to_string());
    }
}

/// Writes what is still held back; tells why not all could be printed.
pub(crate) fn finish() -> Result<(), String> {
    note_failure(io::stdout().flush());
    FAILURE.get().map_or(Ok(()), |failure| Err(failure.clone()))
}

/// Prints a message for a person, beside the output.
pub(crate) fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", plain(text));
}

/// Prints a table.
pub(crate) fn table(header: &[&str], rows: Vec<Vec<String>>) {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header).add_rows(rows);
    line(&table.to_string());
}

/// Prints labels with their values, one a line; empty values are left out.
pub(crate) fn fields(fields: &[(&str, String)]) {
    let shown = || fields.iter().filter(|(_, value)| !value.is_empty());
    let width = shown().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
    for (label, value) in shown() {
        line(&format!("{label:width$}  {value}"));
    }
}

/// A moment as a person reads it, in the zone of this machine.
pub(crate) fn moment(moment: Timestamp) -> String {
    moment.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// [`moment`], or nothing.
pub(crate) fn moment_or_empty(when: Option<Timestamp>) -> String {
    when.map(moment).unwrap_or_default()
}

/// A number, or nothing.
pub(crate) fn number_or_empty<T: ToString>(number: Option<T>) -> String {
    number.map(|n| n.to_string()).unwrap_or_default()
}
