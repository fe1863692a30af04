//! What the system tells the program while it runs: to stop, and to read its TLS certificate again.

use std::sync::Arc;

use tokio::sync::Notify;

use super::tls::Tls;

/// Tells a running server to stop, from any thread.
#[derive(Clone, Default)]
pub struct Stopper(Arc<Notify>);

impl Stopper {
    /// Requests under way are finished, new ones are not taken.
    pub fn stop(&self) {
        self.0.notify_one();
    }

    async fn stopped(&self) {
        self.0.notified().await;
    }
}

/// The signals that are listened for. From when this is made, one that comes is remembered until somebody asks; until
/// then it would end the process where it is.
pub struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    hang_up: Option<tokio::signal::unix::Signal>,
}

impl Signals {
    /// Listens for them. To be called where tokio runs.
    ///
    /// # Errors
    /// The system's.
    #[cfg(unix)]
    pub fn register() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: None,
        })
    }

    /// Listens for them. To be called where tokio runs.
    ///
    /// # Errors
    /// The system's.
    #[cfg(not(unix))]
    pub fn register() -> std::io::Result<Self> {
        Ok(Self {})
    }

    /// Listens for SIGHUP too, which else ends the process, as the end of its terminal does.
    ///
    /// # Errors
    /// The system's.
    #[cfg(unix)]
    pub fn and_hang_up(self) -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { hang_up: Some(signal(SignalKind::hangup())?), ..self })
    }

    /// There is no such signal here.
    ///
    /// # Errors
    /// None.
    #[cfg(not(unix))]
    pub fn and_hang_up(self) -> std::io::Result<Self> {
        Ok(self)
    }

    /// Waits until it is to stop; meanwhile the certificate is read again whenever that is asked for.
    #[cfg(unix)]
    pub(super) async fn told_to_stop(mut self, stopper: &Stopper, tls: Option<&Tls>) {
        loop {
            let hang_up = async {
                match &mut self.hang_up {
                    Some(signal) => {
                        signal.recv().await;
                    }
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = stopper.stopped() => return,
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                () = hang_up => match tls.map(Tls::reload) {
                    Some(Ok(())) => tracing::info!("the TLS certificate was read again"),
                    Some(Err(error)) => tracing::error!(error, "the TLS certificate in use stays"),
                    None => {}
                }
            }
        }
    }

    /// Waits until it is to stop.
    #[cfg(not(unix))]
    pub(super) async fn told_to_stop(self, stopper: &Stopper, _: Option<&Tls>) {
        tokio::select! {
            () = stopper.stopped() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    }
}
