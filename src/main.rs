//! Runs the command that was typed and turns its end into an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(peer_wizard::commands::run())
}
