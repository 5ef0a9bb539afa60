//! Panics: they are errors of this program and are told like others, instead of with a backtrace in the middle of the screen.

use crate::error::{Error, REPORT};
use futures_util::FutureExt;
use std::{
    any::Any,
    cell::Cell,
    panic::{self, AssertUnwindSafe},
    thread,
};

thread_local! {
    /// Where this thread panicked last.
    static PLACE: Cell<Option<String>> = const { Cell::new(None) };
}

/// From now on a panic of this thread is kept for [`caught`] and [`placed`]. Those of other threads are told as they were.
pub fn keep() {
    let mine = thread::current().id();
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if thread::current().id() != mine {
            return before(info);
        }
        let place = info
            .location()
            .map(|at| format!("{}:{}", at.file(), at.line()));
        PLACE.set(place);
    }));
}

/// Does something, and makes an error of its panic.
///
/// # Errors
/// When it panicked.
pub async fn caught<T>(work: impl Future<Output = T>) -> Result<T, Error> {
    let done = AssertUnwindSafe(work).catch_unwind().await;
    done.map_err(|panic| {
        let words = words_of(panic.as_ref());
        placed(Error::bug(format!("the program failed: {words}")).hint(REPORT))
    })
}

/// The error with the place of the panic that it comes from, if it comes from one.
pub fn placed(error: Error) -> Error {
    match PLACE.take() {
        Some(place) => error.hint(format!("it failed at {place}")),
        None => error,
    }
}

fn words_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "for a reason that it does not tell".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_with_its_words_and_place() {
        keep();
        let work = caught(async { panic!("the moon is {}", "full") });
        let error = work.now_or_never().expect("it does not wait");
        let error: Error = error.map(|()| "well").expect_err("it panicked");
        assert_eq!(error.kind.exit_code(), 70);
        assert_eq!(error.message, "the program failed: the moon is full");
        let told = error.hints.join("\n");
        assert!(told.contains("report"), "{told}");
        assert!(told.contains(file!()), "{told}");
    }
}
