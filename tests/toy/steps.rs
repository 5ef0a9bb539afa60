//! The steps of the toy world: objects with and without marks, a secret and its end, states.

use super::{SECRET, Toy, ToyError, Trouble};
use async_trait::async_trait;
use peer_wizard::{
    engine::{
        About, Cx, Definition, Deleted, Done, Early, Ensure, Fault, Flow, Known, Made, Maker,
        Polled, Refusal, Release, Scope, Settling, Usual, Wait,
    },
    fact::{Facts, Key, Named, Secret, SecretKey},
    keys,
    shell::Shell,
};
use std::time::Duration;

/// The run's name, and the member's.
pub const RUN: Key<String> = Key::new("RUN");
pub const MEMBER: Key<String> = Key::new("MEMBER");
const PASSWORD: SecretKey = SecretKey::new("PASSWORD");
const IDS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

/// What a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An object that bears the run's mark.
    Marked,
    /// One that bears none: whose it is, the saved status tells, and undo compares what it is like.
    Plain,
    /// One that was there before.
    There,
    /// The other side's half, which goes first.
    Half,
    /// A secret; its end is the last step.
    Password,
    /// A step that reads the secret.
    Signed,
    /// A state that is reached after some looks.
    State(u8),
    /// A state that waits for a person first.
    Person,
    /// A state that is refused until what the first step makes was asked for again so often.
    Early(u8),
}

/// One step of a generated flow.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    pub kind: Kind,
    pub each: bool,
}

struct Toys {
    id: &'static str,
    spec: Spec,
}

fn about(id: &'static str) -> About {
    About {
        id,
        title: id.into(),
        why: "",
        link: "",
        permissions: &[],
    }
}

/// The flow of these steps. There is at most one secret, and it ends with the flow.
pub fn flow(specs: &[Spec]) -> Flow<Toy> {
    let mut flow = Flow::new();
    for (id, spec) in IDS.into_iter().zip(specs) {
        let spec = *spec;
        flow = match spec.kind {
            Kind::State(_) | Kind::Person | Kind::Early(_) => flow.wait(Toys { id, spec }),
            _ => flow.ensure(Toys { id, spec }),
        };
    }
    let password = specs.iter().position(|it| it.kind == Kind::Password);
    match password {
        Some(index) => flow.release(End { of: IDS[index] }),
        None => flow,
    }
}

impl Toys {
    fn name(&self, facts: &Facts) -> Result<String, Fault<ToyError>> {
        let member = if self.spec.each {
            facts.get(MEMBER)?
        } else {
            "all".into()
        };
        Ok(format!("{} of {member}", self.id))
    }

    fn known(&self, cx: &Cx<'_, Toy>, by: &str) -> Done<Known, Toy> {
        let mine = by == cx.facts.get(RUN)?;
        let maker = match (self.spec.kind, mine) {
            (Kind::Plain | Kind::Half, _) => Maker::Unknown,
            (_, true) => Maker::Run,
            (_, false) => Maker::Other("it bears another mark".into()),
        };
        Ok(Known::new(Facts::default(), maker).called(self.id, by))
    }
}

impl Definition<Toy> for Toys {
    fn about(&self) -> About {
        about(self.id)
    }
    fn scope(&self) -> Scope {
        if self.spec.each {
            Scope::Each
        } else {
            Scope::Shared
        }
    }
    fn part(&self) -> &'static str {
        "toys"
    }
    fn reads(&self) -> Vec<Named> {
        let mut reads = keys![RUN];
        if self.spec.each {
            reads.extend(keys![MEMBER]);
        }
        if self.spec.kind == Kind::Signed {
            reads.extend(keys![PASSWORD]);
        }
        reads
    }
    fn gives(&self) -> Vec<Named> {
        if self.spec.kind == Kind::Password {
            keys![PASSWORD]
        } else {
            Vec::new()
        }
    }
    fn shell(&self) -> Shell {
        Shell::default()
    }
    fn settling(&self, error: &ToyError) -> Option<Settling> {
        (error.what == Trouble::Settling).then(|| Settling {
            because: "it spreads".into(),
            budget: Duration::from_secs(60),
        })
    }
}

#[async_trait(?Send)]
impl Ensure<Toy> for Toys {
    async fn find(&self, cx: &mut Cx<'_, Toy>) -> Done<Option<Known>, Toy> {
        let name = self.name(&cx.facts)?;
        cx.world.look().map_err(Fault::World)?;
        if self.spec.kind == Kind::Password {
            return Ok(None);
        }
        match cx.world.get(&name) {
            Some(object) => Ok(Some(self.known(cx, &object.by)?)),
            None => Ok(None),
        }
    }

