//! A traced run proves the order that makes a loss of power harmless: a file's content is synced, then renamed into
//! place, then its directory is synced, then the ledger's commit, and only then does a MOVE of that message leave the
//! process, while others are still on their way.

use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use wissel_tests::dovecot::Options;
use wissel_tests::paths;

use crate::bench::{Bench, Case, DIRECT, Published};
use crate::trace::{Call, calls};

const CALLS: &str = "trace=fsync,fdatasync,rename,renameat,renameat2,pwrite64,write,sendto,sendmsg,writev";

#[test]
fn everything_is_durable_before_its_move_leaves() {
    let mut bench = Bench::new(&Options::default());
    let mut case = bench.case(DIRECT, "move");
    // Compiles the connector and makes the folders, so that the traced run does nothing else.
    case.deliver(&bench, 3);
    case.finish(&bench);
    let before = fs::read_dir(&case.sink).unwrap().count();
    // More than the recorder takes at once, so that a folder's messages are in every stage at the same time.
    case.deliver(&bench, 450);
    let trace = calls(&traced(&bench, &case));
    case.check_finished(&bench, &Published::default());
    assert!(fs::read_dir(&case.sink).unwrap().count() >= before + 900);
    let moves = moves(&trace);
    let moved = |name: &str| {
        let (folder, uid) = place(&case.sink, name);
        moves
            .iter()
            .find(|one| one.folder == folder && one.uids.iter().any(|run| run.contains(&uid)))
            .map(|one| one.call)
    };
    let proven = prove(&trace, &case.sink, &bench.wissel.path("wissel.db-wal"), &moved);
    println!("{} calls, {} files, {} moves", trace.len(), proven, moves.len());
    assert!(proven >= 900, "each message has an .eml and a .json: {proven} files");
    assert!((3..=45).contains(&moves.len()), "many messages in each: {} moves", moves.len());
}

/// A UID MOVE as it left the process.
struct Move<'a> {
    call: &'a Call,
    folder: &'static str,
    uids: Vec<RangeInclusive<u32>>,
}

/// The moves of the trace, each with the folder that was open.
fn moves(trace: &[Call]) -> Vec<Move<'_>> {
    let mut sends: Vec<_> = trace.iter().filter(|call| is_send(call)).collect();
    sends.sort_by_key(|call| call.begun);
    let (mut moves, mut folder) = (Vec::new(), "");
    for call in sends {
        if [" SELECT ", " EXAMINE "].iter().any(|command| call.text.contains(command)) {
            folder = which(&call.text);
        }
        if let Some((_, set)) = call.text.split_once(" UID MOVE ") {
            let uids = set.split(' ').next().unwrap().split(',').map(|run| {
                let (first, last) = run.split_once(':').unwrap_or((run, run));
                first.parse().unwrap()..=last.parse().unwrap()
            });
            moves.push(Move { call, folder, uids: uids.collect() });
        }
    }
    moves
}

/// The folder and the UID of the message that a published file belongs to.
fn place(sink: &Path, name: &str) -> (&'static str, u32) {
    let key = name.split('.').next().unwrap();
    let text = fs::read(sink.join(format!("{key}.json"))).unwrap();
    let said: Value = serde_json::from_slice(&text).unwrap();
    let uid = said["provider_id"].as_str().unwrap().split('.').nth(1).unwrap();
    (which(&said["folder"].to_string()), uid.parse().unwrap())
}

/// Which of the case's folders a text names; the parent when none of its subfolders.
fn which(text: &str) -> &'static str {
    ["Facturen", "Offertes"].into_iter().find(|name| text.contains(name)).unwrap_or_default()
}

fn named(names: &[&str], call: &Call) -> bool {
    names.contains(&call.name.as_str()) && call.succeeded()
}

fn is_send(call: &Call) -> bool {
    named(&["sendto", "sendmsg", "write", "writev"], call)
}

