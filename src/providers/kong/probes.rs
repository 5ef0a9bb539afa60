//! The states to wait for: the gateway ready at Konnect, and the peering connected in Azure.

use super::{
    super::curl::var,
    api::{self, DOCS},
    gateway::{Standing, TransitGateway},
    keys::{KONG, KONG_GATEWAY_ID, KONG_NETWORK_ID},
    lack::{self, Lack, lack},
    script::{CLIENT, GATEWAY_SAYS},
};
use crate::{
    azure::{
        Fault,
        agreement::{self, Leads, Told},
        arm,
        keys::{Text, USER_RESOURCE_GROUP, USER_SUBSCRIPTION_ID, USER_VNET_ID, USER_VNET_NAME},
        steps::CHECK_REMOTE,
    },
    clouds::{Clouds, Realm},
    engine::{About, Cx, Definition, Done, Look, Polled, Refusal, Scope, Usual, Wait},
    fact::{Facts, Key, Named},
    keys,
    net::{Ranges, overlaps, same_addresses},
    shell::{self, Shell, az, call, helpers},
    text,
};
use async_trait::async_trait;
use std::time::Duration;

/// The state in which Kong has made the peering.
pub struct Ready {
    login_host: String,
    actions: &'static [&'static str],
}

impl Ready {
    /// Waits for Kong, whose principal needs these `actions` on the VNet and is let in at `login_host`.
    #[must_use]
    pub fn new(login_host: &str, actions: &'static [&'static str]) -> Self {
        Self {
            login_host: login_host.trim_end_matches('/').to_owned(),
            actions,
        }
    }

    /// Why it ended, in Konnect's words, with what was found on your side.
    async fn failed(
        &self,
        w: &Clouds,
        f: &Facts,
        gateway: &TransitGateway,
    ) -> Result<Polled, Fault> {
        let why = gateway.reason().unwrap_or("Konnect tells no reason");
        let mut refusal = Refusal::new(format!("Kong could not make the peering: {why}"));
        refusal.code = Some(gateway.state.clone());
        match lack(w, f, &self.login_host, self.actions).await? {
            Some(lack) => refusal.hints.push(lack.text),
            None => refusal.hints.push(
                "looked: Kong's principal, its role and the assignment on your VNet are there"
                    .into(),
            ),
        }
        Ok(Polled::Refused(refusal.hint(
            "a failed gateway cannot be changed: mend the cause, undo this run and begin anew",
        )))
    }
}

impl Definition<Clouds> for Ready {
    fn about(&self) -> About {
        About {
            id: "ready",
            title: "Wait for Kong to make the peering".into(),
            why: "Kong makes the half on its network, and with its role the half on your VNet.",
            link: DOCS,
            permissions: &["Konnect: Network Viewer"],
        }
    }

    fn scope(&self) -> Scope {
        Scope::Each
    }

    fn part(&self) -> Realm {
        Realm::Provider
    }

    fn reads(&self) -> Vec<Named> {
        let mut reads = keys![KONG_NETWORK_ID, KONG_GATEWAY_ID];
        reads.extend(lack::READS);
        reads
    }

    fn gives(&self) -> Vec<Named> {
        keys![KONG.range]
    }

    fn shell(&self) -> Shell {
        let network = var(KONG_NETWORK_ID);
        let gateway = api::transit_gateway(&network, &var(KONG_GATEWAY_ID));
        let keys = keys![KONG_NETWORK_ID, KONG_GATEWAY_ID];
        Shell {
            wait: Some(shell::Wait {
                state: CLIENT.through(&GATEWAY_SAYS, &gateway, &keys),
                reached: &["ready"],
                refused: &["error", "terminating", "terminated"],
                limit: self.usual().limit,
                again: None,
            }),
            create: vec![
                CLIENT
                    .field("cidr_block", &api::network(&network), &keys)
                    .prints(KONG.range),
            ],
            ..Shell::default()
        }
    }
}

