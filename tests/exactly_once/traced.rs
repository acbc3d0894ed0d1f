//! A traced run proves the order that makes a loss of power harmless: a file's content is synced, then renamed into
//! place, then its directory is synced, then the ledger's commit, and only then does a MOVE leave the process.

use std::fs;
use std::path::Path;
use std::process::Command;

use wissel_tests::dovecot::Options;
use wissel_tests::paths;

use crate::bench::{Bench, Case, DIRECT, Published};
use crate::trace::{Call, calls};

const CALLS: &str = "trace=fsync,fdatasync,rename,renameat,renameat2,pwrite64,write,sendto,sendmsg,writev";

#[test]
fn everything_is_durable_before_the_first_move_leaves() {
    let mut bench = Bench::new(&Options::default());
    let mut case = bench.case(DIRECT, "move");
    // Compiles the connector and makes the folders, so that the traced run does nothing else.
    case.deliver(&bench, 3);
    case.finish(&bench);
    let before = fs::read_dir(&case.sink).unwrap().count();
    case.deliver(&bench, 60);
    let trace = calls(&traced(&bench, &case));
    case.check_finished(&bench, &Published::default());
    assert!(fs::read_dir(&case.sink).unwrap().count() >= before + 120);
    let proven = prove(&trace, &case.sink, &bench.wissel.path("wissel.db-wal"));
    println!("{} calls, {} files, {} moves", trace.len(), proven.files, proven.moves);
    assert!(proven.files >= 120, "each message has an .eml and a .json: {} files", proven.files);
    assert_eq!(proven.moves, 3, "one for each folder");
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

struct Proven {
    files: usize,
    moves: usize,
}

/// Panics, naming file and step, unless the order holds for every file that was renamed into `sink`.
fn prove(trace: &[Call], sink: &Path, log: &Path) -> Proven {
    let (sink, log) = (sink.to_str().unwrap(), log.to_str().unwrap());
    let named = |names: &[&str], call: &Call| names.contains(&call.name.as_str()) && call.succeeded();
    let syncs = |path: &str| -> Vec<&Call> {
        let of_path =
            |call: &&Call| named(&["fsync", "fdatasync"], call) && call.descriptor_path() == Some(path);
        trace.iter().filter(of_path).collect()
    };
    let sends = |call: &&Call| named(&["sendto", "sendmsg", "write", "writev"], call);
    let moves: Vec<_> = trace.iter().filter(sends).filter(|call| call.text.contains(" UID MOVE ")).collect();
    let writes = |call: &&Call| named(&["pwrite64", "write"], call) && call.descriptor_path() == Some(log);
    let log_writes: Vec<_> = trace.iter().filter(writes).collect();
    let (directory_syncs, log_syncs) = (syncs(sink), syncs(log));
    let mut files = 0;
    let renames = trace.iter().filter(|call| named(&["rename", "renameat", "renameat2"], call));
    for rename in renames {
        let &[from, to] = rename.quoted().as_slice() else { panic!("{rename:?}") };
        let name = to.strip_prefix(sink).map(|name| name.trim_start_matches('/'));
        if !name.is_some_and(|name| !name.starts_with('.') && !name.contains('/')) {
            continue;
        }
        files += 1;
        let early = files == 1 && moves.iter().any(|call| call.begun < rename.begun);
        assert!(!early, "{to}: a MOVE left before anything was published");
        let content = syncs(from).into_iter().any(|sync| sync.ended < rename.begun);
        assert!(content, "{to}: renamed before its content was synced");
        // The first command after it is for its batch at the earliest: whatever it moves, this file must be safe.
        let Some(moved) = moves.iter().find(|call| call.begun > rename.begun) else {
            panic!("{to}: no MOVE after it")
        };
        assert!(rename.ended < moved.begun, "{to}: a MOVE left while it was being renamed");
        let first = |calls: &[&Call], after: usize, what: &str| {
            let found = calls.iter().find(|call| call.begun > after && call.ended < moved.begun);
            found.unwrap_or_else(|| panic!("{to}: a MOVE left before {what}")).ended
        };
        let directory = first(&directory_syncs, rename.ended, "its directory was synced");
        let written = first(&log_writes, directory, "the ledger was written, after the directory was synced");
        first(&log_syncs, written, "the ledger's commit was synced");
    }
    Proven { files, moves: moves.len() }
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
        prove(&calls(&trace), Path::new("/s"), Path::new("/l")).files == 1
    };
    assert!(proven(&right));
    for step in 0..right.len() - 1 {
        let mut wrong = right;
        wrong.swap(step, step + 1);
        assert!(std::panic::catch_unwind(|| proven(&wrong)).is_err(), "{wrong:?}");
    }
}
