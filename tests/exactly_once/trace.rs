//! Reads what `strace -f -y` writes: which system call began and ended when, as far as one file of lines tells.

use std::collections::HashMap;

/// A system call of one thread. `begun` and `ended` are numbers of lines: of two calls, the one that ended before the
/// other began came first.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) name: String,
    /// From the first argument to the result.
    pub(crate) text: String,
    pub(crate) begun: usize,
    pub(crate) ended: usize,
}

impl Call {
    /// The path that `-y` shows for the descriptor in the first argument.
    pub(crate) fn descriptor_path(&self) -> Option<&str> {
        let (number, rest) = self.text.split_once('<')?;
        number.bytes().all(|byte| byte.is_ascii_digit()).then(|| rest.split('>').next())?
    }

    /// The quoted arguments, such as the two names of a rename.
    pub(crate) fn quoted(&self) -> Vec<&str> {
        self.text.split('"').skip(1).step_by(2).collect()
    }

    pub(crate) fn succeeded(&self) -> bool {
        self.text
            .rsplit_once(" = ")
            .is_some_and(|(_, result)| !result.starts_with('-') && !result.starts_with('?'))
    }
}

/// All calls of a trace, in the order of their ends.
pub(crate) fn calls(trace: &str) -> Vec<Call> {
    let mut open: HashMap<&str, Call> = HashMap::new();
    let mut calls = Vec::new();
    for (line, text) in trace.lines().enumerate() {
        let Some((thread, text)) = text.split_once(' ') else { continue };
        let text = text.trim_start();
        if let Some(rest) = text.strip_prefix("<... ") {
            let Some(mut call) = open.remove(thread) else { continue };
            call.text += rest.split_once("resumed>").map_or("", |(_, rest)| rest);
            call.ended = line;
            calls.push(call);
        } else if let Some((name, rest)) = text.split_once('(') {
            let call =
                |text: &str| Call { name: name.to_owned(), text: text.to_owned(), begun: line, ended: line };
            match rest.split_once(" <unfinished ...>") {
                Some((rest, _)) => drop(open.insert(thread, call(rest))),
                None => calls.push(call(rest)),
            }
        }
    }
    calls
}

#[test]
fn calls_that_overlap_are_put_together() {
    let trace = "7 fsync(9</out/.incoming/a.eml> <unfinished ...>\n\
                 8 rename(\"/out/.incoming/b.eml\", \"/out/b.eml\") = 0\n\
                 8 --- SIGCHLD {si_signo=SIGCHLD} ---\n\
                 7 <... fsync resumed>) = 0\n\
                 9 fdatasync(4</home/w.db-wal>) = -1 EIO (Input/output error)\n";
    let calls = calls(trace);
    let brief: Vec<_> = calls.iter().map(|call| (call.name.as_str(), call.begun, call.ended)).collect();
    assert_eq!(brief, [("rename", 1, 1), ("fsync", 0, 3), ("fdatasync", 4, 4)]);
    assert_eq!(calls[0].quoted(), ["/out/.incoming/b.eml", "/out/b.eml"]);
    assert_eq!(calls[1].descriptor_path(), Some("/out/.incoming/a.eml"));
    assert!(calls[1].succeeded() && !calls[2].succeeded());
}
