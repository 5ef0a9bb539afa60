//! The bash that the steps' scripts share. What lists the peerings differs by the place of the VPC, and with it all that is
//! built on it.

use super::{
    api::Place,
    keys::{AIVEN_ORGANIZATION_ID, AIVEN_ORGANIZATION_VPC_ID, AIVEN_PROJECT, AIVEN_PROJECT_VPC_ID},
};
use crate::{
    azure::keys::{
        PEERING_NAME, USER_APP_ID, USER_RESOURCE_GROUP, USER_SUBSCRIPTION_ID, USER_TENANT_ID,
        USER_VNET_NAME,
    },
    azure::steps::{CHECK_NETWORKS, CHECK_NETWORKS_APART},
    fact::Named,
    shell::{
        Helper,
        helpers::{AVN, FAIL, JMES, JSON_ASCII, LOWER, WAIT_FOR},
    },
};

/// The functions about the peering with this VNet.
pub(super) struct Functions {
    /// Asks for it.
    pub ask: &'static Helper,
    /// Prints a field of it.
    pub row: &'static Helper,
    /// Prints the provider's network.
    pub remote_network: &'static Helper,
    /// Deletes it.
    pub delete: &'static Helper,
    /// Ends the script where the VPC cannot be peered.
    pub ready: &'static Helper,
    /// The same for somebody who does not see your VNet.
    pub ready_apart: &'static Helper,
    /// Prints a field of it, or what was known of that before.
    pub told_once: &'static Helper,
}

/// The functions for VPCs that live there.
pub(super) fn functions(place: Place) -> Functions {
    match place {
        Place::Project => Functions {
            ask: &ASK_FOR_PROJECT_ROW,
            row: &PROJECT_ROW,
            remote_network: &PROJECT_REMOTE_NETWORK,
            delete: &DELETE_PROJECT_ROW,
            ready: &PROJECT_READY,
            ready_apart: &PROJECT_READY_APART,
            told_once: &PROJECT_TOLD_ONCE,
        },
        Place::Organization => Functions {
            ask: &ASK_FOR_ORGANIZATION_ROW,
            row: &ORGANIZATION_ROW,
            remote_network: &ORGANIZATION_REMOTE_NETWORK,
            delete: &DELETE_ORGANIZATION_ROW,
            ready: &ORGANIZATION_READY,
            ready_apart: &ORGANIZATION_READY_APART,
            told_once: &ORGANIZATION_TOLD_ONCE,
        },
    }
}

/// The facts that name the VNet.
const VNET: &[Named] = &[
    USER_SUBSCRIPTION_ID.named(),
    USER_RESOURCE_GROUP.named(),
    USER_VNET_NAME.named(),
];

/// Asks for the peering by this command of `avn`, in the place that the two facts name. What Aiven compares is in lower case.
macro_rules! ask_for_peering {
    ($create:literal, $owner:ident, $vpc:ident) => {
        Helper::new(
            "ask_for_peering",
            concat!(
                r#"# ask_for_peering: asks Aiven to peer its VPC with your VNet; it may be asked again
ask_for_peering() {
  avn "#,
                $create,
                r#" \
    --peer-cloud-account "$(lower "$USER_SUBSCRIPTION_ID")" --peer-resource-group "$(lower "$USER_RESOURCE_GROUP")" \
    --peer-vpc "$(lower "$USER_VNET_NAME")" --peer-azure-app-id "$(lower "$USER_APP_ID")" \
    --peer-azure-tenant-id "$(lower "$USER_TENANT_ID")" --json >/dev/null
}"#
            ),
        )
        .reading(&[
            USER_SUBSCRIPTION_ID.named(),
            USER_RESOURCE_GROUP.named(),
            USER_VNET_NAME.named(),
            USER_APP_ID.named(),
            USER_TENANT_ID.named(),
            $owner.named(),
            $vpc.named(),
        ])
        .needing(&[&AVN, &LOWER])
    };
}

static ASK_FOR_PROJECT_ROW: Helper = ask_for_peering!(
    r#"vpc peering-connection create --project "$AIVEN_PROJECT" --project-vpc-id "$AIVEN_PROJECT_VPC_ID""#,
    AIVEN_PROJECT,
    AIVEN_PROJECT_VPC_ID
);
static ASK_FOR_ORGANIZATION_ROW: Helper = ask_for_peering!(
    r#"organization vpc peering-connection create --organization-id "$AIVEN_ORGANIZATION_ID" --organization-vpc-id "$AIVEN_ORGANIZATION_VPC_ID""#,
    AIVEN_ORGANIZATION_ID,
    AIVEN_ORGANIZATION_VPC_ID
);

static PROJECT_ROWS: Helper = Helper::new(
    "peering_rows",
    r#"# peering_rows: all peerings of the VPC, as JSON
peering_rows() {
  avn vpc peering-connection list --project "$AIVEN_PROJECT" --project-vpc-id "$AIVEN_PROJECT_VPC_ID" --json
}"#,
)
.reading(&[AIVEN_PROJECT.named(), AIVEN_PROJECT_VPC_ID.named()])
.needing(&[&AVN]);

