//! `wissel-testbed` as scripts use it: one line about everything, then commands.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "clippy does not see helpers of a test as tests"
)]

use std::process::Stdio;

use reqwest::{Certificate, Client};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

struct Program {
    child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Program {
    async fn line(&mut self) -> Value {
        serde_json::from_str(&self.lines.next_line().await.unwrap().unwrap()).unwrap()
    }

    async fn ask(&mut self, command: &str) -> Value {
        self.input.write_all(format!("{command}\n").as_bytes()).await.unwrap();
        self.line().await
    }
}

#[tokio::test]
async fn a_script_signs_an_app_in_and_makes_that_fail() {
    let ca_file = std::env::temp_dir().join(format!("wissel-program-{}.pem", std::process::id()));
    let mut child = Command::new(env!("CARGO_BIN_EXE_wissel-testbed"))
        .args(["--messages", "1", "--client-secret", "een~ander~geheim", "--ca-file"])
        .arg(&ca_file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut program = Program { child, input, lines: BufReader::new(output).lines() };
    let about = program.line().await;
    let authority = Certificate::from_pem(&std::fs::read(&ca_file).unwrap()).unwrap();
    std::fs::remove_file(ca_file).unwrap();
    let client = Client::builder().no_proxy().tls_certs_only([authority]).build().unwrap();
    let text = |name: &str| about[name].as_str().unwrap().to_owned();
    assert_eq!(text("client_secret"), "een~ander~geheim");
    let url = format!("{}/{}/oauth2/v2.0/token", text("entra"), text("tenant"));
    let ask = async |secret: &str| -> Value {
        let scope = "https://graph.microsoft.com/.default";
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", &text("client_id")),
            ("client_secret", secret),
            ("scope", scope),
        ];
        let answer: Value = client.post(&url).form(&fields).send().await.unwrap().json().await.unwrap();
        answer["error_codes"][0].clone()
    };
    let secret = text("client_secret");
    assert_eq!(ask(&secret).await, Value::Null);
    program.ask("fault 90033 1").await;
    assert_eq!(ask(&secret).await, 90033);
    program.ask("secret-expired").await;
    assert_eq!(ask(&secret).await, 7_000_222);
    program.ask("secret nieuw 60").await;
    assert_eq!(ask("nieuw").await, Value::Null);
    program.ask("advance 60").await;
    assert_eq!(ask("nieuw").await, 7_000_222);
    program.ask("policy block").await;
    program.ask("secret nieuwer 60").await;
    assert_eq!(ask("nieuwer").await, 53003);
    let counts = program.ask("sign-in-counts").await;
    assert_eq!(counts, json!({ "client_credentials": { "0": 2, "53003": 1, "90033": 1, "7000222": 2 } }));
    assert_eq!(
        program.ask(&format!("revoke {}", about["users"][0]["user"].as_str().unwrap())).await["revoked"],
        about["users"][0]["user"]
    );
    for wrong in [
        "revoke niemand",
        "fault x 1",
        "fault 1 1 elsewhere",
        "policy x",
        "set x on",
        "advance x",
        "demand x",
        "help",
    ] {
        assert!(program.ask(wrong).await["error"].is_string(), "{wrong}");
    }
    drop(program.input);
    assert!(program.child.wait().await.unwrap().success());
}
