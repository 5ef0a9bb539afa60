//! Runs on disk: one file each, written whole or not at all, readable by its owner alone, locked against a second process.

use super::record::{FORMAT, Run};
use fs4::{FileExt, TryLockError};
use serde::Deserialize;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

/// Why a run could not be read or saved.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file system said no.
    #[error("cannot {doing} `{}`", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Not a run, or not a whole one.
    #[error("`{}` is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Written by a later version.
    #[error("`{}` has format {format}, written by {written_by}; this version reads format {FORMAT}", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: u64,
        /// The version that wrote it.
        written_by: String,
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
    #[error("there is no run `{run}` in `{}`", folder.display())]
    Unknown {
        /// The name asked for.
        run: String,
        /// Where it was looked for.
        folder: PathBuf,
    },
}

/// Where the runner saves.
pub trait Store {
    /// Saves the run; when it returns, the run is on disk.
    ///
    /// # Errors
    /// When it could not be saved; what was saved before is still whole.
    fn save(&mut self, run: &mut Run) -> Result<(), StoreError>;
}

/// The folder that holds all runs.
#[derive(Clone, Debug)]
pub struct Folder {
    runs: PathBuf,
}

/// A run's name, and the run or why it cannot be read.
pub type Named = (String, Result<Run, StoreError>);

/// One run's file, locked for this process.
#[derive(Debug)]
pub struct Locked {
    path: PathBuf,
    // Held for its lock, which the kernel frees with the process.
    _lock: File,
}

impl Folder {
    /// The folder below `state`, such as `~/.local/state/peer-wizard`. Nothing is created yet.
    #[must_use]
    pub fn new(state: &Path) -> Self {
        Self {
            runs: state.join("runs"),
        }
    }

    /// A run's file, or one that lies beside it.
    #[must_use]
    pub fn path(&self, run: &str, extension: &str) -> PathBuf {
        self.runs.join(format!("{run}.{extension}"))
    }

    /// Takes the run for this process alone. Creates the folder, mode 0700, but no run.
    ///
    /// # Errors
    /// [`StoreError::Locked`] names the process that has it.
    pub fn lock(&self, run: &str) -> Result<Locked, StoreError> {
        private_folder(&self.runs)?;
        let path = self.path(run, "lock");
        let mut file = private(OpenOptions::new().read(true).write(true).create(true))
            .open(&path)
            .map_err(io_error("open", &path))?;
        match FileExt::try_lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // The text is a courtesy; the lock is what counts.
                let _ = file.read_to_string(&mut holder);
                return Err(StoreError::Locked {
                    run: run.into(),
                    holder: match holder.trim() {
                        "" => "another process".into(),
                        holder => holder.into(),
                    },
                });
            }
            Err(TryLockError::Error(source)) => {
                return Err(StoreError::Io {
                    doing: "lock",
                    path,
                    source,
                });
            }
        }
        let command: Vec<String> = std::env::args().take(2).collect();
        let holder = format!(
            "process {} (`{}`, since {})\n",
            std::process::id(),
            command.join(" "),
            super::record::now(),
        );
        file.set_len(0)
            .and_then(|()| file.write_all(holder.as_bytes()))
            .map_err(io_error("write", &path))?;
        Ok(Locked {
            path: self.path(run, "json"),
            _lock: file,
        })
    }

    /// Reads a run.
    ///
    /// # Errors
    /// When it is not there, damaged, or of a later format.
    pub fn load(&self, run: &str) -> Result<Run, StoreError> {
        let path = self.path(run, "json");
        if !is_run_name(run) || !path.exists() {
            return Err(StoreError::Unknown {
                run: run.into(),
                folder: self.runs.clone(),
            });
        }
        read(&path)
    }

    /// Whether the name is taken.
    #[must_use]
    pub fn has(&self, run: &str) -> bool {
        self.path(run, "json").exists()
    }

    /// All runs, newest first, each read or with the reason why not, and its name.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn list(&self) -> Result<Vec<Named>, StoreError> {
        let entries = match fs::read_dir(&self.runs) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(io_error("read", &self.runs)(error)),
        };
        let mut runs = Vec::new();
        for entry in entries {
            let path = entry.map_err(io_error("read", &self.runs))?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            let Some(name) = name.and_then(|name| name.strip_suffix(".json")) else {
                continue;
            };
            if !is_run_name(name) {
                continue;
            }
            let changed = path.metadata().and_then(|data| data.modified()).ok();
            runs.push((changed, name.to_owned(), read(&path)));
        }
        runs.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        Ok(runs.into_iter().map(|(_, name, run)| (name, run)).collect())
    }

    /// Writes a file for the served sandbox, beside the folder of the runs.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn sandbox_file(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, StoreError> {
        let folder = self.runs.with_file_name("sandbox");
        private_folder(&folder)?;
        let path = folder.join(name);
        write_whole(&path, bytes)?;
        Ok(path)
    }

    /// A file beside a run to which lines are added; nothing is written before the first.
    #[must_use]
    pub fn log(&self, run: &str) -> Log {
        Log {
            path: self.path(run, "log"),
            file: None,
        }
    }
}

