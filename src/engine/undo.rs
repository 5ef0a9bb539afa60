//! Walks a flow back: deletes what the run created and nothing else. Each deletion asks the object first whether it is this
//! run's, and who else needs it; the file is not believed. It is a run too: saved at each change, resumable.

use super::{
    cx::{Cx, Voice},
    definition::{Done, Fault, World},
    ending::{DELETION_EVERY, DELETION_LIMIT, STILL_LIMIT, STILL_THERE, erase, still_there},
    event::Event,
    flow::Flow,
    record::{At, Run, Status, StepRecord},
    runner::{Ended, Failed, Runner, Shared},
    step::{Deleted, Ensure, Known, Maker, Step},
};
use crate::fact::{Facts, Named};
use std::{cell::RefCell, collections::BTreeMap, time::Duration};

const USUALLY: Duration = Duration::from_secs(60);
/// How often an object that was surely made is looked for before it counts as gone.
const SURE: u32 = 3;
/// Why an object is kept that the person asked to keep.
pub const NEXT_TIME: &str = "for the next peering, as asked";

/// What undo is told.
#[derive(Default)]
pub struct Undo<'a> {
    /// The steps whose objects stay.
    pub keep: &'a [&'a str],
    /// The other runs that are in use.
    pub others: &'a [Other],
    /// Only the steps that an earlier undo kept.
    pub kept_only: bool,
}

/// Another run that is in use, so that what it uses is not taken from under it.
#[derive(Clone, Debug)]
pub struct Other {
    /// Its name.
    pub run: String,
    /// What each of its parts knows.
    pub facts: Vec<Facts>,
}

/// What undo will do with one object.
#[derive(Debug)]
pub struct Foreseen {
    /// The step.
    pub step: &'static str,
    /// The part of the run.
    pub at: At,
    /// The object, if it is there.
    pub known: Option<Known>,
    /// What will become of it.
    pub fate: Fate,
}

/// What becomes of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is deleted.
    Goes,
    /// It stays this run's, because something else needs it.
    Kept(String),
    /// It is left, because it is not this run's.
    Left(String),
    /// It is not there.
    Absent,
}

