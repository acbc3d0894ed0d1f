//! The end of a demonstration that is kept: what to try, and a prompt that reaches the testbed.

use std::io::{BufRead, Write, stdin, stdout};

use anyhow::Result;

use super::post::Post;
use super::shell;
use super::stage::Stage;

/// Waits, with the testbed running, until a person enters an empty line or input ends. Ctrl-C ends it too: the
/// testbed's input ends with this process.
pub(super) fn keep(stage: &Stage, post: &mut Post) -> Result<()> {
    let folder = stage.folder().to_string_lossy();
    println!("\n== Everything stays as it is. In another terminal:");
    println!("cd {}", shell::quoted(&folder));
    for line in stage.exports() {
        println!("{line}");
    }
    println!("{}", shell::line(&[&stage.program().to_string_lossy(), "run"]));
    println!("\nHere: `deliver 3 {}`, `folders`, or Enter to stop the mail server.", super::IMPORT);
    let mut lines = stdin().lock().lines();
    loop {
        print!("> ");
        stdout().flush()?;
        match lines.next().transpose()?.as_deref().map(str::trim) {
            None | Some("") => break,
            Some(line) => match post.ask(line) {
                Ok(answer) => println!("{answer}"),
                Err(error) => println!("{error:#}"),
            },
        }
    }
    println!("\nThe files stay in {folder}; remove the folder when you are done.");
    Ok(())
}
