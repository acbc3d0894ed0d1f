//! A job is switched from a password account to an OAuth account of the same mailbox and back, and killed on the way,
//! with messages in every state: afterwards it refers to one of the two, and no message is lost or imported again.

use std::process::Command;
use std::time::{Duration, Instant};

use fastrand::Rng;
use wissel_tests::dovecot::{ALICE, Dovecot, Options, PASSWORD, SCOPE};

use crate::bench::{Bench, Case, Published};
use crate::random::seed;

/// Points of a switch.
pub(crate) const POINTS: [&str; 2] = ["switch-planned", "switched"];

const BY_PASSWORD: &str = "Wachtwoord";
const BY_TOKEN: &str = "Token";

/// Random kills of a switch, for each action.
const ROUNDS: u64 = 16;

/// A bench with the two accounts, both over TLS. The server takes XOAUTH2 and no other mechanism for tokens.
fn bench() -> Bench {
    let extra = "auth_mechanisms = plain login xoauth2\n".to_owned();
    let bench = Bench::new(&Options { acl: true, extra, ..Options::default() });
    let server = &bench.server;
    add_account(&bench, BY_PASSWORD, ["--auth", "password", "--password-stdin"], PASSWORD);
    let token = server.token(ALICE, 3600, SCOPE);
    add_account(&bench, BY_TOKEN, ["--auth", "oauth2", "--token-stdin"], &token);
    bench
}

fn add_account(bench: &Bench, name: &str, auth: [&str; 3], secret: &str) {
    let (port, user) = (format!("port={}", bench.server.tls_port), format!("user={ALICE}"));
    let ca = bench.server.certificates().ca.to_str().unwrap();
    let account = ["account", "add", name, "--connector", "imap", "--ca-file", ca];
    let settings = ["--set", "host=localhost", "--set", &port, "--set", "security=implicit", "--set", &user];
    let _ = bench.wissel.run_with(&[&account[..], &auth, &settings].concat(), secret).success();
}

/// The job's way from one account to the other.
struct Way<'a> {
    case: &'a str,
    from: &'static str,
    to: &'static str,
}

impl Way<'_> {
    fn command(&self) -> [&str; 8] {
        ["job", "switch", self.case, "--from", self.from, "--to", self.to, "--json"]
    }
}

fn there(case: &str) -> Way<'_> {
    Way { case, from: BY_PASSWORD, to: BY_TOKEN }
}

fn back(case: &str) -> Way<'_> {
    Way { case, from: BY_TOKEN, to: BY_PASSWORD }
}

/// Records of switches in the audit trail, read by another SQLite than Wissel's.
fn switches_recorded(bench: &Bench) -> usize {
    let query = "import sqlite3,sys; print(sqlite3.connect(sys.argv[1]).execute(\
                 \"SELECT count(*) FROM audit WHERE action = 'job.switch'\").fetchone()[0])";
    let output =
        Command::new("python3").args(["-c", query]).arg(bench.wissel.path("wissel.db")).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().parse().unwrap_or_else(|_| panic!("{output:?}"))
}

/// The job refers to `account` alone, and `switches` are on record.
fn assert_stands(bench: &Bench, case: &Case, account: &str, switches: usize) {
    assert_eq!(case.accounts(bench), [account]);
    assert_eq!(switches_recorded(bench), switches, "records of switches");
}

/// Dies at both points of a switch; `before` switches are on record.
fn switch_with_deaths(bench: &mut Bench, case: &Case, way: &Way<'_>, before: usize) {
    bench.dies_at("switch-planned", &way.command());
    assert_stands(bench, case, way.from, before);
    bench.dies_at("switched", &way.command());
    assert_stands(bench, case, way.to, before + 1);
    // Kept in the account that was left, a reservation would hide that its message is imported meanwhile.
    assert_eq!(case.in_state(bench, "reserved"), 0);
    // A person who does not know that it was done asks again.
    let again = bench.wissel.run(&way.command());
    assert_eq!(again.code, Some(2), "{again:?}");
    assert_stands(bench, case, way.to, before + 1);
}

fn forbid_moving(server: &Dovecot, folder: &str) {
    server.doveadm(&["acl", "set", "-u", ALICE, folder, "owner", "lookup", "read"]);
}

fn allow_moving(server: &Dovecot, folder: &str) {
    server.doveadm(&["acl", "delete", "-u", ALICE, folder, "owner"]);
}

/// Leaves messages in every state: done, delivered but not moved, reserved, unknown.
fn every_state(bench: &mut Bench, case: &mut Case, moving: bool) {
    case.deliver(bench, 30);
    case.finish(bench);
    case.deliver(bench, 30);
    bench.dies_at("ledger-delivered:1", &case.run());
    if moving {
        // While nothing can be moved, what is delivered stays so.
        forbid_moving(&bench.server, &case.processed);
    }
    bench.dies_at("sink-staged:3", &case.run());
    // How many messages were recorded meanwhile depends on how they met in groups.
    if moving {
        allow_moving(&bench.server, &case.processed);
        assert!(case.in_state(bench, "delivered") >= 1);
    }
    assert!(case.in_state(bench, "reserved") >= 1);
    assert!(case.in_state(bench, "done") >= 30);
}