impl<W: World + 'static> Flow<W> {
    /// The objects that undo goes for, in order.
    #[must_use]
    pub fn to_undo(&self, run: &Run, undo: &Undo<'_>) -> Vec<(&Step<W>, At)> {
        let wanted = |status: Option<Status>| match status {
            Some(Status::Kept) => true,
            Some(status) => status.ours() && !undo.kept_only,
            None => false,
        };
        let kept = |step: &&Step<W>| undo.keep.contains(&step.about().id);
        let order = self.undo_order().into_iter().filter(|step| !kept(step));
        order
            .flat_map(|step| self.places(step, run).into_iter().map(move |at| (step, at)))
            .filter(|(step, at)| wanted(run.status_at(at, step.about().id)))
            .collect()
    }

    /// The shared objects that the run made: what the others are known by is what these tell of themselves, and not what the file
    /// says of them.
    fn named_by_their_objects(&self, run: &Run) -> Vec<(&Step<W>, &dyn Ensure<W>)> {
        let made = |step: &Step<W>| {
            let status = run.status_at(&At::Shared, step.about().id);
            status.is_some_and(Status::ours) && !step.ephemeral() && !step.gives().is_empty()
        };
        let steps = self.steps.iter().filter(|step| made(step));
        let ensures = steps.filter_map(|step| match step {
            Step::Ensure(ensure) => Some((step, ensure.as_ref())),
            Step::Wait(_) | Step::Release(_) => None,
        });
        ensures.collect()
    }

    /// The other sides' halves that an earlier undo left, because they were somebody else's.
    fn left_before(&self, run: &Run) -> Vec<(&Step<W>, &dyn Ensure<W>, At)> {
        let mut all = Vec::new();
        for step in &self.steps {
            let Step::Ensure(ensure) = step else { continue };
            for at in self.places(step, run) {
                let record = run.part(&at).and_then(|it| it.steps.get(step.about().id));
                let left = record.is_some_and(|it| it.status == Status::Found && it.note.is_some());
                if left && ensure.undo_first() {
                    all.push((step, ensure.as_ref(), at));
                }
            }
        }
        all
    }

    /// Looks at all that undo would go for, and changes nothing.
    ///
    /// # Errors
    /// The step that could not be looked at.
    pub async fn foresee(
        &self,
        cx: &mut Cx<'_, W>,
        run: &Run,
        undo: &Undo<'_>,
    ) -> Result<Vec<Foreseen>, Failed<W::Error>> {
        let mut all = Vec::new();
        let mut beside = Beside::new(undo.others);
        let mut run = run.clone();
        for (step, ensure) in self.named_by_their_objects(&run) {
            cx.facts = run.facts_at(&At::Shared);
            let mut look = cx.for_step(&**step);
            let told = look.patiently(async |cx| own_words(ensure, cx).await).await;
            let told = told.map_err(|fault| Failed::new(step.about().id, At::Shared, fault))?;
            run.shared.facts.absorb(told);
        }
        for (step, ensure, at) in self.left_before(&run) {
            cx.facts = run.facts_at(&at);
            let mut look = cx.for_step(&**step);
            let there = look.patiently(async |cx| is_others(ensure, cx).await).await;
            if there.map_err(|fault| Failed::new(step.about().id, at.clone(), fault))? {
                beside.leave(ensure, &at);
            }
        }
        for (step, at) in self.to_undo(&run, undo) {
            let Step::Ensure(ensure) = step else { continue };
            let id = step.about().id;
            cx.facts = run.facts_at(&at);
            let mut look = cx.for_step(&**step);
            let record = run.part(&at).and_then(|part| part.steps.get(id));
            look.since = record.and_then(StepRecord::since);
            let foreseen = look
                .patiently(async |cx| fate(ensure.as_ref(), cx, &at, &beside).await)
                .await;
            let (known, fate) = match foreseen {
                Ok(foreseen) => foreseen,
                Err(fault) => return Err(Failed::new(id, at, fault)),
            };
            match fate {
                Fate::Kept(_) => beside.keep(ensure.as_ref()),
                Fate::Left(_) => beside.leave(ensure.as_ref(), &at),
                Fate::Goes | Fate::Absent => {}
            }
            all.push(Foreseen {
                step: id,
                at,
                known,
                fate,
            });
        }
        Ok(all)
    }
}

/// What the object that bears the run's mark tells of itself.
async fn own_words<W: World + 'static>(
    ensure: &dyn Ensure<W>,
    cx: &mut Cx<'_, W>,
) -> Done<Facts, W> {
    match ensure.remains(cx).await {
        Ok(Some(known)) if known.maker == Maker::Run => Ok(known.facts),
        Ok(_) | Err(Fault::Missing(_)) => Ok(Facts::default()),
        Err(fault) => Err(fault),
    }
}

/// Whether an object stands there that is not this run's.
async fn is_others<W: World + 'static>(
    ensure: &dyn Ensure<W>,
    cx: &mut Cx<'_, W>,
) -> Done<bool, W> {
    match ensure.remains(cx).await {
        Ok(known) => Ok(known.is_some_and(|known| known.maker != Maker::Run)),
        Err(Fault::Missing(_)) => Ok(false),
        Err(fault) => Err(fault),
    }
}

/// Looks at the object and says what becomes of it. The facts of an object that goes are taken over from the object itself.
async fn fate<W: World + 'static>(
    ensure: &dyn Ensure<W>,
    cx: &mut Cx<'_, W>,
    at: &At,
    beside: &Beside<'_>,
) -> Done<(Option<Known>, Fate), W> {
    let known = match ensure.remains(cx).await {
        Ok(Some(known)) => known,
        // Nothing to find, or not even what it would be found by: it is not there.
        Ok(None) | Err(Fault::Missing(_)) => return Ok((None, Fate::Absent)),
        Err(fault) => return Err(fault),
    };
    let fate = match &known.maker {
        Maker::Other(why) => Fate::Left(why.clone()),
        Maker::Unknown => Fate::Left("it does not bear this run's mark".into()),
        Maker::Run => {
            cx.facts.absorb(known.facts.clone());
            match beside.user(ensure, at, &cx.facts) {
                Some(user) => Fate::Kept(format!("{user} uses it")),
                None => match ensure.needed(cx).await? {
                    Some(why) => Fate::Kept(why),
                    None => Fate::Goes,
                },
            }
        }
    };
    Ok((Some(known), fate))
}

