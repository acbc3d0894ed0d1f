//! Several processes that want to work on one job: one works, the others say that it is busy.

use std::time::{Duration, Instant};

use wissel_tests::dovecot::{ALICE, Options};

use crate::bench::{Bench, DIRECT, Published};

/// The exit code of a command whose job another process works on.
const BUSY: i32 = 5;

#[test]
fn of_runs_that_begin_together_one_works() {
    let mut bench = Bench::new(&Options::default());
    for _ in 0..5 {
        let mut case = bench.case(DIRECT, "move");
        case.deliver(&bench, 240);
        let running = [(); 3].map(|()| bench.wissel.spawn(&case.run()));
        let outputs = running.map(wissel_tests::wissel::Running::wait);
        let mut codes = outputs.clone().map(|output| output.code.unwrap());
        codes.sort_unstable();
        assert_eq!(codes, [0, BUSY, BUSY], "{outputs:?}");
        for busy in outputs.iter().filter(|output| output.code == Some(BUSY)) {
            let error = busy.json()["error"].clone();
            assert_eq!(error["code"], "busy");
            assert!(error["message"].as_str().unwrap().contains(&case.job), "{error}");
        }
        case.check_finished(&bench, &Published::default());
        case.close(&bench);
    }
}

#[test]
fn the_service_and_a_run_by_hand_stay_out_of_each_others_way() {
    let mut bench = Bench::new(&Options::default());
    let mut case = bench.case(DIRECT, "move");
    let _ = bench.wissel.run(&["job", "edit", &case.job, "--every", "1s"]).success();
    case.deliver(&bench, 60);
    let service = bench.wissel.spawn(&["run"]);
    let (mut worked, mut busy) = (0, 0);
    for _ in 0..8 {
        // More than a run takes in at once, so that the two meet.
        let letters = case.letters(0, 40);
        bench.server.deliver(ALICE, &case.folders[0], &letters);
        let output = bench.wissel.run(&case.run());
        match output.code {
            Some(0) => worked += 1,
            Some(BUSY) => busy += 1,
            _ => panic!("{output:?}"),
        }
    }
    // What is left is the service's.
    let patience = Instant::now() + Duration::from_secs(300);
    while case.in_state(&bench, "done") < case.count() && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(100));
    }
    let asked = Instant::now();
    service.terminate();
    let stopped = service.wait();
    println!("by hand: {worked} worked, {busy} met the service; it stopped in {:.2?}", asked.elapsed());
    assert_eq!(stopped.code, Some(0), "{stopped:?}");
    case.check_finished(&bench, &Published::default());
}