fn there_and_back(action: &'static str) {
    let mut bench = bench();
    let mut case = bench.case(BY_PASSWORD, action);
    every_state(&mut bench, &mut case, action == "move");
    let mut published = case.check_crashed(&bench);
    switch_with_deaths(&mut bench, &case, &there(&case.job), 0);
    case.deliver(&bench, 9);
    case.finish(&bench);
    case.check_finished(&bench, &published);

    every_state(&mut bench, &mut case, action == "move");
    published = case.check_crashed(&bench);
    switch_with_deaths(&mut bench, &case, &back(&case.job), 1);
    case.deliver(&bench, 9);
    case.finish(&bench);
    case.check_finished(&bench, &published);
    println!("{action}: {} messages, {} switches", case.count(), switches_recorded(&bench));
}

#[test]
fn there_and_back_with_messages_that_are_moved() {
    there_and_back("move");
}

#[test]
fn there_and_back_with_messages_that_stay() {
    there_and_back("leave");
}

#[test]
fn away_from_an_account_that_is_dead() {
    for action in ["move", "leave"] {
        let mut bench = bench();
        let mut case = bench.case(BY_PASSWORD, action);
        every_state(&mut bench, &mut case, action == "move");
        let edit = ["account", "edit", BY_PASSWORD, "--password-stdin"];
        let _ = bench.wissel.run_with(&edit, "changed by somebody").success();
        assert_eq!(bench.wissel.run(&case.run()).code, Some(4), "the old account is refused");
        let published = case.check_crashed(&bench);
        switch_with_deaths(&mut bench, &case, &there(&case.job), 0);
        case.finish(&bench);
        case.check_finished(&bench, &published);
    }
}

fn killed_at_random(action: &'static str) {
    let mut bench = bench();
    let mut case = bench.case(BY_PASSWORD, action);
    case.deliver(&bench, 90);
    let run = case.finish(&bench);
    let begun = Instant::now();
    let _ = bench.wissel.json(&[
        "job",
        "switch",
        &case.job,
        "--from",
        BY_PASSWORD,
        "--to",
        BY_TOKEN,
        "--dry-run",
    ]);
    let mut duration = begun.elapsed();
    let seed = seed();
    println!("WISSEL_SEED={seed}: {action}, a switch takes {duration:.2?}");
    let (mut published, mut switches, mut hits, mut early) = (Published::default(), 0, 0, 0);
    for round in 0..ROUNDS {
        let mut rng = Rng::with_seed(seed.wrapping_add(round));
        let (from, to) = if switches % 2 == 0 { (BY_PASSWORD, BY_TOKEN) } else { (BY_TOKEN, BY_PASSWORD) };
        let job = case.job.clone();
        let way = Way { case: &job, from, to };
        case.deliver(&bench, rng.u64(6..24));
        kill(&mut bench, &mut case, &["job", "run", &job], run.mul_f64(rng.f64()));
        let after = duration.mul_f64(rng.f64() * 1.2);
        let hit = kill(&mut bench, &mut case, &way.command(), after);
        if !hit {
            // The machine was busier when the duration was measured.
            duration = duration.min(after);
        }
        hits += u32::from(hit);
        published = case.check_crashed(&bench);
        let now = case.accounts(&bench);
        assert!(now == [from] || now == [to], "round {round}: {now:?}");
        if now == [from] {
            early += 1;
            assert_stands(&bench, &case, from, switches);
            let _ = bench.wissel.run(&way.command()).success();
        }
        switches += 1;
        assert_stands(&bench, &case, to, switches);
        if rng.bool() {
            case.finish(&bench);
        }
    }
    println!(
        "{ROUNDS} rounds, {hits} kills hit, {early} of them before the switch, {} messages",
        case.count()
    );
    assert!(hits * 3 > ROUNDS as u32, "most kills came too late: {hits} of {ROUNDS} hit");
    case.finish(&bench);
    case.check_finished(&bench, &published);
}

/// Kills a command after this time, while new messages arrive. False when it had ended before.
fn kill(bench: &mut Bench, case: &mut Case, command: &[&str], after: Duration) -> bool {
    let begun = Instant::now();
    let mut running = bench.wissel.spawn(command);
    std::thread::sleep(after / 2);
    let new = case.letters(1, 2);
    bench.server.deliver(ALICE, &case.folders[1], &new);
    std::thread::sleep(after.saturating_sub(begun.elapsed()));
    let hit = running.is_running();
    running.kill();
    hit
}

#[test]
fn killed_at_random_with_messages_that_are_moved() {
    killed_at_random("move");
}

#[test]
fn killed_at_random_with_messages_that_stay() {
    killed_at_random("leave");
}
