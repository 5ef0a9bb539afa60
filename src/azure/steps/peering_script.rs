//! The functions of the script by which your application makes the peering.

use super::session::AS_APPLICATION;
use crate::{
    azure::keys::{
        PEERING_NAME, USER_RESOURCE_GROUP, USER_SUBSCRIPTION_ID, USER_TENANT_ID, USER_VNET_NAME,
    },
    fact::Named,
    shell::{Helper, helpers},
};

const READS: &[Named] = &[
    USER_TENANT_ID.named(),
    PEERING_NAME.named(),
    USER_VNET_NAME.named(),
    USER_RESOURCE_GROUP.named(),
    USER_SUBSCRIPTION_ID.named(),
];

/// Peers as the application.
pub(super) static PEER_FROM_VNET: Helper = Helper::new(
    "peer_from_vnet",
    r#"# peer_from_vnet TENANT NETWORK COMMAND: one sign-in for each tenant by this command, then the peering
peer_from_vnet() {
  # az keeps tokens and refusals, also those from before the credential and the roles were known
  find "$APPLICATION_SESSION" -maxdepth 1 -name 'msal_*' -delete
  "$3" "$USER_TENANT_ID" &&
    "$3" "$1" &&
    as_application az network vnet peering create --name "$PEERING_NAME" --remote-vnet "$2" \
      --vnet-name "$USER_VNET_NAME" --resource-group "$USER_RESOURCE_GROUP" \
      --subscription "$USER_SUBSCRIPTION_ID" --allow-vnet-access --output none
}"#,
)
.reading(READS)
.needing(&[&AS_APPLICATION]);

/// The same, and looks as the application whether there is a peering.
pub(super) static PEER_APART: Helper = Helper::new(
    "peer_apart",
    r#"# peer_apart TENANT NETWORK COMMAND: one sign-in for each tenant by this command, then the peering, unless there is one; prints its name
peer_apart() {
  local found
  # az keeps tokens and refusals, also those from before the credential and the roles were known
  find "$APPLICATION_SESSION" -maxdepth 1 -name 'msal_*' -delete
  "$3" "$USER_TENANT_ID" || return
  "$3" "$1" || return
  found=$(as_application az network vnet peering list --vnet-name "$USER_VNET_NAME" --resource-group "$USER_RESOURCE_GROUP" \
    --subscription "$USER_SUBSCRIPTION_ID" --query "[?remoteVirtualNetwork.id==$(jmes "$2")]|[0].name" --output tsv) || return
  if [ -z "$found" ]; then
    as_application az network vnet peering create --name "$PEERING_NAME" --remote-vnet "$2" \
      --vnet-name "$USER_VNET_NAME" --resource-group "$USER_RESOURCE_GROUP" \
      --subscription "$USER_SUBSCRIPTION_ID" --allow-vnet-access --output none || return
    found=$PEERING_NAME
  fi
  printf '%s\n' "$found"
}"#,
)
.reading(READS)
.needing(&[&AS_APPLICATION, &helpers::JMES]);
