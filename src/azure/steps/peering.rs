//! The half of the peering that lies on your VNet, made by your application with one token from each tenant.
//! <https://learn.microsoft.com/azure/virtual-network/create-peering-different-subscriptions-service-principal>

use super::{
    NoNamesake,
    credential::{self, CredentialKind},
    peering_script::{PEER_APART, PEER_FROM_VNET},
    script::CHECK_REMOTE,
    settle,
};
use crate::{
    azure::{
        Cx, Fault,
        agreement::{self, Leads, Told},
        arm,
        keys::{
            PEERING_NAME, RUN, Side, Text, USER_APP_ID, USER_APP_SECRET, USER_RESOURCE_GROUP,
            USER_ROLE_ASSIGNMENT_ID, USER_SUBSCRIPTION_ID, USER_TENANT_ID, USER_VNET_ID,
            USER_VNET_NAME, own_name,
        },
    },
    clouds::{Clouds, Realm, identity::AppIdentity},
    engine::{
        About, Definition, Deleted, Ensure, Known, Look, Made, Maker, Refusal, Scope, Settling,
    },
    fact::{Facts, Key, Missing, Named},
    http::{ApiError, Cause, Service, send::Auth},
    keys,
    net::{Ranges, VnetId},
    shell::{self, Cmd, Shell, az, call, helpers},
    text,
};
use async_trait::async_trait;
use std::time::Duration;

/// The longest pause between two looks at what Azure is still doing, as `az` has it.
const OPERATION_PAUSE: Duration = Duration::from_secs(10);

/// A half of a peering, from your VNet to the provider's network.
pub struct Peering {
    side: Side,
    credential: CredentialKind,
}

impl Peering {
    /// To the network that the provider named, by an application that signs in with this.
    #[must_use]
    pub fn to_remote(side: Side, credential: CredentialKind) -> Self {
        Self { side, credential }
    }
}

/// The VNet's peering to the remote network, however it is called.
///
/// # Errors
/// What Azure said.
pub async fn to(w: &Clouds, vnet: &VnetId, remote: &str) -> Result<Option<arm::Peering>, ApiError> {
    let all = w.list(&arm::peerings(vnet)).await?;
    Ok(all.into_iter().find(|peering| leads_to(peering, remote)))
}

fn leads_to(peering: &arm::Peering, remote: &str) -> bool {
    peering.remote().eq_ignore_ascii_case(remote)
}

fn state(peering: &arm::Peering) -> String {
    peering.properties.provisioning_state.to_ascii_lowercase()
}

/// Whose a peering to the remote network is, as its name tells.
fn maker(f: &Facts, peering: &arm::Peering) -> Result<Maker, Missing> {
    let is = |name: &str| peering.name.eq_ignore_ascii_case(name);
    Ok(if is(&own_name(&f.get(RUN)?)) {
        Maker::Run
    } else if is(f.get(PEERING_NAME)?.as_ref()) {
        // A name that was chosen by a person does not tell who used it.
        Maker::Unknown
    } else {
        Maker::Other("it has another name".into())
    })
}

fn known(peering: arm::Peering, maker: Maker) -> Known {
    Known::new(Facts::default(), maker).called(peering.name, peering.id)
}

/// Follows the operation that an answer began, until it ends. Only one that says that it failed has: it may not be looked at with
/// a right on the VNet alone, and then the peering's own state tells.
/// <https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations>
async fn follow(cx: &mut Cx<'_>, link: &str, auth: Option<&Auth>) -> Result<(), Fault> {
    loop {
        let answer = match auth {
            Some(auth) => cx.world.follow_as(Service::Arm, link, auth).await,
            None => cx.world.follow(Service::Arm, link).await,
        };
        let Ok(answer) = answer else { return Ok(()) };
        let asked = answer.retry_after();
        let Ok(operation) = answer.read::<arm::Operation>() else {
            return Ok(());
        };
        match operation.status.to_ascii_lowercase().as_str() {
            "succeeded" => return Ok(()),
            "failed" | "canceled" => {
                let arm::OperationError { code, message } = operation.error.unwrap_or_default();
                let mut error =
                    ApiError::new(Service::Arm, "the operation", Cause::Answered, message);
                let status = operation.status;
                error.code = Some(if code.is_empty() { status } else { code });
                return Err(error.into());
            }
            _ => {
                let says = &operation.status;
                cx.waiting_as_asked(says, OPERATION_PAUSE, asked).await?;
            }
        }
    }
}

