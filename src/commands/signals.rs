//! Ctrl-C, and what a system sends to end a program: each rings the bell.

use crate::engine::Stop;
use std::convert::Infallible;

/// Rings at each signal, for ever.
#[cfg(unix)]
pub async fn listen(stop: &Stop) -> Infallible {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
        signal(SignalKind::hangup()),
    ) else {
        return std::future::pending().await;
    };
    loop {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
        stop.ring();
    }
}

/// Rings at each signal, for ever.
#[cfg(not(unix))]
pub async fn listen(stop: &Stop) -> Infallible {
    loop {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        stop.ring();
    }
}
