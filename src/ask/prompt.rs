//! Asking the person: on the terminal, not at all, or from a script in tests. It knows how to ask and nothing of what.

mod line;
mod terminal;

pub use terminal::Terminal;

use crate::fact::Secret;
use std::collections::VecDeque;

/// The person pressed Ctrl-C or Esc at a prompt, or there is nobody to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cancelled at a prompt")]
pub struct Cancelled;

/// One item of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// Its name, which stays on screen when it is chosen.
    pub label: String,
    /// What tells it from the others, such as region and address range.
    pub note: String,
}

impl Choice {
    /// A choice.
    #[must_use]
    pub fn new(label: impl Into<String>, note: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            note: note.into(),
        }
    }
}

/// What the person says to a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Approval {
    /// Do it.
    Yes,
    /// Change nothing.
    No,
    /// Say more first.
    Explain,
}

/// Whoever answers. Every question fails with [`Cancelled`] when it is not answered.
#[expect(clippy::missing_errors_doc, reason = "said once for all of them")]
pub trait Prompt {
    /// Whether there is anybody to ask.
    fn can_ask(&self) -> bool;
    /// The index of the chosen item; the first one is the default.
    fn select(&mut self, question: &str, items: &[Choice]) -> Result<usize, Cancelled>;
    /// A line of text that passes the check; an empty line takes the default.
    fn text(
        &mut self,
        question: &str,
        default: Option<&str>,
        check: &dyn Fn(&str) -> Result<(), String>,
    ) -> Result<String, Cancelled>;
    /// A line of text that is not shown.
    fn secret(&mut self, question: &str) -> Result<Secret, Cancelled>;
    /// Yes, no or explain; an empty line is a no.
    fn approve(&mut self, question: &str) -> Result<Approval, Cancelled>;
    /// Yes or no; an empty line takes the default.
    fn confirm(&mut self, question: &str, default: bool) -> Result<bool, Cancelled>;
}

/// Nobody to ask.
#[derive(Clone, Copy, Debug)]
pub struct Refuse;

impl Prompt for Refuse {
    fn can_ask(&self) -> bool {
        false
    }
    fn select(&mut self, _: &str, _: &[Choice]) -> Result<usize, Cancelled> {
        Err(Cancelled)
    }
    fn text(
        &mut self,
        _: &str,
        _: Option<&str>,
        _: &dyn Fn(&str) -> Result<(), String>,
    ) -> Result<String, Cancelled> {
        Err(Cancelled)
    }
    fn secret(&mut self, _: &str) -> Result<Secret, Cancelled> {
        Err(Cancelled)
    }
    fn approve(&mut self, _: &str) -> Result<Approval, Cancelled> {
        Err(Cancelled)
    }
    fn confirm(&mut self, _: &str, _: bool) -> Result<bool, Cancelled> {
        Err(Cancelled)
    }
}

/// Answers that are known beforehand, for tests. Without one, a question is cancelled.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// What is left to answer: a list is answered with a label.
    pub answers: VecDeque<String>,
    /// Every question so far.
    pub asked: Vec<String>,
}

impl Script {
    /// These answers, in this order.
    pub fn new<T: Into<String>>(answers: impl IntoIterator<Item = T>) -> Self {
        Self {
            answers: answers.into_iter().map(Into::into).collect(),
            asked: Vec::new(),
        }
    }

    /// The first answer that is accepted.
    fn answer<T>(
        &mut self,
        question: &str,
        accept: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, Cancelled> {
        self.asked.push(question.to_owned());
        while let Some(answer) = self.answers.pop_front() {
            if let Ok(accepted) = accept(&answer) {
                return Ok(accepted);
            }
        }
        Err(Cancelled)
    }
}

impl Prompt for Script {
    fn can_ask(&self) -> bool {
        true
    }
    fn select(&mut self, question: &str, items: &[Choice]) -> Result<usize, Cancelled> {
        self.answer(question, |answer| {
            let found = items.iter().position(|item| item.label == answer);
            found.ok_or_else(String::new)
        })
    }
    fn text(
        &mut self,
        question: &str,
        default: Option<&str>,
        check: &dyn Fn(&str) -> Result<(), String>,
    ) -> Result<String, Cancelled> {
        self.answer(question, |answer| checked(answer, default, check))
    }
    fn secret(&mut self, question: &str) -> Result<Secret, Cancelled> {
        self.answer(question, hidden)
    }
    fn approve(&mut self, question: &str) -> Result<Approval, Cancelled> {
        self.answer(question, approval)
    }
    fn confirm(&mut self, question: &str, default: bool) -> Result<bool, Cancelled> {
        self.answer(question, |answer| yes_or_no(answer, default))
    }
}

fn checked(
    typed: &str,
    default: Option<&str>,
    check: &dyn Fn(&str) -> Result<(), String>,
) -> Result<String, String> {
    let value = match default {
        Some(default) if typed.is_empty() => default,
        _ => typed,
    };
    check(value).map(|()| value.to_owned())
}

fn hidden(typed: &str) -> Result<Secret, String> {
    if typed.is_empty() {
        return Err("nothing was typed".to_owned());
    }
    Ok(Secret::from(typed.to_owned()))
}

fn approval(typed: &str) -> Result<Approval, String> {
    match typed.to_lowercase().as_str() {
        "y" | "yes" => Ok(Approval::Yes),
        "" | "n" | "no" => Ok(Approval::No),
        "e" | "explain" => Ok(Approval::Explain),
        _ => Err("answer y, n or e".to_owned()),
    }
}

fn yes_or_no(typed: &str, default: bool) -> Result<bool, String> {
    match typed.to_lowercase().as_str() {
        "" => Ok(default),
        "y" | "yes" => Ok(true),
        "n" | "no" => Ok(false),
        _ => Err("answer y or n".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_approved_by_a_clear_yes_only() {
        assert_eq!(approval(""), Ok(Approval::No));
        assert_eq!(approval("Y"), Ok(Approval::Yes));
        assert_eq!(approval("explain"), Ok(Approval::Explain));
        assert!(approval("yep").is_err());
        assert_eq!(yes_or_no("", true), Ok(true));
    }

    #[test]
    fn a_script_answers_and_nobody_refuses() {
        let mut script = Script::new(["nowhere", "b", "", "y"]);
        let items = [Choice::new("a", ""), Choice::new("b", "")];
        assert_eq!(script.select("Which", &items), Ok(1));
        assert_eq!(
            script.text("Name", Some("n"), &|_| Ok(())),
            Ok("n".to_owned())
        );
        assert_eq!(script.approve("Proceed?"), Ok(Approval::Yes));
        assert_eq!(script.confirm("Sure?", true), Err(Cancelled));
        assert_eq!(script.asked, ["Which", "Name", "Proceed?", "Sure?"]);
        assert!(!Refuse.can_ask());
        assert_eq!(Refuse.select("Which", &items), Err(Cancelled));
    }
}