/// Deletes a peering, as the person or as who made it.
async fn delete(
    cx: &mut Cx<'_>,
    vnet: &VnetId,
    name: &str,
    auth: Option<&Auth>,
) -> Result<Deleted, Fault> {
    let w = cx.world;
    let Some(peering) = w.look(&arm::peering(vnet, name)).await? else {
        return Ok(Deleted::Gone);
    };
    // Azure would refuse to delete what it is deleting.
    if state(&peering) != "deleting" {
        let call = arm::delete_peering(vnet, name);
        let answer = match auth {
            None => w.forget(&call).await?,
            Some(auth) => match w.answer_as(&call, auth).await {
                Err(error) if error.is_missing() => None,
                answer => Some(answer?),
            },
        };
        let Some(answer) = answer else {
            return Ok(Deleted::Gone);
        };
        if let Some(link) = answer.header("azure-asyncoperation") {
            follow(cx, link, auth).await?;
        }
    }
    Ok(match w.look(&arm::peering(vnet, name)).await? {
        None => Deleted::Gone,
        Some(peering) => Deleted::NotYet(peering.properties.provisioning_state),
    })
}

/// Deletes a peering until it is gone, also where the person does not want to wait: what was opened must not stay open.
async fn take_back(
    cx: &mut Cx<'_>,
    vnet: &VnetId,
    name: &str,
    auth: Option<&Auth>,
) -> Result<(), Fault> {
    const GOES: Duration = Duration::from_secs(10 * 60);
    while let Deleted::NotYet(says) = delete(cx, vnet, name, auth).await? {
        let because = format!("the peering is being taken back ({says})");
        cx.settling(&because, GOES).await?;
    }
    Ok(())
}

/// The end of a run whose peering leads elsewhere, once that was taken back.
fn taken_back(elsewhere: Refusal) -> Fault {
    Fault::Refused(elsewhere.hint("that peering was deleted again"))
}

/// The peering that was asked for, once Azure has made it and tells where it leads. One that leads elsewhere is taken back.
async fn made(
    cx: &mut Cx<'_>,
    vnet: &VnetId,
    name: &str,
    (range, auth): (Option<&Ranges>, &Auth),
) -> Result<arm::Peering, Fault> {
    const TELLS: Duration = Duration::from_secs(5 * 60);
    loop {
        let there = cx.world.look(&arm::peering(vnet, name)).await?;
        let Some(peering) = there.filter(|it| state(it) != "failed") else {
            let refusal = Refusal::new("Azure could not provision the peering");
            return Err(Fault::Refused(refusal.hint("resume tries it again")));
        };
        let leads = agreement::leads(&peering, range);
        if let Leads::Elsewhere(refusal) = leads {
            take_back(cx, vnet, name, Some(auth)).await?;
            return Err(taken_back(refusal));
        }
        if matches!(state(&peering).as_str(), "updating" | "deleting") {
            let says = &peering.properties.provisioning_state;
            cx.waiting(says, OPERATION_PAUSE).await?;
        } else if leads == Leads::Untold {
            let because = "Azure does not tell yet which addresses the peering leads to";
            cx.settling(because, TELLS).await?;
        } else {
            return Ok(peering);
        }
    }
}

impl Peering {
    /// Why the network that the provider told cannot be its own.
    fn disagrees(&self, f: &Facts) -> Result<Option<Refusal>, Missing> {
        let (tenant, network) = (f.get(self.side.tenant_id)?, f.get(self.side.vnet_id)?);
        let told = Told {
            tenant: Some(tenant.as_ref()),
            network: network.as_ref(),
        };
        agreement::disagrees(f, self.side, told)
    }

    /// What is in the way under the run's own name: nothing can be made under that of a dead half, and one that leads elsewhere
    /// was made by an earlier try which did not come to look.
    async fn clear(&self, cx: &mut Cx<'_>, vnet: &VnetId, name: &str) -> Result<(), Fault> {
        let Some(there) = cx.world.look(&arm::peering(vnet, name)).await? else {
            return Ok(());
        };
        let range = cx.facts.get(self.side.range).ok();
        let remote = cx.facts.get(self.side.vnet_id)?;
        let leads = agreement::leads(&there, range.as_ref());
        if there.is_dead() {
            while let Deleted::NotYet(says) = delete(cx, vnet, name, None).await? {
                cx.waiting(&says, OPERATION_PAUSE).await?;
            }
        } else if let Leads::Elsewhere(refusal) = leads
            && leads_to(&there, remote.as_ref())
        {
            take_back(cx, vnet, name, None).await?;
            return Err(taken_back(refusal));
        }
        Ok(())
    }
}

