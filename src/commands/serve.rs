//! `peer-wizard sandbox`: serve the simulated clouds in the foreground.

use super::{context::Context, practice::Practice};
use crate::{cli, error::Error, view};
use std::convert::Infallible;

/// Serves until Ctrl-C.
///
/// # Errors
/// When the port is taken, or a file cannot be written.
pub async fn run(context: &Context<'_>, options: &cli::Serve) -> Result<Infallible, Error> {
    let practice = Practice::serve(options)?;
    let folder = context.folder()?;
    let ca = folder.sandbox_file("ca.pem", &practice.root())?;
    let session = ca.with_file_name("az");
    // A closed pipe is nobody's error.
    let _ = view::out(&practice.lines(&ca, &session));
    context.stream.note("Serving simulated clouds until Ctrl-C. Paste the lines above into another shell, then: peer-wizard azure");
    std::future::pending().await
}
