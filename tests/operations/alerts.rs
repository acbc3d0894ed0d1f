//! Alert channels: a program and a webhook are told of a client's secret that ends, once for each stage.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use wissel_tests::certificates::{Files, Shown};
use wissel_tests::wissel::Wissel;

/// What the webhook's messages are signed with, as Standard Webhooks writes it.
const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A web server that keeps what is posted to it.
struct Hook {
    process: Child,
    port: u16,
    kept: PathBuf,
}

impl Hook {
    fn start(files: &Files, kept: PathBuf) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("support/hook.py");
        let mut python = Command::new("python3");
        python.arg("-B").arg(script).args([&files.certificate, &files.key, &kept]);
        let mut process = python.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { process, port: line.trim().parse().unwrap(), kept }
    }

    /// The alerts that came, each with its signature checked.
    fn alerts(&self) -> Vec<Value> {
        documents(&self.kept).iter().map(checked).collect()
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn documents(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The alert in a post whose signature holds: over its id, its moment and its body.
fn checked(post: &Value) -> Value {
    let header = |name: &str| post["headers"][name].as_str().unwrap();
    let body = post["body"].as_str().unwrap();
    let signed = format!("{}.{}.{body}", header("webhook-id"), header("webhook-timestamp"));
    let key = STANDARD.decode(KEY.strip_prefix("whsec_").unwrap()).unwrap();
    let signature = header("webhook-signature").strip_prefix("v1,").unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    hmac::verify(&key, signed.as_bytes(), &STANDARD.decode(signature).unwrap()).unwrap();
    let alert: Value = serde_json::from_str(body).unwrap();
    assert_eq!(alert["id"], header("webhook-id"));
    alert
}

#[test]
fn a_program_and_a_webhook_are_told_once_at_each_stage_of_a_secret_that_ends() {
    let mut wissel = Wissel::new();
    wissel.set("WISSEL_LANG", "en");
    let clock = wissel.path("clock");
    wissel.set("WISSEL_CLOCK", &clock);
    wissel.set("HOOK_KEY", KEY);
    let after = |days: u64| fs::write(&clock, (days * 86_400).to_string()).unwrap();
    let files = Files::write(wissel.home(), Shown::Signed);
    let hook = Hook::start(&files, wissel.path("posted"));
    let client = ["client", "add", "Kantoor", "--connector", "imap", "--set", "client-id=kantoor"];
    let secret = ["--client-secret-stdin", "--expires", "100d", "--label", "eerste"];
    wissel.run_with(&[&client[..], &secret].concat(), "geheim-van-kantoor").success();
    let told = wissel.path("told");
    let program = format!("cat >> '{0}'; echo >> '{0}'", told.display());
    wissel.run(&["alert", "add", "program", "--", "/bin/sh", "-c", &program]).success();
    let url = format!("https://localhost:{}/hook", hook.port);
    let ca = files.ca.display().to_string();
    let webhook =
        ["alert", "add", "chat", "--webhook", &url, "--ca-file", &ca, "--signing-key-env", "HOOK_KEY"];
    wissel.run(&webhook).success();
    // Both channels were told so many alerts; the last of them.
    let both = |count: usize| -> Value {
        let (by_program, by_webhook) = (documents(&told), hook.alerts());
        assert_eq!((by_program.len(), by_webhook.len()), (count, count), "{by_program:#?} {by_webhook:#?}");
        assert_eq!(by_program, by_webhook);
        by_program.last().cloned().unwrap_or_default()
    };
    let look = |code: i32| {
        let looked = wissel.run(&["doctor", "--offline", "--alert"]);
        assert_eq!(looked.code, Some(code), "{looked:?}");
    };
    // There is something to look at, such as that there is no job, and nothing to be told.
    look(8);
    both(0);
    after(11);
    look(8);
    look(8);
    let first = both(1);
    assert_eq!(
        (&first["kind"], &first["severity"]),
        (&"secret-expiry".into(), &"warning".into()),
        "{first:#}"
    );
    assert_eq!((&first["detail"]["days_left"], &first["detail"]["client"]), (&89.into(), &"Kantoor".into()));
    assert!(!first.to_string().contains("geheim-van-kantoor"), "{first:#}");
    // The service tells by itself, and not what was told already.
    after(80);
    let service = wissel.spawn(&["run"]);
    let begun = Instant::now();
    while documents(&told).len() < 2 || documents(&hook.kept).len() < 2 {
        assert!(begun.elapsed() < Duration::from_secs(120), "nobody is told");
        std::thread::sleep(Duration::from_millis(20));
    }
    service.terminate();
    let _ = service.wait();
    look(8);
    assert_ne!(both(2)["id"], first["id"]);
    after(101);
    look(1);
    assert_eq!(both(3)["severity"], "critical");
}
