//! The commands about the Graph face.

use std::time::Duration;

use serde_json::{Value, json};
use wissel_testbed::{
    Testbed,
    faults::{CommandFault, Fault},
};

use super::number;

/// Carries out a command of the Graph face; none when it is no command of it.
pub(super) fn answer(bed: &Testbed, command: &str, argument: &str) -> Option<Result<Value, String>> {
    let words: Vec<&str> = argument.split_whitespace().collect();
    let control = bed.graph().control();
    let done = match (command, words.as_slice()) {
        ("throttle", [seconds, rest @ ..]) => number(seconds).map(|seconds: u64| {
            control.throttle(Duration::from_secs(seconds), rest.is_empty());
            json!({ "throttled": seconds })
        }),
        ("limit", [name, value]) => number(value).and_then(|value: u64| {
            let count = usize::try_from(value).unwrap_or(usize::MAX);
            let mut known = true;
            control.limit(|limits| match *name {
                "concurrent" => limits.concurrent = count,
                "requests" => limits.requests = count,
                "window" => limits.window = Duration::from_secs(value),
                "retry-after" => limits.retry_after = (value > 0).then(|| Duration::from_secs(value)),
                "upload-step" => limits.upload_step = value.max(1),
                _ => known = false,
            });
            if known { Ok(json!({ *name: value })) } else { Err(format!("no such limit: {name}")) }
        }),
        ("delta-reset", []) => {
            control.reset_delta();
            Ok(json!({ "delta": "reset" }))
        }
        ("latency", [millis]) => number(millis).map(|millis: u64| {
            bed.graph().traffic().set_latency(Duration::from_millis(millis));
            json!({ "latency": millis })
        }),
        ("move-away", [text, folder @ ..]) => move_away(bed, text, &folder.join(" ")),
        ("graph-fault", [what, times, operation @ ..]) => fault(what).and_then(|action| {
            let name = operation.join(" ");
            bed.faults().arm_times(number(times)?, Fault::Command { name, action });
            Ok(json!({ "armed": what }))
        }),
        ("faults-off", []) => {
            bed.faults().clear();
            Ok(json!({ "armed": null }))
        }
        ("slash", [shown]) => {
            control.show_slash_as_xf8ff(*shown == "hidden");
            Ok(json!({ "slash": shown }))
        }
        ("traffic", []) => {
            let traffic = bed.graph().traffic();
            Ok(json!({
                "requests": traffic.requests(),
                "most_in_flight": traffic.most_in_flight(),
                "throttled": control.throttled(),
                "operations": bed.counters().commands(),
            }))
        }
        ("traffic", ["reset"]) => {
            bed.graph().traffic().reset();
            bed.counters().reset();
            Ok(json!({ "traffic": "reset" }))
        }
        ("sent", []) => {
            let sent = control.sent().into_iter().map(|sent| {
                json!({ "mailbox": sent.mailbox, "by": sent.by, "from": sent.from, "recipients": sent.recipients })
            });
            Ok(json!({ "sent": sent.collect::<Vec<_>>() }))
        }
        _ => return None,
    };
    Some(done)
}

/// A mishap by its name, or by the status that is answered.
fn fault(what: &str) -> Result<CommandFault, String> {
    Ok(match what {
        "drop" => CommandFault::Drop,
        "drop-after" => CommandFault::DropAfter,
        "endless" => CommandFault::Endless,
        _ => match what.strip_prefix("stall:") {
            Some(seconds) => CommandFault::Stall(Duration::from_secs(number(seconds)?)),
            None => CommandFault::Status(number(what)?, None),
        },
    })
}

/// Moves the messages that hold a text into another folder, as a colleague does.
fn move_away(bed: &Testbed, text: &str, folder: &str) -> Result<Value, String> {
    let mailbox = bed.mailbox();
    let to = mailbox.folder(folder).map_err(|error| error.to_string())?.id;
    let mut moved = 0;
    for from in mailbox.folders().into_iter().filter(|from| from.id != to) {
        let messages = mailbox.messages(from.id).map_err(|error| error.to_string())?;
        let found = messages.iter().filter(|message| message.content.contains(text.as_bytes()));
        let uids: Vec<u32> = found.map(|message| message.uid).collect();
        moved += uids.len();
        mailbox.move_messages(from.id, &uids, to).map_err(|error| error.to_string())?;
    }
    Ok(json!({ "moved": moved }))
}
