//! The half of the peering that lies on your VNet, made by your application with one token from each tenant.
//! <https://learn.microsoft.com/azure/virtual-network/create-peering-different-subscriptions-service-principal>

use super::settle;
use crate::{
    azure::{
        Fault, arm,
        keys::{
            PEERING_NAME, Side, USER_APP_ID, USER_APP_SECRET, USER_RESOURCE_GROUP,
            USER_SUBSCRIPTION_ID, USER_TENANT_ID, USER_VNET_ID, USER_VNET_NAME,
        },
    },
    clouds::{Clouds, credential::AppIdentity},
    engine::{About, Deleted, Look, Made, Maker, Refusal, Resource, Settling},
    fact::{Facts, Missing},
    http::{ApiError, Cause, Service, send::Auth},
    net::VnetId,
    shell::{Shell, az, call},
};
use std::time::Duration;

/// The longest pause between two looks at what Azure is still doing, as `az` has it.
const OPERATION_PAUSE: Duration = Duration::from_secs(10);

/// A half of a peering, from your VNet to the provider's network.
pub struct Peering {
    side: Side,
}

impl Peering {
    /// To the network that the provider named.
    #[must_use]
    pub fn to_remote(side: Side) -> Self {
        Self { side }
    }
}

/// Your VNet's id, taken apart.
///
/// # Errors
/// When it is not known; a malformed one was refused when it was given.
pub fn vnet_of(f: &Facts) -> Result<VnetId, Missing> {
    VnetId::parse(f.get(USER_VNET_ID)?.as_ref()).ok_or(Missing(USER_VNET_ID.name))
}

/// The VNet's peering to the remote network, however it is called.
///
/// # Errors
/// What Azure said.
pub async fn to(w: &Clouds, vnet: &VnetId, remote: &str) -> Result<Option<arm::Peering>, ApiError> {
    Ok(w.list(&arm::peerings(vnet))
        .await?
        .into_iter()
        .find(|peering| peering.remote().eq_ignore_ascii_case(remote)))
}

/// Waits until the operation that an answer began has ended. <https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations>
async fn operation(w: &Clouds, link: &str, auth: Option<&Auth>) -> Result<(), Fault> {
    let mut looks = 0;
    loop {
        looks += 1;
        let answer = match auth {
            Some(auth) => w.follow_as(Service::Arm, link, auth).await?,
            None => w.follow(Service::Arm, link).await?,
        };
        let asked = answer.retry_after();
        let state: arm::Operation = answer.read()?;
        match state.status.to_ascii_lowercase().as_str() {
            "succeeded" => return Ok(()),
            "failed" | "canceled" => {
                let arm::OperationError { code, message } = state.error.unwrap_or_default();
                let mut error =
                    ApiError::new(Service::Arm, "the operation", Cause::Answered, message);
                error.code = Some(if code.is_empty() { state.status } else { code });
                return Err(error.into());
            }
            _ => {
                let pause = w.pace.pause(looks, OPERATION_PAUSE);
                let pause = asked.map_or(pause, |asked| asked.mul_f64(w.pace.scale).max(pause));
                tokio::time::sleep(pause).await;
            }
        }
    }
}

/// Deletes a peering and waits until it is gone.
async fn delete(w: &Clouds, vnet: &VnetId, name: &str) -> Result<(), Fault> {
    let Some(answer) = w.forget(&arm::delete_peering(vnet, name)).await? else {
        return Ok(());
    };
    match answer.header("azure-asyncoperation") {
        Some(link) => operation(w, link, None).await,
        None => Ok(()),
    }
}

impl Resource<Clouds> for Peering {
    type Item = arm::Peering;

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

