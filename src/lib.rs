pub mod engine;
pub mod fact;
pub mod shell;
