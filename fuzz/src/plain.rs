//! Fuzzing without instrumentation: the seeds and the inputs kept from findings as they are, then changed at random.
//!
//! `WISSEL_FUZZ_ROUNDS` asks for more rounds; `WISSEL_SEED` repeats a run.

use std::fs;
use std::path::Path;

use fastrand::Rng;

/// Runs `body` over the kept inputs of `target` and over `rounds` changes of them.
pub(crate) fn run(target: &str, rounds: u64, body: impl Fn(&[u8]) + std::panic::RefUnwindSafe) {
    let kept = kept(target);
    assert!(!kept.is_empty(), "no inputs are kept for {target}");
    for (name, input) in &kept {
        attempt(name, input, &body);
    }
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let rounds = number("WISSEL_FUZZ_ROUNDS").unwrap_or(rounds);
    let seed = number("WISSEL_SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("WISSEL_SEED={seed}: {} kept inputs and {rounds} changes of them", kept.len());
    let mut random = Rng::with_seed(seed);
    for round in 0..rounds {
        let input = changed(&mut random, &kept);
        attempt(&format!("round {round} of WISSEL_SEED={seed}"), &input, &body);
    }
}

/// Runs one input; one that fails is printed, so that it can be kept.
fn attempt(name: &str, input: &[u8], body: &(impl Fn(&[u8]) + std::panic::RefUnwindSafe)) {
    if let Err(panic) = std::panic::catch_unwind(|| body(input)) {
        println!("{name} fails; keep it as a file of `fuzz/regressions`: b\"{}\"", input.escape_ascii());
        std::panic::resume_unwind(panic);
    }
}

fn kept(target: &str) -> Vec<(String, Vec<u8>)> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|folder| folder.join("fuzz"));
    let fuzz = fuzz.into_iter().find(|folder| folder.join("seeds").is_dir()).unwrap();
    let mut kept = Vec::new();
    for place in ["seeds", "regressions"] {
        for entry in fs::read_dir(fuzz.join(place).join(target)).into_iter().flatten().flatten() {
            kept.push((entry.path().display().to_string(), fs::read(entry.path()).unwrap()));
        }
    }
    kept.sort();
    kept
}

/// One of the kept inputs with a few pieces altered, moved, doubled, cut out, or taken from another one.
fn changed(random: &mut Rng, kept: &[(String, Vec<u8>)]) -> Vec<u8> {
    let pick = |random: &mut Rng| kept[random.usize(..kept.len())].1.clone();
    let mut input = pick(random);
    for _ in 0..random.usize(1..12) {
        let at = random.usize(..=input.len());
        let end = (at + random.usize(..40)).min(input.len());
        match random.u8(..7) {
            0 => input[at..end].iter_mut().for_each(|byte| *byte = random.u8(..)),
            1 => drop(input.drain(at..end)),
            2 => {
                let piece = input[at..end].to_vec();
                let to = random.usize(..=input.len());
                input.splice(to..to, piece);
            }
            3 => {
                let other = pick(random);
                let from = random.usize(..=other.len());
                let to = (from + random.usize(..200)).min(other.len());
                input.splice(at..end, other[from..to].iter().copied());
            }
            4 => input.truncate(at),
            5 => {
                let odd: &[&[u8]] =
                    &[b"\r\n", b"\0", b"\xff\xfe", b"{4294967295}", b"\"", b"(", b")", b"\\", b"=?"];
                input.splice(at..at, odd[random.usize(..odd.len())].iter().copied());
            }
            _ => {
                let byte = random.u8(..);
                input.splice(at..at, std::iter::repeat_n(byte, random.usize(..300)));
            }
        }
    }
    input
}
