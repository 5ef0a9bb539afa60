//! The wizard at a terminal: a pseudo-terminal types, filters, cancels and says no.
#![cfg(unix)]

mod support;

use peer_wizard::{providers, sandbox::parts::Application};
use rustix::{
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};
use std::{
    fs::File,
    io::{Read, Write},
    process::Child,
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};
use support::{Cloud, TestEnv};

const PATIENCE: Duration = Duration::from_secs(60);
const DOWN: &str = "\u{1b}[B";
const ENTER: &str = "\r";
const CTRL_C: &str = "\u{3}";

/// The binary at a terminal of 120 by 40.
struct Terminal {
    child: Child,
    keys: File,
    screen: Receiver<Vec<u8>>,
    raw: String,
    /// What was read already by [`Terminal::until`].
    read: usize,
}

impl Terminal {
    fn start(env: &TestEnv, args: &[&str]) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
        grantpt(&master)
            .and_then(|()| unlockpt(&master))
            .expect("ours");
        let name = ptsname(&master, Vec::new()).expect("a name");
        let name = name.to_str().expect("a path");
        let slave = File::options()
            .read(true)
            .write(true)
            .open(name)
            .expect("ours");
        let size = Winsize {
            ws_row: 40,
            ws_col: 120,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&slave, size).expect("a size");
        let copy = || slave.try_clone().expect("a copy");
        let mut command = env.command(args);
        command
            .env("TERM", "xterm-256color")
            .stdin(copy())
            .stdout(copy())
            .stderr(copy());
        let child = command.spawn().expect("the binary starts");
        let keys = File::from(master);
        let mut screen = keys.try_clone().expect("a copy");
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // When the last one at the terminal has gone, reading fails.
            while let Ok(count @ 1..) = screen.read(&mut buffer) {
                let _ = sender.send(buffer[..count].to_vec());
            }
        });
        Self {
            child,
            keys,
            screen: receiver,
            raw: String::new(),
            read: 0,
        }
    }

    fn receive(&mut self, end: Instant) -> bool {
        let left = end.saturating_duration_since(Instant::now());
        let Ok(bytes) = self.screen.recv_timeout(left) else {
            return false;
        };
        self.raw.push_str(&String::from_utf8_lossy(&bytes));
        true
    }

    /// Waits until this text is drawn after all that was waited for before.
    fn until(&mut self, text: &str) -> &mut Self {
        let end = Instant::now() + PATIENCE;
        loop {
            let new = console::strip_ansi_codes(&self.raw[self.read..]).into_owned();
            if new.contains(text) {
                self.read = self.raw.len();
                return self;
            }
            assert!(self.receive(end), "`{text}` is not shown\n{}", self.text());
        }
    }

    fn press(&mut self, keys: &str) -> &mut Self {
        self.keys
            .write_all(keys.as_bytes())
            .expect("the terminal takes keys");
        self
    }

    fn text(&self) -> String {
        console::strip_ansi_codes(&self.raw).into_owned()
    }

    /// Presses Ctrl-C until it ends: between two keys, when the terminal is not raw, the key would be a signal to a
    /// foreground group, which a child without a session of its own does not have.
    fn cancel(self) -> (Option<i32>, String) {
        self.end_with(CTRL_C)
    }

    /// The exit code, and all that was drawn, with its escapes.
    fn end(self) -> (Option<i32>, String) {
        self.end_with("")
    }

    fn end_with(mut self, keys: &str) -> (Option<i32>, String) {
        let end = Instant::now() + PATIENCE;
        let mut code = None;
        while code.is_none() {
            // Nobody may be there any more.
            let _ = self.keys.write_all(keys.as_bytes());
            let _ = self.receive(Instant::now() + Duration::from_millis(20));
            code = self.child.try_wait().expect("a child can be asked");
            assert!(Instant::now() < end, "it does not end\n{}", self.text());
        }
        while self.receive(Instant::now() + Duration::from_millis(20)) {}
        let code = code.and_then(|status| status.code());
        (code, std::mem::take(&mut self.raw))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether the cursor is visible after this was drawn.
fn cursor_shows(raw: &str) -> bool {
    raw.rfind("\u{1b}[?25l") < raw.rfind("\u{1b}[?25h") || !raw.contains("\u{1b}[?25l")
}

#[test]
fn it_asks_filters_previews_and_takes_a_no() {
    let env = TestEnv::new();
    let mut terminal = Terminal::start(&env, &["azure", "--sandbox"]);
    terminal
        .until("The service to connect with")
        .press("timesc")
        .press(ENTER);
    terminal.until("subscription").press("Produ").press(ENTER);
    terminal.until("VNet").press("hub").press(ENTER);
    // The project and the VPC are the only ones there are.
    terminal.until("Proceed?").press("e").press(ENTER);
    terminal.until("Proceed?").press("n").press(ENTER);
    let (code, raw) = terminal.end();
    let text = console::strip_ansi_codes(&raw).into_owned();
    assert_eq!(code, Some(3), "{text}");
    assert!(text.contains("nothing was changed"), "{text}");
    assert!(text.contains("the only choice"), "{text}");
    assert!(text.contains("vnet-hub-prod"), "{text}");
    assert!(cursor_shows(&raw), "{raw:?}");
    assert_eq!(env.run_file(), None);
}

#[test]
fn arrows_choose() {
    let env = TestEnv::new();
    let mut terminal = Terminal::start(&env, &["azure", "--sandbox"]);
    terminal
        .until("The service to connect with")
        .press(DOWN)
        .press(ENTER);
    terminal.until(&format!("· {}", providers::ALL[1].id));
    let (code, _) = terminal.cancel();
    assert_eq!(code, Some(130));
}

#[test]
fn ctrl_c_at_a_list_shows_the_cursor_again() {
    let env = TestEnv::new();
    let mut terminal = Terminal::start(&env, &["azure", "--sandbox"]);
    terminal.until("The service to connect with");
    let (code, raw) = terminal.cancel();
    assert_eq!(code, Some(130), "{raw:?}");
    assert!(cursor_shows(&raw), "{raw:?}");
    assert_eq!(env.run_file(), None);
}

#[test]
fn a_yes_at_the_terminal_connects() {
    let cloud = Cloud::new();
    let env = TestEnv::of(&cloud, "aiven-project");
    let mut args = cloud.args(&providers::aiven::PROJECT);
    args.retain(|arg| arg != "--yes");
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let mut terminal = Terminal::start(&env, &args);
    terminal.until("Proceed?").press("y").press(ENTER);
    terminal.until("Connected");
    let (code, raw) = terminal.end();
    assert_eq!(code, Some(0), "{raw}");
    assert!(cursor_shows(&raw), "{raw:?}");
}

/// A gateway on Azure cannot be changed: another mapping is asked about, and a no leaves it.
#[test]
fn another_mapping_is_asked_about() {
    let cloud = Cloud::new();
    let env = TestEnv::of(&cloud, "kong");
    let with = |dns: &str, yes: bool| {
        let mut args = cloud.args(&providers::kong::KONG_CONNECT);
        args.retain(|arg| yes || arg != "--yes");
        args.extend(["--dns".to_owned(), dns.to_owned()]);
        args
    };
    let dns = || cloud.world()["konnect"].to_string();
    env.run(&with("10.0.0.4=a.example", true)).code(0);
    let before = dns();
    let args = with("10.0.0.5=b.example", false);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    // Without anybody to ask it is refused, also with the plan approved.
    env.run(&with("10.0.0.5=b.example", true))
        .code(3)
        .says("10.0.0.4=a.example");
    let mut terminal = Terminal::start(&env, &args);
    terminal
        .until("delete it and make another")
        .press("n")
        .press(ENTER);
    assert_eq!(terminal.end().0, Some(3));
    assert_eq!(dns(), before);
    let mut terminal = Terminal::start(&env, &args);
    terminal
        .until("delete it and make another")
        .press("y")
        .press(ENTER);
    terminal.until("Proceed?").press("y").press(ENTER);
    terminal.until("Connected");
    assert_eq!(terminal.end().0, Some(0));
    assert!(
        dns().contains("b.example") && !dns().contains("a.example"),
        "{}",
        dns()
    );
}

/// An application that the provider does not document is asked about by itself, before the plan where Entra knows it already.
#[test]
fn a_stranger_is_asked_about() {
    const STRANGER: &str = "0f1e2d3c-4b5a-4697-8899-aabbccddeeff";
    const TENANT: &str = "11111111-2222-4333-8444-555555555555";
    let cloud = Cloud::new();
    cloud.sandbox.edit(|world| {
        world.applications.push(Application {
            tenant: TENANT.into(),
            id: "1a2b3c4d-5e6f-4708-91a2-b3c4d5e6f708".into(),
            app_id: STRANGER.into(),
            display_name: "Aiven VPC peering".into(),
            audience: "AzureADMultipleOrgs".into(),
            created: "2026-01-01T08:00:00Z".into(),
            ..Application::default()
        });
    });
    let env = TestEnv::of(&cloud, "aiven-project");
    let mut args = cloud.args(&providers::aiven::PROJECT);
    args.retain(|arg| arg != "--yes");
    args.extend(["--provider-application-id".to_owned(), STRANGER.to_owned()]);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    // Entra knows nothing of it yet, so it is asked about in the middle of the run, before it gets a right.
    let mut terminal = Terminal::start(&env, &args);
    terminal.until("Proceed?").press("y").press(ENTER);
    terminal.until("[y/N]").press(ENTER);
    let (code, raw) = terminal.end();
    let text = console::strip_ansi_codes(&raw).into_owned();
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("was not confirmed"), "{text}");
    assert!(text.contains(TENANT), "{text}");
    assert!(cursor_shows(&raw), "{raw:?}");
    let saved = env.saved();
    assert_eq!(saved["facts"]["AIVEN_APP_CONFIRMED"], "no");
    assert_eq!(
        saved["steps"]["provider-assignment"],
        serde_json::Value::Null
    );
    // A no is a no, also where nobody is asked again.
    env.run(&["resume", "--no-input"])
        .code(1)
        .says("was not confirmed");
    // Now there is a principal, so another run asks before its plan; an empty line is a no.
    let other = TestEnv::of(&cloud, "aiven-project");
    let mut terminal = Terminal::start(&other, &args);
    terminal.until("[y/N]").press(ENTER);
    let (code, raw) = terminal.end();
    assert_eq!(code, Some(3), "{raw}");
    assert_eq!(other.run_file(), None);
    let mut terminal = Terminal::start(&other, &args);
    terminal.until("[y/N]").press("y").press(ENTER);
    terminal.until("Proceed?").press("n").press(ENTER);
    assert_eq!(terminal.end().0, Some(3));
    // Who says yes in the middle of the run goes on with it.
    let mut terminal = Terminal::start(&env, &["resume", "--timeout", "1s"]);
    terminal.until("[y/N]").press("y").press(ENTER);
    terminal.until("Let Aiven peer with your VNet");
    // Aiven itself has no right then.
    assert_ne!(terminal.end().0, Some(0));
    assert_eq!(
        env.saved()["facts"]["AIVEN_APP_CONFIRMED"],
        format!("{STRANGER} of the tenant {TENANT}")
    );
}
