//! `--sandbox`: simulated clouds inside this process, if they are built in.

#[cfg(not(feature = "sandbox"))]
mod none;
#[cfg(feature = "sandbox")]
mod simulated;

#[cfg(not(feature = "sandbox"))]
pub use none::Practice;
#[cfg(feature = "sandbox")]
pub use simulated::Practice;
