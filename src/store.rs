//! Runs on disk: one file each, written whole or not at all, readable by its owner alone, locked against a second process.

use crate::engine::{
    Listed, Run, Runs, Store, StoreError,
    record::{FORMAT, now},
};
use async_trait::async_trait;
use fs4::{FileExt, TryLockError};
use serde::{Deserialize, de::IgnoredAny};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

/// The folder that holds all runs.
#[derive(Clone, Debug)]
pub struct Folder {
    runs: PathBuf,
}

/// The fact that says which run it is.
const RUN: &str = "RUN";

/// One run's file, locked for this process.
struct Locked {
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

#[async_trait(?Send)]
impl Runs for Folder {
    async fn list(&self) -> Result<Vec<Listed>, StoreError> {
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
            runs.push((changed, name.to_owned(), read(&path, name)));
        }
        runs.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        Ok(runs.into_iter().map(|(_, name, run)| (name, run)).collect())
    }

    async fn load(&self, run: &str) -> Result<Run, StoreError> {
        let path = self.path(run, "json");
        if !is_run_name(run) || !is_taken(&path) {
            return Err(StoreError::Unknown {
                run: run.into(),
                place: self.runs.display().to_string(),
            });
        }
        read(&path, run)
    }

    /// Creates the folder, mode 0700, but no run.
    async fn lock(&self, run: &str) -> Result<Box<dyn Store>, StoreError> {
        private_folder(&self.runs)?;
        let path = self.path(run, "lock");
        let mut options = OpenOptions::new();
        let mut file = own(options.read(true).write(true).create(true), &path)?;
        // A log that is none of ours is told before anything is done, not when its first line is written.
        let log = self.path(run, "log");
        if is_taken(&log) {
            own(OpenOptions::new().append(true), &log)?;
        }
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
            Err(TryLockError::Error(source)) => return Err(io_error("lock", &path)(source)),
        }
        let command: Vec<String> = std::env::args().take(2).collect();
        let holder = format!(
            "process {} (`{}`, since {})\n",
            std::process::id(),
            command.join(" "),
            now(),
        );
        file.set_len(0)
            .and_then(|()| file.write_all(holder.as_bytes()))
            .map_err(io_error("write", &path))?;
        Ok(Box::new(Locked {
            path: self.path(run, "json"),
            _lock: file,
        }))
    }

    async fn has(&self, run: &str) -> Result<bool, StoreError> {
        Ok(is_taken(&self.path(run, "json")))
    }
}

#[async_trait(?Send)]
impl Store for Locked {
    async fn save(&mut self, run: &Run) -> Result<(), StoreError> {
        let mut text = serde_json::to_string_pretty(run)
            .map_err(|error| io_error("write", &self.path)(error.into()))?;
        text.push('\n');
        write_whole(&self.path, text.as_bytes())
    }
}

/// Writes a file so that a reader, and a power cut, see the old one or the new one and nothing between.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
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

/// Reads a run of any released format. What it says of its own name has to be what its file is called: marks and names of
/// cloud objects are made of it.
fn read(path: &Path, name: &str) -> Result<Run, StoreError> {
    #[derive(Deserialize)]
    struct Sniff {
        format: u64,
        written_by: Option<String>,
        members: Option<IgnoredAny>,
    }
    let damaged = |reason: String| StoreError::Damaged {
        place: path.display().to_string(),
        reason,
    };
    let mut text = Vec::new();
    own(OpenOptions::new().read(true), path)?
        .read_to_end(&mut text)
        .map_err(io_error("read", path))?;
    let sniff: Sniff = serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
    match (sniff.format, sniff.members.is_some()) {
        (0, _) => return Err(damaged("format 0 never existed".into())),
        (1, true) => return Err(damaged("format 1 has no `members`".into())),
        (format, _) if format > u64::from(FORMAT) => {
            return Err(StoreError::Newer {
                place: path.display().to_string(),
                format,
                written_by: sniff.written_by.unwrap_or_else(|| "a later version".into()),
            });
        }
        _ => {}
    }
    let mut run: Run = serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
    if run.run != name {
        return Err(damaged(format!("it calls itself `{}`", run.run)));
    }
    if run.format > 1 && run.members.is_empty() {
        return Err(damaged("it has no members".into()));
    }
    run.shared.facts.set_text(RUN, name.to_owned());
    for member in run.members.values_mut() {
        member.facts.take(RUN);
    }
    Ok(run)
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
            self.file = own(OpenOptions::new().append(true).create(true), &self.path).ok();
        }
        if let Some(file) = &mut self.file {
            let _ = writeln!(file, "{} {text}", now());
        }
    }

    /// Where the lines are.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Whether there is something of this name, whatever it is.
