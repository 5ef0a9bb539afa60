//! Keeps the world in a file, so that a half-finished practice run can be resumed by another process.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::world::World;

/// Where the world is saved, and what was saved last.
#[derive(Default)]
pub(super) struct Store {
    path: Option<PathBuf>,
    saved: String,
}

impl Store {
    /// A store at a path, or nowhere.
    pub fn at(path: Option<PathBuf>) -> Self {
        Self {
            path,
            saved: String::new(),
        }
    }

    /// Reads a saved world; `None` when there is no file.
    pub fn load(path: &Path) -> io::Result<Option<World>> {
        match std::fs::read_to_string(path) {
            Ok(text) => serde_json::from_str(&text)
                .map(Some)
                .map_err(io::Error::other),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Saves the world if it has changed: to a new file that then takes the place of the old one.
    /// It survives the death of the process; a practice world need not survive that of the machine.
    pub fn save(&mut self, world: &World) -> io::Result<()> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let text = serde_json::to_string(world).map_err(io::Error::other)?;
        if text == self.saved {
            return Ok(());
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.new", std::process::id()));
        let fresh = path.with_file_name(name);
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&fresh)?;
        file.write_all(text.as_bytes())?;
        std::fs::rename(&fresh, path)?;
        self.saved = text;
        Ok(())
    }
}