    async fn find(&self, w: &Clouds, f: &Facts) -> Result<Option<Self::Item>, Fault> {
        let (vnet, remote) = (vnet_of(f)?, f.get(self.side.vnet_id)?);
        let name = f.get(PEERING_NAME)?;
        let mut looks = 0;
        loop {
            let all = w.list(&arm::peerings(&vnet)).await?;
            let namesake = all
                .iter()
                .find(|it| it.name.eq_ignore_ascii_case(name.as_ref()));
            if let Some(other) = namesake
                && !other.remote().eq_ignore_ascii_case(remote.as_ref())
            {
                return Err(Fault::Refused(
                    Refusal::new(format!(
                        "the VNet has a peering `{name}` to another network ({})",
                        other.remote()
                    ))
                    .hint("choose another name with `--peering-name`"),
                ));
            }
            let found = all
                .iter()
                .find(|it| it.remote().eq_ignore_ascii_case(remote.as_ref()));
            let Some(peering) = found else {
                return Ok(None);
            };
            let mine = peering.name.eq_ignore_ascii_case(name.as_ref());
            match peering
                .properties
                .provisioning_state
                .to_ascii_lowercase()
                .as_str()
            {
                "updating" | "deleting" => {
                    looks += 1;
                    w.pause(looks, OPERATION_PAUSE).await;
                }
                // An earlier try that failed: the same request is made again.
                "failed" if mine => return Ok(None),
                _ if peering.is_dead() && mine => return Ok(None),
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
                _ => return Ok(Some(peering.clone())),
            }
        }
    }

    async fn remains(&self, w: &Clouds, f: &Facts) -> Result<Option<Self::Item>, Fault> {
        // Once the provider has let go, ours is Disconnected; it is ours all the same.
        let name = f.get(PEERING_NAME)?;
        let remote = f.get(self.side.vnet_id)?;
        let mine = w.look(&arm::peering(&vnet_of(f)?, name.as_ref())).await?;
        Ok(mine.filter(|it| it.remote().eq_ignore_ascii_case(remote.as_ref())))
    }

    async fn create(&self, w: &Clouds, f: &Facts) -> Result<Made<Self::Item>, Fault> {
        let (vnet, remote) = (vnet_of(f)?, f.get(self.side.vnet_id)?);
        let name = f.get(PEERING_NAME)?;
        let app = AppIdentity {
            client_id: f.get(USER_APP_ID)?.into(),
            secret: f.get(USER_APP_SECRET)?,
            tenant: f.get(USER_TENANT_ID)?.into(),
        };
        // Anew at each try: a token from before the role assignment does not carry the right.
        let auth = w
            .app_auth(&app, f.get(self.side.tenant_id)?.as_ref())
            .await?;
        if let Some(dead) = w.look(&arm::peering(&vnet, name.as_ref())).await?
            && dead.is_dead()
        {
            delete(w, &vnet, name.as_ref()).await?;
        }
        let put = arm::put_peering(&vnet, name.as_ref(), remote.as_ref());
        let answer = w.answer_as(&put, &auth).await?;
        if let Some(link) = answer.header("azure-asyncoperation") {
            operation(w, link, Some(&auth)).await?;
        }
        let mut looks = 0;
        loop {
            let peering = w.send(&arm::peering(&vnet, name.as_ref())).await?;
            match peering
                .properties
                .provisioning_state
                .to_ascii_lowercase()
                .as_str()
            {
                "updating" => {
                    looks += 1;
                    w.pause(looks, OPERATION_PAUSE).await;
                }
                "failed" => {
                    let refusal = Refusal::new("Azure could not provision the peering");
                    return Err(Fault::Refused(refusal.hint("resume tries it again")));
                }
                _ => return Ok(Made::New(peering)),
            }
        }
    }

    async fn delete(&self, w: &Clouds, f: &Facts) -> Result<Deleted, Fault> {
        delete(w, &vnet_of(f)?, f.get(PEERING_NAME)?.as_ref()).await?;
        Ok(Deleted::Gone)
    }

    fn facts(&self, _: &Self::Item) -> Facts {
        Facts::default()
    }

    fn maker(&self, item: &Self::Item, f: &Facts) -> Maker {
        // A name that was chosen by a person does not tell who used it.
        match f.get(PEERING_NAME) {
            Ok(name) if item.name.eq_ignore_ascii_case(name.as_ref()) => Maker::Unknown,
            _ => Maker::Other,
        }
    }