fn is_taken(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Opens a file that is one's own and plain. No link is followed, and nothing is waited for, as a pipe would.
fn own(options: &mut OpenOptions, path: &Path) -> Result<File, StoreError> {
    let foreign = |reason| StoreError::Foreign {
        place: path.display().to_string(),
        reason,
    };
    let file = match private(not_through_links(options)).open(path) {
        Ok(file) => file,
        Err(_) if path.is_symlink() => return Err(foreign("it is a link")),
        Err(error) => return Err(io_error("open", path)(error)),
    };
    let data = file.metadata().map_err(io_error("open", path))?;
    if !data.is_file() {
        return Err(foreign("it is no plain file"));
    }
    if !is_mine(&data) {
        return Err(foreign("it belongs to somebody else"));
    }
    if has_more_names(&data) {
        return Err(foreign("it has a second name elsewhere"));
    }
    Ok(file)
}

#[cfg(unix)]
fn not_through_links(options: &mut OpenOptions) -> &mut OpenOptions {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt;
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    options.custom_flags(i32::try_from(flags.bits()).unwrap_or_default())
}
#[cfg(not(unix))]
fn not_through_links(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(unix)]
fn is_mine(data: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    data.uid() == rustix::process::geteuid().as_raw()
}
#[cfg(not(unix))]
fn is_mine(_: &fs::Metadata) -> bool {
    true
}

/// Whether what is written to it appears under another name too.
#[cfg(unix)]
fn has_more_names(data: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    data.nlink() > 1
}
#[cfg(not(unix))]
fn has_more_names(_: &fs::Metadata) -> bool {
    false
}

fn io_error(doing: &'static str, path: &Path) -> impl Fn(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::Io {
        doing,
        place: path.display().to_string(),
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

/// The state folder of one test, which goes away with it.
#[cfg(test)]
pub struct Scratch(pub PathBuf);

#[cfg(test)]
impl Scratch {
    /// A new one, which does not exist yet.
    #[must_use]
    pub fn fresh() -> Self {
        Self(std::env::temp_dir().join(format!("peer-wizard-{}", uuid::Uuid::new_v4())))
    }
}

#[cfg(test)]
impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const NAME: &str = "kong-9k2f";

    fn of_format(format: u32) -> Value {
        json!({
            "format": format, "run": NAME, "written_by": "peer-wizard 0.1.0", "serial": 7, "flow": "kong", "answers": {},
            "facts": { "RUN": "kong-0000", "USER_APP_ID": "a" },
            "steps": { "role": { "status": "created", "at": "2026-01-05T10:00:03Z" } },
        })
    }

    /// What comes of a file with this text.
    fn loaded(text: &str) -> Result<Run, StoreError> {
        let state = Scratch::fresh();
        let folder = Folder::new(&state.0);
        private_folder(&folder.runs).expect("a new folder");
        let path = folder.path(NAME, "json");
        fs::write(&path, text).expect("a new file");
        let work = folder.load(NAME);
        let run = futures_util::FutureExt::now_or_never(work).expect("files do not wait");
        assert_eq!(fs::read_to_string(&path).expect("still there"), text);
        run
    }

    fn damage(file: &Value) -> String {
        match loaded(&file.to_string()) {
            Err(StoreError::Damaged { reason, .. }) => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn format_1_is_read_as_what_is_shared_and_format_2_with_its_members() {
        let run = loaded(&of_format(1).to_string()).expect("a run");
        assert_eq!((run.format, run.members.len()), (1, 0));
        assert_eq!(run.shared.facts.text("USER_APP_ID"), Some("a"));
        assert!(run.done("role"));
        let mut file = of_format(2);
        file["members"] = json!({ "/subscriptions/s": { "facts": { "RUN": "x" }, "steps": {} } });
        let run = loaded(&file.to_string()).expect("a run");
        assert_eq!((run.format, run.members.len()), (2, 1));
        assert_eq!(run.facts().text(RUN), Some(NAME), "the file's name decides");
    }

    #[test]
    fn a_run_is_called_as_its_file() {
        let mut file = of_format(1);
        file["run"] = "kong-0000".into();
        assert_eq!(damage(&file), "it calls itself `kong-0000`");
    }

    #[test]
    fn what_no_version_wrote_is_damaged() {
        let mut file = of_format(1);
        file["members"] = json!({});
        assert!(damage(&file).contains("members"));
        assert!(damage(&of_format(2)).contains("members"));
        let mut file = of_format(1);
        file["format"] = "1".into();
        damage(&file);
        let mut file = of_format(1);
        file["steps"] = json!([]);
        damage(&file);
    }

    #[test]
    fn a_newer_format_is_refused_with_the_version_that_wrote_it() {
        let mut file = of_format(3);
        file["written_by"] = "peer-wizard 7.1.0".into();
        let error = loaded(&file.to_string()).expect_err("it is newer");
        assert!(error.to_string().contains("peer-wizard 7.1.0"), "{error}");
    }
}
