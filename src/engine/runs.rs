//! Where runs are kept, as the engine knows it: a contract, of which a folder is one implementation.

use super::record::Run;
use async_trait::async_trait;

/// Why a run could not be read or saved. A `place` is what people call where it is kept, such as a file's path.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The place said no.
    #[error("cannot {doing} `{place}`")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// With what.
        place: String,
        /// Why not.
        source: std::io::Error,
    },
    /// Not a run, or not a whole one.
    #[error("`{place}` is damaged: {reason}")]
    Damaged {
        /// Where.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Written by a later version.
    #[error(
        "`{place}` has format {format}, written by {written_by}; this version reads formats 1 to {}",
        super::record::FORMAT
    )]
    Newer {
        /// Where.
        place: String,
        /// Its format.
        format: u64,
        /// The version that wrote it.
        written_by: String,
    },
    /// Something that this program did not put there: it could be read by others, or lead elsewhere.
    #[error("`{place}` is not used: {reason}")]
    Foreign {
        /// Where.
        place: String,
        /// What it is.
        reason: &'static str,
    },
    /// Another process works on it.
    #[error("the run `{run}` is in use by {holder}")]
    Locked {
        /// The run.
        run: String,
        /// Who holds it: process, command, since when.
        holder: String,
    },
    /// No such run.
    #[error("there is no run `{run}` in `{place}`")]
    Unknown {
        /// The name asked for.
        run: String,
        /// Where it was looked for.
        place: String,
    },
}

/// A run's name, and the run or why it cannot be read.
pub type Listed = (String, Result<Run, StoreError>);

/// All the runs there are.
#[async_trait(?Send)]
pub trait Runs {
    /// All runs, newest first, each read or with the reason why not.
    ///
    /// # Errors
    /// When the place cannot be read at all.
    async fn list(&self) -> Result<Vec<Listed>, StoreError>;

    /// Reads a run; changes nothing.
    ///
    /// # Errors
    /// When it is not there, damaged, or of a later format.
    async fn load(&self, run: &str) -> Result<Run, StoreError>;

    /// Takes the run for this process alone, until the lock is dropped. Makes no run.
    ///
    /// # Errors
    /// [`StoreError::Locked`] names who has it.
    async fn lock(&self, run: &str) -> Result<Box<dyn Store>, StoreError>;

    /// Whether the name is taken, also by a run that cannot be read.
    async fn has(&self, run: &str) -> Result<bool, StoreError>;
}

/// One run that this process holds.
#[async_trait(?Send)]
pub trait Store {
    /// Saves the run. When it returns well, all of the run is kept and outlives the process; when it does not, what was saved
    /// before is still whole. A run that this process holds no more is not saved: that is an error, and the run stops.
    ///
    /// # Errors
    /// When it could not be saved.
    async fn save(&mut self, run: &Run) -> Result<(), StoreError>;
}
