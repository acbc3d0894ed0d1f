//! How a command line is shown, so that a person can type it. Nothing here is run by a shell.

/// A word as a shell takes it: quoted where it has to be.
pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./\\:=@%+,".contains(c);
    // A backslash means itself to the shells of Windows only.
    let plain = !word.is_empty() && word.chars().all(plain) && (cfg!(windows) || !word.contains('\\'));
    match (plain, cfg!(windows)) {
        (true, _) => word.to_owned(),
        (false, true) => format!("\"{word}\""),
        (false, false) => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// A command line.
pub(super) fn line(words: &[&str]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// The line that sets an environment variable.
pub(super) fn export(variable: &str, value: &str) -> String {
    if cfg!(windows) {
        format!("set {variable}={value}")
    } else {
        format!("export {variable}={}", quoted(value))
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_reaches_a_program_as_the_same_words() {
        let words = ["job", "add", "Postvak IN/R&D", "it's", "a\\b", "", "$HOME", "Geïmporteerd"];
        let script = format!("printf '%s\\n' {}", line(&words));
        let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), words.map(|word| format!("{word}\n")).concat());
    }
}