impl Definition<Clouds> for Peering {
    fn about(&self) -> About {
        About {
            id: "vnet-peering",
            title: "Peer from your VNet".into(),
            why: "Azure connects two networks when each has a peering to the other; this is yours. The request carries a token of each tenant.",
            link: "https://learn.microsoft.com/rest/api/virtualnetwork/virtual-network-peerings/create-or-update",
            permissions: &[
                "Your application: Microsoft.Network/virtualNetworks/virtualNetworkPeerings/write on the VNet",
            ],
        }
    }

    fn thing(&self) -> String {
        "the peering on your VNet".into()
    }

    fn scope(&self) -> Scope {
        Scope::Each
    }

    /// The application makes it, and only who mints its credential signs in as it: no secret is handed on.
    fn part(&self) -> Realm {
        Realm::Entra
    }

    fn after(&self) -> Vec<Named> {
        keys![USER_ROLE_ASSIGNMENT_ID]
    }

    fn reads(&self) -> Vec<Named> {
        let mut reads = keys![
            RUN,
            USER_VNET_ID,
            USER_RESOURCE_GROUP,
            USER_VNET_NAME,
            PEERING_NAME,
            USER_APP_ID,
            USER_APP_SECRET,
            self.side.tenant_id,
            self.side.vnet_id,
            self.side.range,
        ];
        reads.extend(agreement::reads(self.side));
        reads
    }

    fn gives(&self) -> Vec<Named> {
        keys![FOUND_PEERING]
    }

    fn settling(&self, error: &ApiError) -> Option<Settling> {
        let is = |code| error.is(code);
        if error.cause == Cause::SignIn {
            let number = |code: &str| {
                error.code.as_deref().is_some_and(|it| it.contains(code))
                    || error.message.contains(code)
            };
            if let Some(settling) = credential::not_known_yet(error) {
                return Some(settling);
            }
            if number("700016") || number("7000229") {
                return Some(settle(
                    "your application is not known in both tenants yet",
                    10,
                ));
            }
            return None;
        }
        if is("LinkedAuthorizationFailed") {
            // "the current tenant … is not authorized": the second token is missing or of a wrong tenant, which no
            // waiting mends.
            return if error.message.contains("current tenant") {
                None
            } else {
                Some(settle(
                    "your application's right on the provider's network is still spreading",
                    15,
                ))
            };
        }
        if is("AuthorizationFailed") {
            Some(settle("the role assignment is still spreading", 15))
        } else if error.status == Some(401) {
            Some(settle("Azure does not accept the new sign-in yet", 2))
        } else if is("ReferencedResourceNotProvisioned")
            || is("AnotherOperationInProgress")
            || is("RetryableError")
            || is("Conflict")
        {
            Some(settle("Azure is still busy with one of the networks", 10))
        } else {
            None
        }
    }

    fn shell(&self) -> Shell {
        let on_vnet = |cmd: Cmd| {
            cmd.opt("--resource-group", USER_RESOURCE_GROUP)
                .opt("--vnet-name", USER_VNET_NAME)
                .opt("--subscription", USER_SUBSCRIPTION_ID)
        };
        let to_remote = text![
            "[?remoteVirtualNetwork.id==",
            shell::Text::call(&helpers::JMES, [self.side.vnet_id.into()]),
            "]|[0].name"
        ];
        Shell {
            find: Some(on_vnet(az("network vnet peering list")).yields(FOUND_PEERING, to_remote)),
            create: vec![
                call(&PEER_FROM_VNET)
                    .arg(self.side.tenant_id)
                    .arg(self.side.vnet_id)
                    .running(call(credential::sign_in(self.credential)))
                    .patient(
                        "the new credential and roles may not be known everywhere yet",
                        Duration::from_secs(900),
                    ),
            ],
            delete: vec![on_vnet(az("network vnet peering delete")).opt("--name", PEERING_NAME)],
            ..Shell::default()
        }
    }

