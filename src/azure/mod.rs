//! The Azure side: what is asked of Graph and ARM, and the steps that every provider shares.

pub mod agreement;
pub mod arm;
pub mod graph;
pub mod keys;
pub mod restraints;
pub mod steps;

use crate::{clouds::Clouds, engine, http::ApiError};

/// What a step that acts on the clouds acts with.
pub type Cx<'a> = engine::Cx<'a, Clouds>;

/// A fault of such a step.
pub type Fault = engine::Fault<ApiError>;

/// A flow of such steps.
pub type Flow = engine::Flow<Clouds>;

impl From<ApiError> for Fault {
    fn from(error: ApiError) -> Self {
        Self::World(error)
    }
}
