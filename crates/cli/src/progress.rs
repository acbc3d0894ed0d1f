//! A progress bar for a person who waits.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use wissel_jobs::{Event, Progress};

use crate::text::Language;

/// A bar over octets; hidden unless `wanted` and standard error is a terminal.
pub(crate) fn octets(wanted: bool, total: u64) -> ProgressBar {
    let bar = ProgressBar::new(total);
    if !wanted || !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let style = ProgressStyle::with_template("{spinner} {wide_bar} {bytes}/{total_bytes} {eta}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

/// Shows a run as a bar on standard error, when that is a terminal.
pub(crate) struct Bar {
    bar: ProgressBar,
    counts: Mutex<Counts>,
    language: Language,
}

#[derive(Debug, Default)]
struct Counts {
    total: u64,
    imported: u64,
    quarantined: u64,
}

impl Bar {
    /// A bar; hidden unless `wanted` and standard error is a terminal.
    pub(crate) fn new(wanted: bool, language: Language) -> Self {
        let bar = ProgressBar::no_length();
        if !wanted || !std::io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        let style = ProgressStyle::with_template("{spinner} {prefix} {wide_bar} {pos}/{len} {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar, counts: Mutex::default(), language }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn say(&self, text: &str) {
        if self.bar.is_hidden() {
            crate::output::note(text);
        } else {
            self.bar.println(text);
        }
    }
}

impl Progress for Bar {
    fn on(&self, event: Event) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Folder { account, folder, total } => {
                counts.total += u64::from(total.unwrap_or(0));
                // Of nothing, all is done: the bar would be full before anything is known.
                if counts.total > 0 {
                    self.bar.set_length(counts.total);
                }
                self.bar.set_prefix(format!("{account}: {folder}"));
            }
            Event::Passed(passed) => self.bar.inc(passed),
            Event::Imported(imported) => {
                counts.imported += imported;
                self.bar.inc(imported);
            }
            Event::Quarantined => {
                counts.quarantined += 1;
                self.bar.inc(1);
            }
            Event::Retrying { reason, after_ms, .. } => {
                let seconds = after_ms.div_ceil(1000);
                self.say(&self.language.pick(
                    format!("{reason}\n  Trying again in {seconds} s."),
                    format!("{reason}\n  Nieuwe poging over {seconds} s."),
                ));
            }
        }
        let imported = self.language.pick("imported", "geïmporteerd");
        self.bar.set_message(format!("{} {imported}", counts.imported));
    }
}