fn traced(bench: &Bench, case: &Case) -> String {
    let file = bench.wissel.path("trace");
    let mut strace = Command::new(xtask::process::find("strace").expect("run `cargo xtask setup`"));
    strace
        .args(["-f", "-y", "-s", "200", "-e", CALLS, "-o"])
        .arg(&file)
        .arg(paths::wissel())
        .args(case.run());
    strace.env("WISSEL_HOME", bench.wissel.home()).env("WISSEL_CONNECTORS", paths::connectors());
    let output = strace.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&fs::read(file).unwrap()).into_owned()
}

/// Panics, naming file and step, unless the order holds for every file that was renamed into `sink`; `moved` finds the
/// MOVE of the message that a file belongs to. Returns how many files they were.
fn prove<'a>(trace: &'a [Call], sink: &Path, log: &Path, moved: &dyn Fn(&str) -> Option<&'a Call>) -> usize {
    let (sink, log) = (sink.to_str().unwrap(), log.to_str().unwrap());
    let syncs = |path: &str| -> Vec<&Call> {
        let of_path =
            |call: &&Call| named(&["fsync", "fdatasync"], call) && call.descriptor_path() == Some(path);
        trace.iter().filter(of_path).collect()
    };
    let writes = |call: &&Call| named(&["pwrite64", "write"], call) && call.descriptor_path() == Some(log);
    let log_writes: Vec<_> = trace.iter().filter(writes).collect();
    let (directory_syncs, log_syncs) = (syncs(sink), syncs(log));
    let mut files = 0;
    let renames = trace.iter().filter(|call| named(&["rename", "renameat", "renameat2"], call));
    for rename in renames {
        let &[from, to] = rename.quoted().as_slice() else { panic!("{rename:?}") };
        let name = to.strip_prefix(sink).map(|name| name.trim_start_matches('/'));
        let Some(name) = name.filter(|name| !name.starts_with('.') && !name.contains('/')) else { continue };
        files += 1;
        let content = syncs(from).into_iter().any(|sync| sync.ended < rename.begun);
        assert!(content, "{to}: renamed before its content was synced");
        let moved = moved(name).unwrap_or_else(|| panic!("{to}: no MOVE of it"));
        assert!(rename.ended < moved.begun, "{to}: its MOVE left before it was renamed");
        let first = |calls: &[&Call], after: usize, what: &str| {
            let found = calls.iter().find(|call| call.begun > after && call.ended < moved.begun);
            found.unwrap_or_else(|| panic!("{to}: its MOVE left before {what}")).ended
        };
        let directory = first(&directory_syncs, rename.ended, "its directory was synced");
        let written = first(&log_writes, directory, "the ledger was written, after the directory was synced");
        first(&log_syncs, written, "the ledger's commit was synced");
    }
    files
}

#[test]
fn a_wrong_order_is_seen() {
    let right = [
        "fsync(3</s/.incoming/a>) = 0",
        "rename(\"/s/.incoming/a\", \"/s/a\") = 0",
        "fsync(4</s>) = 0",
        "pwrite64(5</l>, \"x\", 1, 0) = 1",
        "fdatasync(5</l>) = 0",
        "sendto(6<socket:[1]>, \"A1 UID MOVE 1 \\\"x\\\"\\r\\n\", 9, 0, NULL, 0) = 9",
    ];
    let proven = |lines: &[&str]| {
        let trace: String = lines.iter().map(|line| format!("1 {line}\n")).collect();
        let trace = calls(&trace);
        let moves = moves(&trace);
        let moved = |_: &str| moves.first().map(|one| one.call);
        prove(&trace, Path::new("/s"), Path::new("/l"), &moved) == 1
    };
    assert!(proven(&right));
    for step in 0..right.len() - 1 {
        let mut wrong = right;
        wrong.swap(step, step + 1);
        assert!(std::panic::catch_unwind(|| proven(&wrong)).is_err(), "{wrong:?}");
    }
}
