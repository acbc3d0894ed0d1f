//! What a connector must not get away with, in any operation.

use std::hint::black_box;

use crate::bindings::wissel::connector::credentials::{self, SealedForm};
use crate::bindings::wissel::connector::types::{Error, ErrorKind};
use crate::bindings::wissel::connector::{clock, http, log, random, streams};
use crate::error;

/// Colours, a window title, a cleared screen, and the one-character form of the same introducer.
pub(crate) const TERMINAL: &str = "\u{1b}[31mred\u{1b}]0;pwned\u{7}\u{1b}[2J\u{9b}5mline\r\nnext";

pub(crate) fn commit(misdeed: &str) -> Result<(), Error> {
    match misdeed {
        "loop" => {
            log::write(log::Level::Warn, "the loop begins", &[]);
            spin()
        }
        "memory-bomb" => fill_memory(),
        "recursion" => {
            black_box(descend(1));
            Ok(())
        }
        "boundary-recursion" => {
            black_box(descend_calling(1.0));
            Ok(())
        }
        "gigabyte" => {
            let list: Vec<String> = (0..1 << 20).map(|_| "x".repeat(1 << 10)).collect();
            Err(error(ErrorKind::Protocol, &format!("{} texts fit into memory", black_box(list).len())))
        }
        "handles" => {
            let handles: Vec<_> = (0..1_000_000).map(|_| http::Payload::new(b"")).collect();
            Err(error(ErrorKind::Protocol, &format!("{} handles were given out", black_box(handles).len())))
        }
        // The server sends a byte now and then, and never a line.
        "slow-line" => {
            let connection = streams::connect("public")?;
            connection.read_line(u32::MAX)?;
            Ok(())
        }
        "slow-exact" => streams::connect("public")?.read_exact(64 << 20).map(drop),
        "trap" => std::process::abort(),
        "ignore-cancel" => loop {
            let _ = clock::sleep(10);
        },
        "random-flood" => {
            black_box(random::bytes(65_537));
            Ok(())
        }
        "log-flood" => {
            for line in 0..2_000_000 {
                log::write(log::Level::Error, &format!("flood line {line}"), &[]);
            }
            Ok(())
        }
        "log-terminal" => {
            log::write(
                log::Level::Error,
                &format!("logged {TERMINAL}"),
                &[(TERMINAL.to_owned(), TERMINAL.to_owned())],
            );
            Ok(())
        }
        "terminal" => Err(Error {
            code: Some(format!("X{TERMINAL}")),
            setting: Some(TERMINAL.to_owned()),
            ..error(ErrorKind::Protocol, &format!("shown {TERMINAL}"))
        }),
        "made-up-cancel" => Err(error(ErrorKind::Cancelled, "I made this up")),
        "foreign-endpoint" => streams::connect("elsewhere").map(drop),
        "sealed" => sealed("line"),
        // Made for the endpoint that may have it, written to the one that may not.
        "sealed-elsewhere" => sealed("public"),
        "password" => {
            let connection = streams::connect("line")?;
            connection.write(b"LOGIN ")?;
            connection.flush()?;
            connection.write_sealed(&credentials::password("line", SealedForm::Quoted)?)?;
            connection.flush()
        }
        other => Err(error(ErrorKind::Unsupported, &format!("there is no misdeed '{other}'"))),
    }
}

/// Sends the account's credential on a connection to `endpoint`, without TLS unless the connection began with it.
fn sealed(endpoint: &str) -> Result<(), Error> {
    let connection = streams::connect(endpoint)?;
    connection.write(b"AUTH PLAIN ")?;
    connection.flush()?;
    let exchange = credentials::begin("line", "PLAIN", None)?;
    let Some(answer) = exchange.initial(SealedForm::Base64)? else {
        return Err(error(ErrorKind::Protocol, "no initial response"));
    };
    connection.write_sealed(&answer)?;
    connection.write(b"\r\n")?;
    connection.flush()
}

pub(crate) fn spin() -> ! {
    loop {
        black_box(());
    }
}

pub(crate) fn fill_memory() -> ! {
    let mut all: Vec<Vec<u8>> = Vec::new();
    loop {
        all.push(black_box(vec![1; 4 << 20]));
    }
}

/// Deeper and deeper, and into the host at each step.
#[allow(unconditional_recursion, reason = "on purpose")]
fn descend_calling(depth: f64) -> f64 {
    descend_calling(depth + clock::monotonic_ms()) + black_box(depth)
}

#[allow(unconditional_recursion, reason = "on purpose")]
fn descend(depth: u64) -> u64 {
    descend(depth + 1).wrapping_mul(black_box(depth))
}
