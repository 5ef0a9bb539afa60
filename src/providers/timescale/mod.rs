//! Managed Service for Timescale: Aiven's project flow with another token and other cloud names.

use super::aiven::{self, inputs};
use crate::provider::{Input, Provider, TokenKind};

/// A VPC of a Timescale project. Its guides do not all name the application; the one they name is Aiven's.
pub const TIMESCALE: Provider = Provider {
    id: "timescale",
    name: "Timescale",
    title: "Timescale project VPC",
    service: "Timescale",
    console: "https://portal.managed.timescale.com/",
    inputs: &[
        &Input {
            sample: Some("timescale_project"),
            ..inputs::PROJECT
        },
        &Input {
            sample: Some("timescale_vpc"),
            ..inputs::PROJECT_VPC
        },
    ],
    token: &TokenKind {
        sample: "timescale_token",
        ..inputs::TOKEN
    },
    ..aiven::PROJECT
};