#[async_trait(?Send)]
impl Wait<Clouds> for Ready {
    async fn poll(&self, cx: &mut Cx<'_, Clouds>) -> Done<Polled, Clouds> {
        let (w, f) = (cx.world, &cx.facts);
        let (network, id) = (f.get(KONG_NETWORK_ID)?, f.get(KONG_GATEWAY_ID)?);
        let call = api::transit_gateway(network.as_ref(), id.as_ref());
        let Some(gateway) = w.look(&call).await? else {
            return Ok(Polled::Refused(
                Refusal::new("Konnect has no such gateway any more")
                    .hint("somebody deleted it: undo this run and begin anew"),
            ));
        };
        Ok(match gateway.standing() {
            Standing::Waiting => Polled::NotYet(gateway.says()),
            Standing::Person => match lack(w, f, &self.login_host, self.actions).await? {
                Some(Lack { text, url }) => Polled::Needs { text, url },
                // All is there, perhaps since a moment ago: Kong looks again by itself.
                None => Polled::NotYet(gateway.says()),
            },
            Standing::Ready => {
                let network = w.send(&api::network(network.as_ref())).await?;
                match f.get(KONG.range).ok() {
                    Some(before) if !same_addresses(&before.texts(), &network.range().texts()) => {
                        Polled::Refused(other_range(&before, &network.range()))
                    }
                    _ => Polled::Reached(Facts::default().with(KONG.range, network.range())),
                }
            }
            Standing::Failed => self.failed(w, f, &gateway).await?,
            Standing::Going | Standing::Gone => Polled::Refused(
                Refusal::new(format!("the gateway is {}", gateway.says()))
                    .hint("somebody deletes it in Konnect: undo this run and begin anew"),
            ),
        })
    }

    fn usual(&self) -> Usual {
        Usual {
            words: "30-40 min",
            time: Duration::from_secs(35 * 60),
            every: Duration::from_secs(15),
            limit: Duration::from_secs(90 * 60),
        }
    }
}

fn other_range(before: &Ranges, now: &Ranges) -> Refusal {
    Refusal::new(format!(
        "Konnect tells {now} as the range of the network now, and {before} was previewed"
    ))
    .hint("it may be another network: ask Kong, and undo this run if that cannot be settled")
}

/// The state in which Azure shows both halves.
pub struct Connected;

/// Why the half that Kong made leads elsewhere than to Kong's network, if it does.
async fn disagrees(cx: &Cx<'_, Clouds>, half: &arm::Peering) -> Result<Option<Refusal>, Fault> {
    let range = cx.facts.get(KONG.range)?;
    if let Leads::Elsewhere(refusal) = agreement::leads(half, Some(&range)) {
        return Ok(Some(refusal.hint(LET_GO)));
    }
    let told = Told {
        tenant: None,
        network: half.remote(),
    };
    let refusal = agreement::look(cx, KONG, told).await?;
    Ok(refusal.map(|refusal| refusal.hint(LET_GO)))
}

const LET_GO: &str = "undo deletes the gateway, and with it the peering";

/// The peering on the VNet that leads to Kong's network: it is told by the addresses, since Kong chooses its name.
///
/// # Errors
/// What Azure said.
pub async fn half(w: &Clouds, f: &Facts) -> Result<Option<arm::Peering>, Fault> {
    let range = f.get(KONG.range)?;
    let peerings = w.list(&arm::peerings(&f.get(USER_VNET_ID)?)).await?;
    Ok(peerings
        .into_iter()
        .filter(|it| !overlaps(&it.remote_ranges(), &range.texts()).is_empty())
        .min_by_key(|it| (!is_connected(it), it.is_dead())))
}

/// Whether Azure has connected it.
#[must_use]
pub fn is_connected(peering: &arm::Peering) -> bool {
    peering
        .properties
        .peering_state
        .eq_ignore_ascii_case("Connected")
}

const DEAD: &str = "the half on Kong's network is gone: undo this run and begin anew";

impl Definition<Clouds> for Connected {
    fn about(&self) -> About {
        About {
            id: "connected",
            title: "Check that your VNet is connected".into(),
            why: "Konnect's word is one side's; traffic flows when your VNet shows the peering as Connected too.",
            link: "https://learn.microsoft.com/rest/api/virtualnetwork/virtual-network-peerings/list",
            permissions: &["Azure: Reader on the VNet"],
        }
    }

    fn scope(&self) -> Scope {
        Scope::Each
    }

    fn part(&self) -> Realm {
        Realm::Azure
    }

    fn reads(&self) -> Vec<Named> {
        let mut reads = keys![
            KONG.range,
            USER_VNET_ID,
            USER_RESOURCE_GROUP,
            USER_VNET_NAME,
        ];
        reads.extend(agreement::reads(KONG));
        reads
    }