    async fn create(&self, cx: &mut Cx<'_, Toy>) -> Done<Made, Toy> {
        let (name, run) = (self.name(&cx.facts)?, cx.facts.get(RUN)?);
        if self.spec.kind == Kind::Signed {
            assert_eq!(cx.facts.secret(PASSWORD)?.expose(), SECRET);
        }
        let panics = cx.world.panics.borrow().clone();
        assert_ne!(panics.as_deref(), Some(name.as_str()), "as ordered");
        let refused = cx.world.refuses.borrow().clone();
        if self.spec.each && refused == cx.facts.get(MEMBER).ok() {
            let what = Trouble::Refused;
            return Err(Fault::World(ToyError {
                what,
                changes: true,
            }));
        }
        if self.spec.kind == Kind::Password {
            // As Graph does: each call adds one, so what an earlier call may have added goes first.
            cx.world.take(&name).map_err(Fault::World)?;
        }
        match cx.world.make(&name, &run) {
            Ok(()) => {}
            Err(ToyError {
                what: Trouble::Needs,
                ..
            }) => {
                let (text, url) = ("a person".into(), String::new());
                return Err(Fault::Needs { text, url });
            }
            Err(error) => return Err(Fault::World(error)),
        }
        let mut known = self.known(cx, &run)?;
        if self.spec.kind == Kind::Password {
            let secret = Secret::from(SECRET.to_owned());
            known.facts.hold(PASSWORD, secret);
        }
        Ok(Made::New(known))
    }

    async fn remains(&self, cx: &mut Cx<'_, Toy>) -> Done<Option<Known>, Toy> {
        let (name, run) = (self.name(&cx.facts)?, cx.facts.get(RUN)?);
        cx.world.look().map_err(Fault::World)?;
        let Some(object) = cx.world.get(&name) else {
            return Ok(None);
        };
        let maker = if object.by == run {
            Maker::Run
        } else {
            Maker::Other("it bears another mark".into())
        };
        Ok(Some(Known::new(Facts::default(), maker)))
    }

    async fn needed(&self, cx: &mut Cx<'_, Toy>) -> Done<Option<String>, Toy> {
        let name = self.name(&cx.facts)?;
        let needed = cx.world.needed.borrow().as_deref() == Some(name.as_str());
        Ok(needed.then(|| "something needs it".into()))
    }

    async fn delete(&self, cx: &mut Cx<'_, Toy>) -> Done<Deleted, Toy> {
        let name = self.name(&cx.facts)?;
        cx.world.delete(&name).map_err(Fault::World)?;
        Ok(Deleted::Gone)
    }

    async fn renew(&self, cx: &mut Cx<'_, Toy>) -> Done<(), Toy> {
        let name = self.name(&cx.facts)?;
        cx.world.renew(&name).map_err(Fault::World)
    }

    fn undo_first(&self) -> bool {
        self.spec.kind == Kind::Half
    }
    fn patience(&self) -> Duration {
        Duration::from_secs(60)
    }
}

#[async_trait(?Send)]
impl Wait<Toy> for Toys {
    async fn poll(&self, cx: &mut Cx<'_, Toy>) -> Done<Polled, Toy> {
        let name = self.name(&cx.facts)?;
        cx.world.look().map_err(Fault::World)?;
        let looks = {
            let mut looks = cx.world.looks.borrow_mut();
            let looks = looks.entry(name).or_default();
            *looks += 1;
            *looks
        };
        Ok(match self.spec.kind {
            Kind::State(after) if looks <= u32::from(after) => Polled::NotYet("not yet".into()),
            Kind::Early(times) if cx.world.renewed(IDS[0]) < u32::from(times) => {
                let mut refusal = Refusal::new("asked too early");
                refusal.renew = Some(IDS[0]);
                refusal.early = Some(Early {
                    because: "it has not spread".into(),
                    after: IDS[0],
                    spreads: Duration::from_secs(60),
                    budget: cx.world.budget.get(),
                });
                Polled::Refused(refusal)
            }
            Kind::Person if looks <= 2 => Polled::Needs {
                text: "a person".into(),
                url: String::new(),
            },
            _ => Polled::Reached(Facts::default()),
        })
    }

    fn usual(&self) -> Usual {
        Usual {
            words: "",
            time: Duration::ZERO,
            every: Duration::ZERO,
            limit: Duration::from_secs(60),
        }
    }
}

/// The end of the secret.
struct End {
    of: &'static str,
}

impl Definition<Toy> for End {
    fn about(&self) -> About {
        about("end")
    }
    fn scope(&self) -> Scope {
        Scope::Shared
    }
    fn part(&self) -> &'static str {
        "toys"
    }
    fn reads(&self) -> Vec<Named> {
        keys![RUN]
    }
    fn shell(&self) -> Shell {
        Shell::default()
    }
}

impl Release<Toy> for End {
    fn of(&self) -> &'static str {
        self.of
    }
}
