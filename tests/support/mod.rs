//! What the integration tests share: a home of one's own ([`TestEnv`]), simulated clouds ([`Cloud`]), and a bench on which
//! flows run in this process and die where a test wants them to ([`Bench`]).
//!
//! Nothing here touches the real home, the real network, or the clock: whoever waits, waits for something.
#![allow(dead_code, unused_imports, reason = "each test file uses its own part")]

mod bench;
mod cloud;
mod env;
mod picture;
mod stable;

pub use bench::{Bench, Broken, Disk, Journey, Moment, in_use};
pub use cloud::{Cloud, GIVEN_APP, PEER_ACTION, but, endpoints, variable};
pub use env::{Output, Started, TempDir, TestEnv};
pub use picture::picture;
pub use stable::stable;

use peer_wizard::{azure::steps::CredentialKind, provider::Shape};

/// Every shape that a flow can have, with a name for messages.
pub fn shapes() -> [(&'static str, Shape); 4] {
    let shape = |application_given, peering_only| Shape {
        application_given,
        peering_only,
        credential: CredentialKind::Auto,
        login_host: "https://login.microsoftonline.com".into(),
    };
    [
        ("as it is", shape(false, false)),
        ("own application given", shape(true, false)),
        ("peering rights only", shape(false, true)),
        ("both", shape(true, true)),
    ]
}
