//! Ten times more messages, folders and ledger rows: time may grow as much, memory may not.

use std::path::Path;

use anyhow::{Result, ensure};
use serde_json::{Map, Value, json};
use wissel_tests::dovecot::ALICE;
use wissel_tests::imap::mailbox;
use wissel_tests::scene::Entry;

use crate::distant::Distant;
use crate::installation::{Installation, JOB, LEAVING, MOVING};
use crate::measure::{self, Runs, Usage};
use crate::post::Post;
use crate::report::{Bound, Goal, Section};

/// How many times more.
const TIMES: usize = 10;
/// Messages for each folder, of which there are so many fewer.
const IN_A_FOLDER: usize = 20;
/// Messages of the folder in the cloud.
const IN_THE_CLOUD: usize = 2_000;
/// What arrives in a mailbox whose job has a ledger already.
const ARRIVING: usize = 300;

/// One kind of growth: the runs over little and over much.
#[derive(Default)]
struct Growth {
    little: Runs,
    much: Runs,
}

/// Measures `runs` times, with this many messages and with ten times as many.
pub(crate) fn bench(folder: &Path, runs: usize, messages: usize) -> Result<Section> {
    let (mut imports, mut ledgers, mut folders) = (Growth::default(), Growth::default(), Growth::default());
    let few = Subject::filled(folder, messages)?;
    let many = Subject::filled(folder, messages * TIMES)?;
    let narrow = Subject::with_folders(folder, messages / IN_A_FOLDER)?;
    let wide = Subject::with_folders(folder, messages / IN_A_FOLDER * TIMES)?;
    let (mut marked, mut listed) = (Growth::default(), Growth::default());
    let (mut near, mut far) =
        (Distant::with(folder, IN_THE_CLOUD)?, Distant::with(folder, IN_THE_CLOUD * TIMES)?);
    for _ in 0..runs {
        for (subject, imported, added) in
            [(&few, &mut imports.little, &mut ledgers.little), (&many, &mut imports.much, &mut ledgers.much)]
        {
            subject.reset()?;
            imported.0.push(subject.import(subject.messages)?);
            // The folder is empty now, and the ledger is not.
            let arriving: Vec<_> = (0..ARRIVING).map(|number| message(subject.messages + number)).collect();
            subject.post.server.imap(ALICE).append("INBOX", &arriving);
            added.0.push(subject.import(subject.messages + ARRIVING)?);
        }
        for (subject, looked) in [(&narrow, &mut folders.little), (&wide, &mut folders.much)] {
            subject.reset()?;
            looked.0.push(subject.import(subject.messages)?);
        }
        for (subject, marks, lists) in [
            (&mut near, &mut marked.little, &mut listed.little),
            (&mut far, &mut marked.much, &mut listed.much),
        ] {
            let [first, again] = subject.marked_and_listed()?;
            marks.0.push(first);
            lists.0.push(again);
        }
    }
    Ok(report(&[
        ("messages", messages, &imports),
        ("folders", messages / IN_A_FOLDER, &folders),
        ("ledger rows", messages, &ledgers),
        ("messages over Graph, marked as done", IN_THE_CLOUD, &marked),
        ("messages over Graph, looked through", IN_THE_CLOUD, &listed),
    ]))
}

