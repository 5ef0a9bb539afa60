//! The script for somebody who has rights in one part alone: what the others have to have made comes to it through the
//! environment, and what they need it prints in the same form.

use super::{Body, Script, Setting};
use crate::{
    engine::{Step, World},
    fact::Named,
    shell::{Cmd, Shell, helpers},
};
use std::collections::{BTreeMap, BTreeSet};

/// A fact that a script of one part tells the others besides what its steps give.
pub type Told<W> = (&'static str, <W as World>::Realm);

/// Which names go between the parts.
struct Between<R> {
    /// What the others give, and where.
    theirs: BTreeMap<&'static str, R>,
    /// What all steps give.
    given: BTreeSet<&'static str>,
    /// What the others need.
    wanted: BTreeSet<&'static str>,
}

fn public(names: impl IntoIterator<Item = Named>) -> impl Iterator<Item = &'static str> {
    let names = names.into_iter().filter(|it| !it.secret);
    names.map(|it| it.name)
}

fn looks(create: Vec<Cmd>) -> Shell {
    Shell {
        create,
        ..Shell::default()
    }
}

impl<W: World + 'static> Script<'_, W> {
    /// The script of what takes rights in this part.
    #[must_use]
    pub fn part(&self, part: W::Realm, told: &[Told<W>]) -> String {
        let between = self.between(part, told);
        let settings = |name: &str| {
            if between.theirs.contains_key(name) || between.given.contains(name) {
                return Some(Setting::new(name, format!("{name}=${{{name}:-}}"), vec![]));
            }
            (self.settings)(name)
        };
        let script = Script {
            headline: format!("{}, the part {part}", self.headline),
            flow: self.flow,
            run: self.run,
            settings: &settings,
            secrets: self.secrets,
        };
        script.apart(part, told, &between)
    }

    fn apart(&self, part: W::Realm, told: &[Told<W>], between: &Between<W::Realm>) -> String {
        let mut body = Body::default();
        let mut asked = BTreeSet::new();
        Self::tell_known(&mut body, part, told, between);
        for shell in self.checks(|it| it == part) {
            body.push("\n# Look at what is there, before anything is made\n");
            body.say("Looking at the network");
            let mut names = shell.named();
            names.extend(self.mine(part).first().map_or(vec![], |first| needs(first)));
            self.need(&mut body, between, &mut asked, &names);
            let given = shell.given();
            body.make(shell, false);
            tell(&mut body, between, public(given));
        }
        let steps = self.mine(part);
        for (index, step) in steps.iter().enumerate() {
            let about = step.about();
            body.heading(index + 1, steps.len(), &about.title, about.why, about.link);
            let mut names: Vec<Named> = needs(step);
            // Nothing is minted that could not be used.
            if let Some(next) = steps.get(index + 1).filter(|_| step.ephemeral()) {
                names.extend(needs(next));
            }
            self.need(&mut body, between, &mut asked, &names);
            let shell = step.shell_apart();
            let given = shell.given();
            // What is told once may be known already.
            for name in public(given.intersection(&shell.named()).copied()) {
                body.read(name);
            }
            body.make(shell, false);
            tell(&mut body, between, public(given));
        }
        body.push("\n");
        body.say(&self.ending(part));
        let plan: Vec<String> = steps.iter().map(|step| step.about().title).collect();
        self.page(&plan, &body, &promise(&steps))
    }

    /// The steps that are left in this part; what lives for the script alone is made right before it is used.
    fn mine(&self, part: W::Realm) -> Vec<&Step<W>> {
        let (mut late, rest): (Vec<_>, Vec<_>) = self
            .left()
            .into_iter()
            .filter(|step| step.part() == part)
            .partition(|step| step.ephemeral());
        let mut steps = Vec::new();
        for step in rest {
            let reads = step.reads();
            late.retain(|it| {
                let used = it.gives().iter().any(|it| it.secret && reads.contains(it));
                if used {
                    steps.push(*it);
                }
                !used
            });
            steps.push(step);
        }
        steps
    }

    fn checks(&self, of: impl Fn(W::Realm) -> bool) -> impl Iterator<Item = Shell> {
        let checks = self.flow.checks.iter();
        let all = checks.filter_map(|check| check.shell_apart());
        all.filter(move |(part, _)| of(*part))
            .map(|(_, commands)| looks(commands))
    }