    /// Who may write Entra need not see the VNet; the application does.
    fn shell_apart(&self) -> Shell {
        Shell {
            create: vec![
                call(&CHECK_REMOTE)
                    .arg(self.side.app_id)
                    .arg(self.side.tenant_id)
                    .arg(self.side.vnet_id),
                call(&PEER_APART)
                    .arg(self.side.tenant_id)
                    .arg(self.side.vnet_id)
                    .running(call(credential::sign_in(self.credential)))
                    .prints(FOUND_PEERING)
                    .patient(
                        "the new credential and roles may not be known everywhere yet",
                        Duration::from_secs(900),
                    ),
            ],
            ..Shell::default()
        }
    }
}

#[async_trait(?Send)]
impl Ensure<Clouds> for Peering {
    async fn find(&self, cx: &mut Cx<'_>) -> Result<Option<Known>, Fault> {
        let (vnet, remote) = (
            cx.facts.get(USER_VNET_ID)?,
            cx.facts.get(self.side.vnet_id)?,
        );
        let name = cx.facts.get(PEERING_NAME)?;
        let range = cx.facts.get(self.side.range).ok();
        loop {
            let all = cx.world.list(&arm::peerings(&vnet)).await?;
            let namesake = all
                .iter()
                .find(|it| it.name.eq_ignore_ascii_case(name.as_ref()));
            if namesake.is_none() {
                cx.saw(NoNamesake);
            }
            if let Some(other) = namesake
                && !leads_to(other, remote.as_ref())
            {
                return Err(Fault::Refused(
                    Refusal::new(format!(
                        "the VNet has a peering `{name}` to another network ({})",
                        other.remote()
                    ))
                    .hint("choose another name with `--peering-name`"),
                ));
            }
            let found = all.into_iter().find(|it| leads_to(it, remote.as_ref()));
            let Some(peering) = found else {
                return Ok(None);
            };
            let mine = peering.name.eq_ignore_ascii_case(name.as_ref());
            let elsewhere = match agreement::leads(&peering, range.as_ref()) {
                Leads::Elsewhere(refusal) => Some(refusal),
                Leads::There | Leads::Untold => None,
            };
            // Of a name that a person chose, only this run's having begun to make it tells that it may be this run's.
            let may_be_ours = match maker(&cx.facts, &peering)? {
                Maker::Run => true,
                Maker::Unknown => cx.since.is_some(),
                Maker::Other(_) => false,
            };
            match state(&peering).as_str() {
                "updating" | "deleting" => {
                    let says = &peering.properties.provisioning_state;
                    cx.waiting(says, OPERATION_PAUSE).await?;
                }
                // An earlier try that failed: the same request is made again.
                "failed" if mine => return Ok(None),
                _ if peering.is_dead() && mine => return Ok(None),
                _ if elsewhere.is_some() && may_be_ours => return Ok(None),
                _ if peering.is_dead() => {
                    return Err(Fault::Refused(
                        Refusal::new(format!(
                            "the peering `{}` to this network is dead: its other half is gone",
                            peering.name
                        ))
                        .hint(format!(
                            "delete it: az network vnet peering delete --ids {}",
                            peering.id
                        )),
                    ));
                }
                _ => {
                    if let Some(refusal) = elsewhere {
                        return Err(Fault::Refused(refusal.hint(
                            "this run did not make that peering, so it was left as it is",
                        )));
                    }
                    let maker = maker(&cx.facts, &peering)?;
                    return Ok(Some(known(peering, maker)));
                }
            }
        }
    }

    async fn create(&self, cx: &mut Cx<'_>) -> Result<Made, Fault> {
        let (w, f) = (cx.world, &cx.facts);
        let (vnet, remote) = (f.get(USER_VNET_ID)?, f.get(self.side.vnet_id)?);
        let name = f.get(PEERING_NAME)?;
        let range = f.get(self.side.range).ok();
        // Before anything signs in there: the file may be older than this check, or edited.
        if let Some(refusal) = self.disagrees(f)? {
            return Err(Fault::Refused(refusal));
        }
        let app = AppIdentity {
            client_id: f.get(USER_APP_ID)?.into(),
            credential: f.secret(USER_APP_SECRET)?,
            tenant: f.get(USER_TENANT_ID)?.into(),
        };
        let other = f.get(self.side.tenant_id)?;
        if cx.take_seen::<NoNamesake>().is_none() {
            self.clear(cx, &vnet, name.as_ref()).await?;
        }
        // Anew at each try: a token from before the role assignment does not carry the right.
        let auth = w.app_auth(&app, other.as_ref()).await?;
        let put = arm::put_peering(&vnet, name.as_ref(), remote.as_ref());
        let answer = w.answer_as(&put, &auth).await?;
        let link = answer.header("azure-asyncoperation").map(str::to_owned);
        // An answer that is no peering may not be Azure's.
        answer.read::<arm::Peering>()?;
        if let Some(link) = link {
            follow(cx, &link, Some(&auth)).await?;
        }
        let peering = made(cx, &vnet, name.as_ref(), (range.as_ref(), &auth)).await?;
        let maker = maker(&cx.facts, &peering)?;
        Ok(Made::New(known(peering, maker)))
    }

