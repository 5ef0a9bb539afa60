//! The text of the line that lives.

use crate::view::{Screen, duration};
use console::measure_text_width;
use std::time::Instant;

/// A title is not cut shorter than this for the sake of what stands behind it.
pub(super) const LEAST_TITLE: usize = 12;

/// What the living line shows.
#[derive(Clone, Debug)]
pub(super) struct Live {
    /// `4/12`
    pub(super) place: String,
    pub(super) title: String,
    /// The service's word for its state, or the reason to try again.
    pub(super) says: String,
    /// `usually 2-5 min`
    pub(super) usual: String,
    pub(super) since: Instant,
}

impl Live {
    /// A step that begins now.
    pub(super) fn new(place: String, title: String) -> Self {
        Self {
            place,
            title,
            says: String::new(),
            usual: String::new(),
            since: Instant::now(),
        }
    }

    /// The line in at most `width` columns: first the usual time goes, then the ends of the title and of the state.
    pub(super) fn line(&self, screen: &Screen, width: usize) -> String {
        let dot = screen.sign(" · ", " - ");
        let elapsed = format!(
            "{dot}{}",
            duration(self.since.elapsed().as_secs_f64().floor())
        );
        let mut says = match self.says.as_str() {
            "" => String::new(),
            says => format!("{dot}{says}"),
        };
        let usual = match self.usual.as_str() {
            "" => String::new(),
            usual => format!(", {usual}"),
        };
        let full = format!("{}  {}{says}{elapsed}{usual}", self.place, self.title);
        if measure_text_width(&full) <= width {
            return full;
        }
        let taken = measure_text_width(&self.place) + 2 + measure_text_width(&elapsed);
        let room = width.saturating_sub(taken);
        let wanted = measure_text_width(&says);
        let title_room = room.saturating_sub(wanted).max(LEAST_TITLE);
        let title = screen.cut(&self.title, title_room);
        let left = room.saturating_sub(measure_text_width(&title));
        // Less than this says nothing.
        if wanted > left {
            says = match left {
                0..8 => String::new(),
                _ => screen.cut(&says, left),
            };
        }
        screen.cut(&format!("{}  {title}{says}{elapsed}", self.place), width)
    }
}
