//! `peer-wizard azure`: ask, look, preview, confirm, run.

use super::{
    context::{Context, not_approved},
    drive::{Direction, Drive, Next},
    opening::Opening,
    plan::{self, Plan},
    practice::Practice,
    report::Report,
    resume, script,
    session::Session,
};
use crate::{
    ask::{
        Answers, Gather, Looks, facts_of,
        prompt::{Approval, Prompt},
        shape_of,
    },
    cli,
    engine::{Consent, Origin, Run, Runs, Store, event::Outcome},
    error::{Error, Kind},
    provider::Provider,
    store::Folder,
    view::{self, preview::Preview},
};

/// Connects a VNet.
///
/// # Errors
/// Why nothing was begun.
pub async fn run(context: &Context<'_>, options: &cli::Azure) -> Result<Next, Error> {
    if options.dry_run {
        let mut prompt = context.prompt();
        return Ok(script::connect(context, options, prompt.as_mut())?.into());
    }
    let practice = if context.global.sandbox {
        Some(Practice::boot(None)?)
    } else {
        None
    };
    connect(context, options, practice).await
}

/// Connects a VNet of the real clouds, or of these.
///
/// # Errors
/// Why nothing was begun.
pub async fn connect(
    context: &Context<'_>,
    options: &cli::Azure,
    practice: Option<Practice>,
) -> Result<Next, Error> {
    let mut prompt = context.prompt();
    let signing_in = context.signing_in(None);
    let session = Session::open(context, signing_in, practice)?;
    let limits = options.waits.limits();
    let (provider, answers) = gather(context, &session, prompt.as_mut(), options).await?;
    let folder = context.folder()?;
    if let Some(run) = unfinished(context, &folder, provider, &answers, prompt.as_mut()).await? {
        return resume::go_on(context, folder, &run, limits, prompt.as_mut()).await;
    }
    session.need_token(provider, prompt.as_mut())?;
    let flow = provider.flow(&shape_of(&answers.0, signing_in.cloud.login_host()));
    let name = new_name(&folder, provider).await?;
    let begins = facts_of(&answers.0, provider, &name);
    let mut agrees = |consent: &Consent| plan::agreed(prompt.as_mut(), consent);
    let plan = plan::look(context, &session, &flow, begins.shared, &mut agrees).await?;
    if let Some(done) = &plan.done {
        return Ok(nothing_to_do(context, done, &plan).into());
    }
    let page = plan::preview(provider, &flow, &answers.0, &plan);
    approve(context, &page, prompt.as_mut())?;
    let run = Run::new(name, provider.id, answers.0, plan.facts, begins.members);
    let (file, run) = begin(&folder, &session, run).await?;
    Ok(Drive {
        provider,
        flow,
        session,
        folder,
        file,
        run,
        limits,
        direction: Direction::On {
            begun: Some(plan.begun),
        },
    }
    .into())
}

async fn gather(
    context: &Context<'_>,
    session: &Session,
    prompt: &mut dyn Prompt,
    options: &cli::Azure,
) -> Result<(&'static Provider, Answers), Error> {
    let can_ask = prompt.can_ask();
    let observe = context.stream.looks();
    let looks = Looks {
        pace: session.pace,
        observe: &observe,
    };
    let mut gather = Gather::new(options, prompt, looks);
    if let Some(practice) = session.practice.as_ref().filter(|_| !can_ask) {
        gather.samples = practice.samples();
    }
    if context.global.sandbox {
        gather.answers.set("SANDBOX", "true", Origin::Flag);
    }
    context.remember(&mut gather.answers);
    let Some(provider) = gather.provider()? else {
        // The VNet is asked of every provider, so its being missing is known too.
        gather.need_vnet();
        gather.complete()?;
        return Err(Error::bug("no provider was chosen"));
    };
    session.find_token(provider);
    gather.all(&session.clouds, provider).await?;
    gather.complete()?;
    for note in &gather.notes {
        context.stream.note(note);
    }
    Ok((provider, gather.answers))
}

/// The unfinished run for the same connection, if the person wants to go on with it.
async fn unfinished(
    context: &Context<'_>,
    folder: &Folder,
    provider: &Provider,
    answers: &Answers,
    prompt: &mut dyn Prompt,
) -> Result<Option<String>, Error> {
    let runs = folder.list().await?.into_iter();
    let found = runs.filter_map(|(_, run)| run.ok()).find_map(|run| {
        if run.flow != provider.id || !answers.same_connection(provider, &run.answers) {
            return None;
        }
        let Opening { run, flow, .. } = Opening::of(context, folder, run).ok()?;
        resume::is_unfinished(&run, &flow).then_some((run, flow))
    });
    let Some((run, flow)) = found else {
        return Ok(None);
    };
    let name = run.run.clone();
    let steps = flow.steps.iter();
    let done = steps.filter(|step| run.done(step.about().id)).count();
    let total = flow.steps.len();
    let what = format!("The run {name} for this connection stopped after {done} of {total} steps");
    if prompt.can_ask() && !context.global.yes {
        let resume = prompt.confirm(&format!("{what}. Go on with it?"), true)?;
        return Ok(resume.then_some(name));
    }
    if context.global.yes {
        context.stream.note(&format!("{what}; going on with it"));
        return Ok(Some(name));
    }
    Err(not_approved(false).hint(format!(
        "{what}: peer-wizard resume {}",
        context.run_words(&name)
    )))
}

/// `<provider>-<4 characters>`, not taken yet.
async fn new_name(folder: &Folder, provider: &Provider) -> Result<String, Error> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    loop {
        let random = uuid::Uuid::new_v4();
        let suffix: String = random.as_bytes()[..4]
            .iter()
            .map(|byte| char::from(LETTERS[usize::from(byte % 32)]))
            .collect();
        let name = format!("{}-{suffix}", provider.id);
        if !folder.has(&name).await? {
            return Ok(name);
        }
    }
}

fn nothing_to_do(context: &Context<'_>, done: &str, plan: &Plan) -> Report {
    let facts = plan.facts.texts();
    let out = if context.json() {
        String::new()
    } else {
        view::report::facts(facts)
    };
    Report {
        out,
        ..Report::nothing(
            Outcome::Connected,
            facts.clone(),
            &format!("{done}. There is nothing to do."),
        )
    }
}

/// Shows the page and asks, once.
fn approve(context: &Context<'_>, page: &Preview, prompt: &mut dyn Prompt) -> Result<(), Error> {
    let show = |explain: bool| {
        // A question is always shown with what it is about.
        if !context.screen.quiet || !context.global.yes {
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

async fn begin(
    folder: &Folder,
    session: &Session,
    mut run: Run,
) -> Result<(Box<dyn Store>, Run), Error> {
    let name = run.run.clone();
    let mut file = folder.lock(&name).await?;
    if folder.has(&name).await? {
        return Err(Error::new(
            Kind::Failed,
            format!("another process has just begun a run called {name}"),
        )
        .hint("run it again"));
    }
    if let Some(practice) = &session.practice {
        practice.keep(&folder.path(&name, "sandbox.json"))?;
    }
    run.serial = 1;
    file.save(&run).await?;
    Ok((file, run))
}