    fn settling(&self, error: &ApiError) -> Option<Settling> {
        let is = |code| error.is(code);
        if error.cause == Cause::SignIn {
            let number = |code: &str| {
                error.code.as_deref().is_some_and(|it| it.contains(code))
                    || error.message.contains(code)
            };
            if number("7000215") {
                return Some(settle(
                    "Entra does not know the new password everywhere yet",
                    5,
                ));
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

    async fn look(&self, w: &Clouds, f: &Facts) -> Result<Look, Fault> {
        let remote = f.get(self.side.vnet_id)?;
        let Some(peering) = to(w, &vnet_of(f)?, remote.as_ref()).await? else {
            return Ok(Look::Missing);
        };
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

    fn shell(&self, f: &Facts) -> Result<Shell, Missing> {
        let (subscription, group, vnet) = (
            f.get(USER_SUBSCRIPTION_ID)?,
            f.get(USER_RESOURCE_GROUP)?,
            f.get(USER_VNET_NAME)?,
        );
        let (name, remote) = (f.get(PEERING_NAME)?, f.get(self.side.vnet_id)?);
        // Read by the functions.
        f.get(USER_APP_ID)?;
        f.get(USER_APP_SECRET)?;
        f.get(USER_TENANT_ID)?;
        let tenant = f.get(self.side.tenant_id)?;
        let on_vnet = |cmd: crate::shell::Cmd| {
            cmd.opt("--resource-group", group.as_ref())
                .opt("--vnet-name", vnet.as_ref())
                .opt("--subscription", subscription.as_ref())
        };
        Ok(Shell {
            find: Some(on_vnet(az("network vnet peering list")).yields(
                FOUND_PEERING,
                format!("[?remoteVirtualNetwork.id=='{remote}']|[0].name"),
            )),
            create: vec![call("peer_from_vnet").arg(tenant).arg(remote).patient(
                "the new password and roles may not be known everywhere yet",
                Duration::from_secs(900),
            )],
            delete: vec![on_vnet(az("network vnet peering delete")).opt("--name", name)],
            functions: vec![AS_APPLICATION, PEER_FROM_VNET],
            ..Shell::default()
        })
    }
}

/// The name of the peering that the script found.
const FOUND_PEERING: crate::fact::Key<crate::azure::keys::Text> =
    crate::fact::Key::durable("FOUND_PEERING_NAME");

/// The application's sign-ins live in a folder of their own, so that the person's `az` session stays as it is.
const AS_APPLICATION: &str = r#"# The application signs in to the same cloud as you, in a folder that goes with the script
APPLICATION_SESSION=$(mktemp -d)
trap 'rm -rf "$APPLICATION_SESSION"' EXIT
for file in config clouds.config; do
  if [ -f "${AZURE_CONFIG_DIR:-$HOME/.azure}/$file" ]; then
    cp "${AZURE_CONFIG_DIR:-$HOME/.azure}/$file" "$APPLICATION_SESSION/"
  fi
done

# as_application COMMAND...: runs it signed in as your application, in a session of its own
as_application() {
  AZURE_CONFIG_DIR="$APPLICATION_SESSION" "$@"
}

# sign_in_application TENANT: the password goes through a pipe, not through an argument
sign_in_application() {
  as_application az login --service-principal --username "$USER_APP_ID" --password "@"<(printf '%s' "$USER_APP_SECRET") \
    --tenant "$1" --allow-no-subscriptions --output none
}"#;

const PEER_FROM_VNET: &str = r#"# peer_from_vnet TENANT NETWORK: one sign-in for each tenant, then the peering
peer_from_vnet() {
  # az keeps tokens and refusals, also those from before the password and the roles were known
  rm -f "$APPLICATION_SESSION"/msal_*
  sign_in_application "$USER_TENANT_ID" &&
    sign_in_application "$1" &&
    as_application az network vnet peering create --name "$PEERING_NAME" --remote-vnet "$2" \
      --vnet-name "$USER_VNET_NAME" --resource-group "$USER_RESOURCE_GROUP" \
      --subscription "$USER_SUBSCRIPTION_ID" --allow-vnet-access --output none
}"#;
