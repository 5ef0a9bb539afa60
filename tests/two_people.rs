//! In most companies one person may write Entra and another Azure: scripts for each.
#![cfg(unix)]

mod support;

#[path = "two_people/parts.rs"]
mod parts;