static ORGANIZATION_ROWS: Helper = Helper::new(
    "peering_rows",
    r#"# peering_rows: all peerings of the VPC, as JSON
peering_rows() {
  avn organization vpc peering-connection list --organization-id "$AIVEN_ORGANIZATION_ID" --organization-vpc-id "$AIVEN_ORGANIZATION_VPC_ID" --json
}"#,
)
.reading(&[AIVEN_ORGANIZATION_ID.named(), AIVEN_ORGANIZATION_VPC_ID.named()])
.needing(&[&AVN]);

/// `avn` prints JSON with sorted keys, one to a line and in ASCII, so that awk can read it. The names go to awk through
/// the environment: `-v` would read their backslashes.
const ROW: Helper = Helper::new(
    "peering_row",
    r#"# peering_row FIELD: a field of this VNet's peering, or its state and on the next line the reason, which is the field says;
# nothing when there is no such peering
peering_row() {
  local rows account group vnet
  rows=$(peering_rows) || return
  account=$(lower "$USER_SUBSCRIPTION_ID") || return
  group=$(json_ascii "$(lower "$USER_RESOURCE_GROUP")") || return
  vnet=$(lower "$USER_VNET_NAME") || return
  printf '%s\n' "$rows" | want=$1 account=$account group=$group vnet=$vnet awk -F '"' '
    /^    \{/ { split("", row) }
    /^ *"[^"]*": "/ { row[$2] = $4 }
    /^    \}/ {
      if (tolower(row["peer_cloud_account"]) == ENVIRON["account"] && tolower(row["peer_resource_group"]) == ENVIRON["group"] &&
          tolower(row["peer_vpc"]) == ENVIRON["vnet"] && row["state"] != "DELETED" && !found) {
        if (ENVIRON["want"] != "says") print row[ENVIRON["want"]]
        else { print row["state"]; print row["message"] }
        found = 1
      }
    }'
}"#,
)
.reading(VNET);

static PROJECT_ROW: Helper = ROW.needing(&[&PROJECT_ROWS, &LOWER, &JSON_ASCII]);
static ORGANIZATION_ROW: Helper = ROW.needing(&[&ORGANIZATION_ROWS, &LOWER, &JSON_ASCII]);

/// The network is told while the peering waits for its other half, and not any more once it is ACTIVE.
const REMOTE_NETWORK: Helper = Helper::new(
    "remote_network",
    r#"# remote_network: the provider's network, as the provider tells it or as your VNet is peered with it
remote_network() {
  local network
  network=$(peering_row to-network-id) || return
  if [ -z "$network" ]; then
    network=$(az network vnet peering list --resource-group "$USER_RESOURCE_GROUP" --vnet-name "$USER_VNET_NAME" \
      --subscription "$USER_SUBSCRIPTION_ID" --query "[?name==$(jmes "$PEERING_NAME")]|[0].remoteVirtualNetwork.id" --output tsv) || return
  fi
  printf '%s\n' "$network"
}"#,
)
.reading(&[
    USER_SUBSCRIPTION_ID.named(),
    USER_RESOURCE_GROUP.named(),
    USER_VNET_NAME.named(),
    PEERING_NAME.named(),
]);

static PROJECT_REMOTE_NETWORK: Helper = REMOTE_NETWORK.needing(&[&PROJECT_ROW, &JMES]);
static ORGANIZATION_REMOTE_NETWORK: Helper = REMOTE_NETWORK.needing(&[&ORGANIZATION_ROW, &JMES]);

/// For a script that may not look at your VNet.
const TOLD_ONCE: Helper = Helper::new(
    "told_once",
    r#"# told_once FIELD KNOWN: a field that the provider tells while its peering waits for your half, or what is known of it already
told_once() {
  local told
  told=$(peering_row "$1") || return
  printf '%s\n' "${told:-$2}"
}"#,
);

static PROJECT_TOLD_ONCE: Helper = TOLD_ONCE.needing(&[&PROJECT_ROW]);
static ORGANIZATION_TOLD_ONCE: Helper = TOLD_ONCE.needing(&[&ORGANIZATION_ROW]);

static DELETE_PROJECT_ROW: Helper = Helper::new(
    "delete_peering_row",
    r#"# delete_peering_row: deletes this VNet's peering, if there is one
delete_peering_row() {
  local state account group vnet
  state=$(peering_row state) || fail 'cannot look at the peerings'
  [ -n "$state" ] || return 0
  account=$(lower "$USER_SUBSCRIPTION_ID")
  group=$(lower "$USER_RESOURCE_GROUP")
  vnet=$(lower "$USER_VNET_NAME")
  avn vpc peering-connection delete --project "$AIVEN_PROJECT" --project-vpc-id "$AIVEN_PROJECT_VPC_ID" \
    --peer-cloud-account "$account" --peer-resource-group "$group" --peer-vpc "$vnet" --json >/dev/null || fail 'cannot delete the peering'
  wait_for 1800 GONE '' peering_row_or_gone
}"#,
)
.reading(&[
    USER_SUBSCRIPTION_ID.named(),
    USER_RESOURCE_GROUP.named(),
    USER_VNET_NAME.named(),
    AIVEN_PROJECT.named(),
    AIVEN_PROJECT_VPC_ID.named(),
])
.needing(&[&AVN, &PROJECT_ROW, &LOWER, &FAIL, &WAIT_FOR, &PROJECT_GONE])
.looking();

