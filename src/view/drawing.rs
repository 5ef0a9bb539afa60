//! The connection as a drawing: two networks and the two arrows between them, each with its state.

use super::{clean, pad};
use console::measure_text_width;

/// One end.
#[derive(Clone, Debug, Default)]
pub struct End {
    /// Whose it is.
    pub title: String,
    /// What is there, from the outside in.
    pub lines: Vec<String>,
}

/// Two ends and their arrows.
#[derive(Clone, Debug, Default)]
pub struct Drawing {
    /// Yours.
    pub left: End,
    /// The provider's.
    pub right: End,
    /// The state of the half from left to right.
    pub there: String,
    /// The state of the half from right to left.
    pub back: String,
}

impl Drawing {
    /// The drawing, or the same below each other where it does not fit.
    #[must_use]
    pub fn render(&self, width: usize, unicode: bool) -> String {
        let there = clean(&self.there);
        let back = clean(&self.back);
        let span = measure_text_width(&there).max(measure_text_width(&back)) + 4;
        let (line, right, left) = if unicode {
            ("─", "▶", "◀")
        } else {
            ("-", ">", "<")
        };
        let arrow = |text: &str, head: &str, to_right: bool| {
            let room = span - measure_text_width(text);
            let (a, b) = (line.repeat(room / 2), line.repeat(room - room / 2));
            if to_right {
                format!("{a} {text} {b}{head}")
            } else {
                format!("{head}{a} {text} {b}")
            }
        };
        let there = arrow(&there, right, true);
        let back = arrow(&back, left, false);
        let (mine, mine_width) = boxed(&self.left, unicode);
        let (theirs, theirs_width) = boxed(&self.right, unicode);
        let gap = measure_text_width(&there) + 2;
        if mine_width + gap + theirs_width > width {
            let middle = format!("  {there}\n  {back}\n");
            return format!("{}\n{middle}{}\n", mine.join("\n"), theirs.join("\n"));
        }
        let rows = mine.len().max(theirs.len());
        let middle = rows / 2;
        let mut text = String::new();
        for row in 0..rows {
            let between = if row + 1 == middle {
                format!(" {there} ")
            } else if row == middle {
                format!(" {back} ")
            } else {
                " ".repeat(gap)
            };
            let a = mine.get(row).map_or("", String::as_str);
            let b = theirs.get(row).map_or("", String::as_str);
            text.push_str(format!("{}{between}{b}", pad(a, mine_width)).trim_end());
            text.push('\n');
        }
        text
    }
}

/// An end in a frame, and how wide that is.
fn boxed(end: &End, unicode: bool) -> (Vec<String>, usize) {
    let corners = if unicode {
        ["┌", "┐", "└", "┘", "─", "│"]
    } else {
        ["+", "+", "+", "+", "-", "|"]
    };
    let [nw, ne, sw, se, line, side] = corners;
    let title = clean(&end.title);
    let lines: Vec<String> = end
        .lines
        .iter()
        .map(|it| clean(it))
        .filter(|it| !it.is_empty())
        .collect();
    let inner = lines
        .iter()
        .map(|it| measure_text_width(it))
        .chain([measure_text_width(&title) + 2])
        .max()
        .unwrap_or(0);
    let rest = line.repeat(inner - measure_text_width(&title) - 1);
    let mut out = vec![format!("{nw}{line} {title} {rest}{ne}")];
    out.extend(
        lines
            .iter()
            .map(|text| format!("{side} {} {side}", pad(text, inner))),
    );
    out.push(format!("{sw}{}{se}", line.repeat(inner + 2)));
    (out, inner + 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawing() -> Drawing {
        Drawing {
            left: End {
                title: "your tenant".into(),
                lines: vec!["vnet-prod".into(), "10.0.0.0/16".into()],
            },
            right: End {
                title: "Aiven".into(),
                lines: vec!["vpc".into(), "10.1.0.0/24".into()],
            },
            there: "Connected".into(),
            back: "ACTIVE".into(),
        }
    }

    #[test]
    fn both_halves_and_their_states_are_on_one_screen() {
        let text = drawing().render(80, true);
        assert_eq!(
            text,
            "┌─ your tenant ─┐                  ┌─ Aiven ─────┐\n\
             │ vnet-prod     │ ── Connected ──▶ │ vpc         │\n\
             │ 10.0.0.0/16   │ ◀─── ACTIVE ──── │ 10.1.0.0/24 │\n\
             └───────────────┘                  └─────────────┘\n"
        );
    }

    #[test]
    fn a_narrow_screen_has_them_below_each_other() {
        let text = drawing().render(40, false);
        assert!(
            text.lines().all(|line| measure_text_width(line) <= 40),
            "{text}"
        );
        assert!(text.contains("Connected") && text.contains("ACTIVE"));
    }
}
