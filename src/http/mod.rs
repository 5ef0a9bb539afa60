//! Requests to the services: as data ([`call`]), their one executor ([`send`]), what it puts up with ([`limits`], [`numbers`]), what
//! is kept from readers ([`quiet`]), and what went wrong ([`fault`], [`hints`]).

pub mod call;
pub mod challenge;
pub mod fault;
pub mod hints;
pub mod limits;
pub mod numbers;
pub mod quiet;
pub mod send;
pub mod vendor;

pub use call::{Call, Service, segment};
pub use fault::{ApiError, Cause};
pub use send::{Answer, Http};
pub use vendor::Vendor;
