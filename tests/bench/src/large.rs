//! The memory that one large message takes: imported with its attachment cut out, which reads every octet twice.

use std::path::Path;

use anyhow::{Result, ensure};
use serde_json::{Map, Value, json};
use wissel_tests::dovecot::Dovecot;
use wissel_tests::scene::Entry;

use crate::installation::{Installation, JOB, MOVING};
use crate::measure::{self, Runs, Usage};
use crate::peers;
use crate::post::Post;
use crate::report::{Bound, Goal, Section};

/// What a run finds in the mailbox.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Nothing,
    Small,
    Large,
}

/// Runs each case in turn, `runs` times; the large message has `megabytes`.
pub(crate) fn bench(folder: &Path, runs: usize, megabytes: usize) -> Result<Section> {
    let mut cases = Vec::new();
    for (found, messages) in [
        (Found::Nothing, Vec::new()),
        (Found::Small, vec![message(20_000)]),
        (Found::Large, vec![message(megabytes * 1_000_000)]),
    ] {
        let post = Post::open(&messages)?;
        let folder = tempfile::tempdir_in(folder)?;
        let options = [MOVING, &["--attachments"]].concat();
        let wissel = Installation::make(folder.path(), &Entry::of(&post.server), &options)?;
        cases.push((found, post, wissel, folder, Runs::default()));
    }
    let mut mbsync = Runs::default();
    for _ in 0..runs {
        for (found, post, wissel, folder, runs) in &mut cases {
            post.reset()?;
            wissel.fresh()?;
            let command = &mut wissel.command(&["job", "run", JOB, "--json"]);
            let (usage, _) = measure::run(command, post.server.pid(), &[])?;
            let expected = usize::from(*found != Found::Nothing);
            ensure!(wissel.imported() == expected, "wissel imported {} messages", wissel.imported());
            runs.0.push(usage);
            if *found == Found::Large {
                post.reset()?;
                mbsync.0.push(beside(folder.path(), &post.server)?);
            }
        }
    }
    let mut section = Section {
        title: format!("one message of {megabytes} MB with an attachment, which is cut out"),
        head: vec!["", "peak MiB", "seconds", "CPU s", "server CPU s"],
        ..Section::default()
    };
    let mut data = Map::new();
    let mut row = |name: &str, runs: &Runs| {
        section.rows.push(vec![
            name.to_owned(),
            runs.sample(|usage| usage.peak).shown(1),
            runs.sample(|usage| usage.wall).shown(2),
            runs.sample(Usage::cpu).shown(2),
            runs.sample(|usage| usage.server).shown(2),
        ]);
        data.insert(name.to_owned(), runs.json());
    };
    let mut peaks = Vec::new();
    for (found, _, _, _, runs) in &cases {
        let name = match found {
            Found::Nothing => "wissel, an empty folder",
            Found::Small => "wissel, a message of 20 kB",
            Found::Large => "wissel, the large message",
        };
        row(name, runs);
        peaks.push(runs.sample(|usage| usage.peak).median());
    }
    row("mbsync, the large message", &mbsync);
    if let [nothing, _, large] = peaks.as_slice() {
        let (over, promised) = (large - nothing, 16.0);
        data.insert("peak_over_idle_mib".to_owned(), json!(over));
        let what = "peak MiB over a run that finds nothing".to_owned();
        section.goals.push(Goal { what, bound: Bound::AtMost(promised), seen: over });
    }
    section.notes.push("mbsync cuts no attachment out; it syncs the message, as wissel does.".to_owned());
    section.data = Value::Object(data);
    Ok(section)
}

fn beside(folder: &Path, server: &Dovecot) -> Result<Usage> {
    let mut command = peers::mbsync(folder, server.tls_port, &server.certificates().ca)?;
    let (usage, _) = measure::run(&mut command, server.pid(), &[])?;
    ensure!(peers::mbsync_count(folder) == 1, "mbsync brought no message");
    Ok(usage)
}

/// A message of about `size` octets, nearly all of it one attachment in base64.
fn message(size: usize) -> Vec<u8> {
    const HEAD: &str = "From: Leverancier <leverancier@example.test>\r\n\
        To: Inkoop <inkoop@example.test>\r\n\
        Subject: Tekeningen\r\n\
        Date: Sun, 22 Nov 2026 12:00:00 +0100\r\n\
        Message-ID: <tekeningen@example.test>\r\n\
        MIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=\"grens\"\r\n\r\n\
        --grens\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nBijgaand de tekeningen.\r\n\
        --grens\r\nContent-Type: application/pdf; name=\"tekeningen.pdf\"\r\n\
        Content-Disposition: attachment; filename=\"tekeningen.pdf\"\r\n\
        Content-Transfer-Encoding: base64\r\n\r\n";
    const LINE: &str = "VGVrZW5pbmdlbiB2YW4gZGUgbmlldXdlIGhhbCwgcGxhdHRlZ3JvbmQgZW4gZG9vcnNuZWRlLiAg\r\n";
    let lines = size.saturating_sub(HEAD.len()) / LINE.len();
    format!("{HEAD}{}--grens--\r\n", LINE.repeat(lines)).into_bytes()
}