    async fn remains(&self, cx: &mut Cx<'_>) -> Result<Option<Known>, Fault> {
        let (w, f) = (cx.world, &cx.facts);
        // Without a network to lead to, nothing can have been made.
        let Ok(remote) = f.get(self.side.vnet_id) else {
            return Ok(None);
        };
        let (vnet, name) = (f.get(USER_VNET_ID)?, f.get(PEERING_NAME)?);
        // Once the provider has let go, ours is Disconnected; it is ours all the same.
        let Some(peering) = w.look(&arm::peering(&vnet, name.as_ref())).await? else {
            return Ok(None);
        };
        let range = f.get(self.side.range).ok();
        let there = leads_to(&peering, remote.as_ref()) && peering.may_lead_to(range.as_ref());
        let maker = if there {
            Maker::Run
        } else {
            Maker::Other("it leads to another network".into())
        };
        Ok(Some(known(peering, maker)))
    }

    async fn delete(&self, cx: &mut Cx<'_>) -> Result<Deleted, Fault> {
        let (vnet, name) = (cx.facts.get(USER_VNET_ID)?, cx.facts.get(PEERING_NAME)?);
        delete(cx, &vnet, name.as_ref(), None).await
    }

    fn connects(&self) -> bool {
        true
    }

    async fn dead(&self, cx: &mut Cx<'_>) -> Result<Option<Known>, Fault> {
        let (w, f) = (cx.world, &cx.facts);
        let (vnet, remote) = (f.get(USER_VNET_ID)?, f.get(self.side.vnet_id)?);
        let range = f.get(self.side.range).ok();
        let half = match to(w, &vnet, remote.as_ref()).await {
            // With the VNet its peerings are gone.
            Err(error) if error.is_missing() => None,
            half => half?,
        };
        let dead = |it: &arm::Peering| it.is_dead() && it.may_lead_to(range.as_ref());
        Ok(half.filter(dead).map(|half| {
            let facts = Facts::default().with(PEERING_NAME, half.name.as_str());
            Known::new(facts, Maker::Unknown).called(half.name, half.id)
        }))
    }

    async fn look(&self, cx: &mut Cx<'_>) -> Result<Look, Fault> {
        let (vnet, remote) = (
            cx.facts.get(USER_VNET_ID)?,
            cx.facts.get(self.side.vnet_id)?,
        );
        let Some(peering) = to(cx.world, &vnet, remote.as_ref()).await? else {
            return Ok(Look::Missing);
        };
        let range = cx.facts.get(self.side.range).ok();
        let wrong = match (
            self.disagrees(&cx.facts)?,
            agreement::leads(&peering, range.as_ref()),
        ) {
            (Some(refusal), _) | (None, Leads::Elsewhere(refusal)) => Some(refusal),
            (None, Leads::There | Leads::Untold) => None,
        };
        if let Some(refusal) = wrong {
            return Ok(refusal.into());
        }
        let of = &peering.properties;
        let sync = of.peering_sync_level.as_deref().unwrap_or("");
        let says = format!("{} {sync}", of.peering_state).trim().to_owned();
        let todo = match (of.peering_state.as_str(), sync) {
            ("Connected", "" | "FullyInSync") => return Ok(Look::Present(says)),
            ("Connected", _) => {
                "the address ranges of one side changed: `az network vnet peering sync`, and ask the provider to do the same"
            }
            ("Initiated", _) => {
                "the provider's half is missing: look at the provider's state below"
            }
            ("Disconnected", _) => "the other half is gone: undo this run and connect anew",
            _ => "look again in a minute",
        };
        Ok(Look::Changed {
            says,
            todo: todo.into(),
        })
    }
}

/// The name of the peering that the script found.
pub const FOUND_PEERING: Key<Text> = Key::new("FOUND_PEERING_NAME");
