//! Servers that never come to the point, and octets that are announced and do not come: the connector waits in the host.

use std::io::Write;
use std::net::TcpListener;
use std::time::Duration;

use crate::yard::{List, Yard};

/// A server that sends `first`, and then an octet now and then for ever, or closes. Ends with the process.
fn server(first: &'static [u8], goes_on: bool) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                let mut sent = client.write_all(first);
                while goes_on && sent.is_ok() {
                    std::thread::sleep(Duration::from_millis(50));
                    sent = client.write_all(b".");
                }
            });
        }
    });
    format!("port={port}")
}

/// An octet now and then keeps the idle limit from ending the call; its time ends it.
#[test]
fn a_server_that_sends_an_octet_now_and_then_ends_with_the_time_of_the_call() {
    let yard = Yard::new();
    let list = List::new("a server that sends an octet now and then");
    let slow = server(b"", true);
    for misdeed in ["slow-line", "slow-exact"] {
        yard.hostile(misdeed, &format!("list:{misdeed}"), &["--set", &slow]);
        yard.scene.run(&["account", "edit", misdeed, "--call-timeout", "2", "--idle-timeout", "1"]).success();
    }
    std::thread::scope(|scope| {
        for misdeed in ["slow-line", "slow-exact"] {
            let (yard, list) = (&yard, &list);
            scope.spawn(move || {
                let (output, time) = yard.run(misdeed);
                let report = output.json();
                let error = &report["errors"][0];
                list.add(
                    misdeed,
                    format!("{} ({:?})", error["code"].as_str().unwrap_or("-"), output.code),
                    time,
                );
                assert_eq!(error["code"], "temporary", "{report:#}");
                let message = error["message"].as_str().unwrap_or_default();
                assert!(message.contains("[deadline]") && message.contains(misdeed), "{report:#}");
                assert!(error["next"].as_str().is_some_and(|next| !next.is_empty()), "{report:#}");
                yard.assert_failing(misdeed, &["[deadline]"]);
                yard.assert_holds(misdeed, &[]);
            });
        }
        yard.assert_neighbour_works(81);
    });
}

#[test]
fn wrong_sizes_in_splice_cost_that_message_alone() {
    let yard = Yard::new();
    let list = List::new("octets that are announced and do not come");
    for (misdeed, server, time) in
        [("splice-beyond", server(b"ten octets", false), "30"), ("splice-slow", server(b"", true), "5")]
    {
        yard.hostile(misdeed, &format!("message:{misdeed}"), &["--set", &server]);
        yard.scene.run(&["account", "edit", misdeed, "--call-timeout", time]).success();
        let (output, time) = yard.run(misdeed);
        let report = output.json();
        let numbers =
            ["imported", "quarantined", "failed"].map(|key| report[key].as_u64().unwrap_or_default());
        list.add(misdeed, format!("{numbers:?} ({:?})", output.code), time);
        let shown = format!("{misdeed}: {report:#}\n{}", output.stderr);
        assert_eq!((numbers[0], numbers[1] + numbers[2]), (4, 1), "{shown}");
        yard.assert_holds(misdeed, &[1, 2, 4, 5]);
    }
    let misdeed = "splice-unopened";
    yard.hostile(misdeed, &format!("delivery:{misdeed}"), &["--set", &server(b"ten octets", false)]);
    let (output, time) = yard.run(misdeed);
    let report = output.json();
    let error = &report["errors"][0];
    list.add(misdeed, format!("{} ({:?})", error["code"].as_str().unwrap_or("-"), output.code), time);
    let message = error["message"].as_str().unwrap_or_default();
    assert!(error["code"] == "fault" && message.contains("without an open message [contract]"), "{report:#}");
    yard.assert_holds(misdeed, &[]);
    yard.assert_neighbour_works(82);
}
