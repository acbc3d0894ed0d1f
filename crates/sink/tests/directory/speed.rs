//! What durability costs, one by one and in groups. A measurement, not a check: run it with `--ignored --nocapture`.

use std::time::Instant;

use wissel_model::MessageKey;

use crate::support::{deliver, open, stage};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement; set SINK_TEST_DIRECTORY to a directory on the disk to be measured"]
async fn one_by_one_and_in_a_group() {
    let home = crate::support::child_directory().unwrap_or_else(std::env::temp_dir);
    let message = [b"Subject: x\r\n\r\n".as_slice(), &b"0123456789abcdef\r\n".repeat(740)].concat();
    for _ in 0..3 {
        let directory = tempfile::tempdir_in(&home).unwrap();
        let sink = open(directory.path()).await;
        let begun = Instant::now();
        for _ in 0..64 {
            deliver(&sink, MessageKey::generate(), &message).await.unwrap();
        }
        let one_by_one = begun.elapsed();
        let begun = Instant::now();
        let group = (0..64).map(|_| stage(&sink, MessageKey::generate(), &message).unwrap()).collect();
        let staged = begun.elapsed();
        sink.commit(group).await.unwrap();
        println!(
            "64 messages of {} octets: one by one {one_by_one:.1?}; staged {staged:.1?}, with commit {:.1?}",
            message.len(),
            begun.elapsed()
        );
    }
}
