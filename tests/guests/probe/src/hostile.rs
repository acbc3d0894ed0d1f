//! What a connector must not get away with, outside `fetch`.

use std::hint::black_box;

use crate::bindings::wissel::connector::{clock, log, random, streams, types};
use crate::error;
use types::{Error, ErrorKind};

pub(crate) fn act(behaviour: &str) -> Result<Vec<(String, String)>, Error> {
    match behaviour {
        "loop" => loop {
            black_box(());
        },
        "memory-bomb" => {
            let mut all: Vec<Vec<u8>> = Vec::new();
            loop {
                all.push(black_box(vec![1; 4 << 20]));
            }
        }
        "deep-recursion" => {
            black_box(descend(1));
            Ok(Vec::new())
        }
        "trap" => std::process::abort(),
        "foreign-endpoint" => {
            streams::connect("elsewhere")?;
            Ok(Vec::new())
        }
        "log-flood" => {
            for line in 0..100_000 {
                log::write(log::Level::Info, &format!("line {line}"), &[]);
            }
            Ok(Vec::new())
        }
        "log-secret" => {
            let fields = [("password".to_owned(), "hunter2".to_owned())];
            log::write(log::Level::Info, "signed in\nwith Bearer abcdefgh12345678", &fields);
            Ok(Vec::new())
        }
        "random-flood" => {
            random::bytes(65_537);
            Ok(Vec::new())
        }
        "sleep" => {
            clock::sleep(60_000)?;
            Ok(Vec::new())
        }
        "ignore-cancel" => loop {
            let _ = clock::sleep(10);
        },
        "made-up-cancel" => Err(error(ErrorKind::Cancelled, "I made this up")),
        other => Err(error(ErrorKind::Unsupported, other)),
    }
}

#[allow(unconditional_recursion, reason = "on purpose")]
fn descend(depth: u64) -> u64 {
    // Little of the component's own stack in its memory, so that the machine's runs out first.
    descend(depth + 1).wrapping_mul(black_box(depth))
}
