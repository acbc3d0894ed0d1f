//! Killed at random moments of a run, while new messages arrive; and killed again while it recovers.
//!
//! How long a restart takes is printed, not judged: a busy machine is as slow as a restart that waits for the dead run's
//! lease. That none does is shown with a lease that ends in hours, among the faults of the clock.

use std::time::{Duration, Instant};

use fastrand::Rng;
use wissel_tests::dovecot::{ALICE, Options};

use crate::bench::{Bench, Case, DIRECT, Published};
use crate::commands::without_move;

/// Rounds of the two tests together, unless `WISSEL_ROUNDS` says otherwise: 500 for a long search.
const ROUNDS: u64 = 100;

#[test]
fn killed_at_random_while_messages_are_moved() {
    rounds(&Options::default(), rounds_wanted().div_ceil(2));
}

#[test]
fn killed_at_random_while_messages_are_copied_and_removed() {
    rounds(&without_move(), rounds_wanted() / 2);
}

fn rounds_wanted() -> u64 {
    from_environment("WISSEL_ROUNDS").unwrap_or(ROUNDS)
}

/// The seed of this run: printed by each test, and given back by `WISSEL_SEED` to repeat it.
pub(crate) fn seed() -> u64 {
    from_environment("WISSEL_SEED").unwrap_or_else(|| fastrand::u64(..))
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

fn rounds(options: &Options, rounds: u64) {
    let mut bench = Bench::new(options);
    let mut duration = undisturbed(&mut bench);
    let seed = seed();
    println!("WISSEL_SEED={seed}: an undisturbed run takes {duration:.2?}");
    let (mut kills, mut hits, mut slowest) = (0, 0, Duration::ZERO);
    for round in 0..rounds {
        let mut rng = Rng::with_seed(seed.wrapping_add(round));
        let mut case = bench.case(DIRECT, "move");
        let old = case.letters(0, rng.u64(40..140));
        bench.server.deliver(ALICE, &case.folders[0], &old);
        case.deliver(&bench, 30);
        let mut published = Published::default();
        // Half of the rounds die a second time, while they recover.
        for _ in 0..=rng.u8(0..2) {
            let after = duration.mul_f64(rng.f64());
            let hit = kill(&bench, &mut case, after, &mut rng);
            published = case.check_crashed(&bench);
            println!(
                "round {round}: killed after {after:.2?}{}, {} files",
                if hit { "" } else { " (had ended)" },
                published.len()
            );
            if !hit {
                // The machine was busier when the duration was measured.
                duration = duration.min(after);
            } else if published.is_empty() {
                // It is busier now: the kills shall reach the end of a run, too.
                duration = duration.mul_f64(1.2);
            }
            kills += 1;
            hits += u32::from(hit);
        }
        slowest = slowest.max(case.finish(&bench));
        case.check_finished(&bench, &published);
        case.close(&bench);
    }
    println!("{rounds} rounds, {kills} kills, {hits} hit a running process, slowest recovery {slowest:.2?}");
    assert!(hits * 3 > kills, "most kills came too late: {hits} of {kills} hit");
}

fn undisturbed(bench: &mut Bench) -> Duration {
    // The first run of all compiles the connector.
    let mut case = bench.case(DIRECT, "move");
    case.deliver(bench, 3);
    case.finish(bench);
    case.close(bench);
    let mut case = bench.case(DIRECT, "move");
    case.deliver(bench, 120);
    let duration = case.finish(bench);
    case.check_finished(bench, &Published::default());
    case.close(bench);
    duration
}

/// Kills a run `after` this time, while new messages arrive. False when it had ended before.
fn kill(bench: &Bench, case: &mut Case, after: Duration, rng: &mut Rng) -> bool {
    let begun = Instant::now();
    let mut running = bench.wissel.spawn(&["job", "run", &case.job]);
    for (folder, share) in [(0, rng.f64()), (1, rng.f64())] {
        let arrives = after.mul_f64(share);
        std::thread::sleep(arrives.saturating_sub(begun.elapsed()));
        let new = case.letters(folder, 3);
        bench.server.deliver(ALICE, &case.folders[folder], &new);
    }
    std::thread::sleep(after.saturating_sub(begun.elapsed()));
    let hit = running.is_running();
    running.kill();
    hit
}
