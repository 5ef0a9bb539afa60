//! `peer-wizard completions` and `peer-wizard man`: texts made from the catalogue of inputs.

use super::report::Report;
use crate::{cli::Cli, error::Error};
use clap::CommandFactory;
use clap_complete::Shell;

/// A completion script.
pub fn completions(shell: Shell) -> Report {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "peer-wizard", &mut text);
    Report::data(String::from_utf8_lossy(&text).into_owned())
}

/// The manual page.
///
/// # Errors
/// When it cannot be rendered.
pub fn man() -> Result<Report, Error> {
    let mut text = Vec::new();
    let failed = |error| Error::bug("cannot render the manual page").from_source(error);
    let mut command = Cli::command();
    command.build();
    clap_mangen::Man::new(command)
        .render(&mut text)
        .map_err(failed)?;
    Ok(Report::data(String::from_utf8_lossy(&text).into_owned()))
}
