//! What goes to standard output: one JSON document for programs, or tables and lines for people. Messages go to
//! standard error.

use std::io::{self, ErrorKind, Write};
use std::sync::OnceLock;

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;
use wissel_model::MessageKey;

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

/// Columns of a terminal that does not say how many it has.
const USUAL: u16 = 80;
/// The longest word that a table is not broken off in; dates and keys may be longer.
const WORD: usize = 20;

/// Prints a table. Where dates, keys and words do not fit beside each other, each row becomes a list of fields.
pub(crate) fn table(header: &[&str], rows: Vec<Vec<String>>) {
    let terminal = Table::new().width();
    let rows = match arranged(header, rows, terminal) {
        Ok(table) => return line(&table.to_string()),
        Err(rows) => rows,
    };
    for (at, row) in rows.into_iter().enumerate() {
        if at > 0 {
            line("");
        }
        fields(&header.iter().copied().zip(row).collect::<Vec<_>>());
    }
}

/// The table, or the rows again when they do not fit.
fn arranged(header: &[&str], rows: Vec<Vec<String>>, width: Option<u16>) -> Result<Table, Vec<Vec<String>>> {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    let narrowest = narrowest(header, &rows);
    if let Some(width) = width {
        let width = if width == 0 { USUAL } else { width };
        if narrowest.iter().map(|column| column + 3).sum::<usize>() >= usize::from(width) {
            return Err(rows);
        }
        table.set_width(width);
    }
    table.set_header(header).add_rows(rows);
    let lower = |column: usize| Width::Fixed(u16::try_from(column + 2).unwrap_or(USUAL));
    table.set_constraints(narrowest.into_iter().map(|column| ColumnConstraint::LowerBoundary(lower(column))));
    Ok(table)
}

/// What each column needs so that no date, key or word in it is broken.
fn narrowest(header: &[&str], rows: &[Vec<String>]) -> Vec<usize> {
    let word =
        |text: &str| text.split_whitespace().map(|word| word.chars().count()).max().unwrap_or(0).min(WORD);
    let needs =
        |text: &str| text.lines().map(|line| whole(line).unwrap_or_else(|| word(line))).max().unwrap_or(0);
    let cells = |column: usize| rows.iter().filter_map(move |row| row.get(column));
    let columns = header.iter().enumerate();
    columns.map(|(at, title)| cells(at).map(|cell| needs(cell)).max().unwrap_or(0).max(word(title))).collect()
}

/// The length of a date with its time, or of a key: a person copies it as a whole.
fn whole(line: &str) -> Option<usize> {
    let length = line.chars().count();
    let is_moment = line.get(..19).is_some_and(|start| start.parse::<DateTime>().is_ok()) && length < 28;
    (is_moment || MessageKey::parse(line).is_ok()).then_some(length)
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

/// A moment in a time zone, with what the zone is called then, or with its offset.
pub(crate) fn moment_in(moment: Timestamp, zone: &str) -> String {
    let zone = TimeZone::get(zone).unwrap_or_else(|_| TimeZone::system());
    moment.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

/// [`moment`], or nothing.
pub(crate) fn moment_or_empty(when: Option<Timestamp>) -> String {
    when.map(moment).unwrap_or_default()
}

/// A number, or nothing.
pub(crate) fn number_or_empty<T: ToString>(number: Option<T>) -> String {
    number.map(|n| n.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_keys_and_words_are_whole_in_a_narrow_table_or_it_is_none() {
        let (key, date) = ("01940000-0000-7000-8000-000000000001", "2026-11-22 10:00:00");
        let rows = |subject: &str| vec![vec![date.to_owned(), subject.to_owned(), key.to_owned()]];
        let header = ["Since", "Subject", "Key"];
        let shown = arranged(&header, rows("Factuur van november"), Some(80));
        let text = shown.unwrap().to_string();
        for whole in [date, key, "Factuur", "november"] {
            assert!(text.contains(whole), "{whole}: {text}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert!(arranged(&header, rows("Aanbetalingsfactuur"), Some(60)).is_err(), "too narrow");
        assert!(arranged(&header, rows("Aanbetalingsfactuur"), None).is_ok(), "no terminal");
        assert_eq!(arranged(&header, rows("x"), Some(0)).unwrap().width(), Some(80));
    }
}
