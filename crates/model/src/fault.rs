//! Fault points: places between two changes where a test makes the power fail.
//!
//! A point is named after what has just happened. In a debug build, `WISSEL_FAULT=name` (or `name:3` for the third
//! time it is passed) ends the process there without running a destructor, as a power failure would. A release
//! build contains none of this.

/// Passes the point `name`; see the module.
#[inline]
pub fn point(name: &'static str) {
    #[cfg(debug_assertions)]
    armed::pass(name);
    #[cfg(not(debug_assertions))]
    let _ = name;
}

#[cfg(debug_assertions)]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    static ARMED: OnceLock<Option<(String, AtomicU32)>> = OnceLock::new();

    pub(super) fn pass(name: &'static str) {
        let armed = ARMED.get_or_init(|| {
            let text = std::env::var("WISSEL_FAULT").ok()?;
            let (point, count) = text.split_once(':').unwrap_or((&text, "1"));
            Some((point.to_owned(), AtomicU32::new(count.parse().unwrap_or(1))))
        });
        if let Some((point, left)) = armed
            && point == name
            && left.fetch_sub(1, Ordering::SeqCst) == 1
        {
            eprintln!("fault point '{name}' reached");
            std::process::abort();
        }
    }
}
