//! `peer-wizard azure`: ask, look, preview, confirm, run.

use super::{
    context::{Context, not_approved},
    drive::Drive,
    plan::{self, Plan},
    practice::Practice,
    resume, script,
    session::{Session, login_host},
};
use crate::{
    ask::{
        Answers, Gather, Given, Samples, facts_of,
        prompt::{Approval, Prompt},
        shape_of,
    },
    azure::Flow,
    cli,
    engine::{
        Limits, Origin, Run, Store,
        event::Outcome,
        store::{Folder, Locked},
    },
    error::{Error, Kind},
    providers::Provider,
    view::{self, preview::Preview},
};
use clap::ArgMatches;

/// Connects a VNet.
///
/// # Errors
/// Why it is not connected.
pub async fn run(
    context: &Context<'_>,
    options: &cli::Azure,
    matches: &ArgMatches,
) -> Result<(), Error> {
    let mut prompt = context.prompt();
    if options.dry_run {
        return script::connect(context, matches, prompt.as_mut());
    }
    let practice = if context.global.sandbox {
        Some(Practice::boot(None)?)
    } else {
        None
    };
    let session = Session::open(context, practice)?;
    let limits = Limits {
        timeout: options.waits.timeout,
        no_wait: options.waits.no_wait,
    };
    let (provider, answers) = gather(context, &session, prompt.as_mut(), matches).await?;
    let folder = context.folder()?;
    let shape = shape_of(&answers.0, login_host(context));
    let flow = provider.flow(&shape);
    if let Some(run) = unfinished(context, &folder, &flow, &answers, prompt.as_mut())? {
        return resume::go_on(context, &folder, &run, limits, prompt.as_mut()).await;
    }
    session.need_token(provider, prompt.as_mut())?;
    let name = new_name(&folder, provider);
    let facts = facts_of(&answers.0, provider, &name);
    let mut agrees = |question: &str| Ok(prompt.can_ask() && prompt.confirm(question, false)?);
    let plan = plan::look(&flow, &session.clouds, facts, &mut agrees).await?;
    if let Some(done) = &plan.done {
        nothing_to_do(context, done, &plan);
        return Ok(());
    }
    let page = plan::preview(provider, &flow, &answers.0, &plan);
    approve(context, &page, prompt.as_mut())?;
    drop(prompt);
    let (file, run) = begin(context, &folder, provider, &session, answers, plan, &name)?;
    let drive = Drive {
        provider,
        flow: &flow,
        session: &session,
        file,
        run,
        limits,
    };
    drive.go(context).await
}

async fn gather(
    context: &Context<'_>,
    session: &Session,
    prompt: &mut dyn Prompt,
    matches: &ArgMatches,
) -> Result<(&'static Provider, Answers), Error> {
    let samples = |provider: Option<&str>, can_ask: bool| match &session.practice {
        Some(practice) if !can_ask => practice.samples(provider),
        _ => Samples::new(),
    };
    let can_ask = prompt.can_ask();
    let mut gather = Gather {
        given: Given::new(matches),
        prompt,
        samples: samples(None, can_ask),
        answers: Answers::default(),
        missing: Vec::new(),
        notes: Vec::new(),
    };
    if context.global.sandbox {
        gather.answers.set("SANDBOX", "true", Origin::Flag);
    }
    context.remember(&mut gather.answers);
    let Some(provider) = gather.provider()? else {
        // The VNet is asked of every provider, so its being missing is known too.
        if gather.given.one("vnet")?.is_none() {
            gather.missing.push(crate::ask::Absent {
                arg: "vnet",
                allowed: Vec::new(),
            });
        }
        gather.complete()?;
        return Err(Error::bug("no provider was chosen"));
    };
    gather.samples = samples(Some(provider.id), can_ask);
    session.find_token(provider);
    gather.all(&session.clouds, provider).await?;
    gather.complete()?;
    for note in &gather.notes {
        context.note(note);
    }
    Ok((provider, gather.answers))
}

/// The unfinished run for the same connection, if the person wants to go on with it.
fn unfinished(
    context: &Context<'_>,
    folder: &Folder,
    flow: &Flow,
    answers: &Answers,
    prompt: &mut dyn Prompt,
) -> Result<Option<String>, Error> {
    let found = folder.list()?.into_iter().find_map(|(name, run)| {
        let run = run.ok()?;
        let open = resume::is_unfinished(&run, flow) && answers.same_connection(&run.answers);
        open.then(|| {
            (
                name,
                flow.steps
                    .iter()
                    .filter(|it| run.done(it.about().id))
                    .count(),
            )
        })
    });
    let Some((name, done)) = found else {
        return Ok(None);
    };
    let total = flow.steps.len();
    let what = format!("The run {name} for this connection stopped after {done} of {total} steps");
    if prompt.can_ask() && !context.global.yes {
        let resume = prompt.confirm(&format!("{what}. Go on with it?"), true)?;
        return Ok(resume.then_some(name));
    }
    if context.global.yes {
        context.note(&format!("{what}; going on with it"));
        return Ok(Some(name));
    }
    Err(not_approved(false).hint(format!(
        "{what}: peer-wizard resume {}",
        context.run_words(&name)
    )))
}

/// `<provider>-<4 characters>`, not taken yet.
fn new_name(folder: &Folder, provider: &Provider) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    loop {
        let random = uuid::Uuid::new_v4();
        let suffix: String = random.as_bytes()[..4]
            .iter()
            .map(|byte| char::from(LETTERS[usize::from(byte % 32)]))
            .collect();
        let name = format!("{}-{suffix}", provider.id);
        if !folder.has(&name) {
            return name;
        }
    }
}

fn nothing_to_do(context: &Context<'_>, done: &str, plan: &Plan) {
    let facts = plan.facts.durable();
    context.close_without_run(Outcome::Connected, facts);
    context.note(&format!("{done}. There is nothing to do."));
    if !context.json() {
        let _ = view::out(&view::report::facts(facts));
    }
}

/// Shows the page and asks, once.
pub fn approve(
    context: &Context<'_>,
    page: &Preview,
    prompt: &mut dyn Prompt,
) -> Result<(), Error> {
    let show = |explain: bool| {
        if !context.screen.quiet || prompt_follows(context) {
            let _ = view::err(&format!("{}\n", page.render(&context.screen, explain)));
        }
    };
    show(false);
    if context.global.yes {
        return Ok(());
    }
    if !prompt.can_ask() {
        return Err(not_approved(false));
    }
    loop {
        match prompt.approve(&page.question)? {
            Approval::Yes => return Ok(()),
            Approval::No => return Err(not_approved(true)),
            Approval::Explain => show(true),
        }
    }
}

/// A question is always shown with what it is about.
fn prompt_follows(context: &Context<'_>) -> bool {
    !context.global.yes
}

fn begin(
    context: &Context<'_>,
    folder: &Folder,
    provider: &Provider,
    session: &Session,
    answers: Answers,
    plan: Plan,
    name: &str,
) -> Result<(Locked, Run), Error> {
    let mut file = folder.lock(name)?;
    if folder.has(name) {
        return Err(Error::new(
            Kind::Failed,
            format!("another process has just begun a run called {name}"),
        )
        .hint("run it again"));
    }
    let mut run = Run::new(name.into(), provider.id, answers.0, plan.facts);
    if let Some(practice) = &session.practice {
        practice.keep(&folder.path(name, "sandbox.json"))?;
    }
    file.save(&mut run)?;
    context.begin(folder, name);
    Ok((file, run))
}
