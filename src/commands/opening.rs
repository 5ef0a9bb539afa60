//! What all commands do that take up a saved run: read it, perhaps take it for this process alone, and open the clouds that it
//! lives in.

use super::{
    context::{Context, SigningIn},
    practice::Practice,
    session::Session,
};
use crate::{
    ask::{
        prompt::{Choice, Prompt},
        settle, shape_of,
    },
    azure::{
        Flow,
        keys::{USER_TENANT_ID, USER_VNET_ID, vnet_facts},
    },
    engine::{At, Run, Runs, Store, StoreError},
    error::Error,
    provider::Provider,
    providers,
    store::Folder,
};

/// The answer of a run that lives in simulated clouds.
const SANDBOX: &str = "SANDBOX";

/// A saved run that was read.
pub struct Opening {
    /// The run.
    pub run: Run,
    /// Its provider.
    pub provider: &'static Provider,
    /// The provider's flow, in this run's shape.
    pub flow: Flow,
    /// How to sign in.
    pub signing_in: SigningIn,
}

impl Opening {
    /// Reads the run of this name. Reading changes nothing.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub async fn read(context: &Context<'_>, folder: &Folder, name: &str) -> Result<Self, Error> {
        Self::of(context, folder, folder.load(name).await?)
    }

    /// Takes the run of this name for this process alone.
    ///
    /// # Errors
    /// When there is none, it cannot be read, or another process has it.
    pub async fn hold(
        context: &Context<'_>,
        folder: &Folder,
        name: &str,
    ) -> Result<(Self, Box<dyn Store>), Error> {
        // Looked at before it is locked: a wrong name must leave nothing behind.
        folder.load(name).await?;
        let file = folder.lock(name).await?;
        Ok((Self::read(context, folder, name).await?, file))
    }

    /// A run as it was read from the folder, in the form that the flow knows.
    ///
    /// # Errors
    /// When this version does not know the flow, or a fact is no such value.
    pub fn of(context: &Context<'_>, folder: &Folder, mut run: Run) -> Result<Self, Error> {
        let signing_in = context.signing_in(Some(&run));
        let (provider, flow) = flow_of(&run, signing_in)?;
        let place = folder.path(&run.run, "json").display().to_string();
        let damaged = |reason| {
            let place = place.clone();
            Error::from(StoreError::Damaged { place, reason })
        };
        if let Some(fact) = flow.malformed(&run) {
            return Err(damaged(format!("{fact} has a value that it cannot have")));
        }
        let lacks = |fact: &str| damaged(format!("{fact} is missing"));
        if run.format == 1 {
            let vnet = run.shared.facts.get(USER_VNET_ID);
            let vnet = vnet.map_err(|missing| lacks(missing.0))?;
            flow.split(&mut run, &vnet.member(), vnet_facts(&vnet));
        }
        for member in run.members.keys() {
            let vnet = run.facts_at(&At::Member(member.clone())).get(USER_VNET_ID);
            let vnet = vnet.map_err(|missing| lacks(missing.0))?;
            if vnet.member() != *member {
                return Err(damaged(format!(
                    "the member `{member}` has the VNet `{vnet}`"
                )));
            }
        }
        settle(&mut run, provider, &flow);
        Ok(Self {
            run,
            provider,
            flow,
            signing_in,
        })
    }

    /// Opens the clouds that the run lives in, the real ones or its own sandbox, with the provider's token if that can be had
    /// without asking.
    ///
    /// # Errors
    /// When the person asks for the other kind, or the sandbox is gone.
    pub fn clouds(&self, context: &Context<'_>, folder: &Folder) -> Result<Session, Error> {
        let name = &self.run.run;
        let practised = practised(&self.run);
        if context.global.sandbox && !practised {
            return Err(Error::usage(format!(
                "the run {name} is about real clouds, not about the sandbox"
            ))
            .hint("leave `--sandbox` out"));
        }
        let practice = if practised {
            let state = folder.path(name, "sandbox.json");
            if !state.exists() {
                return Err(Error::usage(format!(
                    "the simulated clouds of the run {name} are gone: `{}`",
                    state.display()
                ))
                .hint("begin a new one: peer-wizard azure --sandbox"));
            }
            Some(Practice::boot(Some(&state))?)
        } else {
            None
        };
        let session = Session::open(context, self.signing_in, practice)?;
        let facts = self.run.facts();
        if let Ok(tenant) = facts.get(USER_TENANT_ID) {
            session.clouds.use_tenant(tenant.as_ref());
        }
        if let Ok(vnet) = facts.get(USER_VNET_ID) {
            session.clouds.use_subscription(&vnet.subscription);
        }
        session.find_token(self.provider);
        Ok(session)
    }

    /// The same with the provider's token, asked for if need be.
    ///
    /// # Errors
    /// As [`Opening::clouds`]; when there is no token, and nobody can be asked.
    pub fn session(
        &self,
        context: &Context<'_>,
        folder: &Folder,
        prompt: &mut dyn Prompt,
    ) -> Result<Session, Error> {
        let session = self.clouds(context, folder)?;
        session.need_token(self.provider, prompt)?;
        Ok(session)
    }
}

/// Whether a run lives in simulated clouds, its own.
pub fn practised(run: &Run) -> bool {
    run.answers.contains_key(SANDBOX)
}

fn flow_of(run: &Run, signing_in: SigningIn) -> Result<(&'static Provider, Flow), Error> {
    let provider = providers::named(&run.flow).ok_or_else(|| {
        Error::usage(format!(
            "the run {} has the flow `{}`, which this version does not know",
            run.run, run.flow
        ))
        .hint(format!("it was written by {}", run.written_by))
    })?;
    let shape = shape_of(&run.answers, signing_in.cloud.login_host());
    Ok((provider, provider.flow(&shape)))
}

/// The only run that is wanted, or the one that the person chooses.
///
/// # Errors
/// When there is none, or several and nobody to ask.
pub async fn choose(
    context: &Context<'_>,
    folder: &Folder,
    prompt: &mut dyn Prompt,
    wanted: &dyn Fn(&Run, &Flow) -> bool,
) -> Result<String, Error> {
    let mut names = Vec::new();
    let mut choices = Vec::new();
    let mut unreadable = None;
    for (name, run) in folder.list().await? {
        let run = match run {
            Ok(run) => run,
            Err(error) => {
                unreadable = unreadable.or(Some(error));
                continue;
            }
        };
        let Ok(opening) = Opening::of(context, folder, run) else {
            continue;
        };
        if wanted(&opening.run, &opening.flow) {
            let facts = opening.run.facts();
            let vnet = facts.text("USER_VNET_NAME").unwrap_or_default();
            choices.push(Choice::new(&name, vnet));
            names.push(name);
        }
    }
    match (names.as_slice(), unreadable) {
        ([], Some(error)) => Err(error.into()),
        ([], None) => Err(Error::usage("there is no such run to go on with")
            .hint("`peer-wizard runs` lists all; `peer-wizard azure` begins one")),
        ([only], _) => Ok(only.clone()),
        _ if prompt.can_ask() => {
            let index = prompt.select("Which run", &choices)?;
            Ok(names.swap_remove(index))
        }
        (several, _) => Err(
            Error::usage(format!("there are {} such runs", several.len()))
                .hint(format!("name one: {}", several.join(", "))),
        ),
    }
}
