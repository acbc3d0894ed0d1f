//! The lines that a person types or pastes while a sign-in is waited for.

use tokio::sync::mpsc::{Receiver, channel};
use wissel_auth::Answer;

use crate::output;
use crate::text::Language;

/// Standard input, read by whoever wants a line next. Nothing reads it before.
#[derive(Default)]
pub(super) struct Lines(tokio::sync::Mutex<Option<Receiver<String>>>);

impl Lines {
    /// The next line; none at the end.
    pub(super) async fn next(&self) -> Option<String> {
        let mut lines = self.0.lock().await;
        lines.get_or_insert_with(read).recv().await
    }

    /// The next line that can be an answer to a sign-in. What cannot be one is said so, and the next one is waited for;
    /// none comes at the end.
    pub(super) async fn answer(&self) -> Option<Answer> {
        while let Some(line) = self.next().await {
            if line.trim().is_empty() {
                continue;
            }
            match Answer::read(&line) {
                Ok(answer) => return Some(answer),
                Err(error) => output::note(&error.to_string()),
            }
        }
        None
    }

    /// Whether a person says yes; anything else is a no.
    pub(super) async fn agrees(&self, question: &str, language: Language) -> bool {
        output::note(&format!("{question} [{}]", language.pick("y/N", "j/N")));
        let line = self.next().await.unwrap_or_default();
        matches!(line.trim().to_lowercase().as_str(), "y" | "yes" | "j" | "ja")
    }
}

fn read() -> Receiver<String> {
    let (send, lines) = channel(1);
    // Not on the runtime's threads: a read that nobody answers must hold up nothing.
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if send.blocking_send(line).is_err() {
                break;
            }
        }
    });
    lines
}
