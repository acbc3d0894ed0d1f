//! A connector that describes where tokens are asked for, so as to come by the secret of an OAuth client.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::yard::{Yard, printable};

const SECRET: &str = "geheim-van-de-client-5Wd";

/// Counts who comes, and says nothing.
fn listen() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let (port, came) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&came);
    std::thread::spawn(move || {
        for _ in listener.incoming() {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    (port, came)
}

#[test]
fn a_client_s_secret_goes_to_no_address_of_the_connector_s_own() {
    let yard = Yard::new();
    let (port, came) = listen();
    for (client, connector) in [("Kantoor", "imap"), ("Van hem", "rogue")] {
        let add = ["client", "add", client, "--connector", connector, "--set", "client-id=kantoor"];
        let secret = ["--client-secret-stdin", "--expires", "never"];
        yard.wissel().run_with(&[&add[..], &secret].concat(), SECRET).success();
    }
    let port = format!("port={port}");
    for (account, auth, client, code, says) in [
        // The client of another connector; his own, to this machine, which no setting names; and that in the clear.
        ("Vreemd", "app", "Kantoor", 2, "was made for the connector 'imap'"),
        ("Binnen", "app", "Van hem", 4, "[private-address]"),
        ("Open", "clear", "Van hem", 2, "is not encrypted"),
    ] {
        let add = ["account", "add", account, "--connector", "rogue", "--auth", auth, "--client", client];
        yard.wissel().run(&[&add[..], &["--set", &port]].concat()).success();
        let refused = printable(yard.wissel().run(&["account", "authorize", account]));
        assert_eq!(refused.code, Some(code), "{account}: {refused:?}");
        assert!(refused.stderr.contains(says) && !refused.stderr.contains(SECRET), "{account}: {refused:?}");
    }
    assert_eq!(came.load(Ordering::SeqCst), 0, "somebody was asked");
}
