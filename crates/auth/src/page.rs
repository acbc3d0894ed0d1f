//! What the browser shows after a sign-in that came back to this machine. Holds nothing but fixed sentences.

/// How the sign-in came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// There is a token.
    SignedIn,
    /// The provider said no, here or when it was asked for the token.
    Failed,
    /// It is no answer to this sign-in.
    NotThis,
}

/// The answer of the loopback address to a browser, whole. The policy lets the page load and run nothing, and no other
/// page learn its address, in which the code stands.
pub(crate) fn response(outcome: Outcome, language: &str) -> String {
    let (status, en, nl) = match outcome {
        Outcome::SignedIn => (
            "200 OK",
            ["Signed in", "You can close this window and go back to the terminal."],
            ["Aangemeld", "U kunt dit venster sluiten en teruggaan naar de terminal."],
        ),
        Outcome::Failed => (
            "200 OK",
            ["Not signed in", "It did not work. The terminal says why, and what to do."],
            ["Niet aangemeld", "Het is niet gelukt. In de terminal staat waarom, en wat te doen."],
        ),
        Outcome::NotThis => (
            "400 Bad Request",
            [
                "Nothing to see here",
                "This is no answer to the sign-in that is waited for. Use the newest link.",
            ],
            [
                "Hier is niets te zien",
                "Dit is geen antwoord op de aanmelding waarop wordt gewacht. Gebruik de nieuwste link.",
            ],
        ),
    };
    let dutch = language.starts_with("nl");
    let [title, sentence] = if dutch { nl } else { en };
    let tag = if dutch { "nl" } else { "en" };
    let body = format!(
        "<!doctype html><html lang=\"{tag}\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\
         <body><h1>{title}</h1><p>{sentence}</p></body></html>"
    );
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
         Content-Security-Policy: default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'\r\n\
         Referrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}
