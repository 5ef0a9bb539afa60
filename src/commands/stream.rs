//! What happens, as it is told: the lines of `--output json`, or the view for people. It has one first line.

use crate::{
    engine::{
        Event,
        event::{Failure, Outcome, SCHEMA},
    },
    error::Error,
    view::{View, duration},
};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
};

/// The way to the view, for all who tell something.
#[derive(Clone)]
pub struct Stream {
    view: Rc<RefCell<Box<dyn View>>>,
    opened: Rc<Cell<bool>>,
}

impl Stream {
    /// A stream into this view.
    pub fn new(view: Box<dyn View>) -> Self {
        Self {
            view: Rc::new(RefCell::new(view)),
            opened: Rc::default(),
        }
    }

    /// The first line, unless it was sent: the run's name and flow, if there is a run, and how many steps it has.
    pub fn open(&self, run: Option<(&str, &str)>, total: usize) {
        if self.opened.replace(true) {
            return;
        }
        let opened = Event::Opened {
            schema: SCHEMA,
            run: run.map(|(name, _)| name),
            flow: run.map(|(_, flow)| flow),
            total,
            version: env!("CARGO_PKG_VERSION"),
        };
        self.event(&opened, None);
    }

    /// Tells of something that happened, and for which VNet, where there are several.
    pub fn event(&self, event: &Event<'_>, vnet: Option<&str>) {
        self.view.borrow_mut().event(event, vnet);
    }

    /// Tells why it cannot go on, at which step, and the command to go on with.
    pub fn failed(&self, error: &Error, step: Option<&str>, resume: Option<&str>) {
        let failed = Event::Failed {
            step,
            error: Failure {
                kind: error.kind.name(),
                message: &error.message,
                code: error.code.as_deref(),
                hints: &error.hints,
            },
            resume,
        };
        self.event(&failed, None);
    }

    /// The last line. The view sends nothing after it.
    pub fn close(&self, status: Outcome, facts: &BTreeMap<String, String>) {
        self.event(&Event::Closed { status, facts }, None);
    }

    /// Shows prose.
    pub fn note(&self, text: &str) {
        self.view.borrow_mut().note(text);
    }

    /// Shows a request.
    pub fn request(&self, line: &str) {
        self.view.borrow_mut().request(line);
    }

    /// Does something on the terminal while nothing else is drawn there.
    pub fn aside(&self, work: &mut dyn FnMut()) {
        self.view.borrow_mut().aside(work);
    }

    /// Clears what is still moving.
    pub fn clear(&self) {
        self.view.borrow_mut().close();
    }

    /// Tells of the repetitions of looks outside a run, where there are no events.
    pub fn looks(&self) -> impl Fn(&Event<'_>, Option<&str>) + use<> {
        let stream = self.clone();
        move |event, _| {
            if let Event::Retrying { because, after, .. } = event {
                let after = duration(*after);
                stream.note(&format!("{because}; trying again in {after}"));
            }
        }
    }
}
