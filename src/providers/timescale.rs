//! Managed Service for Timescale: Aiven's project flow with another token and other cloud names.

use super::{Provider, aiven};

/// A VPC of a Timescale project. Its guides do not all name the application; the one they name is Aiven's.
pub const TIMESCALE: Provider = Provider {
    id: "timescale",
    name: "Timescale",
    title: "Timescale project VPC",
    console: "https://portal.managed.timescale.com/",
    ..aiven::PROJECT
};
