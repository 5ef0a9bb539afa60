//! Which names Kong asks which servers for: from the flags, or put together at the prompt.

use super::{Gather, prompt::Choice};
use crate::{
    engine::Origin,
    error::Error,
    kong::dns::{self, BadDns, DnsMapping},
};

/// The answer's name.
pub(super) const DNS: &str = "DNS";

/// What the flags say.
pub(super) fn given(g: &mut Gather<'_>) -> Result<(), Error> {
    let texts = g.given.many("dns");
    if texts.is_empty() {
        return Ok(());
    }
    let mappings: Result<Vec<DnsMapping>, BadDns> = texts.iter().map(|it| it.parse()).collect();
    let mappings = mappings.and_then(|it| dns::check(&it).map(|()| it));
    let mappings = mappings.map_err(|error| {
        Error::usage(error.to_string())
            .hint("a mapping looks like --dns 10.0.0.4,10.0.0.5=corp.example,lab.example")
    })?;
    g.answers.set(DNS, dns::text(&mappings), Origin::Flag);
    Ok(())
}

/// Has a list put together: add, remove, done.
pub(super) fn gather(g: &mut Gather<'_>) -> Result<(), Error> {
    if g.answers.value(DNS).is_some() || !g.prompt.can_ask() {
        return Ok(());
    }
    let mut mappings: Vec<DnsMapping> = Vec::new();
    loop {
        let mut items = vec![
            Choice::new(
                "Done",
                match mappings.len() {
                    0 => "Kong looks up no names at your servers".to_owned(),
                    count => format!("{count} in the list"),
                },
            ),
            Choice::new(
                "Add a mapping",
                "servers and the domains that they answer for",
            ),
        ];
        items.extend(
            mappings
                .iter()
                .map(|mapping| Choice::new(format!("Remove {mapping}"), "")),
        );
        match g
            .prompt
            .select("DNS servers of yours that Kong is to ask", &items)?
        {
            0 => break,
            1 => {
                let list = mappings.clone();
                let typed = g.prompt.text("IP[,IP…]=DOMAIN[,DOMAIN…]", None, &|text| {
                    let mapping: DnsMapping =
                        text.parse().map_err(|error: BadDns| error.to_string())?;
                    let mut with = list.clone();
                    with.push(mapping);
                    dns::check(&with).map_err(|error| error.to_string())
                })?;
                if let Ok(mapping) = typed.parse() {
                    mappings.push(mapping);
                }
            }
            remove => {
                mappings.remove(remove - 2);
            }
        }
    }
    g.answers.set(DNS, dns::text(&mappings), Origin::Prompt);
    Ok(())
}
