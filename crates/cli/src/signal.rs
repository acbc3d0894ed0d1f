//! A request to stop: Ctrl-C, and what the system sends to end a service. The first asks, the second ends at once.
//! Also what else would end the process by a signal: a limit on the size of files.

use tokio_util::sync::CancellationToken;

use crate::exit::Code;

/// A token that is cancelled at the first request.
pub(crate) fn stop_on_request() -> CancellationToken {
    let stop = CancellationToken::new();
    let token = stop.clone();
    tokio::spawn(async move {
        requested().await;
        token.cancel();
        requested().await;
        std::process::exit(i32::from(Code::Stopped as u8));
    });
    stop
}

/// Makes a write beyond the limit on the size of files fail like any other. Without a handler the system ends the
/// process there, in the middle of its work and without a word. Once handled, the signal stays so.
#[cfg(unix)]
pub(crate) fn survive_file_limit() {
    use tokio::signal::unix::{SignalKind, signal};
    let _ = signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()));
}

/// There is no such signal.
#[cfg(windows)]
pub(crate) fn survive_file_limit() {}

#[cfg(unix)]
async fn requested() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(windows)]
async fn requested() {
    use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown};
    let (Ok(mut c), Ok(mut brk), Ok(mut close), Ok(mut shutdown)) =
        (ctrl_c(), ctrl_break(), ctrl_close(), ctrl_shutdown())
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = c.recv() => {}
        _ = brk.recv() => {}
        _ = close.recv() => {}
        _ = shutdown.recv() => {}
    }
}