    fn between(&self, part: W::Realm, told: &[Told<W>]) -> Between<W::Realm> {
        let mut between = Between {
            theirs: BTreeMap::new(),
            given: BTreeSet::new(),
            wanted: BTreeSet::new(),
        };
        for step in &self.flow.steps {
            let kept: Vec<_> = public(step.shell_apart().given()).collect();
            between.given.extend(public(step.gives()));
            between.given.extend(&kept);
            if step.part() != part {
                let kept = kept.iter().map(|name| (*name, step.part()));
                between.theirs.extend(kept);
                between.wanted.extend(public(needs(step)));
            }
        }
        for (realm, commands) in self.flow.checks.iter().filter_map(|it| it.shell_apart()) {
            let shell = looks(commands);
            if realm != part {
                let gives = public(shell.given()).map(|name| (name, realm));
                between.theirs.extend(gives);
                between.wanted.extend(public(shell.named()));
            }
        }
        let others = told.iter().filter(|(_, realm)| *realm != part);
        between.theirs.extend(others.copied());
        between
    }

    /// Prints what is known from the beginning and others have to be told.
    fn tell_known(body: &mut Body, part: W::Realm, told: &[Told<W>], between: &Between<W::Realm>) {
        let mine = told.iter().filter(|(_, realm)| *realm == part);
        let mine: Vec<_> = mine.map(|(name, _)| *name).collect();
        if mine.iter().any(|name| between.wanted.contains(name)) {
            body.push("\n");
        }
        for name in &mine {
            body.read(name);
        }
        tell(body, between, mine.into_iter());
    }

    /// Prints the check that what these names stand for is there, unless it was checked before or is known.
    fn need<'n>(
        &self,
        body: &mut Body,
        between: &Between<W::Realm>,
        asked: &mut BTreeSet<&'static str>,
        names: impl IntoIterator<Item = &'n Named>,
    ) {
        let facts = self.run.facts();
        let mut words = String::new();
        for name in public(names.into_iter().copied()) {
            let Some(part) = between.theirs.get(name) else {
                continue;
            };
            if facts.text(name).is_none() && !body.set.contains(name) && asked.insert(name) {
                body.read(name);
                words.push_str(&format!(" {part} {name} \"${name}\""));
            }
        }
        if !words.is_empty() {
            body.helpers.push(&helpers::NEEDS);
            body.push(&format!("needs{words}\n"));
        }
    }

    /// What is left for others once this part is done.
    fn ending(&self, part: W::Realm) -> String {
        let steps = &self.flow.steps;
        let last = steps
            .iter()
            .rposition(|it| it.part() == part && !matches!(it, Step::Release(_)));
        let mut left: Vec<String> = Vec::new();
        for step in steps.iter().skip(last.map_or(0, |last| last + 1)) {
            let other = step.part().to_string();
            let releases = matches!(step, Step::Release(_));
            if step.part() != part && !releases && !left.contains(&other) {
                left.push(other);
            }
        }
        if left.is_empty() {
            "Connected.".into()
        } else {
            format!("This part is done. The next move: {}.", left.join(", "))
        }
    }
}

/// What the commands read, and what has to be there before them.
fn needs<W: World + 'static>(step: &Step<W>) -> Vec<Named> {
    let mut names = step.after();
    names.extend(step.shell_apart().named());
    names
}

/// Prints those of these names that the others need.
fn tell<R>(body: &mut Body, between: &Between<R>, names: impl Iterator<Item = &'static str>) {
    for name in names.filter(|name| between.wanted.contains(name)) {
        body.helpers.push(&helpers::TELL);
        body.push(&format!("tell {name} \"${name}\"\n"));
    }
}

/// Whom it is for, and how it goes together with the others.
fn promise<W: World + 'static>(steps: &[&Step<W>]) -> String {
    let mut text = "It looks before it makes anything, so it can be run again.".to_owned();
    text.push_str(
        "\n# What the scripts of the other parts print it takes from the environment, as NAME=value; what they need it prints so.\n# It ends with code 5 where the next move is another's.",
    );
    let mut rights: Vec<&str> = Vec::new();
    for right in steps.iter().flat_map(|step| step.about().permissions) {
        if !rights.contains(right) {
            rights.push(right);
            text.push_str(&format!("\n# It takes: {}", super::comment(right)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Toy, toy};
    use super::*;

    #[test]
    fn a_part_takes_what_others_give_and_tells_what_they_need() {
        let (flow, run, settings) = toy();
        let script = Script::<'_, Toy> {
            headline: "net and toy".into(),
            flow: &flow,
            run: &run,
            settings: &settings,
            secrets: &[],
        };
        let here = script.part("here", &[]);
        assert!(here.contains("\ntell APP \"$APP\"\n"), "{here}");
        assert!(!here.contains("\nneeds "), "{here}");
        assert!(
            here.ends_with("say 'This part is done. The next move: there.'\n"),
            "{here}"
        );
        let there = script.part("there", &[]);
        assert!(there.contains("\nAPP=${APP:-}\n"), "{there}");
        assert!(there.contains("\nneeds here APP \"$APP\"\n"), "{there}");
        assert!(!there.contains("\ntell "), "{there}");
        assert!(there.ends_with("say 'Connected.'\n"), "{there}");
    }
}
