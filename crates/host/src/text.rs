//! Text that came from a component, made fit for people: no control characters, and not too long.

/// `text` with control characters replaced by spaces, cut after `longest` characters.
pub(crate) fn cleaned(text: &str, longest: usize) -> String {
    let mut characters = text.chars();
    let mut cleaned: String =
        characters.by_ref().take(longest).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if characters.next().is_some() {
        cleaned.push('…');
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(cleaned("é\u{7}é", 2), "é …");
        assert_eq!(cleaned("ab", 2), "ab");
    }
}