/// How far the deletion of one object is.
#[derive(Default)]
struct Deletions {
    looks: u32,
    /// Whether it was seen and asked for: from then on, not to show is to be gone.
    asked: bool,
}

/// What uses objects of this run: the other runs in use, and what this undo had to keep.
struct Beside<'a> {
    others: &'a [Other],
    /// What was kept, and the names that it reads.
    kept: Vec<(String, Vec<Named>)>,
    /// The members whose other side is somebody else's by now, and what that is.
    left: Vec<(At, String)>,
}

impl<'a> Beside<'a> {
    fn new(others: &'a [Other]) -> Self {
        Self {
            others,
            kept: Vec::new(),
            left: Vec::new(),
        }
    }

    /// An object of this run stays, so what it is made of stays too.
    fn keep<W: World>(&mut self, ensure: &dyn Ensure<W>) {
        self.kept.push((ensure.thing(), ensure.reads()));
    }

    /// An object is left because it is not this run's. Where it is the other side's half, it is that of another connection of the
    /// same two networks.
    fn leave<W: World>(&mut self, ensure: &dyn Ensure<W>, at: &At) {
        if ensure.undo_first() {
            self.left.push((at.clone(), ensure.thing()));
        }
    }

    /// Who uses the object, which the first fact tells that its step gives. What lives for one process only nobody else uses.
    fn user<W: World>(&self, ensure: &dyn Ensure<W>, at: &At, mine: &Facts) -> Option<String> {
        let gives = ensure.gives();
        if gives.iter().any(|named| named.secret) {
            return None;
        }
        if ensure.connects()
            && let Some((_, thing)) = self.left.iter().find(|(left, _)| left == at)
        {
            return Some(format!("{thing}, which is somebody else's,"));
        }
        if let Some(of) = ensure.belongs_to() {
            let mut kept = self.kept.iter();
            if let Some((thing, _)) = kept.find(|(_, reads)| reads.contains(&of)) {
                return Some(thing.clone());
            }
        }
        let identity = gives.first()?;
        let mine = leaf(mine.text(identity.name)?);
        let same = |facts: &Facts| {
            let theirs = facts.text(identity.name).map(leaf);
            theirs.is_some_and(|theirs| theirs.eq_ignore_ascii_case(mine))
        };
        let mut others = self.others.iter();
        let user = others.find(|other| other.facts.iter().any(same))?;
        Some(format!("the run {}", user.run))
    }
}

/// The same object is called by ids that differ before their last part.
fn leaf(id: &str) -> &str {
    id.trim_end_matches('/').rsplit('/').next().unwrap_or(id)
}

impl<W: World + 'static> Runner<'_, W> {
    /// Deletes what the run created.
    ///
    /// # Errors
    /// The step that could not be undone, and why. The run is saved as far as it came.
    pub async fn undo(&mut self, run: &mut Run, undo: &Undo<'_>) -> Ended<W> {
        let order: Vec<(&Step<W>, At)> = self.flow.to_undo(run, undo);
        let total = order.len();
        let run = RefCell::new(run);
        let mut beside = Beside::new(undo.others);
        self.correct(&run).await?;
        let left = self.flow.left_before(&run.borrow());
        for (step, ensure, at) in left {
            let failed = |fault| Failed::new(step.about().id, at.clone(), fault);
            let mut cx = self.undo_cx(&run, step, &at);
            let look = cx.patiently(async |cx| is_others(ensure, cx).await);
            if self.guard(look).await.map_err(failed)? {
                beside.leave(ensure, &at);
            }
        }
        for (index, (step, at)) in order.into_iter().enumerate() {
            let Step::Ensure(ensure) = step else { continue };
            let id = step.about().id;
            let failed = |fault| Failed::new(id, at.clone(), fault);
            if self.stop.rung() {
                return Err(failed(Fault::Interrupted));
            }
            self.started(id, &ensure.thing(), index, total, &at);
            let work = self.undo_step(&run, step, ensure.as_ref(), &at, &beside);
            match self.guard(work).await.map_err(failed)? {
                Some(Status::Kept) => beside.keep(ensure.as_ref()),
                Some(Status::Found) => beside.leave(ensure.as_ref(), &at),
                _ => {}
            }
        }
        self.clear_dead(&run, total).await?;
        self.keep(&run, undo.keep).await
    }

