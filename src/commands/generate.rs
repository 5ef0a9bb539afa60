//! `peer-wizard completions` and `peer-wizard man`: texts made from the catalogue of inputs.

use crate::{cli::Cli, error::Error, view};
use clap::CommandFactory;
use clap_complete::Shell;

/// Prints a completion script.
pub fn completions(shell: Shell) {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "peer-wizard", &mut text);
    // A closed pipe is nobody's error.
    let _ = view::out(&String::from_utf8_lossy(&text));
}

/// Prints the manual page.
///
/// # Errors
/// When it cannot be rendered.
pub fn man() -> Result<(), Error> {
    let mut text = Vec::new();
    let failed = |error| Error::bug("cannot render the manual page").from_source(error);
    let mut command = Cli::command();
    command.build();
    clap_mangen::Man::new(command.clone())
        .render(&mut text)
        .map_err(failed)?;
    let _ = view::out(&String::from_utf8_lossy(&text));
    Ok(())
}
