//! The bash that the steps' scripts share.

pub(super) const PROJECT_ROWS: &str = r#"# peering_rows: all peerings of the VPC, as JSON
peering_rows() {
  avn vpc peering-connection list --project "$AIVEN_PROJECT" --project-vpc-id "$AIVEN_PROJECT_VPC_ID" --json
}"#;

pub(super) const ORGANIZATION_ROWS: &str = r#"# peering_rows: all peerings of the VPC, as JSON
peering_rows() {
  avn organization vpc peering-connection list --organization-id "$AIVEN_ORGANIZATION_ID" --organization-vpc-id "$AIVEN_ORGANIZATION_VPC_ID" --json
}"#;

/// `avn` prints JSON with sorted keys, one to a line and in ASCII, so that awk can read it. The names go to awk through
/// the environment: `-v` would read their backslashes.
pub(super) const ROW: &str = r#"# peering_row FIELD: a field of this VNet's peering; nothing when there is no such peering
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
          tolower(row["peer_vpc"]) == ENVIRON["vnet"] && row["state"] != "DELETED" && !found) { print row[ENVIRON["want"]]; found = 1 }
    }'
}"#;

/// The network is told while the peering waits for its other half, and not any more once it is ACTIVE.
pub(super) const REMOTE_NETWORK: &str = r#"# remote_network: the provider's network, as the provider tells it or as your VNet is peered with it
remote_network() {
  local network
  network=$(peering_row to-network-id) || return
  if [ -z "$network" ]; then
    network=$(az network vnet peering list --resource-group "$USER_RESOURCE_GROUP" --vnet-name "$USER_VNET_NAME" \
      --subscription "$USER_SUBSCRIPTION_ID" --query "[?name=='$PEERING_NAME']|[0].remoteVirtualNetwork.id" --output tsv) || return
  fi
  printf '%s\n' "$network"
}"#;

pub(super) const DELETE_PROJECT_ROW: &str = r#"# delete_peering_row: deletes this VNet's peering, if there is one
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
}"#;

pub(super) const DELETE_ORGANIZATION_ROW: &str = r#"# delete_peering_row: deletes this VNet's peering, if there is one
delete_peering_row() {
  local state id
  state=$(peering_row state) || fail 'cannot look at the peerings'
  [ -n "$state" ] || return 0
  id=$(peering_row peering_connection_id) || fail 'cannot look at the peerings'
  avn organization vpc peering-connection delete --organization-id "$AIVEN_ORGANIZATION_ID" \
    --organization-vpc-id "$AIVEN_ORGANIZATION_VPC_ID" --peering-connection-id "$id" --json >/dev/null || fail 'cannot delete the peering'
  wait_for 1800 GONE '' peering_row_or_gone
}"#;

/// A word for what is not there, so that its absence can be waited for.
pub(super) const GONE: &str = r#"# peering_row_or_gone: the state of this VNet's peering, or GONE
peering_row_or_gone() {
  local state
  state=$(peering_row state) || return
  printf '%s\n' "${state:-GONE}"
}"#;