    /// Takes over what the run's own shared objects tell of themselves.
    async fn correct(&self, run: &Shared<'_>) -> Ended<W> {
        let steps = self.flow.named_by_their_objects(&run.borrow());
        for (step, ensure) in steps {
            let failed = |fault| Failed::new(step.about().id, At::Shared, fault);
            let mut cx = self.undo_cx(run, step, &At::Shared);
            let look = cx.patiently(async |cx| own_words(ensure, cx).await);
            let told = self.guard(look).await.map_err(failed)?;
            run.borrow_mut().shared.facts.absorb(told);
        }
        Ok(())
    }

    fn started(&self, id: &str, thing: &str, index: usize, total: usize, at: &At) {
        let title = format!("Delete {thing}");
        let event = Event::Started {
            step: id,
            title: &title,
            index,
            total,
        };
        self.tell(&event, at);
    }

    fn undo_cx<'v>(&'v self, run: &Shared<'_>, step: &'v Step<W>, at: &'v At) -> Cx<'v, W> {
        let voice = self.voice(step.about().id, at);
        let voice = voice.with_limit(DELETION_LIMIT, USUALLY);
        self.cx(
            run,
            step,
            at,
            Voice {
                places: None,
                ..voice
            },
        )
    }

    async fn undo_step(
        &self,
        run: &Shared<'_>,
        step: &Step<W>,
        ensure: &dyn Ensure<W>,
        at: &At,
        beside: &Beside<'_>,
    ) -> Done<Option<Status>, W> {
        let id = step.about().id;
        let mut cx = self.undo_cx(run, step, at);
        let saved = run
            .borrow()
            .part(at)
            .and_then(|part| part.steps.get(id))
            .cloned();
        let Some(before) = saved else {
            return Ok(None);
        };
        if before.status != Status::Deleting {
            // Since when the object has been there stays known: it may not show yet.
            let deleting = StepRecord {
                status: Status::Deleting,
                note: None,
                ..before.clone()
            };
            self.mark(run, at, id, Some(deleting)).await?;
        }
        let mut tries = Deletions::default();
        loop {
            tries.looks += 1;
            let taken = self.take(ensure, &mut cx, (at, &before), beside, &mut tries);
            let (status, note) = match taken.await {
                Ok(Some(end)) => end,
                Ok(None) => continue,
                Err(fault) => {
                    cx.again(fault).await?;
                    continue;
                }
            };
            let took = cx.elapsed().as_secs_f64();
            let now = StepRecord::now(status, Some(took));
            let record = StepRecord {
                // What is kept has still been there since it was made.
                at: if status == Status::Kept {
                    before.at
                } else {
                    now.at
                },
                note: note.clone().filter(|_| status != Status::Deleted),
                ..now
            };
            self.mark(run, at, id, Some(record)).await?;
            self.finished(id, at, status, took, &BTreeMap::new(), note.as_deref());
            return Ok(Some(status));
        }
    }

    /// Whether an object was surely made, so that one look is not enough to say that it is gone: a service may answer from a copy.
    /// What is released before the end of a run is gone as a rule.
    fn surely_made(&self, ensure: &dyn Ensure<W>, before: &StepRecord) -> bool {
        let of = |step: &Step<W>| match step {
            Step::Release(release) => release.of() == ensure.about().id,
            _ => false,
        };
        let released = self.flow.steps.iter().any(of);
        matches!(before.status, Status::Created | Status::Kept) && !released
    }