    fn gives(&self) -> Vec<Named> {
        keys![KONG.vnet_id]
    }

    fn shell(&self) -> Shell {
        let list = az("network vnet peering list")
            .opt("--resource-group", USER_RESOURCE_GROUP)
            .opt("--vnet-name", USER_VNET_NAME)
            .opt("--subscription", USER_SUBSCRIPTION_ID);
        let mine = text![
            "[?contains(not_null(remoteAddressSpace.addressPrefixes, `[]`), ",
            shell::Text::call(&helpers::JMES, [KONG.range.into()]),
            ") && peeringState != 'Disconnected'] | [0]",
        ];
        let state = text![mine.clone(), ".peeringState"];
        let remote = text![mine, ".remoteVirtualNetwork.id"];
        Shell {
            wait: Some(shell::Wait {
                state: list.clone().yields(PEERING_STATE, state),
                reached: &["Connected"],
                refused: &[],
                limit: self.usual().limit,
                again: None,
            }),
            create: vec![
                list.yields(KONG.vnet_id, remote),
                call(&CHECK_REMOTE)
                    .arg(KONG.app_id)
                    .arg("")
                    .arg(KONG.vnet_id),
            ],
            ..Shell::default()
        }
    }
}

#[async_trait(?Send)]
impl Wait<Clouds> for Connected {
    async fn poll(&self, cx: &mut Cx<'_, Clouds>) -> Done<Polled, Clouds> {
        let Some(peering) = half(cx.world, &cx.facts).await? else {
            return Ok(Polled::NotYet(
                "your VNet shows no peering to Kong's network yet".into(),
            ));
        };
        if let Some(refusal) = disagrees(cx, &peering).await? {
            return Ok(Polled::Refused(refusal));
        }
        if is_connected(&peering) {
            let remote = peering.remote();
            return Ok(Polled::Reached(Facts::default().with(KONG.vnet_id, remote)));
        }
        if peering.is_dead() {
            return Ok(Polled::Refused(
                Refusal::new(format!("the peering `{}` on your VNet is Disconnected", peering.name))
                    .hint(DEAD)
                    .hint(format!(
                        "if it is left over from an earlier gateway, delete it, then resume: az network vnet peering delete --ids {}",
                        crate::shell::single(&peering.id)
                    )),
            ));
        }
        Ok(Polled::NotYet(peering.properties.peering_state))
    }

    fn usual(&self) -> Usual {
        Usual {
            words: "a few seconds",
            time: Duration::from_secs(15),
            every: Duration::from_secs(10),
            limit: Duration::from_secs(15 * 60),
        }
    }

    async fn look(&self, cx: &mut Cx<'_, Clouds>) -> Done<Option<Look>, Clouds> {
        let Some(peering) = half(cx.world, &cx.facts).await? else {
            return Ok(Some(Look::Missing));
        };
        if let Some(refusal) = disagrees(cx, &peering).await? {
            return Ok(Some(refusal.into()));
        }
        let of = &peering.properties;
        let sync = of.peering_sync_level.as_deref().unwrap_or("");
        let says = format!("{} {sync}", of.peering_state).trim().to_owned();
        let todo = match (is_connected(&peering), sync) {
            (true, "" | "FullyInSync") => return Ok(Some(Look::Present(says))),
            (true, _) => {
                "the address ranges of one side changed: `az network vnet peering sync`; ask Kong to do the same"
            }
            (false, _) if peering.is_dead() => DEAD,
            (false, _) => "Kong's half is missing: look at the gateway's state",
        };
        Ok(Some(Look::Changed {
            says,
            todo: todo.into(),
        }))
    }
}

/// The state that the script reads.
const PEERING_STATE: Key<Text> = Key::new("KONG_PEERING_STATE");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_give_the_range_before_it_is_read() {
        let ready = Ready::new("https://login.example", &[]).shell();
        assert_eq!(
            ready.create[0].statement(),
            r#"KONG_NETWORK_RANGE=$(konnect_field cidr_block konnect GET "/v2/cloud-gateways/networks/${KONG_NETWORK_ID}")"#
        );
        let connected = Connected.shell();
        let state = connected.wait.expect("a wait").state.bash_words();
        assert!(
            state.contains(r#"\`[]\`), $(jmes "${KONG_NETWORK_RANGE}"))"#),
            "{state}"
        );
    }
}
