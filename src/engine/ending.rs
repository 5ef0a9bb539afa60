//! What ends while a run goes on: the deletion of an object until it is surely gone, and with it what lives for one process
//! only, by its own step or because the process ends.

use super::{
    cx::{Cx, Limits, Voice},
    definition::{Done, Fault, World},
    record::{At, Run, Status},
    runner::{End, Runner, Shared},
    step::{Deleted, Ensure, Maker, Release, Step},
};
use crate::fact::Facts;
use futures_util::FutureExt;
use std::{panic::AssertUnwindSafe, time::Duration};

/// The longest time to take back what lives for this process only: when the run is to stop, and else.
const TAKE_BACK: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(30)];
/// The longest pause between two looks at a deletion, and the longest wait for it.
pub(super) const DELETION_EVERY: Duration = Duration::from_secs(5);
pub(super) const DELETION_LIMIT: Duration = Duration::from_secs(60 * 60);

impl<W: World + 'static> Runner<'_, W> {
    /// Forgets that what this step makes for one process was ended by an earlier one. Tells whether it had been.
    pub(super) fn reopen_release(&self, run: &Shared<'_>, at: &At, id: &str) -> bool {
        let releases = self.flow.steps.iter().filter(|step| match step {
            Step::Release(release) => release.of() == id,
            _ => false,
        });
        let mut run = run.borrow_mut();
        let steps = &mut run.part_mut(at).steps;
        let reopened = releases.filter(|step| steps.remove(step.about().id).is_some());
        reopened.count() > 0
    }

    /// Ends what an earlier step made. It is not the person's to wait for, so `--no-wait` does not leave it.
    pub(super) async fn release(
        &self,
        run: &Shared<'_>,
        release: &dyn Release<W>,
        at: &At,
        voice: Voice<'_>,
    ) -> Done<End, W> {
        let voice = Voice {
            limits: Limits::default(),
            ..voice
        };
        if let Some(step @ Step::Ensure(ensure)) = self.flow.step(release.of()) {
            let mut cx = self.cx(run, step, at, voice);
            self.note_shown(run, step, ensure.as_ref(), (at, &mut cx))
                .await?;
            erase(ensure.as_ref(), &mut cx).await?;
            run.borrow_mut().part_mut(at).facts.forget_secrets();
        }
        Ok((Facts::default(), Status::Reached, String::new()))
    }

    /// Saves that an object shows before it is deleted: when this process dies, the next one need not ask for long whether what
    /// does not show was deleted or is not known yet.
    async fn note_shown(
        &self,
        run: &Shared<'_>,
        step: &Step<W>,
        ensure: &dyn Ensure<W>,
        (at, cx): (&At, &mut Cx<'_, W>),
    ) -> Done<(), W> {
        let mine = cx
            .patiently(async |cx| still_there(ensure, cx).await)
            .await?;
        if cx.shown || !mine {
            return Ok(());
        }
        if let Some(record) = run.borrow_mut().part_mut(at).steps.get_mut(step.about().id) {
            record.shown = true;
        }
        self.save(run).await
    }

    /// What lives for this process only is of no use after it, so it is taken back. What cannot be, the resumed run or undo takes
    /// back.
    pub(super) async fn take_back(&self, run: &Shared<'_>, hurry: bool) {
        let limit = TAKE_BACK[usize::from(!hurry)];
        for step in self.flow.steps.iter().filter(|step| step.ephemeral()) {
            let Step::Ensure(ensure) = step else { continue };
            let id = step.about().id;
            let places = self.flow.places(step, &run.borrow());
            for at in places {
                let minted = matches!(
                    run.borrow().status_at(&at, id),
                    Some(Status::Created | Status::Creating)
                );
                if !minted || self.released(id, &run.borrow(), &at) {
                    continue;
                }
                let voice = Voice {
                    stop: None,
                    limits: Limits::default(),
                    places: None,
                    ..self.voice(id, &at)
                };
                let mut cx = self.cx(run, step, &at, voice);
                let work = AssertUnwindSafe(erase(ensure.as_ref(), &mut cx)).catch_unwind();
                let taken = tokio::time::timeout(limit, work).await;
                if matches!(taken, Ok(Ok(Ok(_)))) {
                    run.borrow_mut().part_mut(&at).facts.forget_secrets();
                }
            }
        }
    }

    /// Whether a later step has ended it already, and nothing of it is held.
    fn released(&self, id: &str, run: &Run, at: &At) -> bool {
        let mut steps = self.flow.steps.iter().enumerate();
        steps.any(|(index, step)| match step {
            Step::Release(release) => release.of() == id && !self.flow.is_left_at(index, run, at),
            _ => false,
        })
    }
}

/// Deletes until it is gone, and looks whether it is: an answer may come from somebody who did nothing. Tells why, when it was
/// kept.
pub(super) async fn erase<W: World + 'static>(
    ensure: &dyn Ensure<W>,
    cx: &mut Cx<'_, W>,
) -> Done<Option<String>, W> {
    loop {
        let ended = match ensure.delete(cx).await {
            Ok(Deleted::Gone) => still_there(ensure, cx).await,
            Ok(Deleted::Kept(why)) => return Ok(Some(why)),
            Ok(Deleted::NotYet(says)) => {
                cx.waiting(&says, DELETION_EVERY).await?;
                continue;
            }
            Err(fault) => Err(fault),
        };
        match ended {
            Ok(false) => return Ok(None),
            Ok(true) => cx.settling(STILL_THERE, STILL_LIMIT).await?,
            Err(fault) => cx.again(fault).await?,
        }
    }
}

/// What is deleted may show for a while.
pub(super) const STILL_THERE: &str = "it was deleted and still shows";
pub(super) const STILL_LIMIT: Duration = Duration::from_secs(10 * 60);

/// Whether what was deleted is still there, and this run's.
pub(super) async fn still_there<W: World + 'static>(
    ensure: &dyn Ensure<W>,
    cx: &mut Cx<'_, W>,
) -> Done<bool, W> {
    match ensure.remains(cx).await {
        Ok(found) => Ok(found.is_some_and(|known| known.maker == Maker::Run)),
        Err(Fault::Missing(_)) => Ok(false),
        Err(fault) => Err(fault),
    }
}
