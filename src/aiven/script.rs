//! The bash that the steps' scripts share.

pub(super) const PROJECT_ROWS: &str = r#"# peering_rows: all peerings of the VPC, as JSON
peering_rows() {
  avn vpc peering-connection list --project "$AIVEN_PROJECT" --project-vpc-id "$AIVEN_PROJECT_VPC_ID" --json
}"#;

pub(super) const ORGANIZATION_ROWS: &str = r#"# peering_rows: all peerings of the VPC, as JSON
peering_rows() {
  avn organization vpc peering-connection list --organization-id "$AIVEN_ORGANIZATION_ID" --organization-vpc-id "$AIVEN_ORGANIZATION_VPC_ID" --json
}"#;

/// `avn` prints JSON with sorted keys, one to a line, so that awk can read it.
pub(super) const ROW: &str = r#"# peering_row FIELD: a field of this VNet's peering; nothing when there is no such peering
peering_row() {
  peering_rows | awk -F '"' -v want="$1" -v account="$(lower "$USER_SUBSCRIPTION_ID")" \
    -v group="$(lower "$USER_RESOURCE_GROUP")" -v vnet="$(lower "$USER_VNET_NAME")" '
    /^    \{/ { split("", row) }
    /^ *"[^"]*": "/ { row[$2] = $4 }
    /^    \}/ {
      if (tolower(row["peer_cloud_account"]) == account && tolower(row["peer_resource_group"]) == group &&
          tolower(row["peer_vpc"]) == vnet && row["state"] != "DELETED") { print row[want]; exit }
    }'
}"#;

/// The network is told while the peering waits for its other half, and not any more once it is ACTIVE.
pub(super) const REMOTE_NETWORK: &str = r#"# remote_network: the provider's network, as the provider tells it or as your VNet is peered with it
remote_network() {
  local network
  network=$(peering_row to-network-id)
  if [ -z "$network" ]; then
    network=$(az network vnet peering list --resource-group "$USER_RESOURCE_GROUP" --vnet-name "$USER_VNET_NAME" \
      --subscription "$USER_SUBSCRIPTION_ID" --query "[?name=='$PEERING_NAME']|[0].remoteVirtualNetwork.id" --output tsv)
  fi
  printf '%s\n' "$network"
}"#;

pub(super) const DELETE_PROJECT_ROW: &str = r#"# delete_peering_row: deletes this VNet's peering, if there is one
delete_peering_row() {
  [ -n "$(peering_row state)" ] || return 0
  avn vpc peering-connection delete --project "$AIVEN_PROJECT" --project-vpc-id "$AIVEN_PROJECT_VPC_ID" \
    --peer-cloud-account "$(peering_row peer_cloud_account)" \
    --peer-resource-group "$(peering_row peer_resource_group)" \
    --peer-vpc "$(peering_row peer_vpc)" --json >/dev/null
  wait_for 1800 GONE '' peering_row_or_gone
}"#;

pub(super) const DELETE_ORGANIZATION_ROW: &str = r#"# delete_peering_row: deletes this VNet's peering, if there is one
delete_peering_row() {
  [ -n "$(peering_row state)" ] || return 0
  avn organization vpc peering-connection delete --organization-id "$AIVEN_ORGANIZATION_ID" \
    --organization-vpc-id "$AIVEN_ORGANIZATION_VPC_ID" \
    --peering-connection-id "$(peering_row peering_connection_id)" --json >/dev/null
  wait_for 1800 GONE '' peering_row_or_gone
}"#;

/// A word for what is not there, so that its absence can be waited for.
pub(super) const GONE: &str = r#"# peering_row_or_gone: the state of this VNet's peering, or GONE
peering_row_or_gone() {
  local state
  state=$(peering_row state)
  printf '%s\n' "${state:-GONE}"
}"#;