/// A run's name has the characters of one and nothing that means a path.
fn is_run_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

impl Store for Locked {
    fn save(&mut self, run: &mut Run) -> Result<(), StoreError> {
        run.serial += 1;
        run.written_by = super::record::written_by();
        let mut text = serde_json::to_string_pretty(run)
            .map_err(|error| io_error("write", &self.path)(error.into()))?;
        text.push('\n');
        write_whole(&self.path, text.as_bytes())
    }
}

/// Writes a file so that a reader, and a power cut, see the old one or the new one and nothing between.
///
/// # Errors
/// When it could not be written; the old file is then untouched.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let new = path.with_extension("new");
    // A leftover of a killed process may lie there with other rights than ours.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(io_error("replace", &new)(error));
        }
        _ => {}
    }
    let mut file = private(OpenOptions::new().write(true).create_new(true))
        .open(&new)
        .map_err(io_error("write", &new))?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(io_error("write", &new))?;
    fs::rename(&new, path).map_err(io_error("replace", path))?;
    sync_folder(path)
}

fn read(path: &Path) -> Result<Run, StoreError> {
    #[derive(Deserialize)]
    struct Sniff {
        format: u64,
        written_by: Option<String>,
    }
    let damaged = |reason: String| StoreError::Damaged {
        path: path.into(),
        reason,
    };
    let text = fs::read(path).map_err(io_error("read", path))?;
    let sniff: Sniff = serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
    match sniff.format {
        1 => serde_json::from_slice(&text).map_err(|error| damaged(error.to_string())),
        0 => Err(damaged("format 0 never existed".into())),
        format => Err(StoreError::Newer {
            path: path.into(),
            format,
            written_by: sniff.written_by.unwrap_or_else(|| "a later version".into()),
        }),
    }
}

/// Lines beside a run: what was asked of the services, when, and how they answered. Never a secret.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    file: Option<File>,
}

impl Log {
    /// Adds a line with the time before it. A log that cannot be written stops nothing.
    pub fn line(&mut self, text: &str) {
        if self.file.is_none() {
            self.file = private(OpenOptions::new().append(true).create(true))
                .open(&self.path)
                .ok();
        }
        if let Some(file) = &mut self.file {
            let _ = writeln!(file, "{} {text}", super::record::now());
        }
    }

    /// Where the lines are.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn io_error(doing: &'static str, path: &Path) -> impl Fn(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::Io {
        doing,
        path: path.clone(),
        source,
    }
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600)
}
#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(unix)]
fn private_folder(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(0o700)))
        .map_err(io_error("create", path))
}
#[cfg(not(unix))]
fn private_folder(path: &Path) -> Result<(), StoreError> {
    fs::create_dir_all(path).map_err(io_error("create", path))
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> Result<(), StoreError> {
    let folder = path.parent().unwrap_or(path);
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(io_error("save", folder))
}
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> Result<(), StoreError> {
    Ok(())
}
