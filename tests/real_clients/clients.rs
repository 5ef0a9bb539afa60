//! The real `az` and `avn`, from PyPI, in a folder of this project's own that is kept between runs.

use fs4::FileExt;
use peer_wizard::shell::single;
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

/// What is installed. Another version is another folder, so a change here installs anew.
const PACKAGES: [&str; 2] = ["azure-cli==2.91.*", "aiven-client==4.18.*"];

/// The folder with `az` and `avn`, installed by whoever comes first; the others wait.
pub fn bin() -> &'static Path {
    static BIN: OnceLock<PathBuf> = OnceLock::new();
    BIN.get_or_init(|| {
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("real-clients");
        fs::create_dir_all(&cache).expect("cargo's folder for tests can be written to");
        let lock = File::create(cache.join("lock")).expect("a lock file");
        // Another process may be installing; the lock goes with the file.
        FileExt::lock(&lock).expect("a lock");
        let digest = PACKAGES
            .join(" ")
            .replace("==", "-")
            .replace(['*', ' '], "");
        let venv = cache.join(digest);
        let bin = venv.join("bin");
        // Written last, so that an installation that was cut off is begun anew.
        let whole = venv.join("whole");
        if !whole.exists() {
            let _ = fs::remove_dir_all(&venv);
            let python = "install Python 3 with venv: apt-get install python3 python3-venv";
            run(
                Command::new("python3").args(["-m", "venv"]).arg(&venv),
                python,
            );
            let pip = Command::new(bin.join("pip"))
                .args(["install", "--quiet", "--disable-pip-version-check"])
                .args(PACKAGES)
                .spawn();
            let pip = pip.and_then(|mut child| child.wait()).expect("pip starts");
            assert!(
                pip.success(),
                "pip cannot install {}",
                PACKAGES.join(" and ")
            );
            fs::write(&whole, "").expect("a new file");
        }
        bin
    })
}

fn run(command: &mut Command, hint: &str) {
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}; {hint}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}; {hint}");
}

/// A folder for the front of `PATH` whose programs note in `record` their arguments and, but for the one that needs a token
/// there, their environment, and become the real ones.
pub fn recorders(folder: &Path, record: &Path) {
    fs::create_dir(folder).expect("a new folder");
    for tool in ["az", "avn", "curl"] {
        let real = match tool {
            "curl" => on_path("curl"),
            tool => bin().join(tool),
        };
        let environment = if tool == "avn" { "" } else { "\"$(env)\"" };
        let text = format!(
            "#!/bin/bash\nprintf '%s\\0' {tool} \"$@\" {environment} $'\\n' >>{}\nexec {} \"$@\"\n",
            single(&record.to_string_lossy()),
            single(&real.to_string_lossy()),
        );
        let path = folder.join(tool);
        fs::write(&path, text).expect("a new file");
        executable(&path);
    }
}

fn on_path(tool: &str) -> PathBuf {
    let path = std::env::var_os("PATH").expect("a PATH");
    std::env::split_paths(&path)
        .map(|folder| folder.join(tool))
        .find(|file| file.is_file())
        .unwrap_or_else(|| panic!("{tool} is not installed"))
}

fn executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a file of our own");
}

/// `shellcheck` has nothing to say, not even about style.
#[track_caller]
pub fn shellcheck(what: &str, script: &Path) {
    let output = Command::new("shellcheck")
        .args(["--shell=bash", "--severity=style"])
        .arg(script)
        .output()
        .expect("shellcheck is not installed: apt-get install shellcheck (.ci/run does)");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{what}: shellcheck says\n{said}");
}