static DELETE_ORGANIZATION_ROW: Helper = Helper::new(
    "delete_peering_row",
    r#"# delete_peering_row: deletes this VNet's peering, if there is one
delete_peering_row() {
  local state id
  state=$(peering_row state) || fail 'cannot look at the peerings'
  [ -n "$state" ] || return 0
  id=$(peering_row peering_connection_id) || fail 'cannot look at the peerings'
  avn organization vpc peering-connection delete --organization-id "$AIVEN_ORGANIZATION_ID" \
    --organization-vpc-id "$AIVEN_ORGANIZATION_VPC_ID" --peering-connection-id "$id" --json >/dev/null || fail 'cannot delete the peering'
  wait_for 1800 GONE '' peering_row_or_gone
}"#,
)
.reading(&[AIVEN_ORGANIZATION_ID.named(), AIVEN_ORGANIZATION_VPC_ID.named()])
.needing(&[&AVN, &ORGANIZATION_ROW, &FAIL, &WAIT_FOR, &ORGANIZATION_GONE])
.looking();

/// `avn` prints both as a list.
const READY_IN_PROJECT: Helper = Helper::new(
    "vpc_ready",
    r#"# vpc_ready: the VPC has to be there and at rest, and to share no address with your VNet
vpc_ready() {
  local vpcs vpc
  vpcs=$(avn vpc list --project "$AIVEN_PROJECT" --json) || fail 'cannot look at the VPC; nothing was made'
  vpc=$(printf '%s\n' "$vpcs" | vpc_of "$AIVEN_PROJECT_VPC_ID")
  check_networks "${vpc%% *}" ACTIVE "${vpc#* }"
}"#,
)
.reading(&[AIVEN_PROJECT.named(), AIVEN_PROJECT_VPC_ID.named()]);

const READY_IN_ORGANIZATION: Helper = Helper::new(
    "vpc_ready",
    r#"# vpc_ready: the VPC has to be there and at rest, and to share no address with your VNet
vpc_ready() {
  local vpcs vpc
  vpcs=$(avn organization vpc get --organization-id "$AIVEN_ORGANIZATION_ID" \
    --organization-vpc-id "$AIVEN_ORGANIZATION_VPC_ID" --json) || fail 'cannot look at the VPC; nothing was made'
  vpc=$(printf '%s\n' "$vpcs" | vpc_of "$AIVEN_ORGANIZATION_VPC_ID")
  check_networks "${vpc%% *}" ACTIVE "${vpc#* }"
}"#,
)
.reading(&[AIVEN_ORGANIZATION_ID.named(), AIVEN_ORGANIZATION_VPC_ID.named()]);

static PROJECT_READY: Helper = READY_IN_PROJECT.needing(&[&AVN, &VPC_OF, &FAIL, &CHECK_NETWORKS]);
static PROJECT_READY_APART: Helper =
    READY_IN_PROJECT.needing(&[&AVN, &VPC_OF, &FAIL, &CHECK_NETWORKS_APART]);
static ORGANIZATION_READY: Helper =
    READY_IN_ORGANIZATION.needing(&[&AVN, &VPC_OF, &FAIL, &CHECK_NETWORKS]);
static ORGANIZATION_READY_APART: Helper =
    READY_IN_ORGANIZATION.needing(&[&AVN, &VPC_OF, &FAIL, &CHECK_NETWORKS_APART]);

static VPC_OF: Helper = Helper::new(
    "vpc_of",
    r#"# vpc_of ID: the state and the ranges of this VPC in a list of them
vpc_of() {
  want=$1 awk -F '"' '
    /^    \{/ { id = state = ranges = "" }
    /^        "(project|organization)_vpc_id": "/ { id = $4 }
    /^        "state": "/ { state = $4 }
    /^ *"network_cidr": "/ { ranges = ranges " " $4 }
    /^    \}/ { if (id == ENVIRON["want"]) print state ranges }'
}"#,
);

/// A word for what is not there, so that its absence can be waited for.
const GONE: Helper = Helper::new(
    "peering_row_or_gone",
    r#"# peering_row_or_gone: the state of this VNet's peering, or GONE
peering_row_or_gone() {
  local state
  state=$(peering_row state) || return
  printf '%s\n' "${state:-GONE}"
}"#,
);

static PROJECT_GONE: Helper = GONE.needing(&[&PROJECT_ROW]);
static ORGANIZATION_GONE: Helper = GONE.needing(&[&ORGANIZATION_ROW]);