fn report(growths: &[(&'static str, usize, &Growth)]) -> Section {
    let mut section = Section {
        title: format!("{TIMES} times more messages, folders and ledger rows"),
        head: vec!["", "of each", "seconds", "CPU s", "peak MiB", "times the CPU", "times the peak"],
        ..Section::default()
    };
    let mut data = Map::new();
    for &(what, count, growth) in growths {
        let ratio = |figure: fn(&Usage) -> f64| growth.much.ratio(&growth.little, figure);
        let (cpu, peak) = (ratio(Usage::cpu), ratio(|usage| usage.peak));
        for (count, runs, last) in [(count, &growth.little, false), (count * TIMES, &growth.much, true)] {
            section.rows.push(vec![
                what.to_owned(),
                count.to_string(),
                runs.sample(|usage| usage.wall).shown(2),
                runs.sample(Usage::cpu).shown(2),
                runs.sample(|usage| usage.peak).shown(0),
                if last { cpu.shown(1) } else { String::new() },
                if last { peak.shown(2) } else { String::new() },
            ]);
            data.insert(format!("{count} {what}"), runs.json());
        }
        data.insert(format!("{what}, times"), json!({ "cpu": cpu.json(), "peak": peak.json() }));
        // Linear is ten times, for the ledger none: the same work is done beside it.
        let most = if what == "ledger rows" { 1.5 } else { 12.0 };
        let mut goal = |of: &str, most, seen| {
            section.goals.push(Goal {
                what: format!("{TIMES}x {what}: times the {of}"),
                bound: Bound::AtMost(most),
                seen,
            });
        };
        goal("CPU", most, cpu.median());
        goal("peak memory", 1.25, peak.median());
    }
    section.notes = vec![
        "messages: imported and moved. folders: as sub folders of one job, with a message each, imported and left.".into(),
        "Over Graph: `wissel job baseline`, then a run that finds nothing new. The test bed sorts the folder for each page, so the seconds".into(),
        "grow faster than Wissel's CPU.".into(),
        format!("ledger rows: an import of {ARRIVING} further messages by a job that has imported so many before."),
    ];
    section.data = Value::Object(data);
    section
}

/// A mailbox and an installation for it, in a folder of its own.
struct Subject {
    post: Post,
    wissel: Installation,
    messages: usize,
    _folder: tempfile::TempDir,
}

impl Subject {
    /// Messages in the inbox.
    fn filled(folder: &Path, messages: usize) -> Result<Self> {
        let mail: Vec<_> = (0..messages).map(message).collect();
        Self::of(folder, Post::open(&mail)?, messages, MOVING)
    }

    /// Folders below the inbox with a message each.
    fn with_folders(folder: &Path, folders: usize) -> Result<Self> {
        let post = Post::prepared(|imap| {
            for number in 0..folders {
                let name = format!("INBOX/Klant {number}");
                imap.command(&format!("CREATE {}", mailbox(&name)));
                imap.append(&name, &[message(number)]);
            }
        })?;
        Self::of(folder, post, folders, &[LEAVING, &["--subfolders"]].concat())
    }

    fn of(folder: &Path, post: Post, messages: usize, job: &[&str]) -> Result<Self> {
        let folder = tempfile::tempdir_in(folder)?;
        let wissel = Installation::make(folder.path(), &Entry::of(&post.server), job)?;
        Ok(Self { post, wissel, messages, _folder: folder })
    }

    fn reset(&self) -> Result<()> {
        self.post.reset()?;
        self.wissel.fresh()
    }

    /// A run, after which so many messages have been imported in all.
    fn import(&self, expected: usize) -> Result<Usage> {
        let command = &mut self.wissel.command(&["job", "run", JOB, "--json"]);
        let (usage, _) = measure::run(command, self.post.server.pid(), &[])?;
        let imported = self.wissel.imported();
        ensure!(imported == expected, "wissel imported {imported} messages, not {expected}");
        Ok(usage)
    }
}

/// A message of 2 kB.
pub(crate) fn message(number: usize) -> Vec<u8> {
    let text = "De goederen zijn volgens afspraak geleverd en in goede orde ontvangen.\r\n".repeat(23);
    format!(
        "From: Leverancier <leverancier@example.test>\r\nTo: Inkoop <inkoop@example.test>\r\n\
         Subject: Factuur {number}\r\nDate: Sun, 22 Nov 2026 12:00:00 +0100\r\n\
         Message-ID: <{number}@leverancier.example.test>\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=us-ascii\r\n\r\n{text}"
    )
    .into_bytes()
}
