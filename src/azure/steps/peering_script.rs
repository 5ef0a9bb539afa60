//! The functions of the script by which your application makes the peering.

use crate::{
    azure::keys::{
        PEERING_NAME, USER_APP_ID, USER_APP_SECRET, USER_RESOURCE_GROUP, USER_SUBSCRIPTION_ID,
        USER_TENANT_ID, USER_VNET_NAME,
    },
    shell::{Helper, helpers},
};

/// The application's sign-ins live in a folder of their own, so that the person's `az` session stays as it is.
static AS_APPLICATION: Helper = Helper::new("as_application", r#"# The application signs in to the same cloud as you, in a folder that goes with the script
# Its password is for this script alone: what the environment exports, every program that is called would get
export -n USER_APP_SECRET
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
}"#)
    .reading(&[USER_APP_ID.named(), USER_APP_SECRET.named()]);

/// Peers as the application.
pub(super) static PEER_FROM_VNET: Helper = Helper::new(
    "peer_from_vnet",
    r#"# peer_from_vnet TENANT NETWORK: one sign-in for each tenant, then the peering
peer_from_vnet() {
  # az keeps tokens and refusals, also those from before the password and the roles were known
  rm -f "$APPLICATION_SESSION"/msal_*
  sign_in_application "$USER_TENANT_ID" &&
    sign_in_application "$1" &&
    as_application az network vnet peering create --name "$PEERING_NAME" --remote-vnet "$2" \
      --vnet-name "$USER_VNET_NAME" --resource-group "$USER_RESOURCE_GROUP" \
      --subscription "$USER_SUBSCRIPTION_ID" --allow-vnet-access --output none
}"#,
)
.reading(&[
    USER_TENANT_ID.named(),
    PEERING_NAME.named(),
    USER_VNET_NAME.named(),
    USER_RESOURCE_GROUP.named(),
    USER_SUBSCRIPTION_ID.named(),
])
.needing(&[&AS_APPLICATION]);

/// The same, and looks as the application whether there is a peering.
pub(super) static PEER_APART: Helper = Helper::new(
    "peer_apart",
    r#"# peer_apart TENANT NETWORK: one sign-in for each tenant, then the peering, unless there is one; prints its name
peer_apart() {
  local found
  # az keeps tokens and refusals, also those from before the password and the roles were known
  rm -f "$APPLICATION_SESSION"/msal_*
  sign_in_application "$USER_TENANT_ID" || return
  sign_in_application "$1" || return
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
.reading(&[
    USER_TENANT_ID.named(),
    PEERING_NAME.named(),
    USER_VNET_NAME.named(),
    USER_RESOURCE_GROUP.named(),
    USER_SUBSCRIPTION_ID.named(),
])
.needing(&[&AS_APPLICATION, &helpers::JMES]);
