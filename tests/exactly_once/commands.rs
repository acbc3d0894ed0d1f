//! Killed before a command that changes the mailbox reaches the server, and after the server has carried it out but
//! before the answer is back: for MOVE, and for COPY, STORE and EXPUNGE where a server has no MOVE.

use wissel_tests::dovecot::Options;

use crate::bench::{Bench, Case, Published};
use crate::proxy::{Proxy, When};

/// The account whose connections go through the proxy.
const OBSERVED: &str = "Via proxy";

const WITHOUT_MOVE: &str = "IMAP4rev1 LITERAL+ SASL-IR ENABLE NAMESPACE UIDPLUS LIST-EXTENDED SPECIAL-USE";

/// Server options that leave out MOVE.
pub(crate) fn without_move() -> Options {
    Options { capability: Some(WITHOUT_MOVE.to_owned()), ..Options::default() }
}

struct Observed {
    bench: Bench,
    proxy: Proxy,
}

impl Observed {
    fn new(options: &Options) -> Self {
        let bench = Bench::new(options);
        let proxy = Proxy::start(bench.server.port);
        bench.add_direct(OBSERVED, proxy.port);
        Self { bench, proxy }
    }

    fn kill(&self, case: &Case, command: &'static str, when: When) -> Published {
        self.proxy.arm(command, when);
        let mut running = self.bench.wissel.spawn(&case.run());
        self.proxy.wait();
        running.kill();
        case.check_crashed(&self.bench)
    }

    fn kill_around_each(&mut self, commands: &[&'static str]) {
        for command in commands {
            for when in [When::Before, When::After] {
                let mut case = self.bench.case(OBSERVED, "move");
                case.deliver(&self.bench, 36);
                let published = self.kill(&case, command, when);
                let recovery = case.finish(&self.bench);
                println!("killed {when:?} {command}, recovered in {recovery:.2?}");
                case.check_finished(&self.bench, &published);
                case.close(&self.bench);
            }
        }
    }
}

#[test]
fn a_move_whose_answer_is_lost_is_not_made_twice() {
    Observed::new(&Options::default()).kill_around_each(&["UID MOVE"]);
}

#[test]
fn a_copy_that_was_cut_off_is_not_made_twice() {
    let mut observed = Observed::new(&without_move());
    observed.kill_around_each(&["UID COPY", "UID STORE", "UID EXPUNGE"]);

    // The same messages, killed again at each further step of the same move.
    let mut case = observed.bench.case(OBSERVED, "move");
    case.deliver(&observed.bench, 36);
    let mut published = Published::default();
    for command in ["UID COPY", "UID STORE", "UID EXPUNGE"] {
        for when in [When::Before, When::After] {
            published = observed.kill(&case, command, when);
        }
    }
    case.finish(&observed.bench);
    case.check_finished(&observed.bench, &published);
}