    /// One try to delete an object: how it ended, or nothing when it has to be looked at again.
    async fn take(
        &self,
        ensure: &dyn Ensure<W>,
        cx: &mut Cx<'_, W>,
        (at, before): (&At, &StepRecord),
        beside: &Beside<'_>,
        tries: &mut Deletions,
    ) -> Done<Option<(Status, Option<String>)>, W> {
        let (_, fate) = fate(ensure, cx, at, beside).await?;
        Ok(match fate {
            Fate::Absent => {
                let shows_within = ensure.shows_within().mul_f64(self.pace.scale);
                // Looked for that long, it is gone, also where the file tells a time that is still to come.
                let may_show = before.age().max(cx.elapsed()) < shows_within
                    || tries.looks < SURE && self.surely_made(ensure, before);
                if may_show && !tries.asked {
                    let because = "it was made and does not show; it may not show yet";
                    cx.settling(because, Duration::MAX).await?;
                    return Ok(None);
                }
                Some((Status::Deleted, None))
            }
            Fate::Left(why) => Some((Status::Found, Some(why))),
            Fate::Kept(why) => Some((Status::Kept, Some(why))),
            Fate::Goes => {
                let ended = ensure.delete(cx).await?;
                tries.asked = true;
                match ended {
                    Deleted::Gone if still_there(ensure, cx).await? => {
                        cx.settling(STILL_THERE, STILL_LIMIT).await?;
                        None
                    }
                    Deleted::Gone => Some((Status::Deleted, None)),
                    Deleted::Kept(why) => Some((Status::Kept, Some(why))),
                    Deleted::NotYet(says) => {
                        cx.waiting(&says, DELETION_EVERY).await?;
                        None
                    }
                }
            }
        })
    }

    /// What this run did not make, and what is of no use any more now that the run's own is gone.
    async fn clear_dead(&self, run: &Shared<'_>, total: usize) -> Ended<W> {
        for step in self.flow.undo_order() {
            let Step::Ensure(ensure) = step else { continue };
            let id = step.about().id;
            let places = self.flow.places(step, &run.borrow());
            for at in places {
                // What was deleted may have been made anew under another name.
                let status = run.borrow().status_at(&at, id);
                if !matches!(status, Some(Status::Found | Status::Deleted))
                    || !self.let_go(run, &at)
                {
                    continue;
                }
                let failed = |fault| Failed::new(id, at.clone(), fault);
                let work = async {
                    let mut cx = self.undo_cx(run, step, &at);
                    let dead = async |cx: &mut Cx<'_, W>| match ensure.dead(cx).await {
                        Err(Fault::Missing(_)) => Ok(None),
                        dead => dead,
                    };
                    let Some(known) = cx.patiently(dead).await? else {
                        return Ok(());
                    };
                    self.started(id, &ensure.thing(), total, total + 1, &at);
                    cx.facts.absorb(known.facts);
                    erase(ensure.as_ref(), &mut cx).await?;
                    let took = cx.elapsed().as_secs_f64();
                    let record = StepRecord::now(Status::Deleted, Some(took));
                    self.mark(run, &at, id, Some(record)).await?;
                    self.finished(id, &at, Status::Deleted, took, &BTreeMap::new(), None);
                    Ok(())
                };
                self.guard(work).await.map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Whether undo has deleted the other side's half of this member.
    fn let_go(&self, run: &Shared<'_>, at: &At) -> bool {
        let run = run.borrow();
        self.flow.steps.iter().any(|step| match step {
            Step::Ensure(ensure) if ensure.undo_first() => {
                run.status_at(at, step.about().id) == Some(Status::Deleted)
            }
            _ => false,
        })
    }

    /// Remembers what was to stay.
    async fn keep(&self, run: &Shared<'_>, keep: &[&str]) -> Ended<W> {
        for id in keep {
            let Some(step) = self.flow.step(id) else {
                continue;
            };
            let id = step.about().id;
            let places = self.flow.places(step, &run.borrow());
            for at in places {
                if run.borrow().status_at(&at, id) != Some(Status::Created) {
                    continue;
                }
                let record = StepRecord {
                    note: Some(NEXT_TIME.into()),
                    ..StepRecord::now(Status::Kept, None)
                };
                let marked = self.mark(run, &at, id, Some(record)).await;
                marked.map_err(|fault| Failed::new(id, at, fault))?;
            }
        }
        Ok(())
    }
}
