//! What a run finds in the way and a person may let be: asked about once, and what was said is remembered.

use super::{
    cx::Cx,
    definition::{Done, Fault, Refusal, World},
    record::At,
    runner::{Runner, Shared},
};

impl<W: World + 'static> Runner<'_, W> {
    /// Whether the fault is something that may be let be, and is. What was said is saved before anything follows from it.
    pub(super) async fn agreed(
        &self,
        run: &Shared<'_>,
        at: &At,
        cx: &mut Cx<'_, W>,
        fault: &Fault<W::Error>,
    ) -> Done<bool, W> {
        let Fault::Refused(Refusal {
            asks: Some(consent),
            ..
        }) = fault
        else {
            return Ok(false);
        };
        let agrees = (self.agrees)(consent);
        let said = if agrees {
            &consent.facts
        } else {
            &consent.refused
        };
        cx.facts.absorb(said.clone());
        run.borrow_mut().part_mut(at).facts.absorb(said.clone());
        self.save(run).await?;
        Ok(agrees)
    }
}
