//! A build without simulated clouds: nothing can be booted, so there is none to ask anything of.

use crate::{
    ask::Samples,
    cli,
    clouds::{Endpoints, credential::SignIn},
    error::Error,
    fact::Secret,
    provider::Provider,
};
use std::path::Path;

/// Simulated clouds, of which there are none.
pub enum Practice {}

fn missing(message: &str) -> Error {
    Error::usage(message)
        .hint("use one that has it; `cargo build` builds it in unless told `--no-default-features`")
}

impl Practice {
    /// Says that there is no sandbox.
    ///
    /// # Errors
    /// Always.
    pub fn boot(state: Option<&Path>) -> Result<Self, Error> {
        Err(missing(if state.is_some() {
            "the run is one of the sandbox, and this peer-wizard was built without it"
        } else {
            "this peer-wizard was built without the sandbox"
        }))
    }

    /// Says that there is no sandbox.
    ///
    /// # Errors
    /// Always.
    pub fn serve(_: &cli::Serve) -> Result<Self, Error> {
        Self::boot(None)
    }

    pub fn lines(&self, _: &Path, _: &Path) -> String {
        match *self {}
    }

    pub fn keep(&self, _: &Path) -> Result<(), Error> {
        match *self {}
    }

    pub fn root(&self) -> Vec<u8> {
        match *self {}
    }

    pub fn endpoints(&self) -> Result<Endpoints, Error> {
        match *self {}
    }

    pub fn sign_in(&self) -> SignIn {
        match *self {}
    }

    pub fn token(&self, _: &Provider) -> Secret {
        match *self {}
    }

    pub fn samples(&self) -> Samples {
        match *self {}
    }
}
